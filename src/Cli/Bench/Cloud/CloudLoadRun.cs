using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SuperVm.Cli.Bench.EndToEnd;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.Cloud;

/// <summary>What a load gave; latencies in milliseconds from submission to the receipt in the client's hands.</summary>
/// <param name="PerSecond">Transactions a second, from the first submission to the last receipt.</param>
/// <param name="Median">Latency of half of them.</param>
/// <param name="High">Latency of 99 of 100.</param>
/// <param name="Lost">Those without a successful receipt, or with two.</param>
/// <param name="Blocks">Blocks that they stand in.</param>
internal sealed record CloudLoadResult(
    double PerSecond, double Median, double High, int Lost, int Blocks);

/// <summary>Submits requests on several connections; reads the receipts of every new block on another one.</summary>
/// <remarks>
/// <code>
///   lane ─request─▶ ┐ as many transactions on their way as there may be
///   lane ─request─▶ ┴▶ eth_blockNumber, every <see cref="Look"/> ─▶ moved: eth_getBlockReceipts ─▶ room for more
/// </code>
/// A receipt is in hand when its block's receipts are: one call a block, not one a transaction. With several validators
/// the lanes are spread over them, and the receipts are the first one's.
/// </remarks>
internal sealed class CloudLoadRun(IReadOnlyList<Uri> urls, int onTheirWay)
{
    internal const int Lanes = 4;

    /// <summary>How often the head is asked for.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);

    /// <summary>Without a new block for so long, the rest is lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _room = new(onTheirWay);
    private readonly Dictionary<Hash256, CloudRequest> _sent = [];
    private readonly HashSet<Hash256> _found = [];
    private readonly List<double> _latencies = [];
    private int _refused;
    private int _twice;
    private int _blocks;

    internal CloudLoadResult Run(IReadOnlyList<CloudRequest> requests, CancellationToken cancellation)
    {
        using var reader = new RpcSocket(urls[0]);
        var head = HeadOf(reader);
        foreach (var request in requests)
        {
            foreach (var hash in request.Hashes)
            {
                _sent.Add(hash, request);
            }
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var started = Stopwatch.GetTimestamp();
        var next = -1;
        var lanes = Enumerable.Range(0, Lanes).Select(lane => Task.Factory.StartNew(
            () => Submit(
                urls[lane % urls.Count], requests, () => Interlocked.Increment(ref next), stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        var ended = Follow(reader, head, stop.Token);
        stop.Cancel();
        try
        {
            Task.WaitAll(lanes, CancellationToken.None);
        }
        catch (AggregateException given) when (given.InnerException is OperationCanceledException)
        {
            // A lane that still waited for room.
        }

        cancellation.ThrowIfCancellationRequested();
        _latencies.Sort();
        return new(
            _latencies.Count / Stopwatch.GetElapsedTime(started, ended).TotalSeconds, At(0.5), At(0.99),
            _sent.Count - _found.Count + _refused + _twice, _blocks);
    }

    private void Submit(Uri url, IReadOnlyList<CloudRequest> requests, Func<int> next, CancellationToken stop)
    {
        using var socket = new RpcSocket(url);
        for (var i = next(); i < requests.Count; i = next())
        {
            foreach (var _ in requests[i].Hashes)
            {
                _room.Wait(stop);
            }

            requests[i].SentAt = Stopwatch.GetTimestamp();
            var answer = socket.Post(requests[i].Body);
            var taken = answer.Count("\"result\":\"0x"u8);
            Interlocked.Add(ref _refused, requests[i].Hashes.Count - taken);
        }
    }

    /// <summary>The time stamp of the last receipt.</summary>
    private long Follow(RpcSocket socket, ulong head, CancellationToken stop)
    {
        var last = Stopwatch.GetTimestamp();
        while (_found.Count + Volatile.Read(ref _refused) < _sent.Count
            && Stopwatch.GetElapsedTime(last) < Patience && !stop.IsCancellationRequested)
        {
            for (var newest = HeadOf(socket); head < newest;)
            {
                last = Read(socket, ++head);
            }

            stop.WaitHandle.WaitOne(Look);
        }

        return last;
    }

    private long Read(RpcSocket socket, ulong number)
    {
        var receipts = socket.Call(
            "eth_getBlockReceipts", string.Create(CultureInfo.InvariantCulture, $"0x{number:x}"));
        var now = Stopwatch.GetTimestamp();
        _blocks++;
        foreach (var receipt in receipts.EnumerateArray())
        {
            var hash = new Hash256(receipt.GetProperty("transactionHash"u8).GetBytesFromHex());
            if (!_sent.TryGetValue(hash, out var request) || !receipt.GetProperty("status"u8).ValueEquals("0x1"u8))
            {
                continue;
            }

            if (!_found.Add(hash))
            {
                _twice++;
                continue;
            }

            _latencies.Add(Stopwatch.GetElapsedTime(request.SentAt, now).TotalMilliseconds);
            _room.Release();
        }

        return now;
    }

    private static ulong HeadOf(RpcSocket socket) => ulong.Parse(
        socket.Call("eth_blockNumber").GetString().AsSpan(2), NumberStyles.AllowHexSpecifier,
        CultureInfo.InvariantCulture);

    private double At(double part) =>
        _latencies.Count == 0 ? 0 : _latencies[Math.Min(_latencies.Count - 1, (int)(_latencies.Count * part))];
}

/// <summary>Hexadecimal text of JSON as bytes.</summary>
internal static class JsonHex
{
    internal static byte[] GetBytesFromHex(this JsonElement text) => Convert.FromHexString(text.GetString().AsSpan(2));
}
