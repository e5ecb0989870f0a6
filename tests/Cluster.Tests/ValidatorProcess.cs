using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace SuperVm.Cluster.Tests;

/// <summary>One validator in a process of its own, spoken to over JSON-RPC.</summary>
/// <param name="program">The program's assembly.</param>
/// <param name="config">The validator's configuration.</param>
/// <param name="url">Its JSON-RPC port.</param>
/// <param name="networkNamespace">The network namespace that it lives in; null for the usual one.</param>
internal sealed class ValidatorProcess(string program, string config, Uri url, string? networkNamespace = null)
    : IDisposable
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(2), UseProxy = false,
    })
    {
        Timeout = TimeSpan.FromSeconds(8),
    };

    private Process? _process;

    /// <summary>Its JSON-RPC port.</summary>
    internal Uri Url => url;

    internal void Start()
    {
        string[] command = ["dotnet", program, "validator", "--config", config, "--until-input-ends"];
        if (networkNamespace is not null)
        {
            // It replaces itself by the program, so the process is the validator.
            command = ["ip", "netns", "exec", networkNamespace, .. command];
        }

        var start = new ProcessStartInfo(command[0], command[1..])
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

    /// <summary>Stops it as a debugger or a hung machine does; it does not notice.</summary>
    internal void Suspend() => Signal("STOP");

    internal void Resume() => Signal("CONT");

    /// <summary>The result, or null where the validator cannot be reached or answers with an error.</summary>
    internal async Task<JsonElement?> CallAsync(string method, params object[] parameters) =>
        (await AskAsync(method, parameters)).Result;

    /// <summary>Result or error; neither where the validator cannot be reached.</summary>
    internal async Task<(JsonElement? Result, string? Error)> AskAsync(string method, params object[] parameters)
    {
        try
        {
            using var answer = await Client.PostAsJsonAsync(
                url, new { jsonrpc = "2.0", id = 1, method, @params = parameters });
            var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
            return body.TryGetProperty("result", out var result)
                ? (result, null)
                : (null, body.GetProperty("error").GetProperty("message").GetString());
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TaskCanceledException
            or JsonException)
        {
            return (null, null);
        }
    }

    internal async Task<ulong?> NumberAsync(string tag) => (await HeadAsync(tag))?.Number;

    internal async Task<(ulong Number, string Hash)?> HeadAsync(string tag) =>
        await CallAsync("eth_getBlockByNumber", tag, false) is { ValueKind: JsonValueKind.Object } block
            ? (Convert.ToUInt64(block.GetProperty("number").GetString(), 16), block.GetProperty("hash").GetString()!)
            : null;

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
        }

        _process?.Dispose();
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
