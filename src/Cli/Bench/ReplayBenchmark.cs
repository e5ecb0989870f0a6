using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Blocks;
using SuperVm.Conformance;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;

namespace SuperVm.Cli.Bench;

/// <summary>Main net blocks executed from their pre-state in memory, serially and in parallel.</summary>
internal sealed class ReplayBenchmark : IBenchmark
{
    /// <summary>Blocks faster than this say more about the timer than about execution.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>Until the contracts of the blocks have been compiled, which a background thread does.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(30);

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
        Contestant[] contestants =
        [
            new("serial", BlockRuns.Serial(), blocks.Length), new("workers_2", BlockRuns.Workers(2), blocks.Length),
            new("tuned", BlockRuns.Tuned(), blocks.Length),
        ];
        var round = 0;
        context.WarmUp(WarmUp, () => Round(blocks, contestants, round++, measured: false));
        for (var run = 0; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            Round(blocks, contestants, round++, measured: true);
        }

        context.Report("blocks", "1", blocks.Length);
        var serial = contestants[0].Medians();
        foreach (var contestant in contestants)
        {
            var medians = contestant.Medians();
            context.Report(contestant.Name, "Mgas/s", gas / 1e6 / medians.Sum());
            if (contestant != contestants[0])
            {
                context.Report($"{contestant.Name}_on_blocks_over_1ms", "x", [.. serial.Zip(medians)
                    .Where(pair => pair.First >= Shortest.TotalSeconds).Select(pair => pair.First / pair.Second)]);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// Every block once by each of them, so that what disturbs one disturbs all; each begins in turn, because the first
    /// finds the block's state in no cache.
    /// </summary>
    private static void Round(ReplayBlock[] blocks, Contestant[] contestants, int round, bool measured)
    {
        for (var i = 0; i < blocks.Length; i++)
        {
            for (var turn = 0; turn < contestants.Length; turn++)
            {
                contestants[(round + turn) % contestants.Length].Run(blocks[i], i, measured);
            }
        }
    }

    private sealed class Contestant(string name, ITransactionRunner runner, int blocks)
    {
        private readonly BlockProcessor _processor = new(new EvmEngine(), runner);
        private readonly List<double>[] _seconds = [.. Enumerable.Range(0, blocks).Select(_ => new List<double>())];

        internal string Name { get; } = name;

        /// <summary>The median seconds of each block.</summary>
        internal double[] Medians() => [.. _seconds.Select(times => times.Order().ElementAt(times.Count / 2))];

        internal void Run(ReplayBlock block, int index, bool measured)
        {
            var started = Stopwatch.GetTimestamp();
            var outcome = _processor.Execute(block.Input, block.State);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (outcome.GasUsed != block.Block.Header.GasUsed)
            {
                throw new InvalidDataException($"block {block.Name} used {outcome.GasUsed} gas.");
            }

            if (measured)
            {
                _seconds[index].Add(seconds);
            }
        }
    }
}
