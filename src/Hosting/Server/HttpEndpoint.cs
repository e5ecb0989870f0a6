using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server.Loop;

namespace SuperVm.Hosting.Server;

/// <summary>JSON-RPC over HTTP: a POST to any path, its body answered in the same connection.</summary>
internal sealed class HttpEndpoint(RpcDispatcher dispatcher, ServerOptions options)
{
    internal async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        AllowOrigin(context);
        if (HttpMethods.IsOptions(request.Method))
        {
            response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        if (!HttpMethods.IsPost(request.Method))
        {
            response.StatusCode = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
                ? StatusCodes.Status200OK
                : StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = "POST, GET, OPTIONS";
            return;
        }

        try
        {
            await AnswerAsync(request, response, dispatcher.Gate!.CallerOf(context));
        }
        catch (BadHttpRequestException refusal)
        {
            // Too large, or broken off by the client.
            if (!response.HasStarted)
            {
                response.StatusCode = refusal.StatusCode;
            }
        }
        catch (Exception end) when (end is OperationCanceledException or IOException
            && context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: nobody is there to be answered.
        }
    }

    /// <summary>Whether the caller may use routes of management.</summary>
    internal bool MayManage(HttpContext context) => dispatcher.Gate!.CallerOf(context).MayManage;

    /// <summary>
    /// Whether a route beside JSON-RPC may be served: who calls it needs the same key and counts against the same
    /// rates. Where not, the request is answered; so is one that only asks what browsers may send.
    /// </summary>
    internal async ValueTask<bool> AdmitsAsync(HttpContext context)
    {
        var (gate, response) = (dispatcher.Gate!, context.Response);
        AllowOrigin(context);
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            response.StatusCode = StatusCodes.Status204NoContent;
            return false;
        }

        if (gate.Admit(gate.CallerOf(context), 1, out var retryAfter) is not { } error)
        {
            return true;
        }

        SetStatus(response, new RpcRefusal(error.Code, retryAfter));
        response.ContentType = "application/json";
        await response.WriteAsync($"{{\"error\":\"{error.Message}\"}}");
        return false;
    }

    internal static Task AskForKey(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Task.CompletedTask;
    }

    /// <summary>
    /// Reads and writes without a token of their own: they end with the connection, and a token costs each request.
    /// </summary>
    private async Task AnswerAsync(HttpRequest request, HttpResponse response, RpcCaller caller)
    {
        var reader = request.BodyReader;
        ReadResult read;
        while (!(read = await reader.ReadAsync()).IsCompleted)
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }

        // Work is the thread pool's, where it meets the work of other connections.
        var place = dispatcher.Quick.PlaceOf(read.Buffer.FirstSpan);
        if (EventLoop.IsLoopThread && !dispatcher.Quick.IsQuick(place))
        {
            await Task.Yield();
        }

        var started = Stopwatch.GetTimestamp();
        var coming = AnswerOf(read.Buffer, caller);
        dispatcher.Quick.Note(place, started);
        reader.AdvanceTo(read.Buffer.End);
        using var answer = await coming;
        SetStatus(response, answer.Refusal);
        response.ContentType = "application/json";
        if (answer.Bytes.Length >= options.CompressFromBytes && ResponseCompression.Choose(request) is { } coding)
        {
            await ResponseCompression.WriteAsync(response, coding, answer.Bytes);
            return;
        }

        response.ContentLength = answer.Bytes.Length;
        await response.BodyWriter.WriteAsync(answer.Bytes);
    }

    /// <summary>A body in one piece is read where it lies; one in several pieces is put together first.</summary>
    private ValueTask<RpcAnswer> AnswerOf(in ReadOnlySequence<byte> body, in RpcCaller caller)
    {
        if (body.IsSingleSegment)
        {
            return dispatcher.AnswerAsync(body.FirstSpan, caller);
        }

        var length = checked((int)body.Length);
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            body.CopyTo(whole);
            return dispatcher.AnswerAsync(whole.AsSpan(0, length), caller);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    /// <summary>429 with Retry-After for what comes too often (RFC 6585), 401 for what lacks a key.</summary>
    private static void SetStatus(HttpResponse response, in RpcRefusal refusal)
    {
        switch (refusal.Code)
        {
            case RpcError.LimitExceededCode:
                response.StatusCode = StatusCodes.Status429TooManyRequests;
                response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(refusal.RetryAfter.TotalSeconds))
                    .ToString(CultureInfo.InvariantCulture);
                break;
            case RpcError.UnauthorizedCode:
                response.StatusCode = StatusCodes.Status401Unauthorized;
                response.Headers.WWWAuthenticate = "Bearer";
                break;
        }
    }

    private void AllowOrigin(HttpContext context)
    {
        if (context.Request.Headers.Origin.Count == 0)
        {
            return;
        }

        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = options.AllowedOrigin;
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            headers.AccessControlAllowMethods = "POST, GET, DELETE, OPTIONS";
            headers.AccessControlAllowHeaders = "*, content-type, authorization";
            headers.AccessControlMaxAge = "600";
        }
    }
}
