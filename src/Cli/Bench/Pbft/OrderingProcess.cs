using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using SuperVm.Cli.Commands;
using SuperVm.Core.Consensus;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>What a node of the benchmark saw. Times are timestamps of the machine's monotonic clock.</summary>
/// <param name="Ordered">Requests ordered.</param>
/// <param name="Committed">The last batch, and its digest.</param>
/// <param name="Latencies">From a request's making to its order at the node that took it: count by 100 µs.</param>
/// <param name="Closed">Batches that this node closed, and when.</param>
/// <param name="Commits">When each batch was committed here.</param>
/// <param name="MessagesSent">To all peers.</param>
/// <param name="MessageBytes">Of the messages as they are.</param>
/// <param name="FrameBytes">On the wire.</param>
/// <param name="CpuSeconds">Used by the process.</param>
internal sealed record OrderingReport(
    long Ordered, ulong Committed, string Digest, int[] Latencies, Dictionary<ulong, long> Closed,
    Dictionary<ulong, long> Commits, long MessagesSent, long MessageBytes, long FrameBytes, double CpuSeconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OrderingReport))]
internal sealed partial class OrderingJson : JsonSerializerContext;

/// <summary>
/// A node of `bench pbft` in a process of its own: POST /order takes requests of 100 bytes and answers when all of them
/// are ordered; GET /report answers what was seen since the last one; it ends with its input.
/// </summary>
internal sealed class OrderingProcess : IOrderingObserver
{
    /// <summary>
    /// <code>
    ///   timestamp 8 │ entry node 4 │ group 4 │ number 8 │ padding
    /// </code>
    /// </summary>
    internal const int RequestBytes = 100;

    /// <summary>Requests of one POST.</summary>
    internal const int MaximumGroup = 1_000;

    private const int Buckets = 100_000;
    private const int RecordedBatches = 100_000;

    private readonly ConcurrentDictionary<int, Group> _groups = [];
    private readonly Lock _gate = new();
    private readonly int _index;
    private int[] _latencies = new int[Buckets];
    private Dictionary<ulong, long> _closed = [];
    private Dictionary<ulong, long> _commits = [];
    private OrderingNode? _node;
    private long _ordered;
    private ulong _committed;
    private string _digest = "";
    private int _lastGroup;

    private OrderingProcess(int index) => _index = index;

    internal static async Task RunAsync(string path, int batchTransactions, CancellationToken cancellation)
    {
        var config = ValidatorConfig.Read(path);
        var options = config.Options();
        options = options with
        {
            Parameters = options.Parameters with
            {
                GasLimit = ulong.MaxValue / 2, BatchTransactions = batchTransactions,
            },
        };
        var key = new Secp256k1Signer(options.PrivateKey).Address;
        var process = new OrderingProcess(options.Validators.ToList().FindIndex(peer => peer.Address == key));
        using var store = StoreFactory.Open(config.Data, log: _ => { });
        await using var node = new OrderingNode(
            store, options, process, TimeProvider.System, line => Console.Error.WriteLine(line));
        process._node = node;
        await using var server = process.Serve(config.RpcPort);
        await server.StartAsync(cancellation);
        await node.StartAsync(cancellation);
        await await Task.WhenAny(StopSignal.InputEndedAsync(), node.Completion);
    }

    public void Ordered(Batch batch)
    {
        var now = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _ordered += batch.Transactions.Count;
            (_committed, _digest) = (batch.Sequence, batch.Digest.ToString());
            if (_commits.Count < RecordedBatches)
            {
                _commits[batch.Sequence] = now;
            }

            foreach (var request in batch.Transactions)
            {
                if (BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(8)) == _index)
                {
                    var took = Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64LittleEndian(request), now);
                    _latencies[Math.Clamp((int)(took.TotalMilliseconds * 10), 0, Buckets - 1)]++;
                    Settle(BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(12)), isOrdered: true);
                }
            }
        }
    }

    public void Proposed(ulong sequence, long timestamp)
    {
        lock (_gate)
        {
            if (_closed.Count < RecordedBatches)
            {
                _closed.TryAdd(sequence, timestamp);
            }
        }
    }

    public void Refused(byte[] request) =>
        Settle(BinaryPrimitives.ReadInt32LittleEndian(request.AsSpan(12)), isOrdered: false);

    private void Settle(int id, bool isOrdered)
    {
        if (_groups.TryGetValue(id, out var group) && group.Settle(isOrdered))
        {
            _groups.TryRemove(id, out _);
        }
    }

    private WebApplication Serve(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.Run(context => context.Request.Path == "/order" ? OrderAsync(context) : ReportAsync(context));
        return application;
    }

    private async Task OrderAsync(HttpContext context)
    {
        var body = new byte[MaximumGroup * RequestBytes];
        var bytes = 0;
        for (int got; (got = await context.Request.Body.ReadAsync(body.AsMemory(bytes))) > 0;)
        {
            bytes += got;
        }

        var count = bytes / RequestBytes;
        if (count == 0 || bytes % RequestBytes != 0)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        var id = Interlocked.Increment(ref _lastGroup);
        var requests = new byte[count][];
        for (var i = 0; i < count; i++)
        {
            requests[i] = body[(i * RequestBytes)..((i + 1) * RequestBytes)];
            BinaryPrimitives.WriteInt32LittleEndian(requests[i].AsSpan(8), _index);
            BinaryPrimitives.WriteInt32LittleEndian(requests[i].AsSpan(12), id);
        }

        var group = _groups[id] = new Group(count);
        _node!.Submit(requests);
        context.Response.StatusCode = await group.Done
            ? StatusCodes.Status204NoContent
            : StatusCodes.Status503ServiceUnavailable;
    }

    private Task ReportAsync(HttpContext context)
    {
        OrderingReport report;
        using var self = Process.GetCurrentProcess();
        lock (_gate)
        {
            var sent = _node!.Peers.Aggregate(default(PeerTraffic), (sum, peer) => sum + peer.Sent);
            report = new OrderingReport(
                _ordered, _committed, _digest, _latencies, _closed, _commits, sent.Messages, sent.MessageBytes,
                sent.FrameBytes, self.TotalProcessorTime.TotalSeconds);
            (_latencies, _closed, _commits) = (new int[Buckets], [], []);
        }

        return context.Response.Body.WriteAsync(
            JsonSerializer.SerializeToUtf8Bytes(report, OrderingJson.Default.OrderingReport)).AsTask();
    }

    private sealed class Group(int count)
    {
        private readonly TaskCompletionSource<bool> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = count;
        private int _refused;

        internal Task<bool> Done => _done.Task;

        internal bool Settle(bool isOrdered)
        {
            if (!isOrdered)
            {
                Interlocked.Increment(ref _refused);
            }

            if (Interlocked.Decrement(ref _left) > 0)
            {
                return false;
            }

            _done.TrySetResult(Volatile.Read(ref _refused) == 0);
            return true;
        }
    }
}
