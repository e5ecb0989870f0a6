using System.CommandLine;
using System.Diagnostics;
using SuperVm.Cli.Bench.CloudState;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;

namespace SuperVm.Cli.Bench;

/// <summary>
/// What blocks over documents, blobs and rows cost: requests a transaction, and time without the network.
/// </summary>
/// <remarks>
/// The ports are in memory and count. "Cold" is an executor that has just started: it knows nothing but the head.
/// </remarks>
internal sealed class CloudStateBenchmark : IBenchmark
{
    private const int ReadsPerRun = 20_000;

    private static readonly Option<int> Accounts = new("--accounts")
    {
        Description = "accounts with money and tokens",
        DefaultValueFactory = _ => 100_000,
    };

    private static readonly Option<int> Latency = new("--latency-ms")
    {
        Description = "what every request waits once the state is made, in milliseconds",
        DefaultValueFactory = _ => 0,
    };

    public string Name => "cloud-state";

    public string Description => "document, table and blob requests a transaction, and reads, of the cloud's chain";

    public IReadOnlyList<Option> Options => [Accounts, Latency];

    public async Task RunAsync(BenchContext context)
    {
        var load = new CloudStateLoad(context.Options.GetValue(Accounts));
        var ports = new CountingPorts(TimeSpan.FromMilliseconds(context.Options.GetValue(Latency)));
        var genesis = load.Genesis();
        var started = Stopwatch.GetTimestamp();
        using (await DocumentChain.OpenAsync(ports.Ports, genesis))
        {
            context.Report("genesis", "s", Stopwatch.GetElapsedTime(started).TotalSeconds);
            context.Report("genesis documents", "requests", ports.Counts.Writes);
        }

        ports.IsFar = true;
        foreach (var tokens in (bool[])[false, true])
        {
            foreach (var size in (int[])[200, 1_000, 5_000])
            {
                await MeasureAsync(context, load, ports, genesis, size, tokens);
            }
        }

        using var reader = await DocumentChain.OpenAsync(ports.Ports, genesis);
        context.Measure("balances read, cache warm", "reads/s", ReadsPerRun, () =>
        {
            var state = reader.StateAt(reader.Head.Number).State!;
            for (var i = 0; i < ReadsPerRun; i++)
            {
                state.ReadAccount(load.AnyAccount(), out _);
            }
        });
        await LogQueries.MeasureAsync(context);
    }

    private static async Task MeasureAsync(
        BenchContext context, CloudStateLoad load, CountingPorts ports, Genesis genesis, int size, bool tokens)
    {
        var name = $"{(tokens ? "token" : "plain")} {size:N0}";
        var (cold, warm) = (new List<Counts>(), new List<Counts>());
        var (coldRate, warmRate) = (new List<double>(), new List<double>());
        for (var run = -1; run < context.Runs; run++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            using var chain = await DocumentChain.OpenAsync(ports.Ports, genesis);
            var first = await ProduceAsync(chain, load, ports, size, tokens);
            var second = await ProduceAsync(chain, load, ports, size, tokens);
            if (run >= 0)
            {
                cold.Add(first.Counts);
                warm.Add(second.Counts);
                coldRate.Add(size / first.Seconds);
                warmRate.Add(size / second.Seconds);
            }
        }

        context.Report($"{name}: documents, cold", "req/tx",
            [.. cold.Select(c => (double)(c.Reads + c.Writes) / size)]);
        context.Report($"{name}: documents, warm", "req/tx",
            [.. warm.Select(c => (double)(c.Reads + c.Writes) / size)]);
        context.Report($"{name}: document bytes, cold", "B/tx",
            [.. cold.Select(c => (double)(c.ReadBytes + c.WrittenBytes) / size)]);
        context.Report($"{name}: tables", "req/tx", [.. cold.Select(c => (double)c.Tables / size)]);
        context.Report($"{name}: blobs, cold", "req/tx", [.. cold.Select(c => (double)c.Blobs / size)]);
        context.Report($"{name}: executed, cold", "tx/s", coldRate);
        context.Report($"{name}: executed, warm", "tx/s", warmRate);
    }

    private static async Task<(Counts Counts, double Seconds)> ProduceAsync(
        DocumentChain chain, CloudStateLoad load, CountingPorts ports, int size, bool tokens)
    {
        var batch = load.Batch(size, tokens);
        var before = ports.Counts;
        var started = Stopwatch.GetTimestamp();
        var made = await chain.ProduceAsync(chain.Head.Number + 1, load.Attributes(), batch);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return made.Made?.Receipts.Count(receipt => receipt.Succeeded) == size
            ? (ports.Counts - before, seconds)
            : throw new InvalidOperationException("A transaction failed.");
    }
}
