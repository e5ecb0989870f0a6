using System.Diagnostics;
using System.Text;
using SuperVm.Cli.Bench.Evm;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Node;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Bench.CloudState;

/// <summary>What eth_getLogs over many blocks costs an instance that has just started.</summary>
internal static class LogQueries
{
    private const int Accounts = 1_000;
    private const int Blocks = 5_000;

    /// <summary>Every so many blocks one has a log.</summary>
    private const int LogEvery = 10;

    /// <summary>What a request waits: a blob in the same region.</summary>
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(5);

    internal static async Task MeasureAsync(BenchContext context)
    {
        var (load, ports) = (new CloudStateLoad(Accounts), new CountingPorts(Latency));
        var genesis = load.Genesis();
        using (var chain = await DocumentChain.OpenAsync(ports.Ports, genesis))
        {
            for (var number = 1; number <= Blocks; number++)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                await chain.ProduceAsync(
                    (ulong)number, load.Attributes(), load.Batch(1, tokens: number % LogEvery == 0));
            }
        }

        ports.IsFar = true;
        foreach (var (name, filter, logs) in (ReadOnlySpan<(string, string, int)>)
        [
            ("none", "\"topics\":[\"0x" + new string('1', 64) + "\"]", 0),
            ("500", $"\"address\":\"{EvmContracts.Token}\"", Blocks / LogEvery),
        ])
        {
            Measure(context, ports, genesis, name, filter, logs);
        }
    }

    private static void Measure(
        BenchContext context, CountingPorts ports, Core.Ledger.Genesis genesis, string name, string filter, int logs)
    {
        var (blobs, seconds) = (new List<double>(), new List<double>());
        for (var run = -1; run < context.Runs; run++)
        {
            using var chain = DocumentChain.OpenAsync(ports.Ports, genesis).GetAwaiter().GetResult();
            using var node = new Node(
                chain, genesis.Spec, static () => new EvmEngine(), new NodeOptions(), TimeProvider.System, _ => { });
            var rpc = RpcServices.DispatcherOf(node, new RpcLimits());
            var (before, started) = (ports.Counts, Stopwatch.GetTimestamp());
            using var answer = rpc.Answer(Encoding.UTF8.GetBytes(
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getLogs\",\"params\":[{\"fromBlock\":\"0x1\","
                + "\"toBlock\":\"latest\"," + filter + "}]}"));
            var spent = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (Encoding.UTF8.GetString(answer.Bytes.Span).Split("\"logIndex\"").Length - 1 != logs)
            {
                throw new InvalidOperationException("eth_getLogs answers another number of logs.");
            }

            if (run >= 0)
            {
                seconds.Add(spent);
                blobs.Add((ports.Counts - before).Blobs);
            }
        }

        context.Report($"logs of {Blocks:N0} blocks, {name}: blobs", "requests", blobs);
        context.Report($"logs of {Blocks:N0} blocks, {name}: 5 ms a request", "s", seconds);
    }
}
