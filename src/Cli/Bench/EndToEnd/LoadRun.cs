using System.Collections.Concurrent;
using System.Diagnostics;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>What one run gave; latencies in milliseconds from submission to the receipt seen.</summary>
internal sealed record LoadResult(double TransactionsPerSecond, double MedianLatency, double HighLatency, int Lost);

/// <summary>Sends batches on several connections and asks for every receipt on another one.</summary>
/// <remarks>
/// <code>
///   lane 1 ─batch─▶ ┐
///   lane 2 ─batch─▶ ┴▶ at most so many on their way ─▶ is the last of the oldest batch in a block?
///                              its place is free again ◀─ all its receipts (those that succeeded count)
/// </code>
/// The number on their way is the same for every node, so latencies can be compared.
/// </remarks>
internal sealed class LoadRun(Uri url, int onTheirWay)
{
    internal const int Lanes = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(1);

    private readonly SemaphoreSlim _room = new(Math.Max(1, onTheirWay / LoadPlan.BatchSize));
    private readonly BlockingCollection<LoadBatch> _sent = [];
    private int _refused;

    internal LoadResult Run(LoadBatch[][] plan, CancellationToken cancellation)
    {
        var total = plan.Sum(lane => lane.Sum(batch => batch.Count));
        var latencies = new List<double>(total);
        var started = Stopwatch.GetTimestamp();
        var submitters = plan.Select(lane => Task.Factory.StartNew(
            () => Submit(lane, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        var poller = Task.Factory.StartNew(
            () => Poll(latencies, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            Task.WaitAll(submitters, cancellation);
        }
        finally
        {
            _sent.CompleteAdding();
        }

        var ended = poller.GetAwaiter().GetResult();
        latencies.Sort();
        return new LoadResult(
            latencies.Count / Stopwatch.GetElapsedTime(started, ended).TotalSeconds,
            At(latencies, 0.5), At(latencies, 0.99), total - latencies.Count + _refused);
    }

    private void Submit(LoadBatch[] batches, CancellationToken cancellation)
    {
        using var socket = new RpcSocket(url);
        foreach (var batch in batches)
        {
            if (!_room.Wait(Patience, cancellation))
            {
                return;
            }

            batch.SentAt = Stopwatch.GetTimestamp();
            var answer = socket.Post(batch.Submit);
            Interlocked.Add(ref _refused, batch.Count - Count(answer, "\"result\":\"0x"u8));
            _sent.Add(batch, cancellation);
        }
    }

    private long Poll(List<double> latencies, CancellationToken cancellation)
    {
        using var socket = new RpcSocket(url);
        var seenAt = Stopwatch.GetTimestamp();
        foreach (var batch in _sent.GetConsumingEnumerable(cancellation))
        {
            var asked = Stopwatch.GetTimestamp();
            int succeeded;
            while ((succeeded = Succeeded(socket, batch)) < 0)
            {
                if (Stopwatch.GetElapsedTime(asked) > Patience)
                {
                    return seenAt;
                }

                cancellation.WaitHandle.WaitOne(PollInterval);
            }

            seenAt = Stopwatch.GetTimestamp();
            latencies.AddRange(Enumerable.Repeat(
                Stopwatch.GetElapsedTime(batch.SentAt, seenAt).TotalMilliseconds, succeeded));
            _room.Release();
        }

        return seenAt;
    }

    /// <summary>How many of a batch are in blocks and succeeded; -1 while some are in none.</summary>
    private static int Succeeded(RpcSocket socket, LoadBatch batch)
    {
        if (socket.Post(batch.LastReceipt).IndexOf("\"result\":null"u8) >= 0)
        {
            return -1;
        }

        var receipts = socket.Post(batch.Receipts);
        return Count(receipts, "\"result\":null"u8) > 0 ? -1 : Count(receipts, "\"status\":\"0x1\""u8);
    }

    private static int Count(ReadOnlySpan<byte> text, ReadOnlySpan<byte> pattern)
    {
        var count = 0;
        while (text.IndexOf(pattern) is >= 0 and var at)
        {
            count++;
            text = text[(at + pattern.Length)..];
        }

        return count;
    }

    private static double At(List<double> sorted, double part) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))];
}
