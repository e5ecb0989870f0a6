using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cluster.Tests;

/// <summary>A development node with a data folder, killed while transactions wait for its next block.</summary>
public sealed class DevNodeCrashTests : IDisposable
{
    private const int Transactions = 120;

    private readonly string _folder = Directory.CreateTempSubdirectory("supervm-crash-").FullName;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private Process? _process;
    private Uri? _url;

    [Fact]
    public async Task Every_acknowledged_transaction_is_in_a_block_after_kill_9()
    {
        await StartAsync();
        var hashes = new List<string>();
        for (var nonce = 0UL; nonce < Transactions; nonce++)
        {
            hashes.Add((await CallAsync("eth_sendRawTransaction", Transfer(nonce))).GetString()!);
            if (nonce == Transactions / 3)
            {
                // These are in a block, and must not come again.
                await CallAsync("evm_mine");
            }
        }

        Kill();
        await StartAsync();
        var waiting = await CallAsync("txpool_status");
        Assert.Equal($"0x{Transactions - (Transactions / 3) - 1:x}", waiting.GetProperty("pending").GetString());
        await CallAsync("evm_mine");
        foreach (var hash in hashes)
        {
            Assert.Equal("0x1", (await CallAsync("eth_getTransactionReceipt", hash)).GetProperty("status").GetString());
        }
    }

    public void Dispose()
    {
        Kill();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Transfer(ulong nonce)
    {
        var key = Mnemonic.PrivateKeyAt(Mnemonic.SeedOf(Mnemonic.Development), "m/44'/60'/0'/0/0");
        return Hex.Encode(TransactionCodec.Encode(TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce,
                GasLimit = 21_000, MaxFeePerGas = 9_000_000_000, To = Address.FromNumber(0xBEEF), Value = 1,
            },
            key)));
    }

    /// <summary>An hour between blocks: what is submitted waits until the test asks for a block.</summary>
    private async Task StartAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        _process = Process.Start(new ProcessStartInfo(
            "dotnet", [program, "dev", "--data", _folder, "--port", "0", "--block-time", "3600", "--no-warm-up"])
        {
            RedirectStandardOutput = true,
        })!;
        while (_url is null || _process.HasExited)
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
