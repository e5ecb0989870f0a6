using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>A node in a process of its own on a free port: ours, or a peer's program that takes --port.</summary>
internal sealed class NodeProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan StartInterval = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);
    private const int MaximumLooks = 60;
    private const int RestsInARow = 3;

    private readonly Process _process;

    private NodeProcess(Process process, Uri url, string name) => (_process, Url, Name) = (process, url, name);

    /// <summary>The program, for progress lines.</summary>
    internal string Name { get; }

    internal Uri Url { get; }

    /// <summary>What it has spent on all cores.</summary>
    internal TimeSpan Processor
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The most memory it had, in MiB.</summary>
    internal double PeakMemory
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64 / 1024.0 / 1024.0;
        }
    }

    internal static NodeProcess StartOwn()
    {
        var port = FreePort();
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        return Start(port, "dotnet", [program, "dev", "--port", $"{port}", "--silent"]);
    }

    /// <param name="command">The program and its arguments; --port and a number are added.</param>
    internal static NodeProcess StartPeer(string command)
    {
        var port = FreePort();
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Start(port, words[0], [.. words[1..], "--port", $"{port}"]);
    }

    /// <summary>Waits until the process rests, for a few seconds at most.</summary>
    internal void WaitUntilIdle()
    {
        var (rests, spent) = (0, Processor);
        for (var i = 0; i < MaximumLooks && rests < RestsInARow; i++)
        {
            _process.WaitForExit(LookInterval);
            var now = Processor;
            rests = now - spent <= LookInterval / 10 ? rests + 1 : 0;
            spent = now;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // A package's program may be a script that starts the real one.
            _process.Kill(entireProcessTree: true);
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    private static NodeProcess Start(int port, string program, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{program} did not start.");
        process.OutputDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        var node = new NodeProcess(process, new Uri($"http://127.0.0.1:{port}"), Path.GetFileName(program));
        node.WaitUntilReady();
        return node;
    }

    private void WaitUntilReady()
    {
        var started = Stopwatch.GetTimestamp();
        for (; ; )
        {
            try
            {
                using var socket = new RpcSocket(Url);
                socket.Call("eth_chainId");
                return;
            }
            catch (Exception refusal) when (refusal is SocketException or IOException
                && Stopwatch.GetElapsedTime(started) < StartLimit && !_process.HasExited)
            {
                _process.WaitForExit(StartInterval);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
