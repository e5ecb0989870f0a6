using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Blocks;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Parallel;
using SuperVm.Core.State;

namespace SuperVm.Cli.Bench;

/// <summary>
/// A trace of changing workloads on the real clock: the tuner against each fixed choice, all doing the same blocks.
/// </summary>
/// <remarks>
/// The contestants take every block in turn, in an order that changes, so that what disturbs one disturbs all. A
/// phase lasts some seconds; which comes next is drawn from a seed.
/// </remarks>
internal sealed class TunerBenchmark : IBenchmark
{
    private const int LongestTrace = 3_600;

    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(6);

    private readonly Option<int> _seconds = new("--seconds")
    {
        Description = "bench tuner: length of the trace",
        DefaultValueFactory = _ => 600,
    };

    private readonly Option<int> _seed = new("--seed") { Description = "bench tuner: order of the workloads" };

    public string Name => "tuner";

    public string Description => "ten minutes of changing workloads: the tuner against fixed choices of workers";

    public IReadOnlyList<Option> Options => [_seconds, _seed];

    public Task RunAsync(BenchContext context)
    {
        var seconds = Math.Clamp(context.Options.GetValue(_seconds), 1, LongestTrace);
        var loads = Loads();
        var tuned = new TunedTransactionRunner(
            static () => new EvmEngine(), Environment.ProcessorCount, TimeProvider.System);
        Contestant[] contestants =
        [
            new("tuned", tuned), new("workers_1", BlockRuns.Workers(1)), new("workers_2", BlockRuns.Workers(2)),
            new("workers_4", BlockRuns.Workers(4)),
        ];
        foreach (var load in loads)
        {
            // Machine code for all, before the clock counts for anybody.
            context.WarmUp(TimeSpan.FromSeconds(1), () => Array.ForEach(contestants, one => one.Run(load)));
        }

        Array.ForEach(contestants, static one => one.Total = TimeSpan.Zero);
        Follow(context, loads, contestants, TimeSpan.FromSeconds(seconds));
        foreach (var one in contestants)
        {
            context.Report(one.Name, "s", one.Total.TotalSeconds);
        }

        var rivals = contestants[1..].Select(one => one.Total.TotalSeconds).Order().ToArray();
        context.Report("tuned_to_best_fixed", "x", contestants[0].Total.TotalSeconds / rivals[0]);
        context.Report("tuned_to_worst_fixed", "x", contestants[0].Total.TotalSeconds / rivals[^1]);
        context.Progress.WriteLine(tuned.Explain());
        return Task.CompletedTask;
    }

    private void Follow(BenchContext context, Load[] loads, Contestant[] contestants, TimeSpan length)
    {
        var random = new Random(context.Options.GetValue(_seed));
        var clock = Stopwatch.StartNew();
        var order = contestants.ToArray();
        while (clock.Elapsed < length)
        {
            var load = loads[random.Next(loads.Length)];
            var before = contestants.Select(one => one.Total).ToArray();
            for (var end = clock.Elapsed + Phase; clock.Elapsed < end && clock.Elapsed < length;)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                random.Shuffle(order);
                Array.ForEach(order, one => one.Run(load));
            }

            var times = contestants.Select((one, i) => $"{one.Name} {(one.Total - before[i]).TotalSeconds:F2} s");
            context.Progress.WriteLine(
                $"{clock.Elapsed.TotalSeconds,6:F0} s {load.Name,-16} {string.Join(", ", times)}");
        }
    }

    private static Load[] Loads()
    {
        var transfers = new TransferWorld(2_000);
        var tokens = new Erc20World(2_000);
        var spread = new UniswapWorld(100, 400);
        var hot = new UniswapWorld(3, 400);
        return
        [
            new("transfers", transfers.Block(5_000, 1), () => transfers.State),
            new("token", tokens.Block(1_000, 0, 1), () => tokens.State),
            new("hot token", tokens.Block(1_000, 90, 2), () => tokens.State),
            new("small blocks", tokens.Block(6, 0, 3), () => tokens.State),
            new("exchange", spread.Block(400, 1), () => spread.State),
            new("hot exchange", hot.Block(400, 1), () => hot.State),
            new("distant store", spread.Block(50, 2),
                () => new DistantState(spread.State, TimeSpan.FromMicroseconds(100))),
        ];
    }

    /// <summary>A workload: its block, and the state that every execution begins with.</summary>
    private sealed record Load(string Name, BlockInput Block, Func<IStateReader> State);

    private sealed class Contestant(string name, ITransactionRunner runner)
    {
        private readonly BlockProcessor _processor = new(new EvmEngine(), runner);

        internal string Name { get; } = name;

        internal TimeSpan Total { get; set; }

        internal void Run(Load load)
        {
            var state = load.State();
            var started = Stopwatch.GetTimestamp();
            BlockRuns.RunOne(_processor, load.Block, state);
            Total += Stopwatch.GetElapsedTime(started);
        }
    }
}
