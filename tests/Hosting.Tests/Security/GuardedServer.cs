using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using SuperVm.Core.Mempool;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Security;

/// <summary>A node behind real HTTP whose guards run on the test's clock.</summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    private readonly HttpClient _client = new();
    private readonly NodeServer _server;

    private GuardedServer(TestNode node, NodeServer server) => (Node, _server) = (node, server);

    internal TestNode Node { get; }

    internal StandingClock Clock => Node.Clock;

    internal static async Task<GuardedServer> StartAsync(
        SecurityOptions security, MempoolOptions? pool = null, TimeSpan? callTimeout = null)
    {
        var accounts = DevGenesis.AccountsOf(Core.Cryptography.Mnemonic.Development, 3);
        var node = new TestNode(options: new NodeOptions
        {
            Accounts = accounts, AllowDevelopmentMethods = true, Security = security, Pool = pool ?? new(),
            CallTimeout = callTimeout ?? TimeSpan.FromSeconds(5),
        });
        var limits = new RpcLimits { MaximumBodyBytes = 64 << 10, MaximumBatch = 20 };
        return new GuardedServer(
            node, await NodeServer.StartAsync(node.Node, new ServerOptions { Port = 0, Limits = limits }));
    }

    internal static string Request(string method, string arguments = "", string id = "1") =>
        $$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":[{{arguments}}]}""";

    internal async Task<GuardedAnswer> PostAsync(
        string body, string? key = null, string? forwardedFor = null, string? functionKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _server.Address)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        if (forwardedFor is not null)
        {
            request.Headers.Add("X-Forwarded-For", forwardedFor);
        }

        if (functionKey is not null)
        {
            request.Headers.Add("x-functions-key", functionKey);
        }

        using var response = await _client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new GuardedAnswer(
            response.StatusCode, response.Headers.RetryAfter?.Delta,
            text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    internal Task<GuardedAnswer> CallAsync(string method, string arguments = "", string? key = null) =>
        PostAsync(Request(method, arguments), key);

    internal async Task<(HttpStatusCode Status, string Text)> GetAsync(string path, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Address, path));
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        using var response = await _client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>A request as it is, on a connection of its own; the answer's bytes as text.</summary>
    internal async Task<(HttpStatusCode Status, byte[] Body)> PostBytesAsync(byte[] body)
    {
        using var content = new ByteArrayContent(body);
        using var response = await _client.PostAsync(_server.Address, content);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        Node.Dispose();
    }
}

/// <summary>What came back.</summary>
internal readonly record struct GuardedAnswer(HttpStatusCode Status, TimeSpan? RetryAfter, JsonElement Body)
{
    internal int? ErrorCode => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("error", out var error)
        ? error.GetProperty("code").GetInt32()
        : null;

    internal string Message => Body.GetProperty("error").GetProperty("message").GetString()!;
}
