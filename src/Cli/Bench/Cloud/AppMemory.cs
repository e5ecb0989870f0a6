using System.Diagnostics;
using System.Globalization;
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

    /// <summary>What the memory of an app is: its own pages, mapped files, the heap and what lives on it.</summary>
    internal static async Task<string> DescribeAsync(CloudValidator validator, string app)
    {
        var host = validator.Host(app);
        using var client = new HttpClient();
        var metrics = await client.GetStringAsync(new Uri(await host.HandlerAsync(), "metrics"));
        double Of(string text, string name, double unit) => text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Select(line => line[name.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[0])
            .Select(value => double.Parse(value, CultureInfo.InvariantCulture) / unit).FirstOrDefault();
        var status = await File.ReadAllTextAsync($"/proc/{host.HandlerProcessId}/status");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{app}: {Of(status, "RssAnon:", 1024):F0} MiB own, {Of(status, "RssFile:", 1024):F0} MiB of files; heap "
            + $"{Of(metrics, "supervm_heap_committed_bytes ", 1 << 20):F0} MiB, "
            + $"{Of(metrics, "supervm_heap_live_bytes ", 1 << 20):F0} MiB live");
    }

    /// <summary>Waits until the handlers rest.</summary>
    internal static Task RestAsync(CancellationToken cancellation) => Task.Delay(Rest, cancellation);
}
