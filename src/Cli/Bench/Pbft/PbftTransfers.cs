using System.Text.Json;
using SuperVm.Cli.Bench.EndToEnd;
using SuperVm.Cli.Commands;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>Signed transfers over JSON-RPC, entering at all validators; each checks signatures and executes.</summary>
internal static class PbftTransfers
{
    private const int OnTheirWay = 1_000;

    internal static async Task MeasureAsync(
        BenchContext context, int validators, int count, Func<ValidatorConfig, ValidatorConfig> change)
    {
        using var cluster = await PbftCluster.StartAsync(
            validators, TimeSpan.Zero, config => ["validator", "--config", config, "--until-input-ends"], "/health",
            context.Cancellation, change);
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
        var before = Traffic(cluster);
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

        var after = Traffic(cluster);
        var blocks = after.Head - before.Head;
        context.Report("transfers", "tx/s", rates);
        context.Report("transfers_messages_per_block", "1", (after.Messages - before.Messages) / blocks);
        context.Report("transfers_message_bytes_per_block", "B", (after.MessageBytes - before.MessageBytes) / blocks);
        context.Report("transfers_frame_bytes_per_block", "B", (after.FrameBytes - before.FrameBytes) / blocks);
        context.Report("transfers_receipt_p50", "ms", medians);
        context.Report("transfers_receipt_p99", "ms", highs);
        context.Report("transfers_lost", "tx", lost);
    }

    /// <summary>What all validators sent, before and after compression.</summary>
    private static (double Head, double Messages, double MessageBytes, double FrameBytes) Traffic(PbftCluster cluster)
    {
        double messages = 0, messageBytes = 0, frameBytes = 0;
        foreach (var url in cluster.Urls)
        {
            using var socket = new RpcSocket(url);
            foreach (var peer in socket.Call("supervm_peers").EnumerateArray())
            {
                var sent = peer.GetProperty("sent");
                messages += sent.GetProperty("messages").GetDouble();
                messageBytes += sent.GetProperty("messageBytes").GetDouble();
                frameBytes += sent.GetProperty("frameBytes").GetDouble();
            }
        }

        return (HeadOf(cluster.Urls[0]), messages, messageBytes, frameBytes);
    }

    private static ulong HeadOf(Uri url)
    {
        using var socket = new RpcSocket(url);
        return socket.Call("eth_blockNumber") is { ValueKind: JsonValueKind.String } number
            ? Convert.ToUInt64(number.GetString(), 16)
            : 0;
    }
}
