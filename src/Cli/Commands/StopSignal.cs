using System.Runtime.InteropServices;

namespace SuperVm.Cli.Commands;

/// <summary>When a program that serves should end.</summary>
internal static class StopSignal
{
    /// <summary>Ends at SIGINT, SIGTERM or when the caller cancels.</summary>
    internal static async Task RequestedAsync(CancellationToken cancellation)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var cancelled = cancellation.Register(() => stop.TrySetResult());
        await stop.Task;
    }

    /// <summary>Ends when the standard input does: with the process that holds its other end.</summary>
    internal static Task InputEndedAsync() => Task.Factory.StartNew(
        () =>
        {
            using var input = Console.OpenStandardInput();
            Span<byte> ignored = stackalloc byte[64];
            while (input.Read(ignored) > 0)
            {
            }
        },
        TaskCreationOptions.LongRunning);
}
