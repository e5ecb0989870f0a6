using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Proving;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server.Loop;

namespace SuperVm.Hosting.Server;

/// <summary>Where a node listens.</summary>
public sealed record ServerOptions
{
    /// <summary>An address of this machine.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port; 0 takes a free one.</summary>
    public int Port { get; init; } = 8545;

    /// <summary>Origins that browsers may call from: one, or "*" for all.</summary>
    public string AllowedOrigin { get; init; } = "*";

    /// <summary>
    /// Bytes from which on an answer is compressed where the client takes that; none is unless it is set. It is worth
    /// it over a network only.
    /// </summary>
    public int CompressFromBytes { get; init; } = int.MaxValue;

    /// <summary>Whether requests are served where they arrive, where the system has what that takes.</summary>
    public bool UseEventLoop { get; init; } = true;

    public RpcLimits Limits { get; init; } = new();

    /// <summary>The proof service's door; null where there is none.</summary>
    public ProofEndpoint? Proofs { get; init; }
}

/// <summary>A node's door: JSON-RPC over HTTP and WebSocket, health and metrics, all on one port.</summary>
/// <remarks>
/// <code>
///   POST /         a JSON-RPC body             GET /health    200 while blocks can be made
///   GET / (ws)     JSON-RPC messages           GET /metrics   Prometheus text
///   /api/v1/proofs the proof service, where there is one
/// </code>
/// </remarks>
public sealed class NodeServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private NodeServer(WebApplication application, Uri address)
    {
        _application = application;
        Address = address;
    }

    /// <summary>Where it listens, with the port that was taken.</summary>
    public Uri Address { get; }

    /// <summary>Binds the port and serves.</summary>
    /// <exception cref="IOException">The port cannot be bound (in use, not allowed).</exception>
    public static async Task<NodeServer> StartAsync(
        Node node, ServerOptions options, CancellationToken cancellation = default)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        if (options.UseEventLoop && LoopTransport.IsSupported)
        {
            builder.Services.AddSingleton<IConnectionListenerFactory, LoopTransport>();
        }

        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.Limits.MaximumBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = options.Limits.MaximumConnections;
            kestrel.Listen(options.Host, options.Port);
        });
        var application = builder.Build();
        var gate = new RpcGate(node.Options.Security, node.WallClock);
        var dispatcher = RpcServices.DispatcherOf(node, options.Limits, gate);
        var http = new HttpEndpoint(dispatcher, options);
        var webSocket = new WebSocketEndpoint(node, dispatcher, options.Limits);
        var metrics = new MetricsEndpoint(node, dispatcher, webSocket);
        var sockets = ((IApplicationBuilder)application).New();
        sockets.UseWebSockets();
        sockets.Run(webSocket.ServeAsync);
        var webSockets = sockets.Build();
        application.Run(context =>
            options.Proofs is { } proofs && context.Request.Path.StartsWithSegments(ProofEndpoint.Prefix, out var job)
                ? ProveAsync(context, http, proofs, job)
                : RouteAsync(context, http, webSockets, metrics));
        try
        {
            await application.StartAsync(cancellation);
        }
        catch (Exception refusal) when (refusal is IOException or SocketException)
        {
            await application.DisposeAsync();
            var reason = (refusal is SocketException ? refusal : refusal.InnerException ?? refusal).Message;
            throw new IOException($"cannot listen on {options.Host} port {options.Port}: {reason}", refusal);
        }

        return new NodeServer(application, AddressOf(application));
    }

    /// <summary>Lets requests under way finish for a moment, then closes the port.</summary>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
    }

    private static async Task ProveAsync(
        HttpContext context, HttpEndpoint http, ProofEndpoint proofs, PathString job)
    {
        if (await http.AdmitsAsync(context))
        {
            await proofs.ServeAsync(context, job);
        }
    }

    private static Task RouteAsync(
        HttpContext context, HttpEndpoint http, RequestDelegate webSockets, MetricsEndpoint metrics)
    {
        var request = context.Request;
        if (request.Headers.Upgrade.Count > 0)
        {
            return webSockets(context);
        }

        if (HttpMethods.IsGet(request.Method) && request.Path == "/metrics")
        {
            return http.MayManage(context) ? metrics.WriteMetricsAsync(context) : HttpEndpoint.AskForKey(context);
        }

        if (HttpMethods.IsGet(request.Method) && request.Path == "/health")
        {
            return metrics.WriteHealthAsync(context);
        }

        return http.ServeAsync(context);
    }

    private static Uri AddressOf(WebApplication application)
    {
        var server = application.Services.GetRequiredService<IServer>();
        return new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }
}
