using System.Reflection;
using System.Runtime.InteropServices;

namespace SuperVm.Cli.Bench;

/// <summary>Where a figure was measured, and of which commit.</summary>
internal static class BenchMachine
{
    /// <summary>Processor, cores, memory, system and runtime in one line.</summary>
    internal static string Describe()
    {
        var processor = FirstValue("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024);
        var system = FirstValue("/etc/os-release", "PRETTY_NAME") ?? RuntimeInformation.OSDescription;
        return $"{processor}, {Environment.ProcessorCount} cores, {memory:F0} GiB, {system.Trim('"')}, "
            + RuntimeInformation.FrameworkDescription;
    }

    /// <summary>The commit that the build recorded in the assembly (InformationalVersion: version+commit).</summary>
    internal static string Commit()
    {
        var version = typeof(BenchMachine).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var plus = version?.IndexOf('+') ?? -1;
        return plus < 0 ? "unknown" : version![(plus + 1)..];
    }

    private static string? FirstValue(string file, string key)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        foreach (var line in File.ReadLines(file))
        {
            var separator = line.IndexOfAny(['=', ':']);
            if (separator > 0 && line.AsSpan(0, separator).Trim().SequenceEqual(key))
            {
                return line[(separator + 1)..].Trim();
            }
        }

        return null;
    }
}
