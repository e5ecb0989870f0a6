using System.Runtime.InteropServices;

namespace SuperVm.Azure.Functions;

/// <summary>The C library's heap: what the compiler of methods and the runtime work with.</summary>
internal static partial class NativeHeap
{
    /// <summary>
    /// Gives free pages back to the system (malloc_trim(3)): glibc keeps what each thread's arena once had, 14 MiB
    /// after a load's methods are compiled. Nothing where the C library is another one.
    /// </summary>
    internal static void Trim()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = MallocTrim(0);
        }
        catch (Exception other) when (other is EntryPointNotFoundException or DllNotFoundException)
        {
            // musl gives back by itself.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
