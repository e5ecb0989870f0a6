using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SuperVm.Local.Functions;

/// <summary>The process of a custom handler: started, found ready, started anew when it ends, killed.</summary>
/// <remarks>
/// <code>
/// start ──▶ GET / every 25 ms, up to 30 s ──▶ ready ──▶ ends ──┬─ exit 200 ─────────────▶ start
///                                                              ├─ exit 0 ───────────────▶ stopped
///                                                              └─ others: the third in 30 min ▶ stopped, else start
/// </code>
/// Any HTTP answer means ready. There is no graceful stop: the process is killed.
/// </remarks>
internal sealed class HandlerProcess : IAsyncDisposable
{
    internal static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(25);
    internal static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(1);
    private const int RestartCode = 200;

    /// <summary>Which instance of its app a handler belongs to, as Azure tells; its next process too.</summary>
    private const string InstanceVariable = "WEBSITE_INSTANCE_ID";

    private readonly FunctionApp _app;
    private readonly LocalHostOptions _options;
    private readonly int _instance;
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<DateTimeOffset> _failures = [];
    private readonly Task _watch;
    private volatile TaskCompletionSource<Uri> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Process? _process;
    private volatile bool _asked;

    internal HandlerProcess(FunctionApp app, LocalHostOptions options, int instance = 0)
    {
        _app = app;
        _instance = instance;
        _options = options;
        _watch = Task.Run(WatchAsync);
    }

    /// <summary>Ends when the handler is started no more: with the reason.</summary>
    internal Task<string> Stopped => _stopped.Task;

    /// <summary>Processes started so far.</summary>
    internal int Starts { get; private set; }

    /// <summary>The process that runs now; null where none does.</summary>
    internal int? ProcessId
    {
        get
        {
            try
            {
                return _process?.Id;
            }
            catch (InvalidOperationException)
            {
                return null;
            }
        }
    }

    /// <summary>The handler's address as soon as it is ready.</summary>
    internal async Task<Uri> ReadyAsync(CancellationToken cancellation) => await _ready.Task.WaitAsync(cancellation);

    /// <summary>Kills the process at an address, if it is still there: started anew, no failure counted.</summary>
    internal void Restart(Uri address)
    {
        if (_ready.Task is { IsCompletedSuccessfully: true } ready && ready.Result == address)
        {
            _asked = true;
            Kill(_process);
        }
    }

    /// <summary>
    /// A connection broke: waits until the end of its process is seen, if that is why, so that what comes next finds
    /// the new one.
    /// </summary>
    internal async Task AfterBreakAsync(CancellationToken cancellation)
    {
        var ended = _ended.Task;
        await Task.WhenAny(ended, Task.Delay(LongestEnd, _options.Clock, cancellation));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Kill(_process);
        await _watch;
        _stop.Dispose();
    }

    private static void Kill(Process? process)
    {
        try
        {
            process?.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    private async Task WatchAsync()
    {
        var reason = "the host stopped";
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                var code = await RunAsync();
                if (_stop.IsCancellationRequested)
                {
                    break;
                }

                _options.Log($"the handler ended with code {code}");
                if (code == 0 && !_asked)
                {
                    reason = "the handler ended with code 0";
                    break;
                }

                if (code != RestartCode && !_asked && CountFailure() >= _options.MostFailures)
                {
                    reason = $"the handler failed {_options.MostFailures} times within {FailureWindow}";
                    break;
                }

                _asked = false;
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            reason = failure.Message;
        }

        _ready.TrySetException(new FunctionAppException(reason));
        _ = _ready.Task.Exception;
        _stopped.TrySetResult(reason);
    }

    private int CountFailure()
    {
        var now = _options.Clock.GetUtcNow();
        _failures.Enqueue(now);
        while (_failures.Peek() < now - FailureWindow)
        {
            _failures.Dequeue();
        }

        return _failures.Count;
    }

    private async Task<int> RunAsync()
    {
        var port = FreePort();
        _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var process = Process.Start(StartInfo(port))
            ?? throw new FunctionAppException($"{_app.Host.Executable} does not start.");
        _process = process;
        Starts++;
        process.OutputDataReceived += Pass;
        process.ErrorDataReceived += Pass;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var address = new Uri($"http://127.0.0.1:{port}/");
        try
        {
            if (await ProbeAsync(process, address))
            {
                _ready.TrySetResult(address);
            }
            else
            {
                Kill(process);
            }

            await process.WaitForExitAsync(_stop.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            Kill(process);
            process.WaitForExit(LongestEnd);
            return RestartCode;
        }
        finally
        {
            _process = null;
            if (_ready.Task.IsCompleted)
            {
                _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            _ended.TrySetResult();
        }
    }

    private void Pass(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is not null)
        {
            _options.Log(line.Data);
        }
    }

    private async Task<bool> ProbeAsync(Process process, Uri address)
    {
        using var client = new HttpClient { Timeout = LongestStart };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(LongestStart);
        using var timer = new PeriodicTimer(ProbeInterval);
        while (!process.HasExited)
        {
            try
            {
                using var answer = await client.GetAsync(address, patience.Token);
                return true;
            }
            catch (HttpRequestException)
            {
                // Nobody listens yet.
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
            {
                return false;
            }

            try
            {
                await timer.WaitForNextTickAsync(patience.Token);
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
            {
                return false;
            }
        }

        return false;
    }

    private ProcessStartInfo StartInfo(int port)
    {
        var beside = Path.Combine(_app.Folder, _app.Host.Executable);
        var info = new ProcessStartInfo(File.Exists(beside) ? beside : _app.Host.Executable, _app.Host.Arguments)
        {
            WorkingDirectory = _app.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        info.Environment[InstanceVariable] = string.Create(
            CultureInfo.InvariantCulture, $"{Path.GetFileName(_app.Folder)}-{_instance}");
        foreach (var (name, value) in _options.Settings)
        {
            info.Environment[name] = value;
        }

        info.Environment["FUNCTIONS_CUSTOMHANDLER_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        info.Environment["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"] = Guid.NewGuid().ToString();
        info.Environment["FUNCTIONS_APP_ROOT_PATH"] = _app.Folder;
        return info;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
