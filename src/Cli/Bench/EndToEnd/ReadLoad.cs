using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>Asks the same over and over on several connections, one request a time on each.</summary>
/// <remarks>
/// wrk makes the load where it is installed (the Debian package); threads of this process do else, which take more of
/// the machine from the node.
/// </remarks>
internal static partial class ReadLoad
{
    private const string Wrk = "wrk";

    /// <summary>What makes the load, for the report.</summary>
    internal static string Generator => IsWrkInstalled ? "wrk, 1 thread" : "threads of the benchmark";

    private static bool IsWrkInstalled { get; } = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Wrk)));

    internal static ReadResult Run(Uri url, string body, int seconds, int connections) => IsWrkInstalled
        ? RunWrk(url, body, seconds, connections)
        : RunThreads(url, body, seconds, connections);

    private static ReadResult RunWrk(Uri url, string body, int seconds, int connections)
    {
        var script = Path.GetTempFileName();
        try
        {
            File.WriteAllText(script, $"""
                wrk.method = "POST"
                wrk.headers["Content-Type"] = "application/json"
                wrk.body = [[{body}]]
                """);
            var start = new ProcessStartInfo(
                Wrk, ["-t1", $"-c{connections}", $"-d{seconds}s", "--latency", "-s", script, url.ToString()])
            {
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start) ?? throw new InvalidOperationException("wrk did not start.");
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output.Contains("Non-2xx", StringComparison.Ordinal) || !Rate().IsMatch(output)
                ? throw new InvalidOperationException(output)
                : new ReadResult(
                    double.Parse(Rate().Match(output).Groups[1].Value, CultureInfo.InvariantCulture),
                    Microseconds(Median().Match(output)), Microseconds(High().Match(output)));
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static ReadResult RunThreads(Uri url, string body, int seconds, int connections)
    {
        var bytes = Encoding.ASCII.GetBytes(body);
        var latencies = new List<double>();
        var started = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, connections).Select(_ =>
        {
            var thread = new Thread(() =>
            {
                using var socket = new RpcSocket(url);
                var mine = new List<double>();
                while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
                {
                    var asked = Stopwatch.GetTimestamp();
                    socket.Post(bytes);
                    mine.Add(Stopwatch.GetElapsedTime(asked).TotalMicroseconds);
                }

                lock (latencies)
                {
                    latencies.AddRange(mine);
                }
            });
            thread.Start();
            return thread;
        }).ToArray();
        foreach (var thread in threads)
        {
            thread.Join();
        }

        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        latencies.Sort();
        return new ReadResult(
            latencies.Count / took, latencies[latencies.Count / 2], latencies[(int)(latencies.Count * 0.99)]);
    }

    private static double Microseconds(Match match)
    {
        var value = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "us" => value,
            "ms" => value * 1_000,
            _ => value * 1_000_000,
        };
    }

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"50%\s+([0-9.]+)(us|ms|s)")]
    private static partial Regex Median();

    [GeneratedRegex(@"99%\s+([0-9.]+)(us|ms|s)")]
    private static partial Regex High();
}
