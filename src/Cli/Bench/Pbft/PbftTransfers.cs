using System.Text.Json;
using SuperVm.Cli.Bench.EndToEnd;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>Signed transfers over JSON-RPC, entering at all validators; each checks signatures and executes.</summary>
internal static class PbftTransfers
{
    private const int OnTheirWay = 1_000;

    internal static async Task MeasureAsync(BenchContext context, int validators, int count)
    {
        using var cluster = await PbftCluster.StartAsync(
            validators, TimeSpan.Zero, config => ["validator", "--config", config, "--until-input-ends"], "/health",
            context.Cancellation);
        LoadPlan plan;
        using (var first = new RpcSocket(cluster.Urls[0]))
        {
            plan = new LoadPlan(first, LoadKind.Transfers);
        }

        var head = cluster.Urls.Max(HeadOf);
        foreach (var url in cluster.Urls)
        {
            while (HeadOf(url) < head)
            {
                context.Cancellation.ThrowIfCancellationRequested();
            }
        }

        List<double> rates = [], medians = [], highs = [];
        var lost = 0;
        for (var run = -1; run < context.Runs; run++)
        {
            var lanes = plan.Sign(count, validators);
            var results = await Task.WhenAll(cluster.Urls.Select((url, i) => Task.Run(
                () => new LoadRun(url, OnTheirWay / validators).Run([lanes[i]], context.Cancellation))));
            if (run >= 0)
            {
                rates.Add(results.Sum(result => result.TransactionsPerSecond));
                medians.Add(results.Max(result => result.MedianLatency));
                highs.Add(results.Max(result => result.HighLatency));
            }

            lost += results.Sum(result => result.Lost);
        }

        context.Report("transfers", "tx/s", rates);
        context.Report("transfers_receipt_p50", "ms", medians);
        context.Report("transfers_receipt_p99", "ms", highs);
        context.Report("transfers_lost", "tx", lost);
    }

    private static ulong HeadOf(Uri url)
    {
        using var socket = new RpcSocket(url);
        return socket.Call("eth_blockNumber") is { ValueKind: JsonValueKind.String } number
            ? Convert.ToUInt64(number.GetString(), 16)
            : 0;
    }
}
