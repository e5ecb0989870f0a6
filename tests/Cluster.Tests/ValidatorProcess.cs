using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace SuperVm.Cluster.Tests;

/// <summary>One validator in a process of its own, spoken to over JSON-RPC.</summary>
internal sealed class ValidatorProcess(string program, string config, Uri url) : IDisposable
{
    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromSeconds(20) };

    private Process? _process;

    internal void Start()
    {
        var start = new ProcessStartInfo("dotnet", [program, "validator", "--config", config, "--until-input-ends"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
    }

    /// <summary>Ends it as kill -9 does.</summary>
    internal void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>The result, or null where the validator cannot be reached or answers with an error.</summary>
    internal async Task<JsonElement?> CallAsync(string method, params object[] parameters)
    {
        try
        {
            using var answer = await Client.PostAsJsonAsync(
                url, new { jsonrpc = "2.0", id = 1, method, @params = parameters });
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            return body.TryGetProperty("result", out var result) ? result : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TaskCanceledException)
        {
            return null;
        }
    }

    internal async Task<ulong?> NumberAsync(string tag) =>
        await CallAsync("eth_getBlockByNumber", tag, false) is { ValueKind: JsonValueKind.Object } block
            ? Convert.ToUInt64(block.GetProperty("number").GetString(), 16)
            : null;

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
        }

        _process?.Dispose();
    }
}
