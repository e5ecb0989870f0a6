using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using SuperVm.Cli.Commands;
using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>Processes that order together, with or without distance between them.</summary>
internal sealed class PbftCluster : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("supervm-bench-pbft-");
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly DelayProxy? _proxy;
    private readonly Process?[] _processes;

    private PbftCluster(int count, TimeSpan delay)
    {
        _proxy = delay > TimeSpan.Zero ? new DelayProxy(delay) : null;
        _processes = new Process?[count];
        Urls = [.. FreePorts(count).Select(port => new Uri($"http://127.0.0.1:{port}"))];
    }

    /// <summary>Where each process is asked.</summary>
    internal IReadOnlyList<Uri> Urls { get; }

    /// <summary>Those of them that live.</summary>
    internal IEnumerable<Uri> Alive => Urls.Where((_, i) => _processes[i] is not null);

    internal int Count => _processes.Length;

    /// <summary>Starts the processes and waits until they answer.</summary>
    /// <param name="count">How many.</param>
    /// <param name="delay">Between any two, one way.</param>
    /// <param name="arguments">The program's arguments, given the configuration's path.</param>
    /// <param name="path">What is asked to see whether a process is there.</param>
    /// <param name="cancellation">Ends early.</param>
    /// <param name="change">Of the configurations.</param>
    internal static async Task<PbftCluster> StartAsync(
        int count, TimeSpan delay, Func<string, string[]> arguments, string path, CancellationToken cancellation,
        Func<ValidatorConfig, ValidatorConfig>? change = null)
    {
        var cluster = new PbftCluster(count, delay);
        try
        {
            var keys = Enumerable.Range(0, count).Select(_ => NewKey()).ToList();
            var ports = FreePorts(count);
            for (var i = 0; i < count; i++)
            {
                var file = Path.Combine(cluster._folder.FullName, $"node{i}.json");
                var config = new ValidatorConfig
                {
                    Key = Hex.Encode(keys[i]), Data = $"node{i}", RpcPort = cluster.Urls[i].Port,
                    ConsensusPort = ports[i],
                    Validators = [.. keys.Select((key, j) => new ValidatorEntry(
                        new Secp256k1Signer(key).Address.ToString(), 1,
                        $"http://127.0.0.1:{(i == j ? ports[j] : cluster._proxy?.Open(ports[j]) ?? ports[j])}"))],
                };
                (change?.Invoke(config) ?? config).Write(file);
                cluster._processes[i] = Start(arguments(file));
            }

            for (var i = 0; i < count; i++)
            {
                await cluster.UntilThereAsync(i, path, cancellation);
            }

            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>What each living process saw since the last time.</summary>
    internal async Task<List<OrderingReport>> ReportsAsync(CancellationToken cancellation)
    {
        var reports = new List<OrderingReport>();
        for (var i = 0; i < Count; i++)
        {
            if (_processes[i] is not null)
            {
                reports.Add((await _client.GetFromJsonAsync(
                    new Uri(Urls[i], "/report"), OrderingJson.Default.OrderingReport, cancellation))!);
            }
        }

        return reports;
    }

    internal void Kill(int index)
    {
        _processes[index]!.Kill();
        _processes[index]!.WaitForExit();
        _processes[index]!.Dispose();
        _processes[index] = null;
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            process?.Kill();
            process?.WaitForExit();
            process?.Dispose();
        }

        _proxy?.Dispose();
        _client.Dispose();
        _folder.Delete(recursive: true);
    }

    private static List<int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToList();
        listeners.ForEach(listener => listener.Stop());
        return ports;
    }

    private static byte[] NewKey()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        key[0] &= 0x7f;
        key[31] |= 1;
        return key;
    }

    private static Process Start(string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("A process did not start.");
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private async Task UntilThereAsync(int index, string path, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var answer = await _client.GetAsync(new Uri(Urls[index], path), cancellation);
                return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(started) < StartLimit)
            {
                await pause.WaitForNextTickAsync(cancellation);
            }
        }
    }
}
