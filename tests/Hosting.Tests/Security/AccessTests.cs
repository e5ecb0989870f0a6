using System.Net;
using System.Text.Json;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Tests.Security;

/// <summary>Keys, routes of management, the audit log, and the time that a call may take; through real HTTP.</summary>
public sealed class AccessTests
{
    private const string RpcKey = "a-key-for-json-rpc-0001";
    private const string ManagementKey = "a-key-for-management-0001";

    [Fact]
    public async Task Json_rpc_that_is_not_open_asks_for_a_key()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions
        {
            OpenRpc = false, RpcKeys = AccessKeys.Parse(RpcKey), ManagementKeys = AccessKeys.Parse(ManagementKey),
        });
        var closed = await server.CallAsync("eth_chainId");
        Assert.Equal(HttpStatusCode.Unauthorized, closed.Status);
        Assert.Equal(-32002, closed.ErrorCode);
        Assert.Equal(-32002, (await server.CallAsync("eth_chainId", key: "a-wrong-key-of-some-length")).ErrorCode);
        Assert.Null((await server.CallAsync("eth_chainId", key: RpcKey)).ErrorCode);
        Assert.Null((await server.PostAsync(GuardedServer.Request("eth_chainId"), functionKey: RpcKey)).ErrorCode);
        Assert.Null((await server.CallAsync("eth_chainId", key: ManagementKey)).ErrorCode);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health")).Status);
    }

    [Fact]
    public async Task Management_needs_its_own_key()
    {
        await using var server = await GuardedServer.StartAsync(
            new SecurityOptions { ManagementKeys = AccessKeys.Parse($"{ManagementKey}\nanother-key-for-management") });
        Assert.Null((await server.CallAsync("eth_chainId")).ErrorCode);
        Assert.Equal(-32601, (await server.CallAsync("evm_mine")).ErrorCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/metrics")).Status);
        Assert.Null((await server.CallAsync("evm_mine", key: ManagementKey)).ErrorCode);
        Assert.Null((await server.CallAsync("evm_mine", key: "another-key-for-management")).ErrorCode);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/metrics", ManagementKey)).Status);
        Assert.Equal("0x2", (await server.CallAsync("eth_blockNumber")).Body.GetProperty("result").GetString());
    }

    [Fact]
    public async Task A_set_of_keys_without_a_key_closes_what_it_guards()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions
        {
            ManagementKeys = AccessKeys.Parse("@Microsoft.KeyVault(SecretUri=https://vault.example.org/secrets/k)"),
        });
        const string Unresolved = "@Microsoft.KeyVault(SecretUri=https://vault.example.org/secrets/k)";
        Assert.Equal(-32601, (await server.CallAsync("evm_mine", key: Unresolved)).ErrorCode);
    }

    [Fact]
    public void A_key_that_could_be_guessed_is_refused() =>
        Assert.Throws<ArgumentException>(() => AccessKeys.Parse("short"));

    [Fact]
    public async Task The_audit_tells_of_each_management_call_without_secrets_and_personal_data()
    {
        var lines = new List<string>();
        await using var server = await GuardedServer.StartAsync(new SecurityOptions
        {
            ManagementKeys = AccessKeys.Parse(ManagementKey), Audit = lines.Add,
        });
        await server.CallAsync("eth_chainId");
        await server.CallAsync("anvil_setBalance", $"\"{server.Node.Accounts[0].Address}\",\"0x10\"");
        await server.CallAsync(
            "anvil_setBalance", $"\"{server.Node.Accounts[0].Address}\",\"0x10\"", ManagementKey);
        await server.CallAsync("anvil_setCode", $"\"0x{new string('a', 64)}\",{{\"secret\":\"word\"}}", ManagementKey);
        Assert.Equal(3, lines.Count);
        var entries = lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(
            ["forbidden", "done", "error -32602"], entries.Select(entry => entry.GetProperty("outcome").GetString()!));
        Assert.Equal("open", entries[0].GetProperty("actor").GetString());
        Assert.StartsWith("key ", entries[1].GetProperty("actor").GetString());
        Assert.Equal("127.0.x.x", entries[1].GetProperty("origin").GetString());
        Assert.Equal("0x10", entries[1].GetProperty("parameters")[1].GetString());
        Assert.All(lines, line =>
        {
            Assert.DoesNotContain(ManagementKey, line);
            Assert.DoesNotContain("secret", line);
            Assert.DoesNotContain(server.Node.Accounts[0].Address.ToString(), line);
            Assert.DoesNotContain(new string('a', 16), line);
        });
    }

    /// <summary>JUMPDEST, PUSH1 0, JUMP for ever; the second keeps calling itself.</summary>
    [Theory]
    [InlineData("0x5b600056")]
    [InlineData("0x5b6000600060006000600030620f4240f150600056")]
    public async Task A_call_that_executes_too_long_is_ended(string code)
    {
        await using var server = await GuardedServer.StartAsync(
            new SecurityOptions(), callTimeout: TimeSpan.FromMilliseconds(200));
        using var moving = new Timer(_ => server.Clock.Move(TimeSpan.FromMilliseconds(50)), null, 0, 10);
        const string Target = "\"0x00000000000000000000000000000000000000aa\"";
        var call = $"{{\"to\":{Target},\"gas\":\"0x7fffffffffffffff\"}},\"latest\","
            + $"{{{Target}:{{\"code\":\"{code}\"}}}}";
        foreach (var method in (string[])["eth_call", "eth_createAccessList"])
        {
            var answer = await server.CallAsync(method, call);
            Assert.Equal(-32000, answer.ErrorCode);
            Assert.Contains("execution timeout", answer.Message);
            Assert.Contains("0.2s", answer.Message);
        }

        Assert.Null((await server.CallAsync("eth_call", $"{{\"to\":{Target}}},\"latest\"")).ErrorCode);
        Assert.Contains("supervm_calls_timed_out_total 2\n", (await server.GetAsync("/metrics")).Text);
    }
}
