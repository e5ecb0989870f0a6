using System.Diagnostics;
using SuperVm.Cli.Cloud;

namespace SuperVm.Cli.Bench.Cloud;

/// <summary>What the handlers' processes hold of the machine's memory.</summary>
internal static class AppMemory
{
    /// <summary>Longer than what a handler waits before it gives memory back.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(8);

    /// <summary>Resident MiB by app, files that are mapped included.</summary>
    internal static Dictionary<string, double> Of(CloudValidator validator) =>
        CloudValidator.Apps.ToDictionary(app => app, app => Of(validator, app));

    internal static double Of(CloudValidator validator, string app)
    {
        using var process = Process.GetProcessById(validator.Host(app).HandlerProcessId!.Value);
        return process.WorkingSet64 / 1024.0 / 1024.0;
    }

    /// <summary>Waits until the handlers rest.</summary>
    internal static Task RestAsync(CancellationToken cancellation) => Task.Delay(Rest, cancellation);
}
