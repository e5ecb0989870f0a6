using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Azure.Functions;

/// <summary>Handles one function's invocation.</summary>
public delegate Task<RoleEnd> FunctionBody(Invocation invocation, CancellationToken cancellation);

/// <summary>A custom handler: the HTTP server that the Functions host starts beside itself and calls
/// (docs/azure.md).</summary>
/// <remarks>
/// <code>
///   POST /&lt;function&gt;, header X-Azure-Functions-InvocationId ─▶ FunctionBody ─▶ 200 {}   done
///                                                                            503      comes again
///                                                                            422      has no sense; poison after some
///   anything else ─▶ the app's HTTP trigger            GET / is answered by <see cref="HandlerServer"/>
/// </code>
/// A failing service is waited for within the invocation, with growing pauses, up to <see cref="Patience"/>: an outage
/// of minutes makes no poison.
/// </remarks>
public sealed class HandlerApp
{
    /// <summary>How long an invocation waits for a service that fails.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const string InvocationHeader = "X-Azure-Functions-InvocationId";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, FunctionBody> _functions = [];
    private readonly InvocationWaits _waits = new(TimeProvider.System, Console.Out.WriteLine);

    /// <summary>Serves HTTP triggers; null where the app has none.</summary>
    public RequestDelegate? Http { get; init; }

    /// <summary>Whether what the app serves is open; until then GET /health answers 503 at once.</summary>
    public Func<bool>? IsReady { get; init; }

    /// <summary>Prometheus text at GET /metrics, which no HTTP trigger's route leads to; null where Http answers
    /// it.</summary>
    public Func<string>? Metrics { get; init; }

    /// <summary>Emptied when nothing came for <see cref="IdleRest.After"/>, with the heap compacted; null for
    /// none.</summary>
    public RoleCaches? Caches { get; init; }

    /// <summary>Called when a request ends; null for nothing.</summary>
    public Action? AfterRequest { get; init; }

    /// <summary>Adds a queue or timer function by its folder's name.</summary>
    public HandlerApp Add(string function, FunctionBody body)
    {
        _functions.Add($"/{function}", body);
        return this;
    }

    /// <summary>Serves what comes to the server, until the host kills the process.</summary>
    /// <exception cref="InvalidOperationException">The server cannot listen.</exception>
    public async Task RunAsync(HandlerServer server)
    {
        using var rest = new IdleRest(() => Caches?.Forget(), TimeProvider.System);
        rest.Begin();
        await server.ServeAsync(context => RestingAfterAsync(context, rest));
        rest.End();
        // A Ctrl-C at the terminal reaches every process of it; the host decides when its handlers end.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        await (Environment.GetEnvironmentVariable(CloudNames.Settings.EmulatorTied) == "true"
            ? Task.Factory.StartNew(WaitForHost, TaskCreationOptions.LongRunning)
            : new TaskCompletionSource().Task);
    }

    /// <summary>Returns when the local host has gone, however it went.</summary>
    private static void WaitForHost()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[16];
        while (input.Read(ignored) > 0)
        {
        }
    }

    private async Task RestingAfterAsync(HttpContext context, IdleRest rest)
    {
        rest.Begin();
        try
        {
            await RouteAsync(context);
        }
        finally
        {
            AfterRequest?.Invoke();
            rest.End();
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (HttpMethods.IsPost(request.Method) && request.Headers.ContainsKey(InvocationHeader)
            && _functions.TryGetValue(request.Path.Value ?? string.Empty, out var function))
        {
            return InvokeAsync(context, function);
        }

        if (HttpMethods.IsGet(request.Method) && request.Path == "/metrics" && Metrics is not null)
        {
            response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return response.WriteAsync(Metrics() + _waits.Metrics());
        }

        if (HttpMethods.IsGet(request.Method) && request.Path == "/health" && IsReady?.Invoke() == false)
        {
            response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            response.ContentType = "application/json";
            return response.WriteAsync("{\"status\":\"starting\"}");
        }

        if (Http is not null)
        {
            return ServeAsync(context, Http);
        }

        response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    /// <summary>A service that fails answers 503, so that the client comes again; nothing dies of it.</summary>
    private static async Task ServeAsync(HttpContext context, RequestDelegate http)
    {
        try
        {
            await http(context);
        }
        catch (Exception failure) when (!context.RequestAborted.IsCancellationRequested)
        {
            Console.Error.WriteLine($"{context.Request.Method} {context.Request.Path}: {failure}");
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = failure is StoreException or HttpRequestException
                    ? StatusCodes.Status503ServiceUnavailable
                    : StatusCodes.Status500InternalServerError;
            }
        }
    }

    private async Task InvokeAsync(HttpContext context, FunctionBody function)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var end = Invocation.TryRead(body.GetBuffer().AsMemory(0, (int)body.Length), out var invocation)
            ? await WithPatienceAsync(function, invocation, context)
            : RoleEnd.Malformed;
        context.Response.StatusCode = end switch
        {
            RoleEnd.Done => StatusCodes.Status200OK,
            RoleEnd.Malformed => StatusCodes.Status422UnprocessableEntity,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync("{}");
    }

    private async Task<RoleEnd> WithPatienceAsync(
        FunctionBody function, Invocation invocation, HttpContext context)
    {
        var began = Stopwatch.GetTimestamp();
        using var wait = _waits.Of((context.Request.Path.Value ?? string.Empty).TrimStart('/'));
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var reason = "what it needs is not there";
            try
            {
                var end = await function(invocation, context.RequestAborted);
                if (end != RoleEnd.Again)
                {
                    return end;
                }
            }
            catch (Exception failure) when (failure is StoreException or HttpRequestException
                || (failure is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
            {
                reason = failure.Message;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                Console.Error.WriteLine($"{context.Request.Path} {invocation.MessageId}: {failure}");
                return RoleEnd.Again;
            }

            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                Console.Error.WriteLine($"{context.Request.Path} {invocation.MessageId} is given back: {reason}");
                return RoleEnd.Again;
            }

            wait.For(reason);
            await Task.Delay(pause, context.RequestAborted);
        }
    }
}
