using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Cli.Bench.Blocks;

/// <summary>Blocks in memory, without signatures, roots or a store: how they are made and measured.</summary>
internal static class BlockRuns
{
    /// <summary>Until the code of the measured path has been compiled for good.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    /// <summary>The fee recipient; it exists before every block.</summary>
    internal static Address Coinbase => Address.FromNumber(0xC01);

    internal static BlockInput Block(MemoryState world, Transaction[] transactions) => new()
    {
        Context = new BlockContext
        {
            Rules = ForkRules.Of(Fork.Osaka), ChainId = 1, Number = 1, Timestamp = 1_000, BaseFee = 10,
            GasLimit = (ulong)transactions.Length * 1_000_000, Coinbase = Coinbase, BlockHashes = world,
        },
        Transactions = transactions, ParentHash = Hash256.Zero, SkipStatelessChecks = true,
    };

    internal static ITransactionRunner Workers(int workers) => new ParallelTransactionRunner(
        static () => new EvmEngine(), new ParallelRunnerOptions(workers, ValidateAhead: workers > 2));

    internal static ITransactionRunner Serial() => new SerialTransactionRunner(new EvmEngine());

    internal static ITransactionRunner Tuned() => new TunedTransactionRunner(
        static () => new EvmEngine(), Environment.ProcessorCount, TimeProvider.System);

    /// <summary>Transactions a second; the median of the runs after a warm-up of some seconds.</summary>
    internal static double Measure(
        BenchContext context, string name, BlockInput[] inputs, IStateReader world, ITransactionRunner runner)
    {
        var processor = new BlockProcessor(new EvmEngine(), runner);
        var before = context.Figures.Count;
        context.WarmUp(WarmUp, Run);
        context.Measure(name, "tx/s", inputs.Sum(input => (double)input.Transactions.Count), Run);
        return context.Figures[before].Median;

        void Run()
        {
            foreach (var input in inputs)
            {
                RunOne(processor, input, world);
            }
        }
    }

    /// <summary>Executes a block of which every transaction must succeed.</summary>
    internal static void RunOne(BlockProcessor processor, BlockInput input, IStateReader world)
    {
        var outcome = processor.Execute(input, world);
        var succeeded = 0;
        foreach (var receipt in outcome.Receipts)
        {
            succeeded += receipt.Succeeded ? 1 : 0;
        }

        if (succeeded != input.Transactions.Count)
        {
            throw new InvalidOperationException(
                $"{succeeded} of {input.Transactions.Count} transactions succeeded, {outcome.LeftOut.Count} left out.");
        }
    }
}
