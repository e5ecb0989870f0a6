using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SuperVm.Cli.Bench.EndToEnd;

namespace SuperVm.Cli.Bench;

/// <summary>A dev node in a process of its own, loaded over HTTP with signed transfers; a peer in turn.</summary>
internal sealed class EndToEndBenchmark : IBenchmark
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly Option<string?> _peer = new("--peer")
    {
        Description = "bench e2e: URL of another node of the same chain id and accounts, loaded in turn with ours",
    };

    private readonly Option<int> _transactions = new("--transactions")
    {
        Description = "bench e2e: transfers a run", DefaultValueFactory = _ => 5_000,
    };

    public string Name => "e2e";

    public string Description => "a dev node under signed transfers over HTTP: transactions/s and receipt latency";

    public IReadOnlyList<Option> Options => [_peer, _transactions];

    public async Task RunAsync(BenchContext context)
    {
        var count = Math.Clamp(context.Options.GetValue(_transactions), 100, 1_000_000);
        var port = FreePort();
        using var node = StartNode(port);
        try
        {
            using var own = new HttpLoad($"http://127.0.0.1:{port}", count);
            await own.WaitUntilReadyAsync(StartLimit, context.Cancellation);
            using var peer = context.Options.GetValue(_peer) is { } url ? new HttpLoad(url, count) : null;
            await MeasureAsync(context, own, peer);
            node.Refresh();
            context.Report("peak_memory", "MiB", node.PeakWorkingSet64 / 1024.0 / 1024.0);
        }
        finally
        {
            node.Kill();
            await node.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task MeasureAsync(BenchContext context, HttpLoad own, HttpLoad? peer)
    {
        List<LoadResult> mine = [], theirs = [];
        for (var run = -1; run < context.Runs; run++)
        {
            var result = await own.RunAsync(context.Cancellation);
            var other = peer is null ? null : await peer.RunAsync(context.Cancellation);
            if (run >= 0)
            {
                mine.Add(result);
                theirs.AddRange(other is null ? [] : [other]);
            }
        }

        Report(context, string.Empty, mine);
        if (theirs.Count > 0)
        {
            Report(context, "peer_", theirs);
            context.Report("ratio", "x",
                [.. mine.Zip(theirs, (own, other) => own.TransactionsPerSecond / other.TransactionsPerSecond)]);
        }
    }

    private static void Report(BenchContext context, string prefix, List<LoadResult> results)
    {
        context.Report($"{prefix}transfers", "tx/s", [.. results.Select(result => result.TransactionsPerSecond)]);
        context.Report($"{prefix}submitted", "tx/s", [.. results.Select(result => result.SubmittedPerSecond)]);
        context.Report($"{prefix}receipt_p50", "ms", [.. results.Select(result => result.MedianLatency)]);
        context.Report($"{prefix}receipt_p99", "ms", [.. results.Select(result => result.HighLatency)]);
        context.Report($"{prefix}lost", "1", [.. results.Select(result => (double)result.Lost)]);
    }

    private static Process StartNode(int port)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program, "dev", "--port", $"{port}", "--silent"])
        {
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("The node did not start.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
