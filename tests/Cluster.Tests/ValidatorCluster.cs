using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cluster.Tests;

/// <summary>
/// Real validator processes under load, and the history that their clients saw: what was acknowledged where, and what
/// was read as final.
/// </summary>
internal sealed class ValidatorCluster : IDisposable
{
    /// <summary>Ports below those that the system gives to clients.</summary>
    private const int LastPort = 32_000;

    private static readonly Lock Ports = new();
    private static int _nextPort = 20_000 + (Environment.ProcessId % 8_000);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("supervm-cluster-").FullName;
    private readonly CancellationTokenSource _loadEnds = new();
    private readonly ConcurrentQueue<(string Hash, int Client)> _acknowledged = [];
    private readonly ConcurrentDictionary<ulong, string> _finalHashes = [];
    private readonly ulong[] _finalized;
    private readonly NetworkNamespaces? _network;
    private readonly List<Task> _clients = [];
    private int _port;

    private ValidatorCluster(int count, bool hasNetwork)
    {
        _finalized = new ulong[count + 1]; // one more may join
        _network = hasNetwork ? new NetworkNamespaces(count) : null;
    }

    internal List<ValidatorProcess> Validators { get; } = [];

    internal NetworkNamespaces Network => _network!;

    internal int Acknowledged => _acknowledged.Count;

