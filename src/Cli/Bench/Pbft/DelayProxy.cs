using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>
/// TCP proxies that hold every byte back for a time, each direction by itself: distance between processes of one
/// machine.
/// </summary>
/// <remarks>
/// The delay is the same for all, so what came first leaves first: one queue, one thread that sleeps until the first
/// one's time. Order is kept, and nothing waits for what is not before it: any number of bytes may be under way.
/// </remarks>
internal sealed class DelayProxy : IDisposable
{
    private const int ChunkBytes = 64 << 10;

    /// <summary>Chunks on one way that wait for a receiver that does not read.</summary>
    private const int MaximumChunks = 4_096;

    private readonly BlockingCollection<Chunk> _underWay = [];
    private readonly List<TcpListener> _listeners = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _delayTicks;

    internal DelayProxy(TimeSpan delay)
    {
        _delayTicks = (long)(delay.TotalSeconds * Stopwatch.Frequency);
        new Thread(Release) { IsBackground = true, Name = "delay" }.Start();
    }

    /// <summary>A port that leads to another one of this machine.</summary>
    internal int Open(int target)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _listeners.Add(listener);
        _ = AcceptAsync(listener, target);
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listeners.ForEach(listener => listener.Stop());
        _underWay.CompleteAdding();
    }

    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int SleepMicroseconds(uint microseconds);

    private void Release()
    {
        foreach (var chunk in _underWay.GetConsumingEnumerable())
        {
            var early = chunk.Due - Stopwatch.GetTimestamp();
            if (early > 0)
            {
                _ = SleepMicroseconds((uint)(early * 1_000_000 / Stopwatch.Frequency));
            }

            chunk.Way.TryWrite(chunk.Bytes);
        }
    }

    private async Task AcceptAsync(TcpListener listener, int target)
    {
        try
        {
            while (true)
            {
                var near = await listener.AcceptSocketAsync(_stopping.Token);
                _ = JoinAsync(near, target);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy is closed.
        }
    }

    private async Task JoinAsync(Socket near, int target)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, target, _stopping.Token);
            await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
            // The target is not there: the caller sees its connection close.
        }
        finally
        {
            near.Dispose();
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var way = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaximumChunks) { SingleReader = true });
        var writing = WriteAsync(way.Reader, to);
        try
        {
            var buffer = new byte[ChunkBytes];
            while (await from.ReceiveAsync(buffer, _stopping.Token) is > 0 and var got)
            {
                var due = Stopwatch.GetTimestamp() + _delayTicks;
                if (!_underWay.TryAdd(new Chunk(due, buffer[..got], way.Writer)))
                {
                    break;
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException
            or InvalidOperationException)
        {
            // One end closed.
        }

        way.Writer.TryComplete();
        await writing;
    }

    private async Task WriteAsync(ChannelReader<byte[]> way, Socket to)
    {
        try
        {
            await foreach (var bytes in way.ReadAllAsync(_stopping.Token))
            {
                for (var sent = 0; sent < bytes.Length;)
                {
                    sent += await to.SendAsync(bytes.AsMemory(sent), _stopping.Token);
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The receiver closed.
        }
    }

    private sealed record Chunk(long Due, byte[] Bytes, ChannelWriter<byte[]> Way);
}
