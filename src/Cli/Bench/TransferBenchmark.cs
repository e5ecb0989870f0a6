using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench;

/// <summary>Blocks of plain transfers executed in memory, without signatures, roots or a store.</summary>
internal sealed class TransferBenchmark : IBenchmark
{
    private const int TransfersPerBlock = 10_000;
    private const int BlocksPerRun = 10;
    private const int Accounts = 2_000;

    public string Name => "transfer";

    public string Description => "blocks of 10,000 plain transfers, one worker and two, in memory, no signatures";

    public Task RunAsync(BenchContext context)
    {
        var world = new MemoryState();
        var inputs = Blocks(world, BlocksPerRun, TransfersPerBlock);
        Measure(context, "one_worker", inputs, world, new SerialTransactionRunner(new EvmEngine()));
        foreach (var workers in (int[])[1, 2, 4, 8])
        {
            var options = new ParallelRunnerOptions(workers, ValidateAhead: workers > 2);
            Measure(context, $"runner_{workers}", inputs, world,
                new ParallelTransactionRunner(() => new EvmEngine(), options));
        }

        return Task.CompletedTask;
    }

    /// <summary>Fills a world with accounts and answers blocks of transfers between them.</summary>
    internal static BlockInput[] Blocks(MemoryState world, int blocks, int transfers)
    {
        for (var i = 0; i < Accounts; i++)
        {
            world.Put(AccountAt(i), 1_000_000_000_000_000_000);
        }

        return [.. Enumerable.Range(0, blocks).Select(i => Block(world, i, transfers))];
    }

    private static void Measure(
        BenchContext context, string name, BlockInput[] inputs, MemoryState world, ITransactionRunner runner)
    {
        var processor = new BlockProcessor(new EvmEngine(), runner);
        Run();
        Run();
        context.Measure(name, "tx/s", (double)TransfersPerBlock * BlocksPerRun, Run);

        void Run()
        {
            foreach (var input in inputs)
            {
                var outcome = processor.Execute(input, world);
                if (outcome.Included.Count != TransfersPerBlock)
                {
                    throw new InvalidOperationException($"{outcome.LeftOut.Count} transfers were left out.");
                }
            }
        }
    }

    private static Address AccountAt(int index) => Address.FromNumber(0x1000_0000 + (ulong)index);

    private static BlockInput Block(MemoryState world, int seed, int transfers)
    {
        var random = new Random(seed);
        var nonces = new ulong[Accounts];
        var transactions = new Transaction[transfers];
        for (var i = 0; i < transactions.Length; i++)
        {
            var sender = random.Next(Accounts);
            transactions[i] = new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = 1, Nonce = nonces[sender]++, GasLimit = 21_000,
                MaxFeePerGas = 20, MaxPriorityFeePerGas = 1, To = AccountAt(random.Next(Accounts)), Value = 1,
                Sender = AccountAt(sender),
            };
        }

        return new BlockInput
        {
            Context = new BlockContext
            {
                Rules = ForkRules.Of(Fork.Osaka), ChainId = 1, Number = 1, GasLimit = 1_000_000_000, BaseFee = 10,
                Coinbase = Address.FromNumber(0xC01), BlockHashes = world,
            },
            Transactions = transactions, ParentHash = Hash256.Zero, SkipStatelessChecks = true,
        };
    }
}
