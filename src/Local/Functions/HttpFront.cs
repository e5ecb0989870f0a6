using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace SuperVm.Local.Functions;

/// <summary>The HTTP triggers: requests reach the handler as they are, and its answers go back as they are.</summary>
internal sealed class HttpFront : IAsyncDisposable
{
    /// <summary>What Azure's front end allows for an answer.</summary>
    internal static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(230);

    /// <summary>Headers of one connection, not of the message (RFC 9110, 7.6.1).</summary>
    private static readonly string[] Hops =
        ["Connection", "Keep-Alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Proxy-Connection", "Host"];

    private readonly WebApplication _application;
    private readonly HttpMessageInvoker _client;
    private readonly HandlerProcess[] _handlers;
    private readonly LocalHostOptions _options;

    private int _turn;

    private HttpFront(WebApplication application, HandlerProcess[] handlers, LocalHostOptions options)
    {
        _application = application;
        _handlers = handlers;
        _options = options;
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
    }

    /// <summary>Where it listens.</summary>
    internal Uri Address { get; private set; } = null!;

    internal static async Task<HttpFront> StartAsync(
        FunctionApp app, HandlerProcess[] handlers, LocalHostOptions options, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, options.HttpPort);
        });
        var front = new HttpFront(builder.Build(), handlers, options);
        front._application.UseRouting();
        foreach (var function in app.Functions.Where(function => function.Kind == TriggerKind.Http))
        {
            var pattern = $"/{app.Host.RoutePrefix}/{function.Source}".Replace("//", "/", StringComparison.Ordinal);
            RequestDelegate pass = context => front.PassAsync(function, context);
            _ = function.Methods.Count == 0
                ? front._application.Map(pattern, pass)
                : front._application.MapMethods(pattern, function.Methods, pass);
        }

        await front._application.StartAsync(cancellation);
        var server = front._application.Services.GetRequiredService<IServer>();
        front.Address = new(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
        _client.Dispose();
    }

    /// <summary>The next instance in turn whose handler is not given up; the first where all are.</summary>
    private HandlerProcess Next()
    {
        for (var i = 0; i < _handlers.Length; i++)
        {
            var next = _handlers[(int)((uint)Interlocked.Increment(ref _turn) % (uint)_handlers.Length)];
            if (!next.Stopped.IsCompleted)
            {
                return next;
            }
        }

        return _handlers[0];
    }

    private async Task PassAsync(FunctionDefinition function, HttpContext context)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(LongestAnswer);
        string? failure = null;
        try
        {
            var address = await Next().ReadyAsync(patience.Token);
            using var request = Copy(context.Request, address);
            using var answer = await _client.SendAsync(request, patience.Token);
            context.Response.StatusCode = (int)answer.StatusCode;
            foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            {
                if (!Hops.Contains(name, StringComparer.OrdinalIgnoreCase))
                {
                    context.Response.Headers[name] = values.ToArray();
                }
            }

            await answer.Content.CopyToAsync(context.Response.Body, patience.Token);
        }
        catch (Exception problem) when (
            problem is HttpRequestException or FunctionAppException or OperationCanceledException or IOException)
        {
            failure = problem.Message;
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = problem is OperationCanceledException ? 504 : 502;
            }
        }

        _options.Observe(new(function.Name, failure));
    }

    private static HttpRequestMessage Copy(HttpRequest from, Uri address)
    {
        var target = new Uri(address, from.Path.ToUriComponent() + from.QueryString.ToUriComponent());
        var request = new HttpRequestMessage(new(from.Method), target);
        if (from.ContentLength > 0 || from.Headers.TransferEncoding.Count > 0)
        {
            request.Content = new StreamContent(from.Body);
        }

        foreach (var (name, values) in from.Headers)
        {
            if (!Hops.Contains(name, StringComparer.OrdinalIgnoreCase)
                && !request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
            }
        }

        request.Headers.TryAddWithoutValidation("X-Azure-Functions-InvocationId", Guid.NewGuid().ToString());
        request.Headers.TryAddWithoutValidation("X-Azure-Functions-HostVersion", HandlerClient.HostVersion);
        return request;
    }
}
