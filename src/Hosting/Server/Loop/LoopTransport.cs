using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace SuperVm.Hosting.Server.Loop;

/// <summary>
/// Kestrel's transport on event loops: Kestrel speaks HTTP as ever, its bytes come and go on the loops' threads.
/// </summary>
/// <remarks>Linux only; elsewhere Kestrel's own transport serves.</remarks>
internal sealed class LoopTransport(IMemoryPoolFactory<byte> pools)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>Whether this machine has what the loops stand on.</summary>
    internal static bool IsSupported => OperatingSystem.IsLinux();

    public bool CanBind(EndPoint endpoint) => IsSupported && endpoint is IPEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        try
        {
            socket.Listen(LoopListener.Backlog);
        }
        catch (SocketException refusal) when (refusal.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(refusal.Message, refusal);
        }

        return ValueTask.FromResult<IConnectionListener>(new LoopListener(socket, pools.Create()));
    }
}

/// <summary>Accepts connections and deals them out to the loops in turn.</summary>
internal sealed class LoopListener : IConnectionListener
{
    /// <summary>Connections that the kernel keeps until they are accepted.</summary>
    internal const int Backlog = 512;

    private const long MaximumUnparsedBytes = 1 << 20;
    private const long MaximumUnsentBytes = 64 << 10;

    /// <summary>How long to wait where the process has no descriptor left.</summary>
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(20);

    private readonly Socket _socket;
    private readonly MemoryPool<byte> _pool;
    private readonly EventLoop[] _loops;
    private readonly LoopConnection.PipePair _pipes;
    private uint _accepted;

    internal LoopListener(Socket socket, MemoryPool<byte> pool)
    {
        (_socket, _pool) = (socket, pool);
        EndPoint = socket.LocalEndPoint!;
        // A loop is one core's worth of requests: half of the cores, as the other half executes blocks.
        _loops = new EventLoop[Math.Max(1, Environment.ProcessorCount / 2)];
        for (var i = 0; i < _loops.Length; i++)
        {
            _loops[i] = new EventLoop();
        }

        _pipes = new LoopConnection.PipePair(OptionsOf(MaximumUnparsedBytes), OptionsOf(MaximumUnsentBytes));
    }

    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        for (; ; )
        {
            try
            {
                var socket = await _socket.AcceptAsync(cancellationToken);
                if (TryStart(socket) is { } connection)
                {
                    return connection;
                }
            }
            catch (SocketException refusal) when (refusal.SocketErrorCode == SocketError.OperationAborted)
            {
                return null;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException refusal)
            {
                if (refusal.SocketErrorCode == SocketError.TooManyOpenSockets)
                {
                    await Task.Delay(AcceptPause, cancellationToken);
                }
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _socket.Dispose();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }

        _pool.Dispose();
        return default;
    }

    /// <summary>Null where the connection ended before it began.</summary>
    private LoopConnection? TryStart(Socket socket)
    {
        try
        {
            var number = _accepted++;
            var connection = new LoopConnection(
                $"loop-{number:x8}", socket, _loops[number % (uint)_loops.Length], _pipes);
            connection.Start();
            return connection;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Whoever fills a pipe goes on with what its reader does, in the same call.</summary>
    private PipeOptions OptionsOf(long limit) => new(
        _pool, PipeScheduler.Inline, PipeScheduler.Inline, limit, limit / 2, useSynchronizationContext: false);
}
