using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SuperVm.Cli.Bench;

/// <summary>Keeps the whole process on one core for a while.</summary>
/// <remarks>
/// On Linux affinity is a thread's, and a new thread takes over its maker's: setting the process's changes its main
/// thread alone. So it is set for each thread that is there.
/// </remarks>
internal static partial class CoreAffinity
{
    private const string Threads = "/proc/self/task";

    /// <summary>No such thread: it has ended meanwhile.</summary>
    private const int NoSuchThread = 3;

    /// <summary>Where the system cannot be told, the action runs on all cores: false.</summary>
    internal static bool OnOneCore(Action action)
    {
        if (OperatingSystem.IsWindows())
        {
            using var process = Process.GetCurrentProcess();
            var everywhere = process.ProcessorAffinity;
            process.ProcessorAffinity = 1;
            action();
            process.ProcessorAffinity = everywhere;
            return true;
        }

        // Machines with more than 64 processors are left alone: their mask does not fit.
        if (!OperatingSystem.IsLinux() || NativeGet(0, sizeof(ulong), out var before) < 0)
        {
            action();
            return false;
        }

        SetAll(before & (~before + 1));
        try
        {
            action();
        }
        finally
        {
            SetAll(before);
        }

        return true;
    }

    private static void SetAll(ulong mask)
    {
        foreach (var folder in Directory.EnumerateDirectories(Threads))
        {
            var thread = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
            if (NativeSet(thread, sizeof(ulong), mask) < 0 && Marshal.GetLastPInvokeError() != NoSuchThread)
            {
                throw new Win32Exception();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int NativeGet(int thread, nint size, out ulong mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int NativeSet(int thread, nint size, in ulong mask);
}
