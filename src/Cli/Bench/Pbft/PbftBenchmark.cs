using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Commands;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>
/// Four real validator processes: the way of a batch over distance, requests a second, one of them dead.
/// </summary>
internal sealed class PbftBenchmark : IBenchmark
{
    private const int Validators = 4;
    private const int BatchTransactions = 1_000;
    private const double TicksToMs = 1_000.0;

    private readonly Option<string?> _node = new("--node")
    {
        Description = "bench pbft: be one of the processes", Hidden = true,
    };

    private readonly Option<string[]> _parts = new("--part")
    {
        Description = "bench pbft: only delay, order, transfers or dead", AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<int> _seconds = new("--seconds")
    {
        Description = "bench pbft: length of one run", DefaultValueFactory = _ => 6,
    };

    private readonly Option<int> _clients = new("--clients")
    {
        Description = "bench pbft: clients of each process, for the part order", DefaultValueFactory = _ => 6,
    };

    private readonly Option<int> _group = new("--group")
    {
        Description = "bench pbft: requests of one call, for the part order", DefaultValueFactory = _ => 100,
    };

    private readonly Option<int> _transfers = new("--transfers")
    {
        Description = "bench pbft: transfers of one run", DefaultValueFactory = _ => 10_000,
    };

    private readonly Option<GossipMode> _gossip = new("--gossip")
    {
        Description = "bench pbft: how requests reach the validators", DefaultValueFactory = _ => GossipMode.Broadcast,
    };

    private readonly Option<PeerCodec> _compression = new("--compression")
    {
        Description = "bench pbft: of the frames between validators", DefaultValueFactory = _ => PeerCodec.Brotli,
    };

    public string Name => "pbft";

    public string Description => "four validator processes: batches over distance, requests/s, one process dead";

    public IReadOnlyList<Option> Options =>
        [_node, _parts, _seconds, _clients, _group, _transfers, _gossip, _compression];

    public async Task RunAsync(BenchContext context)
    {
        if (context.Options.GetValue(_node) is { } config)
        {
            await OrderingProcess.RunAsync(config, BatchTransactions, context.Cancellation);
            return;
        }

        var parts = context.Options.GetValue(_parts) ?? [];
        bool Wants(string part) => parts.Length == 0 || parts.Contains(part);
        if (Wants("delay"))
        {
            foreach (var delay in (int[])[100, 10, 1])
            {
                await MeasureDelayAsync(context, delay);
            }
        }

        if (Wants("order"))
        {
            await MeasureOrderAsync(context);
        }

        if (Wants("transfers"))
        {
            await PbftTransfers.MeasureAsync(
                context, Validators, context.Options.GetValue(_transfers), config => Configured(context, config));
        }

        if (Wants("dead"))
        {
            await MeasureDeadAsync(context);
        }
    }

    private Task<PbftCluster> StartAsync(BenchContext context, TimeSpan delay) => PbftCluster.StartAsync(
        Validators, delay, config => ["bench", "pbft", "--node", config], "/report", context.Cancellation,
        config => Configured(context, config));

    private ValidatorConfig Configured(BenchContext context, ValidatorConfig config) => config with
    {
        Gossip = context.Options.GetValue(_gossip), Compression = context.Options.GetValue(_compression),
    };

    /// <summary>From the leader's closing of a batch to the last validator's commit.</summary>
    private async Task MeasureDelayAsync(BenchContext context, int delayMs)
    {
        using var cluster = await StartAsync(context, TimeSpan.FromMilliseconds(delayMs));
        using var load = new RequestLoad();
        // Compiled code first: what is measured is the way of a batch, not a program's first seconds.
        await LoadAsync(load, cluster, clients: 8, group: 20, seconds: 6, pauseMs: 0);
        await cluster.ReportsAsync(context.Cancellation);
        await LoadAsync(load, cluster, clients: 1, group: 10, context.Options.GetValue(_seconds), pauseMs: 20);
        var reports = await cluster.ReportsAsync(context.Cancellation);
        var times = new List<double>();
        foreach (var (sequence, closed) in reports.SelectMany(report => report.Closed))
        {
            if (reports.TrueForAll(report => report.Commits.ContainsKey(sequence)))
            {
                times.Add(Milliseconds(reports.Max(report => report.Commits[sequence]) - closed));
            }
        }

        times.Sort();
        context.Report($"delay{delayMs}_close_to_commit_p50", "ms", At(times, 0.5));
        context.Report($"delay{delayMs}_close_to_commit_p99", "ms", At(times, 0.99));
        context.Report($"delay{delayMs}_in_one_way_delays_p50", "1", At(times, 0.5) / delayMs);
        context.Report($"delay{delayMs}_batches", "1", times.Count);
    }

    private async Task MeasureOrderAsync(BenchContext context)
    {
        using var cluster = await StartAsync(context, TimeSpan.Zero);
        using var load = new RequestLoad();
        var (clients, group) = (context.Options.GetValue(_clients), context.Options.GetValue(_group));
        var seconds = context.Options.GetValue(_seconds);
        List<double> rates = [], medians = [], highs = [], sizes = [], messages = [], bytes = [], frames = [], cpu = [];
        var before = await cluster.ReportsAsync(context.Cancellation);
        for (var run = -1; run < context.Runs; run++)
        {
            var started = Stopwatch.GetTimestamp();
            await LoadAsync(load, cluster, clients, group, seconds, pauseMs: 0);
            var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var after = await cluster.ReportsAsync(context.Cancellation);
            if (run >= 0)
            {
                var blocks = (double)(after[0].Committed - before[0].Committed);
                var ordered = after.Max(report => report.Ordered) - before.Max(report => report.Ordered);
                rates.Add(ordered / took);
                medians.Add(Latency(after, 0.5));
                highs.Add(Latency(after, 0.99));
                sizes.Add(ordered / blocks);
                messages.Add(Sum(report => report.MessagesSent) / blocks);
                bytes.Add(Sum(report => report.MessageBytes) / blocks);
                frames.Add(Sum(report => report.FrameBytes) / blocks);
                cpu.Add(after.Zip(before, (a, b) => a.CpuSeconds - b.CpuSeconds).Sum() / took);
            }

            double Sum(Func<OrderingReport, long> of) => after.Sum(of) - before.Sum(of);
            before = after;
        }

        context.Report("ordered", "req/s", rates);
        context.Report("ordered_latency_p50", "ms", medians);
        context.Report("ordered_latency_p99", "ms", highs);
        context.Report("ordered_batch", "req", sizes);
        context.Report("messages_per_block", "1", messages);
        context.Report("message_bytes_per_block", "B", bytes);
        context.Report("frame_bytes_per_block", "B", frames);
        context.Report("validators_cpu", "cores", cpu);
        context.Report("refused", "req", load.Refused);
    }

    /// <summary>The block interval under a light load, all alive and one dead.</summary>
    private async Task MeasureDeadAsync(BenchContext context)
    {
        using var cluster = await StartAsync(context, TimeSpan.Zero);
        using var load = new RequestLoad();
        var seconds = context.Options.GetValue(_seconds);
        await LoadAsync(load, cluster, clients: 4, group: 20, seconds: 3, pauseMs: 0);
        await cluster.ReportsAsync(context.Cancellation);
        await LoadAsync(load, cluster, clients: 2, group: 10, seconds, pauseMs: 0);
        var healthy = Intervals(await cluster.ReportsAsync(context.Cancellation));
        cluster.Kill(Validators - 1);
        await LoadAsync(load, cluster, clients: 2, group: 10, seconds: 4, pauseMs: 0);
        await cluster.ReportsAsync(context.Cancellation);
        await LoadAsync(load, cluster, clients: 2, group: 10, 2 * seconds, pauseMs: 0);
        var dead = Intervals(await cluster.ReportsAsync(context.Cancellation));
        context.Report("interval_healthy_mean", "ms", healthy.Average());
        context.Report("interval_dead_mean", "ms", dead.Average());
        context.Report("interval_dead_ratio", "x", dead.Average() / healthy.Average());
        context.Report("interval_healthy_p99", "ms", At(healthy, 0.99));
        context.Report("interval_dead_p99", "ms", At(dead, 0.99));
        context.Report("interval_dead_longest", "ms", dead[^1]);
    }

    private static Task LoadAsync(
        RequestLoad load, PbftCluster cluster, int clients, int group, int seconds, int pauseMs) =>
        load.RunAsync(
            cluster.Alive, clients, group, TimeSpan.FromSeconds(seconds), TimeSpan.FromMilliseconds(pauseMs));

    private static List<double> Intervals(List<OrderingReport> reports)
    {
        var times = reports[0].Commits.OrderBy(pair => pair.Key).Select(pair => pair.Value).ToList();
        return [.. times.Skip(1).Zip(times, (later, earlier) => Milliseconds(later - earlier)).Order()];
    }

    private static double Latency(List<OrderingReport> reports, double part)
    {
        var counts = new long[reports[0].Latencies.Length];
        foreach (var report in reports)
        {
            for (var i = 0; i < counts.Length; i++)
            {
                counts[i] += report.Latencies[i];
            }
        }

        var left = counts.Sum() * part;
        var bucket = 0;
        while (bucket < counts.Length - 1 && (left -= counts[bucket]) > 0)
        {
            bucket++;
        }

        return (bucket + 1) / 10.0;
    }

    private static double Milliseconds(long ticks) => ticks * TicksToMs / Stopwatch.Frequency;

    private static double At(List<double> sorted, double part) =>
        sorted.Count == 0 ? -1 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))];
}
