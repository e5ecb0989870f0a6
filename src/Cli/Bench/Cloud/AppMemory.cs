using System.Diagnostics;
using System.Globalization;
using SuperVm.Cli.Cloud;

namespace SuperVm.Cli.Bench.Cloud;

/// <summary>What the handlers' processes hold of the machine's memory.</summary>
internal static class AppMemory
{
    /// <summary>Resident MiB by app, files that are mapped included.</summary>
    internal static Dictionary<string, double> Of(CloudValidator validator) =>
        CloudValidator.Apps.ToDictionary(app => app, app => Of(validator, app));

    internal static double Of(CloudValidator validator, string app)
    {
        using var process = Process.GetProcessById(validator.Host(app).HandlerProcessId!.Value);
        return process.WorkingSet64 / 1024.0 / 1024.0;
    }

    /// <summary>
    /// What the memory of an app is: its own pages, compiled code (which the runtime maps twice), mapped files, the
    /// heap and what lives on it.
    /// </summary>
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
            $"{app}: {Of(status, "RssAnon:", 1024):F0} MiB own, "
            + $"{Of(status, "RssShmem:", 1024):F0} MiB of compiled code, "
            + $"{Of(status, "RssFile:", 1024):F0} MiB of files; heap "
            + $"{Of(metrics, "supervm_heap_committed_bytes ", 1 << 20):F0} MiB, "
            + $"{Of(metrics, "supervm_heap_live_bytes ", 1 << 20):F0} MiB live");
    }
}
