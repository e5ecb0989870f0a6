using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.Consensus.Peers;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Server;

/// <summary>GET /metrics in Prometheus' text format, and GET /health.</summary>
internal sealed class MetricsEndpoint(Node node, RpcDispatcher dispatcher)
{
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
        var text = new StringBuilder(4_096);
        var head = node.Chain.Head;
        var pool = node.Pool.Counts();
        var made = node.Producer.Counts;
        Gauge(text, "supervm_head_number", "Number of the newest block.", head.Number);
        Gauge(text, "supervm_head_timestamp_seconds", "Timestamp of the newest block.", head.Header.Timestamp);
        Counter(text, "supervm_blocks_total", "Blocks made since the start.", made.Blocks);
        Counter(text, "supervm_transactions_total", "Transactions in these blocks.", made.Transactions);
        Counter(text, "supervm_gas_total", "Gas used in these blocks.", made.Gas);
        Gauge(text, "supervm_pool_pending", "Executable transactions in the pool.", pool.Pending);
        Gauge(text, "supervm_pool_queued", "Transactions that wait behind a gap.", pool.Queued);
        Gauge(text, "supervm_pool_bytes", "Bytes of the pool.", pool.Bytes);
        Gauge(text, "supervm_memory_bytes", "Resident memory.", Environment.WorkingSet);
        Counter(text, "supervm_gc_pause_seconds_total", "Time paused for garbage collection.",
            GC.GetTotalPauseDuration().TotalSeconds);
        Counter(text, "supervm_allocated_bytes_total", "Bytes allocated.", GC.GetTotalAllocatedBytes());
        RenderLimits(text);
        Head(text, "supervm_rpc_calls_total", "counter", "JSON-RPC calls by method.");
        foreach (var method in dispatcher.Methods.All.Where(method => method.Calls > 0))
        {
            Sample(text, $"supervm_rpc_calls_total{{method=\"{method.Name}\"}}", method.Calls);
        }

        Head(text, "supervm_rpc_errors_total", "counter", "JSON-RPC calls that were answered with an error.");
        foreach (var method in dispatcher.Methods.All.Where(method => method.Calls > 0))
        {
            Sample(text, $"supervm_rpc_errors_total{{method=\"{method.Name}\"}}", method.Errors);
        }

        PeerMetrics.Write(text, node.Consensus?.Peers() ?? []);
        return text.ToString();
    }

    /// <summary>What the guards refused, by reason.</summary>
    private void RenderLimits(StringBuilder text)
    {
        var (gate, guard) = (dispatcher.Gate!, node.Guard);
        Head(text, "supervm_limited_total", "counter", "Requests and transactions that were refused, by reason.");
        Sample(text, "supervm_limited_total{by=\"address\"}", gate.LimitedByAddress);
        Sample(text, "supervm_limited_total{by=\"global\"}", gate.LimitedByGlobal);
        Sample(text, "supervm_limited_total{by=\"sender\"}", guard.LimitedBySender);
        Sample(text, "supervm_limited_total{by=\"duplicate\"}", guard.Duplicates);
        Sample(text, "supervm_limited_total{by=\"fee\"}", guard.BelowFloor);
        Sample(text, "supervm_limited_total{by=\"key\"}", gate.Unauthorized);
        Gauge(text, "supervm_limit_buckets", "Addresses and senders with a bucket.", gate.Addresses + guard.Senders);
        Counter(text, "supervm_calls_timed_out_total", "Calls that executed too long.", node.Calls.TimedOut);
    }

    private static void Gauge(StringBuilder text, string name, string help, double value)
    {
        Head(text, name, "gauge", help);
        Sample(text, name, value);
    }

    private static void Counter(StringBuilder text, string name, string help, double value)
    {
        Head(text, name, "counter", help);
        Sample(text, name, value);
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private static void Sample(StringBuilder text, string name, double value) =>
        text.Append(name).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
}
