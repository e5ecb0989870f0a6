using System.Buffers;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Server;

/// <summary>JSON-RPC over WebSocket: each message is a body, answered by one message, in order.</summary>
internal sealed class WebSocketEndpoint(RpcDispatcher dispatcher, RpcLimits limits)
{
    private const int FirstBufferBytes = 8 << 10;

    private int _open;

    /// <summary>Connections that are open now.</summary>
    internal int Open => Volatile.Read(ref _open);

    internal async Task ServeAsync(HttpContext context)
    {
        var caller = dispatcher.Gate!.CallerOf(context);
        if (!caller.MayCall)
        {
            await HttpEndpoint.AskForKey(context);
            return;
        }

        if (Interlocked.Increment(ref _open) > limits.MaximumWebSockets)
        {
            Interlocked.Decrement(ref _open);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        try
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await ServeAsync(socket, caller, context.RequestAborted);
        }
        catch (Exception end) when (end is WebSocketException or OperationCanceledException or IOException)
        {
            // The client has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task ServeAsync(WebSocket socket, RpcCaller caller, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            for (; ; )
            {
                var length = 0;
                ValueWebSocketReceiveResult received;
                do
                {
                    if (length == buffer.Length)
                    {
                        buffer = Grow(buffer, length);
                    }

                    received = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
                    length += received.Count;
                    if (length > limits.MaximumBodyBytes)
                    {
                        await socket.CloseAsync(WebSocketCloseStatus.MessageTooBig, "message too large", cancellation);
                        return;
                    }
                }
                while (!received.EndOfMessage);

                if (received.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellation);
                    return;
                }

                using var answer = await dispatcher.AnswerAsync(buffer.AsSpan(0, length), caller);
                if (answer.Bytes.Length > 0)
                {
                    await socket.SendAsync(answer.Bytes, WebSocketMessageType.Text, true, cancellation);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grow(byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
