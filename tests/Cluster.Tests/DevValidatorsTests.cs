using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cluster.Tests;

/// <summary>`supervm dev --validators 4`: four replicas in one process behind one JSON-RPC port.</summary>
public sealed class DevValidatorsTests : IDisposable
{
    private const int EpochLength = 4;

    private readonly string _folder = Directory.CreateTempSubdirectory("supervm-dev-validators-").FullName;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private Process? _process;
    private Uri? _url;

    [Fact]
    public async Task Blocks_are_final_by_a_quorum_over_epochs_and_outlive_kill_9()
    {
        await StartAsync();
        var hashes = new List<string>();
        for (var nonce = 0UL; nonce < EpochLength + 1; nonce++)
        {
            hashes.Add(await SendAsync(nonce));
        }

        var last = await FinalAsync();
        Assert.True(last > EpochLength);
        var epoch = await CallAsync("supervm_getValidators");
        Assert.Equal(4, epoch.GetProperty("validators").GetArrayLength());
        Assert.NotEqual("0x0", epoch.GetProperty("epoch").GetString());
        var certificate = await CallAsync("supervm_getCertificate", $"0x{last:x}");
        Assert.InRange(certificate.GetProperty("signatures").GetArrayLength(), 3, 4);

        Kill();
        await StartAsync();
        foreach (var hash in hashes)
        {
            Assert.Equal("0x1", (await CallAsync("eth_getTransactionReceipt", hash)).GetProperty("status").GetString());
        }

        await SendAsync(EpochLength + 1);
        Assert.True(await FinalAsync() > last);
    }

    public void Dispose()
    {
        Kill();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Sends a transfer and waits for its block.</summary>
    private async Task<string> SendAsync(ulong nonce)
    {
        var key = Mnemonic.PrivateKeyAt(Mnemonic.SeedOf(Mnemonic.Development), $"{Mnemonic.EthereumPath}0");
        var raw = Hex.Encode(TransactionCodec.Encode(TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce,
                GasLimit = 21_000, MaxFeePerGas = 9_000_000_000, To = Address.FromNumber(0xBEEF), Value = 1,
            },
            key)));
        var hash = (await CallAsync("eth_sendRawTransaction", raw)).GetString()!;
        await UntilAsync(async () =>
            (await CallAsync("eth_getTransactionReceipt", hash)).ValueKind == JsonValueKind.Object);
        return hash;
    }

    /// <summary>The newest block, once it is final.</summary>
    private async Task<ulong> FinalAsync()
    {
        var head = await NumberAsync("latest");
        await UntilAsync(async () => await NumberAsync("finalized") >= head);
        return head;
    }

    private async Task<ulong> NumberAsync(string tag) => Convert.ToUInt64(
        (await CallAsync("eth_getBlockByNumber", tag, false)).GetProperty("number").GetString(), 16);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var began = Stopwatch.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(90), "waited too long");
            await pause.WaitForNextTickAsync();
        }
    }

    private async Task StartAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        _process = Process.Start(new ProcessStartInfo("dotnet", [
            program, "dev", "--validators", "4", "--epoch-length", $"{EpochLength}", "--data", _folder, "--port", "0",
            "--no-warm-up"])
        {
            RedirectStandardOutput = true,
        })!;
        while (_url is null)
        {
            var line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("no start");
            const string Listening = "Listening on ";
            var at = line.IndexOf(Listening, StringComparison.Ordinal);
            _url = at < 0 ? null : new Uri(line[(at + Listening.Length)..].Trim());
        }

        // What follows is read on, so that the process never waits for room.
        _ = _process.StandardOutput.ReadToEndAsync();
    }

    private void Kill()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process?.Dispose();
        (_process, _url) = (null, null);
    }

    private async Task<JsonElement> CallAsync(string method, params object[] parameters)
    {
        using var answer = await _client.PostAsJsonAsync(
            _url, new { jsonrpc = "2.0", id = 1, method, @params = parameters });
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return body.TryGetProperty("result", out var result)
            ? result.Clone()
            : throw new InvalidOperationException(body.ToString());
    }
}
