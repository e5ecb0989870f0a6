using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>A small chain with a few funded keys, to produce blocks of transfers and contract calls on.</summary>
internal sealed class ChainScenario
{
    private const int Keys = 4;
    private const ulong ChainIdentifier = 1337;

    /// <summary>Counts its calls in slot 0, keeps the last call's value in slot 1, and emits an empty log.</summary>
    private static readonly byte[] CounterCode = Convert.FromHexString("6001600054016000553460015560006000a0");

    internal static readonly Address Counter = Address.FromNumber(0xC0);

    private readonly byte[][] _keys = Enumerable.Range(1, Keys).Select(number =>
    {
        var key = new byte[32];
        key[31] = (byte)number;
        return key;
    }).ToArray();

    internal ChainScenario(Fork fork, IKeyValueStore? store = null, ChainOptions? options = null)
    {
        Store = store ?? new MemoryKeyValueStore();
        Options = options ?? new ChainOptions();
        var probe = TransactionOf(0, Address.Zero, 0);
        var alloc = _keys.ToDictionary(
            key => TransactionSigner.Sign(probe, key).Sender!.Value,
            _ => new GenesisAccount(
                UInt256.Parse("1000000000000000000000"), 0, [], new Dictionary<UInt256, UInt256>()));
        alloc[Counter] = new GenesisAccount(0, 1, CounterCode, new Dictionary<UInt256, UInt256>());
        Genesis = new Genesis
        {
            Spec = ChainSpec.AllAtZero(fork, ChainIdentifier),
            Alloc = alloc,
            GasLimit = 30_000_000,
            Difficulty = fork < Fork.Paris ? 131_072UL : 0UL,
            Timestamp = 1_000,
        };
        Chain = Chain.Open(Store, Genesis, Options);
    }

    internal Genesis Genesis { get; }

    internal IKeyValueStore Store { get; }

    internal ChainOptions Options { get; }

    internal Chain Chain { get; private set; }

    internal void Reopen()
    {
        Chain.Dispose();
        Chain = Chain.Open(Store, Genesis, Options);
    }

    internal Address AddressOf(int key) =>
        TransactionSigner.Sign(TransactionOf(0, Address.Zero, 0), _keys[key]).Sender!.Value;

    internal Transaction Transfer(int key, ulong nonce, in Address to, in UInt256 value) =>
        TransactionSigner.Sign(TransactionOf(nonce, to, value), _keys[key]);

    /// <summary>The nonce that the key has at the head.</summary>
    internal ulong NonceOf(int key)
    {
        Chain.StateAt(Chain.Head.Number).State!.ReadAccount(AddressOf(key), out var account);
        return account.Nonce;
    }

    /// <summary>Produces a block of one transfer and one call a key; the more seconds, the lighter it is.</summary>
    internal ProducedBlock Produce(ulong seconds = 13, ulong value = 5, byte mark = 0)
    {
        var candidates = new List<Transaction>();
        for (var key = 0; key < Keys; key++)
        {
            var nonce = NonceOf(key);
            candidates.Add(Transfer(key, nonce, Address.FromNumber(1000 + value), value));
            candidates.Add(Transfer(key, nonce + 1, Counter, value));
        }

        return Chain.Produce(AttributesAfter(seconds, mark), candidates);
    }

    internal BlockAttributes AttributesAfter(ulong seconds, byte mark = 0) => new()
    {
        Coinbase = Address.FromNumber(0xFEE),
        Timestamp = Chain.Head.Header.Timestamp + seconds,
        ExtraData = new[] { mark },
    };

    internal static UInt256 Slot(Chain chain, ulong number, ulong slot)
    {
        chain.StateAt(number).State!.ReadSlot(Counter, slot, out var value);
        return value;
    }

    /// <summary>Without replay protection, so that every fork takes it.</summary>
    private static Transaction TransactionOf(ulong nonce, in Address to, in UInt256 value) => new()
    {
        Nonce = nonce,
        MaxFeePerGas = 10_000_000_000,
        MaxPriorityFeePerGas = 10_000_000_000,
        GasLimit = 100_000,
        To = to,
        Value = value,
    };
}
