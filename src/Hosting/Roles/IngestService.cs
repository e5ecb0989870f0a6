using Microsoft.AspNetCore.Http;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Storage;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Proving;
using SuperVm.Hosting.Roles.Consortium;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Roles;

/// <summary>The door of a serverless validator: takes transactions into the inbox and answers reads.</summary>
/// <remarks>
/// <code>
///   POST /   JSON-RPC ─▶ checks ─▶ pool of this instance ─▶ inbox (many in a message) ─▶ hash
///                  └──▶ reads, over what is committed, at most <see cref="HeadAge"/> old
///   GET  /health   /metrics   /api/v1/…
/// </code>
/// An answered hash is in the queue. The pool is this instance's memory of what is under way: for pending nonces and
/// for refusing what is sent twice. What another instance took, or this one before it died, is ordered twice at worst,
/// and its second turn is left out.
/// </remarks>
public sealed class IngestService : IDisposable
{
    /// <summary>How old an answer may be when another instance moved the head.</summary>
    public static readonly TimeSpan HeadAge = TimeSpan.FromMilliseconds(50);

    private readonly RolePorts _ports;
    private readonly IRoleChain _chain;
    private readonly Node _node;
    private readonly GroupSender _inbox;
    private readonly HttpEndpoint _http;
    private readonly MetricsEndpoint _metrics;
    private readonly RestEndpoint _rest;
    private readonly ProofEndpoint _proofs;
    private readonly Func<string>? _moreMetrics;

    /// <param name="ports">What it stands on.</param>
    /// <param name="chain">The chain that it reads.</param>
    /// <param name="node">The pool's limits, development accounts, finality.</param>
    /// <param name="server">Limits of requests, the origin of browsers.</param>
    /// <param name="moreMetrics">Lines of Prometheus text beside the node's own.</param>
    /// <param name="consortium">Whose proofs of finality are answered; null for a chain of one operator.</param>
    public IngestService(
        RolePorts ports, IRoleChain chain, NodeOptions node, ServerOptions server, Func<string>? moreMetrics = null,
        ConsortiumSet? consortium = null)
    {
        (_ports, _chain, _moreMetrics) = (ports, chain, moreMetrics);
        _inbox = new(new(ports.Bus, ports.Blobs, ports.Clock), ports.Names.Inbox);
        _node = new(
            chain.Chain, chain.Chain.Spec, static () => new EvmEngine(),
            node with
            {
                OnAccepted = Enqueue, FindDropped = FindDropped,
                SharedFilters = ports.FilterContainer is { } container ? new(ports.Documents, container) : null,
            },
            ports.Clock, ports.Log)
        {
            Finality = consortium?.Proofs(ports, chain),
        };
        chain.Chain.HeadChanged += Follow;
        ports.Caches.Add(_node.Events.Forget);
        var dispatcher = RpcServices.DispatcherOf(
            _node, server.Limits, new RpcGate(node.Security, ports.Clock));
        ports.Caches.Add(dispatcher.Forget);
        _http = new(dispatcher, server);
        _metrics = new(_node, dispatcher);
        _rest = new(chain, _node);
        _proofs = new(ports, new ProofLimits());
    }

    /// <summary>Messages sent to the inbox since the start.</summary>
    public long Messages => _inbox.Messages;

    /// <summary>Serves one HTTP request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) && request.Path == "/metrics")
        {
            if (!_http.MayManage(context))
            {
                await HttpEndpoint.AskForKey(context);
                return;
            }

            await _metrics.WriteMetricsAsync(context);
            await context.Response.WriteAsync(_moreMetrics?.Invoke() ?? string.Empty);
            return;
        }

        if (HttpMethods.IsPost(request.Method) || (HttpMethods.IsGet(request.Method) && request.Path != "/"))
        {
            await _chain.RefreshAsync(HeadAge, context.RequestAborted);
        }

        if (HttpMethods.IsGet(request.Method) && request.Path == "/health")
        {
            await _metrics.WriteHealthAsync(context);
        }
        else if (request.Path.StartsWithSegments(RestEndpoint.Prefix, out var rest))
        {
            if (await _http.AdmitsAsync(context))
            {
                await (request.Path.StartsWithSegments(ProofEndpoint.Prefix, out var job)
                    ? _proofs.ServeAsync(context, job)
                    : _rest.ServeAsync(context, rest));
            }
        }
        else
        {
            await _http.ServeAsync(context);
        }
    }

    public void Dispose()
    {
        _chain.Chain.HeadChanged -= Follow;
        _node.Dispose();
    }

    /// <summary>Returns when all are in the inbox: only then are their senders answered.</summary>
    private void Enqueue(IReadOnlyList<PooledAnswer> accepted)
    {
        _ports.Reach(FailPoint.IngestPooled);
        var sends = new Task<bool>[accepted.Count];
        for (var i = 0; i < sends.Length; i++)
        {
            sends[i] = _inbox.SendAsync(TransactionCodec.Encode(accepted[i].Transaction));
        }

        try
        {
            if (Array.Exists(Task.WhenAll(sends).GetAwaiter().GetResult(), sent => !sent))
            {
                throw new StoreException("Too many transactions wait for the inbox.");
            }
        }
        catch (StoreException)
        {
            // What is not in the inbox must not be called known when it is sent again.
            for (var i = 0; i < sends.Length; i++)
            {
                if (!sends[i].IsCompletedSuccessfully || !sends[i].Result)
                {
                    _node.Pool.Remove(accepted[i].Transaction.Hash, "the inbox did not take it");
                }
            }

            throw;
        }

        _ports.Reach(FailPoint.IngestQueued);
        TransactionTrace.Write(_ports, "supervm.submitted", [.. accepted.Select(one => one.Transaction.Hash)]);
    }

    private string? FindDropped(Core.Primitives.Hash256 hash) =>
        _chain.FindDroppedAsync(hash, default).GetAwaiter().GetResult();

    private void Follow(HeadChange change) => Settle(_node, change);

    /// <summary>Takes what stands in new blocks out of a node's pool.</summary>
    internal static void Settle(Node node, HeadChange change)
    {
        foreach (var added in change.Added)
        {
            if (node.Chain.StateAt(added.Block.Number).State is { } state)
            {
                node.Pool.OnHead(state, added.Block.Block.Transactions, []);
            }
        }
    }
}
