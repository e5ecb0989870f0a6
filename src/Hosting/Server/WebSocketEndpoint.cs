using System.Buffers;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.JsonRpc.Subscriptions;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server.Loop;

namespace SuperVm.Hosting.Server;

/// <summary>
/// JSON-RPC over WebSocket: each message is a body, answered by one message, in order; between them come the messages
/// of what the client subscribed to.
/// </summary>
internal sealed class WebSocketEndpoint(Node node, RpcDispatcher dispatcher, RpcLimits limits)
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
            await ServeAsync(new SharedSocket(socket), caller, context.RequestAborted);
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

    /// <summary>Answers and tells until one of the two ends, which ends the other.</summary>
    private async Task ServeAsync(SharedSocket socket, RpcCaller caller, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var subscriber = new Subscriber(node, limits);
        var telling = TellAsync(socket, subscriber, end.Token);
        try
        {
            await AnswerAsync(socket, subscriber, caller, end.Token);
        }
        finally
        {
            await end.CancelAsync();
            await telling;
        }
    }

    /// <summary>Sends what the client subscribed to; one that reads too slowly is cut off.</summary>
    private static async Task TellAsync(SharedSocket socket, Subscriber subscriber, CancellationToken cancellation)
    {
        try
        {
            if (!await subscriber.RunAsync(message => socket.SendAsync(message, cancellation), cancellation))
            {
                const string Reason = "too slow: events were lost";
                await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, Reason, cancellation);
            }
        }
        catch (Exception gone) when (gone is WebSocketException or OperationCanceledException or IOException)
        {
            // The answering side notices too.
        }
    }

    private async Task AnswerAsync(
        SharedSocket socket, Subscriber subscriber, RpcCaller caller, CancellationToken cancellation)
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

                    received = await socket.Socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
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

                if (EventLoop.IsLoopThread)
                {
                    // A socket's messages may come without a pause: they are the thread pool's.
                    await Task.Yield();
                }

                using var answer = await dispatcher.AnswerAsync(buffer.AsSpan(0, length), caller, subscriber);
                if (answer.Bytes.Length > 0)
                {
                    await socket.SendAsync(answer.Bytes, cancellation);
                }

                subscriber.Activate();
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

    /// <summary>A socket that two tasks send on, one message after the other.</summary>
    private sealed class SharedSocket(WebSocket socket)
    {
        private readonly SemaphoreSlim _sending = new(1);

        internal WebSocket Socket => socket;

        internal async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
        {
            await _sending.WaitAsync(cancellation);
            try
            {
                await socket.SendAsync(message, WebSocketMessageType.Text, true, cancellation);
            }
            finally
            {
                _sending.Release();
            }
        }

        internal async Task CloseAsync(
            WebSocketCloseStatus status, string? words, CancellationToken cancellation)
        {
            await _sending.WaitAsync(cancellation);
            try
            {
                await socket.CloseOutputAsync(status, words, cancellation);
            }
            finally
            {
                _sending.Release();
            }
        }
    }
}
