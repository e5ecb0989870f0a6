using System.CommandLine;
using SuperVm.Cli.Bench.EndToEnd;

namespace SuperVm.Cli.Bench;

/// <summary>Reads over 16 keep-alive connections, of our node and of a peer in turn.</summary>
internal sealed class ReadsBenchmark : IBenchmark
{
    private const int Connections = 16;
    private const int WarmUpSeconds = 3;

    private readonly Option<string?> _peer = new("--peer")
    {
        Description = "bench reads: URL of another node (anvil's chain id and accounts), asked in turn with ours",
    };

    private readonly Option<string?> _program = new("--peer-program")
    {
        Description = "bench reads: the same as a program with arguments, started here; gets --port",
    };

    private readonly Option<int> _seconds = new("--seconds")
    {
        Description = "bench reads: seconds of one run", DefaultValueFactory = _ => 4,
    };

    public string Name => "reads";

    public string Description => "eth_getBalance and eth_call over 16 connections: requests/s, p99";

    public IReadOnlyList<Option> Options => [_peer, _program, _seconds];

    public Task RunAsync(BenchContext context)
    {
        using var own = NodeProcess.StartOwn();
        using var started = context.Options.GetValue(_program) is { } program ? NodeProcess.StartPeer(program) : null;
        var peer = started?.Url ?? (context.Options.GetValue(_peer) is { } url ? new Uri(url) : null);
        var seconds = Math.Clamp(context.Options.GetValue(_seconds), 1, 600);
        context.Progress.WriteLine($"  load: {ReadLoad.Generator}, {Connections} connections");
        ReadTargets.Prepare(own.Url);
        if (peer is not null)
        {
            ReadTargets.Prepare(peer);
        }

        foreach (var (name, body) in new[] { ("balance", ReadTargets.Balance), ("call", ReadTargets.Call) })
        {
            List<ReadResult> mine = [], theirs = [];
            for (var run = -1; run < context.Runs; run++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                var length = run < 0 ? WarmUpSeconds : seconds;
                var result = ReadLoad.Run(own.Url, body, length, Connections);
                var other = peer is null ? null : ReadLoad.Run(peer, body, length, Connections);
                if (run >= 0)
                {
                    mine.Add(result);
                    theirs.AddRange(other is null ? [] : [other]);
                }
            }

            Report(context, name, mine);
            if (theirs.Count > 0)
            {
                Report(context, $"peer_{name}", theirs);
                context.Report($"{name}_ratio", "x", [.. mine.Zip(theirs, (a, b) => a.PerSecond / b.PerSecond)]);
            }
        }

        return Task.CompletedTask;
    }

    private static void Report(BenchContext context, string name, List<ReadResult> results)
    {
        context.Report(name, "1/s", [.. results.Select(result => result.PerSecond)]);
        context.Report($"{name}_p50", "us", [.. results.Select(result => result.MedianMicroseconds)]);
        context.Report($"{name}_p99", "us", [.. results.Select(result => result.HighMicroseconds)]);
    }
}
