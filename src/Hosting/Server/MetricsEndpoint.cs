using System.Globalization;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.Consensus.Peers;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Server;

/// <summary>GET /metrics in Prometheus' text format, and GET /health.</summary>
internal sealed class MetricsEndpoint(
    Node node, RpcDispatcher dispatcher, WebSocketEndpoint? webSockets = null)
{
    private readonly Lock _gate = new();
    private (long Allocated, long Transactions) _last;
    private double _perTransaction;

    internal Task WriteHealthAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(
            string.Create(CultureInfo.InvariantCulture, $"{{\"status\":\"ok\",\"block\":{node.Chain.Head.Number}}}"));
    }

    internal Task WriteMetricsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return context.Response.WriteAsync(Render());
    }

    private string Render()
    {
        var text = new MetricsText();
        RenderChain(text);
        RenderPool(text);
        RenderCalls(text);
        RenderRuntime(text);
        RenderLimits(text);
        RenderStatistics(text);
        PeerMetrics.Write(text.Builder, node.Consensus?.Peers() ?? []);
        return text.ToString();
    }

    private void RenderChain(MetricsText text)
    {
        var head = node.Chain.Head;
        var made = node.Producer.Counts;
        text.Gauge("supervm_head_number", "Number of the newest block.", head.Number);
        text.Gauge("supervm_head_timestamp_seconds", "Timestamp of the newest block.", head.Header.Timestamp);
        text.Counter("supervm_blocks_total", "Blocks made since the start.", made.Blocks);
        text.Counter("supervm_transactions_total", "Transactions in these blocks.", made.Transactions);
        text.Counter("supervm_gas_total", "Gas used in these blocks.", made.Gas);
        text.Histogram("supervm_block_seconds", "From the choice of transactions to the new head.", node.Producer.Took);
    }

    private void RenderPool(MetricsText text)
    {
        var pool = node.Pool.Counts();
        var (groups, submissions) = node.Submissions.Counts;
        text.Gauge("supervm_pool_pending", "Executable transactions in the pool.", pool.Pending);
        text.Gauge("supervm_pool_queued", "Transactions that wait behind a gap.", pool.Queued);
        text.Gauge("supervm_pool_bytes", "Bytes of the pool.", pool.Bytes);
        text.Histogram("supervm_pool_wait_seconds", "From the pool to a block, or to being dropped.", node.PoolWait);
        text.Gauge("supervm_submission_queue", "Single submissions that wait to be checked.", node.Submissions.Depth);
        text.Counter("supervm_submission_groups_total", "Groups in which single submissions were checked.", groups);
        text.Counter("supervm_submissions_total", "Single submissions that were checked.", submissions);
        text.Counter("supervm_journal_written_total", "Transactions written to the journal.", node.Journal?.Kept ?? 0);
    }

    private void RenderCalls(MetricsText text)
    {
        text.Histogram("supervm_rpc_seconds", "From a body to its answer, the network apart.", dispatcher.Took);
        text.Gauge("supervm_filters", "Filters that are installed.", dispatcher.Filters?.Count ?? 0);
        text.Gauge("supervm_websockets", "Open WebSocket connections.", webSockets?.Open ?? 0);
        text.Head("supervm_rpc_calls_total", "counter", "JSON-RPC calls by method.");
        foreach (var method in dispatcher.Methods.All.Where(method => method.Calls > 0))
        {
            text.Sample($"supervm_rpc_calls_total{{method=\"{method.Name}\"}}", method.Calls);
        }

        text.Head("supervm_rpc_errors_total", "counter", "JSON-RPC calls that were answered with an error.");
        foreach (var method in dispatcher.Methods.All.Where(method => method.Calls > 0))
        {
            text.Sample($"supervm_rpc_errors_total{{method=\"{method.Name}\"}}", method.Errors);
        }
    }

    private void RenderRuntime(MetricsText text)
    {
        text.Gauge("supervm_memory_bytes", "Resident memory.", Environment.WorkingSet);
        text.Gauge("supervm_heap_bytes", "Managed heap.", GC.GetTotalMemory(forceFullCollection: false));
        text.Head("supervm_gc_collections_total", "counter", "Garbage collections by generation.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Sample(
                $"supervm_gc_collections_total{{generation=\"{generation}\"}}", GC.CollectionCount(generation));
        }

        var pause = GC.GetTotalPauseDuration().TotalSeconds;
        text.Counter("supervm_gc_pause_seconds_total", "Time paused for garbage collection.", pause);
        text.Counter("supervm_allocated_bytes_total", "Bytes allocated.", GC.GetTotalAllocatedBytes());
        text.Gauge(
            "supervm_allocated_bytes_per_transaction",
            "Bytes allocated between the last two scrapes by the transactions of blocks in between.", PerTransaction());
        text.Gauge("supervm_thread_pool_queue", "Work that waits for a thread.", ThreadPool.PendingWorkItemCount);
        text.Gauge("supervm_thread_pool_threads", "Threads of the pool.", ThreadPool.ThreadCount);
    }

    /// <summary>What state, store and executor count: a family each, hits and misses as a ratio too.</summary>
    private void RenderStatistics(MetricsText text)
    {
        foreach (var (family, read) in node.Options.Statistics)
        {
            var values = read();
            foreach (var (name, value) in values)
            {
                text.Gauge($"supervm_{family}_{name}", $"{family}: {name.Replace('_', ' ')}.", value);
                const string Hits = "_hits";
                if (name.EndsWith(Hits, StringComparison.Ordinal)
                    && values.TryGetValue($"{name[..^Hits.Length]}_misses", out var misses))
                {
                    var cache = name[..^Hits.Length];
                    text.Gauge(
                        $"supervm_{family}_{cache}_hit_ratio", $"{family}: hits of all look-ups of the {cache}.",
                        value + misses > 0 ? value / (value + misses) : 0);
                }
            }
        }
    }

    private double PerTransaction()
    {
        lock (_gate)
        {
            var now = (Allocated: GC.GetTotalAllocatedBytes(), node.Producer.Counts.Transactions);
            if (now.Transactions > _last.Transactions)
            {
                _perTransaction = (double)(now.Allocated - _last.Allocated) / (now.Transactions - _last.Transactions);
            }

            _last = now;
            return _perTransaction;
        }
    }

    /// <summary>What the guards refused, by reason.</summary>
    private void RenderLimits(MetricsText text)
    {
        var (gate, guard) = (dispatcher.Gate!, node.Guard);
        text.Head("supervm_limited_total", "counter", "Requests and transactions that were refused, by reason.");
        text.Sample("supervm_limited_total{by=\"address\"}", gate.LimitedByAddress);
        text.Sample("supervm_limited_total{by=\"global\"}", gate.LimitedByGlobal);
        text.Sample("supervm_limited_total{by=\"sender\"}", guard.LimitedBySender);
        text.Sample("supervm_limited_total{by=\"duplicate\"}", guard.Duplicates);
        text.Sample("supervm_limited_total{by=\"fee\"}", guard.BelowFloor);
        text.Sample("supervm_limited_total{by=\"key\"}", gate.Unauthorized);
        text.Gauge("supervm_limit_buckets", "Addresses and senders with a bucket.", gate.Addresses + guard.Senders);
        text.Counter("supervm_calls_timed_out_total", "Calls that executed too long.", node.Calls.TimedOut);
    }
}
