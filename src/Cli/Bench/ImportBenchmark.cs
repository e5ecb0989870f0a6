using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Bench;

/// <summary>Blocks from bytes to the store: one after the other, and each ahead of its parent's roots.</summary>
internal sealed class ImportBenchmark : IBenchmark
{
    private const int Senders = 200;
    private const int Blocks = 24;
    private const ulong BlockGas = 1_000_000_000;
    private static readonly UInt256 Ether = 1_000_000_000_000_000_000;

    private readonly Option<int> _accounts = new("--state-accounts")
    {
        Description = "bench import: accounts of the state", DefaultValueFactory = _ => 200_000,
    };

    private readonly Option<int> _perBlock = new("--per-block")
    {
        Description = "bench import: transactions of a block", DefaultValueFactory = _ => 1_000,
    };

    public string Name => "import";

    public string Description => "blocks of transfers and of ERC-20 imported one by one, and in a pipeline: tx/s";

    public IReadOnlyList<Option> Options => [_accounts, _perBlock];

    public Task RunAsync(BenchContext context)
    {
        var accounts = Math.Clamp(context.Options.GetValue(_accounts), Senders, 10_000_000);
        var perBlock = Math.Clamp(context.Options.GetValue(_perBlock), 1, 20_000);
        var genesis = GenesisOf(accounts);
        foreach (var isToken in (bool[])[false, true])
        {
            var name = isToken ? "erc20" : "transfers";
            var (blocks, rates) = (new List<byte[]>(), new double[context.Runs]);
            for (var run = -1; run < context.Runs; run++)
            {
                (blocks, var took) = Make(genesis, accounts, perBlock, isToken);
                rates[Math.Max(run, 0)] = blocks.Count * perBlock / took.TotalSeconds;
            }

            context.Report($"{name}_produce", "tx/s", rates);
            Measure(context, name, genesis, blocks, perBlock);
        }

        return Task.CompletedTask;
    }

    private static void Measure(
        BenchContext context, string name, Genesis genesis, IReadOnlyList<byte[]> blocks, int perBlock)
    {
        var (single, row) = (new double[context.Runs], new double[context.Runs]);
        for (var run = -1; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var one = Import(
                genesis, blocks, static (chain, decoded) => decoded.All(block => chain.Import(block).Accepted));
            var all = Import(
                genesis, blocks, static (chain, decoded) => chain.ImportSequence(decoded).Refusal is null);
            if (run >= 0)
            {
                single[run] = blocks.Count * perBlock / one.TotalSeconds;
                row[run] = blocks.Count * perBlock / all.TotalSeconds;
            }
        }

        context.Report($"{name}_one_by_one", "tx/s", single);
        context.Report($"{name}_pipeline", "tx/s", row);
        context.Report($"{name}_ratio", "x", [.. row.Zip(single, (pipeline, other) => pipeline / other)]);
    }

    private static TimeSpan Import(
        Genesis genesis, IReadOnlyList<byte[]> blocks, Func<Chain, IEnumerable<Block>, bool> import)
    {
        using var store = new MemoryKeyValueStore();
        using var chain = Open(store, genesis);
        GC.Collect();
        var started = Stopwatch.GetTimestamp();
        if (!import(chain, blocks.Select(bytes => BlockCodec.Decode(bytes).Value!)) || chain.Head.Number != Blocks)
        {
            throw new InvalidOperationException("A block was refused.");
        }

        return Stopwatch.GetElapsedTime(started);
    }

    private static Chain Open(MemoryKeyValueStore store, Genesis genesis) => Chain.Open(
        store, genesis, new ChainOptions
    {
        Processor = new BlockProcessor(
            new EvmEngine(),
            new TunedTransactionRunner(static () => new EvmEngine(), Environment.ProcessorCount, TimeProvider.System)),
    });

    private static Genesis GenesisOf(int accounts)
    {
        var genesis = DevGenesis.Create(
            ChainSpec.DevelopmentChainId, Fork.Osaka, DevGenesis.AccountsOf(Mnemonic.Development, Senders),
            Ether * 10_000UL, 1_000);
        var alloc = new Dictionary<Address, GenesisAccount>(genesis.Alloc)
        {
            [EvmContracts.Token] = new(
                UInt256.Zero, 1, EvmContracts.Load()[EvmContracts.Token],
                genesis.Alloc.Keys.ToDictionary(BalanceSlot, static _ => new UInt256(1_000_000_000))),
        };
        for (var i = 0; i < accounts; i++)
        {
            alloc.TryAdd(AddressAt(i), new GenesisAccount(Ether, 0, [], new Dictionary<UInt256, UInt256>()));
        }

        return genesis with { Alloc = alloc, GasLimit = BlockGas };
    }

    /// <summary>
    /// Makes the blocks on a chain of their own, senders known; recipients are spread over the whole state.
    /// </summary>
    private static (List<byte[]> Blocks, TimeSpan Took) Make(Genesis genesis, int accounts, int perBlock, bool isToken)
    {
        var senders = DevGenesis.AccountsOf(Mnemonic.Development, Senders);
        using var store = new MemoryKeyValueStore();
        using var chain = Open(store, genesis);
        var (blocks, took) = (new List<byte[]>(Blocks), TimeSpan.Zero);
        for (var number = 0; number < Blocks; number++)
        {
            var transactions = new Transaction[perBlock];
            var first = number * perBlock;
            System.Threading.Tasks.Parallel.For(0, perBlock, i => transactions[i] = Signed(
                senders[i % Senders], first + i, AddressAt((int)((first + i) * 7919L % accounts)), perBlock, isToken));
            var started = Stopwatch.GetTimestamp();
            var made = chain.Produce(
                new BlockAttributes { Timestamp = 2_000 + (ulong)number, GasLimit = BlockGas }, transactions);
            took += Stopwatch.GetElapsedTime(started);
            if (made.Receipts.Count(receipt => receipt.Succeeded) != perBlock)
            {
                throw new InvalidOperationException("A transaction failed.");
            }

            blocks.Add(BlockCodec.Encode(made.Block.Block));
        }

        return (blocks, took);
    }

    private static Transaction Signed(DevAccount sender, int index, in Address to, int perBlock, bool isToken)
    {
        // A sender has every Senders-th place of each block.
        var (block, place) = (index / perBlock, index % perBlock);
        var perSender = ((perBlock - 1 - (place % Senders)) / Senders) + 1;
        return TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee,
                ChainId = ChainSpec.DevelopmentChainId,
                Nonce = (ulong)((block * perSender) + (place / Senders)),
                GasLimit = isToken ? 100_000UL : IntrinsicGas.Transaction,
                MaxFeePerGas = 20_000_000_000,
                MaxPriorityFeePerGas = 1,
                To = isToken ? EvmContracts.Token : to,
                Value = isToken ? 0UL : 1UL,
                Data = isToken
                    ? (byte[])[0xa9, 0x05, 0x9c, 0xbb, .. to.ToWord().ToBigEndian(), .. UInt256.One.ToBigEndian()]
                    : default,
            },
            sender.PrivateKey);
    }

    private static Address AddressAt(int index) =>
        new(Keccak256.Hash(BitConverter.GetBytes(index)).Bytes[12..]);

    /// <summary>Where Solidity keeps the entry of the mapping at slot 0.</summary>
    private static UInt256 BalanceSlot(Address holder) =>
        UInt256.FromBigEndian(Keccak256.Hash([.. holder.ToWord().ToBigEndian(), .. new byte[32]]).Bytes);
}
