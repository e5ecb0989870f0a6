using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cluster.Tests;

/// <summary>Four validators in four processes under load, one of them killed and started again.</summary>
public sealed class FourValidatorsTests : IDisposable
{
    private const int Count = 4;
    private const int Transactions = 240;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("supervm-cluster-").FullName;
    private readonly List<ValidatorProcess> _validators = [];
    private readonly Dictionary<ValidatorProcess, ulong> _finalized = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly int[] _sent = new int[Count];

    [Fact]
    public async Task Acknowledged_transactions_are_in_one_block_on_all_though_a_validator_is_killed()
    {
        await StartAllAsync();
        var acknowledged = new List<string>();
        await SendAsync(0, Transactions / 3, acknowledged);
        _validators[1].Kill();
        await SendAsync(Transactions / 3, 2 * Transactions / 3, acknowledged);
        _validators[1].Start();
        await SendAsync(2 * Transactions / 3, Transactions, acknowledged);
        Assert.True(acknowledged.Count > Transactions / 2);

        foreach (var validator in _validators)
        {
            await UntilAsync("all receipts", async () => await HasAllAsync(validator, acknowledged));
        }

        ulong head = 0;
        foreach (var validator in _validators)
        {
            head = Math.Max(head, await validator.NumberAsync("latest") ?? 0);
        }

        await UntilAsync("one final head", async () => await AllFinalAsync(head));
        await ExpectEqualChainsAsync(head, acknowledged);
    }

    public void Dispose()
    {
        foreach (var validator in _validators)
        {
            validator.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAllAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        var port = FreePorts();
        using var prepare = Process.Start("dotnet", [
            program, "testnet", "--prepare-only", "--data", _folder, "--base-port", port.ToString()]);
        await prepare.WaitForExitAsync();
        Assert.Equal(0, prepare.ExitCode);
        for (var i = 0; i < Count; i++)
        {
            var validator = new ValidatorProcess(
                program, Path.Combine(_folder, $"validator{i}.json"), new Uri($"http://127.0.0.1:{port + i}"));
            _validators.Add(validator);
            validator.Start();
        }

        foreach (var validator in _validators)
        {
            await UntilAsync("a start", async () => await validator.NumberAsync("latest") is not null);
        }
    }

    /// <summary>A port with enough free ones above it.</summary>
    private static int FreePorts()
    {
        for (var port = 23_000 + (Environment.ProcessId % 4_000); port < 60_000; port += 2 * Count)
        {
            if (Enumerable.Range(port, 2 * Count).All(IsFree))
            {
                return port;
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

    /// <summary>Every sender is at home at one validator; the next nonce goes once the last was answered.</summary>
    private async Task SendAsync(int from, int to, List<string> acknowledged)
    {
        var seed = Mnemonic.SeedOf(Mnemonic.Development);
        for (var i = from; i < to; i++)
        {
            var sender = i % Count;
            var key = Mnemonic.PrivateKeyAt(seed, $"{Mnemonic.EthereumPath}{sender}");
            var signed = TransactionSigner.Sign(
                new Transaction
                {
                    Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId,
                    Nonce = (ulong)_sent[sender], GasLimit = 21_000, To = Address.FromNumber(0xc0ffee),
                    Value = UInt256.One, MaxFeePerGas = new UInt256(20_000_000_000), MaxPriorityFeePerGas = UInt256.One,
                },
                key);
            var raw = Hex.Encode(TransactionCodec.Encode(signed));
            if (await _validators[sender].CallAsync("eth_sendRawTransaction", raw) is { } hash)
            {
                acknowledged.Add(hash.GetString()!);
                _sent[sender]++;
            }

            await WatchFinalityAsync(_validators[(i + 1) % Count]);
        }
    }

    /// <summary>"finalized" never goes back, also not over a restart.</summary>
    private async Task WatchFinalityAsync(ValidatorProcess validator)
    {
        if (await validator.NumberAsync("finalized") is { } number)
        {
            Assert.True(number >= _finalized.GetValueOrDefault(validator), $"finalized went back to {number}");
            _finalized[validator] = number;
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

    private async Task<bool> AllFinalAsync(ulong head)
    {
        foreach (var validator in _validators)
        {
            await WatchFinalityAsync(validator);
            if (_finalized.GetValueOrDefault(validator) < head)
            {
                return false;
            }
        }

        return true;
    }

    private async Task ExpectEqualChainsAsync(ulong head, List<string> acknowledged)
    {
        var found = new List<string>();
        for (ulong number = 1; number <= head; number++)
        {
            var blocks = new List<JsonElement>();
            foreach (var validator in _validators)
            {
                blocks.Add((await validator.CallAsync("eth_getBlockByNumber", $"0x{number:x}", false))!.Value);
            }

            Assert.Single(blocks.Select(block => block.GetProperty("hash").GetString()).Distinct());
            found.AddRange(blocks[0].GetProperty("transactions").EnumerateArray().Select(hash => hash.GetString()!));
        }

        Assert.Equal(found.Count, found.Distinct().Count());
        Assert.Empty(acknowledged.Except(found));
    }

    private async Task UntilAsync(string what, Func<Task<bool>> holds)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(_started) < Limit, $"waited too long for {what}");
            await pause.WaitForNextTickAsync();
        }
    }
}