    /// <summary>Starts the processes, waits until each answers, and begins to load each.</summary>
    internal static async Task<ValidatorCluster> StartAsync(
        int count, bool hasNetwork = false, string? gossip = null, int? epochLength = null)
    {
        var cluster = new ValidatorCluster(count, hasNetwork);
        try
        {
            await cluster.StartProcessesAsync(count, gossip, epochLength);
            cluster._clients.AddRange(Enumerable.Range(0, count).Select(i => Task.Run(() => cluster.SendAsync(i))));
            cluster._clients.AddRange(Enumerable.Range(0, count).Select(i => Task.Run(() => cluster.ReadAsync(i))));
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Waits until so many more transactions were acknowledged, by all validators together.</summary>
    internal Task AcknowledgeAsync(int count)
    {
        var target = Acknowledged + count;
        return UntilAsync($"{count} acknowledged transactions", () => Task.FromResult(Acknowledged >= target));
    }

    /// <summary>Waits until so many more blocks are final at a validator.</summary>
    internal async Task FinalizeAsync(int validator, ulong blocks)
    {
        var target = Volatile.Read(ref _finalized[validator]) + blocks;
        await UntilAsync(
            $"{blocks} final blocks", () => Task.FromResult(Volatile.Read(ref _finalized[validator]) >= target));
    }

    /// <summary>
    /// Checks that nothing submitted after the first so many acknowledged transactions is in a block of anybody. The
    /// first answer that each client had since does not count: its transaction may have been on its way before.
    /// </summary>
    internal async Task ExpectUndecidedAsync(int acknowledgedBefore)
    {
        var submitted = _acknowledged.Skip(acknowledgedBefore).GroupBy(entry => entry.Client)
            .SelectMany(entries => entries.Skip(1)).Select(entry => entry.Hash).ToList();
        Assert.NotEmpty(submitted);
        foreach (var validator in Validators)
        {
            foreach (var hash in submitted)
            {
                var receipt = await validator.CallAsync("eth_getTransactionReceipt", hash);
                Assert.Equal(JsonValueKind.Null, receipt?.ValueKind);
            }
        }
    }

    /// <summary>How many others a validator says it reaches.</summary>
    internal async Task<int> ReachedAsync(int validator) =>
        (await Validators[validator].CallAsync("supervm_peers"))!.Value.EnumerateArray()
            .Count(peer => peer.GetProperty("reached").GetBoolean());

    /// <summary>Lets the load run on for a time.</summary>
    internal static async Task ForAsync(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
    }

    /// <summary>
    /// Ends the load and checks the history: one chain, every acknowledged transaction in exactly one block of it, on
    /// all validators, and everything final.
    /// </summary>
    internal async Task ExpectOneHistoryAsync()
    {
        await _loadEnds.CancelAsync();
        await Task.WhenAll(_clients);
        var acknowledged = _acknowledged.Select(entry => entry.Hash).ToList();
        foreach (var validator in Validators)
        {
            await UntilAsync("all receipts", () => HasAllAsync(validator, acknowledged));
        }

        ulong head = 0;
        foreach (var validator in Validators)
        {
            head = Math.Max(head, await validator.NumberAsync("latest") ?? 0);
        }

        var hashes = new HashSet<string>();
        for (var i = 0; i < Validators.Count; i++)
        {
            var index = i;
            await UntilAsync("a final head", async () =>
            {
                await NoteFinalAsync(index);
                return _finalized[index] >= head;
            });
            hashes.Add((await Validators[i].HeadAsync($"0x{head:x}"))!.Value.Hash);
        }

        Assert.Single(hashes);
        var found = new List<string>();
        for (ulong number = 1; number <= head; number++)
        {
            var block = (await Validators[(int)(number % (ulong)Validators.Count)].CallAsync(
                "eth_getBlockByNumber", $"0x{number:x}", false))!.Value;
            var hash = block.GetProperty("hash").GetString()!;
            Assert.Equal(hash, _finalHashes.GetOrAdd(number, hash));
            found.AddRange(block.GetProperty("transactions").EnumerateArray().Select(entry => entry.GetString()!));
        }

        Assert.Equal(found.Count, found.Distinct().Count());
        Assert.Empty(acknowledged.Except(found));
    }

    public void Dispose()
    {
        _loadEnds.Cancel();
        foreach (var validator in Validators)
        {
            validator.Dispose();
        }

        _network?.Dispose();
        Directory.Delete(_folder, recursive: true);
        _loadEnds.Dispose();
    }

    /// <summary>Where a file of the cluster's lies.</summary>
    internal string PathOf(string file) => Path.Combine(_folder, file);

    /// <summary>Runs a verb of the program to its end; answers exit code and all that it said.</summary>
    internal static async Task<(int Code, string Said)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    /// <summary>
    /// Starts one more validator of the chain, with a configuration that the program writes; nobody knows it yet.
    /// </summary>
    internal async Task<ValidatorProcess> JoinAsync()
    {
        var (count, config) = (Validators.Count, PathOf($"validator{Validators.Count}.json"));
        var made = await RunAsync(
            "validator", "new", "--like", PathOf("validator0.json"), "--out", config,
            "--rpc-port", $"{_port + (2 * count)}", "--consensus-port", $"{_port + (2 * count) + 1}");
        Assert.True(made.Code == 0, made.Said);
        var validator = new ValidatorProcess(Program, config, new Uri($"http://127.0.0.1:{_port + (2 * count)}"));
        Validators.Add(validator);
        validator.Start();
        await UntilAsync("a start", async () => await validator.NumberAsync("latest") is not null);
        _clients.Add(Task.Run(() => ReadAsync(count)));
        return validator;
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "supervm.dll");

    private async Task StartProcessesAsync(int count, string? gossip, int? epochLength)
    {
        var program = Program;
        var port = _port = FreePorts((2 * count) + 2);
        using var prepare = Process.Start("dotnet", [
            program, "testnet", "--prepare-only", "--validators", $"{count}", "--data", _folder, "--base-port",
            $"{port}"]);
        await prepare.WaitForExitAsync();
        Assert.Equal(0, prepare.ExitCode);
        for (var i = 0; i < count; i++)
        {
            var config = Path.Combine(_folder, $"validator{i}.json");
            Change(config, port + count, gossip, epochLength);

            var validator = new ValidatorProcess(
                program, config, new Uri($"http://{_network?.ClientAddress(i) ?? "127.0.0.1"}:{port + i}"),
                _network?.NameOf(i));
            Validators.Add(validator);
            validator.Start();
        }

        foreach (var validator in Validators)
        {
            await UntilAsync("a start", async () => await validator.NumberAsync("latest") is not null);
        }
    }

    /// <summary>
    /// Sets the way of transactions, and puts a configuration that was made for one machine into the namespaces'
    /// network.
    /// </summary>
    private void Change(string path, int firstConsensusPort, string? gossip, int? epochLength)
    {
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config["gossip"] = gossip ?? "broadcast";
        if (epochLength is not null)
        {
            config["epochLength"] = epochLength;
        }

        if (_network is not null)
        {
            config["host"] = "0.0.0.0";
            var validators = config["validators"]!.AsArray();
            for (var j = 0; j < validators.Count; j++)
            {
                validators[j]!["url"] = $"http://{_network.PeerAddress(j)}:{firstConsensusPort + j}";
            }
        }

        File.WriteAllText(path, config.ToJsonString());
    }

    /// <summary>
    /// A port with enough free ones above it. None is given out twice: that of a validator which is dead for a while is
    /// free, and yet another cluster's that runs beside this one.
    /// </summary>
    private static int FreePorts(int count)
    {
        lock (Ports)
        {
            while (_nextPort + count < LastPort)
            {
                var port = _nextPort;
                _nextPort += count;
                if (Enumerable.Range(port, count).All(IsFree))
                {
                    return port;
                }
            }
        }

        throw new InvalidOperationException("There are no free ports.");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>
    /// A client of one validator with an account of its own: the next nonce goes once the last was taken. What was not
    /// answered is sent again as it is, so that nothing is sent twice in two forms.
    /// </summary>
    private async Task SendAsync(int index)
    {
        var key = Mnemonic.PrivateKeyAt(Mnemonic.SeedOf(Mnemonic.Development), $"{Mnemonic.EthereumPath}{index}");
        using var pause = new PeriodicTimer(Pause);
        for (ulong nonce = 0; !_loadEnds.IsCancellationRequested; nonce++)
        {
            var signed = TransactionSigner.Sign(
                new Transaction
                {
                    Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce,
                    GasLimit = 21_000, To = Address.FromNumber(0xc0ffee), Value = UInt256.One,
                    MaxFeePerGas = new UInt256(20_000_000_000), MaxPriorityFeePerGas = UInt256.One,
                },
                key);
            var raw = Hex.Encode(TransactionCodec.Encode(signed));
            for (var isTaken = false; !isTaken && !_loadEnds.IsCancellationRequested;)
            {
                var (result, error) = await Validators[index].AskAsync("eth_sendRawTransaction", raw);
                if (result is { ValueKind: JsonValueKind.String } hash)
                {
                    _acknowledged.Enqueue((hash.GetString()!, index));
                    isTaken = true;
                }
                else
                {
                    // Taken the first time, though the answer did not come through.
                    isTaken = error is not null && (error.Contains("known") || error.Contains("nonce too low"));
                }

                await pause.WaitForNextTickAsync();
            }
        }
    }

    private async Task ReadAsync(int index)
    {
        using var pause = new PeriodicTimer(Pause);
        while (!_loadEnds.IsCancellationRequested)
        {
            await NoteFinalAsync(index);
            await pause.WaitForNextTickAsync();
        }
    }

    /// <summary>"finalized" never goes back, also not over a restart, and is the same block for all.</summary>
    private async Task NoteFinalAsync(int index)
    {
        if (await Validators[index].HeadAsync("finalized") is { } final)
        {
            Assert.True(final.Number >= _finalized[index], $"finalized went back to {final.Number}");
            Assert.Equal(final.Hash, _finalHashes.GetOrAdd(final.Number, final.Hash));
            Volatile.Write(ref _finalized[index], final.Number);
        }
    }

    private static async Task<bool> HasAllAsync(ValidatorProcess validator, List<string> hashes)
    {
        for (var i = hashes.Count - 1; i >= 0; i--)
        {
            var receipt = await validator.CallAsync("eth_getTransactionReceipt", hashes[i]);
            if (receipt is not { ValueKind: JsonValueKind.Object })
            {
                return false;
            }
        }

        return true;
    }

    internal async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        var started = Stopwatch.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await holds())
        {
            foreach (var failed in _clients.Where(client => client.IsFaulted))
            {
                await failed;
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < Limit, $"waited too long for {what}");
            await pause.WaitForNextTickAsync();
        }
    }
}
