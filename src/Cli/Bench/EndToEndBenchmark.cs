using System.CommandLine;
using SuperVm.Cli.Bench.EndToEnd;

namespace SuperVm.Cli.Bench;

/// <summary>A dev node in a process of its own, loaded over HTTP; a peer in turn with the same generator.</summary>
/// <remarks>
/// A run starts a fresh process, waits until it rests, loads it once ("fresh": its first transactions) and three times
/// more; the last time counts as "warm". Signing happens before; the generator shares the machine with the node.
/// </remarks>
internal sealed class EndToEndBenchmark : IBenchmark
{
    private const int WarmLoads = 3;

    private static readonly (string Name, Func<Loaded, LoadResult> Of)[] Moments =
        [("fresh", loaded => loaded.Fresh), ("warm", loaded => loaded.Warm)];

    private readonly Option<string?> _peer = new("--peer-program")
    {
        Description = "bench e2e: another node's program with arguments (anvil's chain id and accounts); gets --port",
    };

    private readonly Option<int> _transactions = new("--transactions")
    {
        Description = "bench e2e: transactions of one load", DefaultValueFactory = _ => 10_000,
    };

    private readonly Option<int> _window = new("--window")
    {
        Description = "bench e2e: transactions on their way at most", DefaultValueFactory = _ => 1_000,
    };

    private readonly Option<string> _kind = new("--kind")
    {
        Description = "bench e2e: transfers, erc20 or both", DefaultValueFactory = _ => "both",
    };

    public string Name => "e2e";

    public string Description => "a dev node under transfers and ERC-20 over HTTP: transactions/s, receipt latency";

    public IReadOnlyList<Option> Options => [_peer, _transactions, _window, _kind];

    public Task RunAsync(BenchContext context)
    {
        var wanted = context.Options.GetValue(_kind);
        foreach (var kind in Enum.GetValues<LoadKind>())
        {
            if (wanted == "both" || string.Equals(wanted, $"{kind}", StringComparison.OrdinalIgnoreCase))
            {
                Measure(context, kind);
            }
        }

        return Task.CompletedTask;
    }

    private void Measure(BenchContext context, LoadKind kind)
    {
        var peer = context.Options.GetValue(_peer);
        List<Loaded> own = [], other = [];
        for (var run = 0; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            own.Add(Load(context, kind, NodeProcess.StartOwn()));
            if (peer is not null)
            {
                other.Add(Load(context, kind, NodeProcess.StartPeer(peer)));
            }
        }

        var name = kind.ToString().ToLowerInvariant();
        Report(context, name, own);
        if (other.Count == 0)
        {
            return;
        }

        Report(context, $"peer_{name}", other);
        foreach (var (when, of) in Moments)
        {
            context.Report($"{name}_{when}_ratio", "x", [.. own.Zip(
                other, (mine, theirs) => of(mine).TransactionsPerSecond / of(theirs).TransactionsPerSecond)]);
        }
    }

    private Loaded Load(BenchContext context, LoadKind kind, NodeProcess node)
    {
        using (node)
        {
            node.WaitUntilIdle();
            LoadPlan plan;
            using (var socket = new RpcSocket(node.Url))
            {
                plan = new LoadPlan(socket, kind);
            }

            var count = Math.Clamp(context.Options.GetValue(_transactions), LoadPlan.BatchSize * 2, 1_000_000);
            var results = new List<LoadResult>();
            var spent = TimeSpan.Zero;
            for (var load = 0; load <= WarmLoads; load++)
            {
                var batches = plan.Sign(count, LoadRun.Lanes);
                var before = node.Processor;
                results.Add(new LoadRun(node.Url, context.Options.GetValue(_window))
                    .Run(batches, context.Cancellation));
                spent = node.Processor - before;
                context.Progress.WriteLine($"    {node.Name}: {results[^1].TransactionsPerSecond:F0} tx/s");
            }

            return new Loaded(
                results[0], results[^1], spent.TotalMicroseconds / count, node.PeakMemory,
                results.Sum(result => result.Lost));
        }
    }

    private static void Report(BenchContext context, string name, List<Loaded> runs)
    {
        foreach (var (when, of) in Moments)
        {
            context.Report($"{name}_{when}", "tx/s", [.. runs.Select(run => of(run).TransactionsPerSecond)]);
            context.Report($"{name}_{when}_p50", "ms", [.. runs.Select(run => of(run).MedianLatency)]);
            context.Report($"{name}_{when}_p99", "ms", [.. runs.Select(run => of(run).HighLatency)]);
        }

        context.Report($"{name}_warm_cpu", "us/tx", [.. runs.Select(run => run.ProcessorMicroseconds)]);
        context.Report($"{name}_peak_memory", "MiB", [.. runs.Select(run => run.PeakMemory)]);
        context.Report($"{name}_lost", "1", [.. runs.Select(run => (double)run.Lost)]);
    }

    private sealed record Loaded(
        LoadResult Fresh, LoadResult Warm, double ProcessorMicroseconds, double PeakMemory, int Lost);
}
