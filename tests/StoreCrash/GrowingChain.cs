using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.StoreCrash;

/// <summary>A chain whose every block holds one call of a contract that counts its calls.</summary>
/// <remarks>So at block n the counter stands at n, and so does the sender's nonce.</remarks>
public static class GrowingChain
{
    /// <summary>SSTORE(0, SLOAD(0) + 1), then an empty log.</summary>
    private static readonly byte[] CounterCode = Convert.FromHexString("60016000540160005560006000a0");

    private static readonly Address Counter = Address.FromNumber(0xC0);
    private static readonly byte[] Key = [.. new byte[31], 7];
    private static readonly Address Sender = Call(0).Sender!.Value;

    /// <summary>The chain in a store; the genesis is always the same, and of a fork without system contracts.</summary>
    public static Chain Open(IKeyValueStore store) => Chain.Open(store, new Genesis
    {
        Spec = ChainSpec.AllAtZero(Fork.Cancun, 1337),
        Alloc = new Dictionary<Address, GenesisAccount>
        {
            [Sender] = new(UInt256.Parse("1000000000000000000000"), 0, [], new Dictionary<UInt256, UInt256>()),
            [Counter] = new(0, 1, CounterCode, new Dictionary<UInt256, UInt256>()),
        },
        GasLimit = 30_000_000,
        Timestamp = 1_000,
    });

    /// <summary>Makes the next blocks, each acknowledged by a line with its number and hash.</summary>
    public static void GrowUntilKilled(string directory, StoreKind kind)
    {
        using var store = StoreFactory.Open(directory, kind);
        using var chain = Open(store);
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        output.WriteLine("open");
        while (true)
        {
            var head = chain.Head;
            var attributes = new BlockAttributes { Timestamp = head.Header.Timestamp + 1 };
            chain.Produce(attributes, [Call(head.Number)]);
            output.WriteLine($"{chain.Head.Number} {chain.Head.Hash}");
        }
    }

    /// <summary>What is wrong with the state at the head; null where it is that of the head's block.</summary>
    public static string? StateFault(Chain chain)
    {
        var state = chain.StateAt(chain.Head.Number).State!;
        state.ReadSlot(Counter, 0, out var count);
        state.ReadAccount(Sender, out var account);
        return count == chain.Head.Number && account.Nonce == chain.Head.Number
            ? null
            : $"at head {chain.Head.Number} the counter is {count}, the nonce {account.Nonce}";
    }

    /// <summary>
    /// What is wrong with the blocks; null where all are there and lead from the genesis to the head.
    /// </summary>
    public static string? BlockFault(Chain chain)
    {
        using var replayed = Open(new MemoryKeyValueStore());
        for (ulong number = 1; number <= chain.Head.Number; number++)
        {
            if (chain.GetBlock(number) is not { } block || chain.GetReceipts(number) is not [{ Logs.Count: 1 }])
            {
                return $"block {number} or its receipts are missing";
            }

            var result = replayed.Import(block.Block);
            if (!result.Accepted)
            {
                return $"block {number} is not valid: {result.Rule} {result.Detail}";
            }
        }

        return replayed.Head.Hash == chain.Head.Hash ? null : "the blocks lead to another head";
    }

    private static Transaction Call(ulong nonce) => TransactionSigner.Sign(
        new Transaction
        {
            Nonce = nonce,
            MaxFeePerGas = 10_000_000_000,
            MaxPriorityFeePerGas = 10_000_000_000,
            GasLimit = 100_000,
            To = Counter,
        },
        Key);
}
