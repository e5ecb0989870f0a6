using System.Diagnostics;
using SuperVm.StoreCrash;

namespace SuperVm.Local.Tests.Storage;

/// <summary>The StoreCrash program in a process of its own, which can die without the tests.</summary>
internal sealed class CrashProcess : IDisposable
{
    /// <summary>A process that takes longer hangs.</summary>
    private const int Limit_ms = 180_000;

    private readonly Process _process;

    internal CrashProcess(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(NumberedBatches).Assembly.Location);
        Array.ForEach(arguments, start.ArgumentList.Add);
        _process = Process.Start(start)!;
    }

    internal int Id => _process.Id;

    internal string NextLine() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException("The process ended by itself; its complaint stands above.");

    /// <summary>Ends it as kill -9 does, and gives the lines that it had still written.</summary>
    internal IReadOnlyList<string> Kill()
    {
        _process.Kill();
        return RemainingLines(out _);
    }

    /// <summary>Waits for its end; a whole line each.</summary>
    internal IReadOnlyList<string> RemainingLines(out int status)
    {
        var text = _process.StandardOutput.ReadToEndAsync();
        if (!text.Wait(Limit_ms) || !_process.WaitForExit(Limit_ms))
        {
            _process.Kill();
            throw new InvalidOperationException("The process hung.");
        }

        status = _process.ExitCode;
        var whole = text.Result[..(text.Result.LastIndexOf('\n') + 1)];
        return whole.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
