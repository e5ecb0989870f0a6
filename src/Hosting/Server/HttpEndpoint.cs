using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.JsonRpc;

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
            await AnswerAsync(request, response, context.RequestAborted);
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

    private async Task AnswerAsync(HttpRequest request, HttpResponse response, CancellationToken cancellation)
    {
        var reader = request.BodyReader;
        ReadResult read;
        while (!(read = await reader.ReadAsync(cancellation)).IsCompleted)
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }

        var coming = AnswerOf(read.Buffer);
        reader.AdvanceTo(read.Buffer.End);
        using var answer = await coming;
        response.ContentType = "application/json";
        if (answer.Bytes.Length >= options.CompressFromBytes && ResponseCompression.Choose(request) is { } coding)
        {
            await ResponseCompression.WriteAsync(response, coding, answer.Bytes, cancellation);
            return;
        }

        response.ContentLength = answer.Bytes.Length;
        await response.BodyWriter.WriteAsync(answer.Bytes, cancellation);
    }

    /// <summary>A body in one piece is read where it lies; one in several pieces is put together first.</summary>
    private ValueTask<RpcAnswer> AnswerOf(in ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment)
        {
            return dispatcher.AnswerAsync(body.FirstSpan);
        }

        var length = checked((int)body.Length);
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            body.CopyTo(whole);
            return dispatcher.AnswerAsync(whole.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
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
            headers.AccessControlAllowMethods = "POST, GET, OPTIONS";
            headers.AccessControlAllowHeaders = "*, content-type, authorization";
            headers.AccessControlMaxAge = "600";
        }
    }
}
