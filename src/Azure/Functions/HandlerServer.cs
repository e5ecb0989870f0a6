using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace SuperVm.Azure.Functions;

/// <summary>Listens where the Functions host looks for its handler, from the process's first moment on.</summary>
/// <remarks>
/// <code>
///   Start ─▶ listens: GET / is answered ─────────────▶ the first invocation comes in, and waits
///     └────▶ meanwhile settings are read, clients made ─▶ ServeAsync ─▶ answered
/// </code>
/// Most of a start is compiling: of the server on one core, of the services' clients on another.
/// </remarks>
public sealed class HandlerServer
{
    /// <summary>Bytes of a request.</summary>
    public const int MostBytes = 17 << 20;

    /// <summary>Where the host says at which port of this machine it looks.</summary>
    public const string PortVariable = "FUNCTIONS_CUSTOMHANDLER_PORT";

    /// <summary>Threads that are there at once: JSON-RPC calls wait for the database on theirs.</summary>
    private const int LeastThreads = 32;

    private readonly TaskCompletionSource<RequestDelegate> _handler =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="port">0 takes a free one.</param>
    internal HandlerServer(int port) => Listening = Task.Run(() => ListenAsync(port));

    /// <summary>Where it listens, as soon as it does.</summary>
    internal Task<Uri> Listening { get; }

    /// <summary>Begins to listen, without waiting.</summary>
    /// <exception cref="InvalidOperationException">The process was not started by a Functions host.</exception>
    public static HandlerServer Start()
    {
        ThreadPool.SetMinThreads(LeastThreads, LeastThreads);
        return int.TryParse(
            Environment.GetEnvironmentVariable(PortVariable), CultureInfo.InvariantCulture, out var port)
            ? new(port)
            : throw new InvalidOperationException(
                $"{PortVariable} is not set: a function app is started by `func start` or `supervm cloud`.");
    }

    /// <summary>Gives what came and what comes to the handler; returns when the port is open.</summary>
    internal Task ServeAsync(RequestDelegate handler)
    {
        _handler.SetResult(handler);
        return Listening;
    }

    private async Task<Uri> ListenAsync(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MostBytes;
            kestrel.Listen(IPAddress.Loopback, port);
        });
        var application = builder.Build(); // for the process's life
        application.Run(AnswerAsync);
        await application.StartAsync();
        return new(application.Urls.First());
    }

    private Task AnswerAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method) && context.Request.Path == "/")
        {
            return Task.CompletedTask;
        }

        return _handler.Task.IsCompletedSuccessfully ? _handler.Task.Result(context) : WaitAsync(context);
    }

    private async Task WaitAsync(HttpContext context)
    {
        var handler = await _handler.Task.WaitAsync(context.RequestAborted);
        await handler(context);
    }
}
