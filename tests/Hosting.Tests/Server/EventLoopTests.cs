using System.Net;
using System.Net.Sockets;
using SuperVm.Hosting.Server.Loop;

namespace SuperVm.Hosting.Tests.Server;

public sealed class EventLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_blocks_the_loops_thread_does_not_hold_up_other_connections()
    {
        if (!LoopTransport.IsSupported)
        {
            return;
        }

        using var loop = new EventLoop();
        using var release = new ManualResetEventSlim();
        var blocked = new List<Wire>();
        for (var i = 0; i < 3; i++)
        {
            // Each of them takes a leader out of service.
            var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            blocked.Add(Wire.Open(loop, () =>
            {
                entered.TrySetResult();
                release.Wait(Patience);
            }));
            await blocked[i].Client.SendAsync(new byte[1]);
            await entered.Task.WaitAsync(Patience);
        }

        var served = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var other = Wire.Open(loop, () => served.TrySetResult(EventLoop.IsLoopThread));
        await other.Client.SendAsync(new byte[1]);
        Assert.True(await served.Task.WaitAsync(Patience));
        Assert.True(loop.Takeovers >= 3, $"{loop.Takeovers}");
        release.Set();
        blocked.ForEach(wire => wire.Dispose());
        Assert.False(EventLoop.IsLoopThread);
    }

    [Fact]
    public async Task The_loop_goes_on_after_a_rest_and_tells_each_change_once()
    {
        if (!LoopTransport.IsSupported)
        {
            return;
        }

        using var loop = new EventLoop();
        using var told = new SemaphoreSlim(0);
        using var wire = Wire.Open(loop, () => told.Release());

        // A socket that has just been added is told of as writable.
        Assert.True(await told.WaitAsync(Patience));
        for (var i = 0; i < 100; i++)
        {
            await wire.Client.SendAsync(new byte[1]);
            Assert.True(await told.WaitAsync(Patience));
        }

        loop.Remove(wire.Key);
        Assert.Equal(0, loop.Handlers);
    }

    [Fact]
    public async Task A_signal_given_early_late_or_twice_lets_the_waiter_go_on_once()
    {
        var signal = new ReadySignal();
        signal.Give();
        signal.Give();
        Assert.True(signal.WaitAsync().IsCompletedSuccessfully);
        for (var i = 0; i < 10_000; i++)
        {
            var waiting = signal.WaitAsync();
            var giving = Task.Run(signal.Give);
            await waiting;
            await giving;
        }

        var last = signal.WaitAsync();
        Assert.False(last.IsCompleted);
        signal.Give();
        Assert.True(last.IsCompletedSuccessfully);
        await last;
    }

    /// <summary>Two ends of a connection, one of them watched by the loop.</summary>
    private sealed class Wire(Socket client, Socket server, EventLoop loop) : IDisposable
    {
        internal Socket Client => client;

        internal ulong Key { get; private set; }

        internal static Wire Open(EventLoop loop, Action onReady)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Connect(listener.LocalEndpoint);
            var wire = new Wire(client, listener.AcceptSocket(), loop);
            wire.Key = loop.Add((int)wire.Server.Handle, new Handler(onReady));
            return wire;
        }

        private Socket Server => server;

        public void Dispose()
        {
            loop.Remove(Key);
            client.Dispose();
            server.Dispose();
        }
    }

    private sealed class Handler(Action onReady) : ILoopHandler
    {
        public void OnReady(Readiness readiness) => onReady();
    }
}
