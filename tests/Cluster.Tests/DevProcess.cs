using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cluster.Tests;

/// <summary>`supervm dev` in a process of its own over a data folder, to be killed and started again.</summary>
/// <param name="options">Options of the verb beside those for folder and port.</param>
internal sealed class DevProcess(params string[] options) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("supervm-dev-").FullName;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private Process? _process;
    private Uri? _url;

    /// <summary>A raw transfer of the first development account.</summary>
    internal static string Transfer(ulong nonce)
    {
        var key = Mnemonic.PrivateKeyAt(Mnemonic.SeedOf(Mnemonic.Development), $"{Mnemonic.EthereumPath}0");
        return Hex.Encode(TransactionCodec.Encode(TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = nonce,
                GasLimit = 21_000, MaxFeePerGas = 9_000_000_000, To = Address.FromNumber(0xBEEF), Value = 1,
            },
            key)));
    }

    /// <summary>Done when the node listens.</summary>
    internal async Task StartAsync()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "supervm.dll");
        _process = Process.Start(new ProcessStartInfo(
            "dotnet", [program, "dev", "--data", _folder, "--port", "0", "--no-warm-up", .. options])
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

    /// <summary>Ends it as kill -9 does.</summary>
    internal void Kill()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process?.Dispose();
        (_process, _url) = (null, null);
    }

    /// <summary>The result of a call that must not fail.</summary>
    internal async Task<JsonElement> CallAsync(string method, params object[] parameters)
    {
        using var answer = await _client.PostAsJsonAsync(
            _url, new { jsonrpc = "2.0", id = 1, method, @params = parameters });
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return body.TryGetProperty("result", out var result)
            ? result.Clone()
            : throw new InvalidOperationException(body.ToString());
    }

    public void Dispose()
    {
        Kill();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
