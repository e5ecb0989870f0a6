using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace SuperVm.Hosting.Server.Loop;

/// <summary>One accepted connection: bytes go between its socket and two pipes on whatever thread has them.</summary>
/// <remarks>
/// <code>
///   socket ──ready──▶ receive ──▶ input pipe ──▶ the server's parser, a handler, its answer ──▶ output pipe ──▶ send
///                     └──────────────────── one call on the loop's thread, where nothing has to wait ─────────────┘
/// </code>
/// Pipes bound what lies between the two: who does not read is not sent more, and what is not parsed is not received.
/// </remarks>
internal sealed class LoopConnection : DefaultConnectionContext, ILoopHandler
{
    private const int LeastReceivedBytes = 2 << 10;
    private const int MaximumSegmentsOfOneSend = 64;

    private readonly Socket _socket;
    private readonly EventLoop _loop;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly ReadySignal _readable = new();
    private readonly ReadySignal _writable = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private List<ArraySegment<byte>>? _segments;
    private Task _running = Task.CompletedTask;
    private Task _telling = Task.CompletedTask;
    private Exception? _reason;
    private bool _isShutDown;
    private volatile bool _isPeerClosed;

    internal LoopConnection(string id, Socket socket, EventLoop loop, in PipePair pipes)
        : base(id)
    {
        (_socket, _loop) = (socket, loop);
        (_input, _output) = (new Pipe(pipes.Input), new Pipe(pipes.Output));
        (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint, socket.RemoteEndPoint);
        Transport = new Ends(_input.Reader, _output.Writer);
        Application = new Ends(_output.Reader, _input.Writer);
        ConnectionClosed = _closed.Token;
    }

    /// <summary>How the two pipes are made.</summary>
    internal readonly record struct PipePair(PipeOptions Input, PipeOptions Output);

    /// <summary>Receives and sends until one of the sides ends the connection.</summary>
    /// <exception cref="ObjectDisposedException">The loop has been ended.</exception>
    internal void Start()
    {
        _socket.NoDelay = true;
        _socket.Blocking = false;
        var key = _loop.Add((int)_socket.Handle, this);
        _running = RunAsync(key);
    }

    public void OnReady(Readiness readiness)
    {
        const Readiness Ended = Readiness.Failed | Readiness.HungUp | Readiness.PeerClosed;
        if ((readiness & Ended) != 0)
        {
            _isPeerClosed = true;
        }

        if ((readiness & (Readiness.Writable | Ended)) != 0)
        {
            _writable.Give();
        }

        if ((readiness & (Readiness.Readable | Ended)) != 0)
        {
            _readable.Give();
        }
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        ShutDown(abortReason);
        _output.Reader.CancelPendingRead();
    }

    public override async ValueTask DisposeAsync()
    {
        await _input.Reader.CompleteAsync();
        await _output.Writer.CompleteAsync();
        await _running;
        _closed.Dispose();
    }

    private async Task RunAsync(ulong key)
    {
        var receiving = ReceiveAsync();
        await SendAsync();
        await receiving;
        _loop.Remove(key);
        _socket.Dispose();
        await _telling;
    }

    private async Task ReceiveAsync()
    {
        Exception? error = null;
        try
        {
            error = await ReceiveAllAsync();
        }
        catch (Exception defect) when (defect is not OutOfMemoryException)
        {
            error = defect;
        }

        await _input.Writer.CompleteAsync(_reason ?? error);
        _telling = _closed.CancelAsync();
    }

    /// <summary>Until one side has no more to send, or the other reads no more; the error that ended it.</summary>
    private async Task<Exception?> ReceiveAllAsync()
    {
        var writer = _input.Writer;
        await _readable.WaitAsync();
        for (; ; )
        {
            var memory = writer.GetMemory(LeastReceivedBytes);
            var count = _socket.Receive(memory.Span, SocketFlags.None, out var code);
            if (code == SocketError.WouldBlock)
            {
                await _readable.WaitAsync();
                continue;
            }

            if (code != SocketError.Success)
            {
                return Ended(code);
            }

            if (count == 0)
            {
                return null;
            }

            writer.Advance(count);
            var flushed = await writer.FlushAsync();
            if (flushed.IsCompleted || flushed.IsCanceled)
            {
                return null;
            }

            // What did not fill the buffer was all there was: what comes after it is told anew (epoll(7)).
            if (count < memory.Length && !_isPeerClosed)
            {
                await _readable.WaitAsync();
            }
        }
    }

    private async Task SendAsync()
    {
        Exception? error = null;
        try
        {
            error = await SendAllAsync();
        }
        catch (Exception defect) when (defect is not OutOfMemoryException)
        {
            error = defect;
        }

        ShutDown(error);
        await _output.Reader.CompleteAsync(error);
        _input.Writer.CancelPendingFlush();
    }

    private async Task<Exception?> SendAllAsync()
    {
        var reader = _output.Reader;
        for (; ; )
        {
            var read = await reader.ReadAsync();
            if (read.IsCanceled)
            {
                return null;
            }

            var left = read.Buffer;
            while (!left.IsEmpty)
            {
                var count = Send(left, out var code);
                if (code == SocketError.WouldBlock)
                {
                    await _writable.WaitAsync();
                }
                else if (code != SocketError.Success)
                {
                    return Ended(code);
                }

                left = left.Slice(count);
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return null;
            }
        }
    }

    /// <summary>Sends as much as the kernel takes at once; how much that was.</summary>
    private int Send(in ReadOnlySequence<byte> bytes, out SocketError code)
    {
        if (bytes.IsSingleSegment)
        {
            return _socket.Send(bytes.FirstSpan, SocketFlags.None, out code);
        }

        _segments ??= new List<ArraySegment<byte>>(MaximumSegmentsOfOneSend);
        _segments.Clear();
        foreach (var memory in bytes)
        {
            if (_segments.Count == MaximumSegmentsOfOneSend || !MemoryMarshal.TryGetArray(memory, out var segment))
            {
                break;
            }

            _segments.Add(segment);
        }

        return _segments.Count == 0
            ? _socket.Send(bytes.FirstSpan, SocketFlags.None, out code)
            : _socket.Send(_segments, SocketFlags.None, out code);
    }

    /// <summary>Ends both directions; those who wait for the socket see it.</summary>
    private void ShutDown(Exception? reason)
    {
        lock (_gate)
        {
            if (_isShutDown)
            {
                return;
            }

            _isShutDown = true;
            _reason = reason;
            try
            {
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
            {
                // The other side was faster.
            }
        }

        // Not within this call: the caller may hold locks of the server's.
        ThreadPool.UnsafeQueueUserWorkItem(
            static connection => connection.OnReady(Readiness.HungUp), this, preferLocal: false);
    }

    private static ConnectionResetException Ended(SocketError code)
    {
        var cause = new SocketException((int)code);
        return new ConnectionResetException(cause.Message, cause);
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
