using System.Diagnostics;
using System.Globalization;
using SuperVm.Cli.Cloud;

namespace SuperVm.Cli.Bench.Cloud;

/// <summary>Where the machine's time went: milliseconds of processor time by app, all validators together.</summary>
/// <remarks>"emulators" are their two processes; "hosts" this one: the local functions hosts and the client.</remarks>
internal static class AppTime
{
    private const string Emulators = "emulators";
    private const string Hosts = "hosts";

    /// <summary>What the processes took since they began.</summary>
    internal static Dictionary<string, double> Of(CloudStack stack)
    {
        var times = CloudValidator.Apps.ToDictionary(
            app => app,
            app => stack.Validators.Sum(one => one.Host(app).HandlerProcessIds.Sum(id => Of(id ?? 0))));
        times[Emulators] = WithChildren(stack.Emulators.ProcessId).Sum(Of);
        times[Hosts] = Of(Environment.ProcessId);
        return times;
    }

    /// <summary>What it was for a transaction, in words.</summary>
    internal static string Describe(
        Dictionary<string, double> before, Dictionary<string, double> after, int transactions) => string.Join(
            ", ",
            after.Select(one => string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Key} {(one.Value - before[one.Key]) / Math.Max(1, transactions):F2}")));

    /// <summary>As Linux tells; elsewhere the process alone.</summary>
    private static IEnumerable<int> WithChildren(int process)
    {
        var file = $"/proc/{process}/task/{process}/children";
        return File.Exists(file)
            ? File.ReadAllText(file).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(id => int.Parse(id, CultureInfo.InvariantCulture)).Prepend(process)
            : [process];
    }

    private static double Of(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return found.TotalProcessorTime.TotalMilliseconds;
        }
        catch (ArgumentException)
        {
            return 0; // it has gone
        }
    }
}
