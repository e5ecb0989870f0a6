using System.CommandLine;
using System.Diagnostics;
using SuperVm.Conformance;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Parallel;

namespace SuperVm.Cli.Bench;

/// <summary>Main net blocks executed from their pre-state in memory, serially and in parallel.</summary>
internal sealed class ReplayBenchmark : IBenchmark
{
    /// <summary>Blocks faster than this say more about the timer than about execution.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private readonly Option<string?> _blocks = new("--blocks")
    {
        Description = "bench replay: folder with main net blocks (BLOCK/block.json, BLOCK/pre_state.json)",
    };

    public string Name => "replay";

    public string Description => "main net blocks from their pre-state, serially and on two workers, gas a second";

    public IReadOnlyList<Option> Options => [_blocks];

    public Task RunAsync(BenchContext context)
    {
        var folder = context.Options.GetValue(_blocks)
            ?? throw new InvalidDataException("bench replay needs --blocks FOLDER (public data: pevm_blocks).");
        var blocks = Directory.EnumerateFiles(folder, "block.json", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(ReplayBlock.Load).ToArray();
        var gas = blocks.Sum(block => (double)block.Block.Header.GasUsed);
        var serial = Time(context, blocks, new SerialTransactionRunner(new EvmEngine()));
        var parallel = Time(context, blocks, new ParallelTransactionRunner(
            () => new EvmEngine(), new ParallelRunnerOptions(2)));
        var tuned = Time(context, blocks, new TunedTransactionRunner(() => new EvmEngine(), 2, TimeProvider.System));
        context.Report("blocks", "1", blocks.Length);
        context.Report("serial", "Mgas/s", gas / 1e6 / serial.Sum());
        context.Report("workers_2", "Mgas/s", gas / 1e6 / parallel.Sum());
        context.Report("tuned", "Mgas/s", gas / 1e6 / tuned.Sum());
        var ratios = serial.Zip(parallel, (one, two) => (One: one, Ratio: one / two))
            .Where(pair => pair.One >= Shortest.TotalSeconds).Select(pair => pair.Ratio).ToArray();
        context.Report("speedup_blocks_over_1ms", "x", ratios);
        return Task.CompletedTask;
    }

    /// <summary>The median seconds of each block.</summary>
    private static double[] Time(BenchContext context, ReplayBlock[] blocks, ITransactionRunner runner)
    {
        var processor = new BlockProcessor(new EvmEngine(), runner);
        var samples = blocks.Select(_ => new List<double>()).ToArray();
        for (var run = -2; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < blocks.Length; i++)
            {
                var started = Stopwatch.GetTimestamp();
                var outcome = processor.Execute(blocks[i].Input, blocks[i].State);
                var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                if (outcome.GasUsed != blocks[i].Block.Header.GasUsed)
                {
                    throw new InvalidDataException($"block {blocks[i].Name} used {outcome.GasUsed} gas.");
                }

                if (run >= 0)
                {
                    samples[i].Add(seconds);
                }
            }
        }

        return [.. samples.Select(times => times.Order().ElementAt(times.Count / 2))];
    }
}
