using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.Evm;

namespace SuperVm.Cli.Bench;

/// <summary>Compute-heavy contracts (Evm/EvmBench.sol) on one thread: milliseconds and gas a second of each.</summary>
internal sealed class EvmBenchmark : IBenchmark
{
    private const int WarmUps = 3;

    public string Name => "evm";

    public string Description => "compute-heavy contracts on one thread, through the engine as eth_call uses it";

    private readonly Option<string?> _node = new("--node")
    {
        Description = "URL of a node to measure through eth_call, in place of the engine in this process",
    };

    private readonly Option<string?> _peer = new("--peer")
    {
        Description = "URL of another node to measure beside, through eth_call; start it with a high gas limit",
    };

    public IReadOnlyList<Option> Options => [_node, _peer];

    public async Task RunAsync(BenchContext context)
    {
        var codes = EvmContracts.Load();
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
        IEvmTarget own = context.Options.GetValue(_node) is { } node
            ? new RpcTarget(http, node, codes)
            : new EngineTarget(codes);
        var peer = context.Options.GetValue(_peer) is { } url ? new RpcTarget(http, url, codes) : null;
        var engine = own as EngineTarget ?? new EngineTarget(codes);
        var ratios = new List<double>();
        foreach (var program in EvmContracts.Programs)
        {
            var gas = engine.GasOf(program);
            var (times, peerTimes) = await MeasureAsync(context, program, own, peer);
            context.Report($"{program.Name}_ms", "ms", times);
            context.Report($"{program.Name}_gas_rate", "Mgas/s", [.. times.Select(time => gas / 1_000.0 / time)]);
            if (peer is not null)
            {
                context.Report($"{program.Name}_peer_ms", "ms", peerTimes);
                ratios.Add(peerTimes.Order().ElementAt(context.Runs / 2) / times.Order().ElementAt(context.Runs / 2));
                context.Report($"{program.Name}_ratio", "x", [ratios[^1]]);
            }
        }

        if (peer is not null)
        {
            context.Report("ratio_geometric_mean", "x", [Math.Exp(ratios.Average(Math.Log))]);
        }
    }

    /// <summary>Runs a program on both in turn, so that what else the machine does hits both.</summary>
    private static async Task<(double[] Own, double[] Peer)> MeasureAsync(
        BenchContext context, EvmProgram program, IEvmTarget own, IEvmTarget? peer)
    {
        var times = new double[context.Runs];
        var peerTimes = new double[context.Runs];
        for (var run = -WarmUps; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var time = await TimeAsync(own, program, context.Cancellation);
            var peerTime = peer is null ? 0 : await TimeAsync(peer, program, context.Cancellation);
            if (run >= 0)
            {
                times[run] = time;
                peerTimes[run] = peerTime;
            }
        }

        return (times, peerTimes);
    }

    private static async Task<double> TimeAsync(IEvmTarget target, EvmProgram program, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        await target.RunAsync(program, cancellation);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }
}
