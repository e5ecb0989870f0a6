using System.Net;
using System.Text;
using System.Text.Json;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Tests.Security;

/// <summary>Whatever comes over HTTP, the answer is an error with a code of the specification, or a result.</summary>
public sealed class BoundaryFuzzTests
{
    private static readonly int[] StandardCodes = [-32700, -32600, -32601, -32602, -32000, -32001, -32003, -32005, 3];

    private static readonly string[] Malformed =
    [
        "", " ", "\0", "\u001f", "nul", "null", "true", "1", "\"x\"", "{", "}", "[", "]", "[[]]", "[[[]]]", "{}",
        "[{}]",
        "[1,2,3]", "[null]", "[{}", "{\"a\"}", "{\"a\":}", "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":null}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"\",\"id\":1}", "{\"jsonrpc\":2.0,\"method\":\"eth_chainId\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":[1]}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":true}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":1,\"params\":\"0x\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":1,\"params\":[}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":1}{\"jsonrpc\":\"2.0\"}",
        "{'jsonrpc':'2.0','method':'eth_chainId','id':1}", "jsonrpc=2.0&method=eth_chainId", "<xml/>",
        "// comment\n{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"eth_chainId\",\"id\":1,}", "[,]", "[1,]", "NaN", "{\"jsonrpc\":NaN}",
        "\uFEFF{}",
    ];

    [Fact]
    public async Task Malformed_bodies_of_every_kind_are_answered_with_a_standard_code()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions());
        foreach (var body in Malformed)
        {
            await AssertAnswerAsync(server, Encoding.UTF8.GetBytes(body), mustFail: body.Length > 0);
        }

        await AssertAnswerAsync(server, [0xFF, 0xFE, 0x00], mustFail: true);
        await AssertAnswerAsync(server, [0xC3, 0x28], mustFail: true);
        Assert.Equal("0x7a69", (await server.CallAsync("eth_chainId")).Body.GetProperty("result").GetString());
        Assert.Empty(server.Node.Log);
    }

    [Fact]
    public async Task Random_bytes_and_damaged_requests_never_break_the_server()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions());
        var random = new Random(20_260_105);
        var good = Encoding.UTF8.GetBytes(
            $"[{GuardedServer.Request("eth_getBlockByNumber", "\"latest\",false")},"
            + $"{GuardedServer.Request("eth_call", "{\"data\":\"0x00\"},\"latest\"")}]");
        for (var i = 0; i < 1_500; i++)
        {
            byte[] body;
            if (i % 3 == 0)
            {
                body = new byte[random.Next(1, 200)];
                random.NextBytes(body);
            }
            else
            {
                body = [.. good];
                for (var damage = random.Next(1, 6); damage > 0; damage--)
                {
                    body[random.Next(body.Length)] = (byte)random.Next(256);
                }

                body = body[..random.Next(1, body.Length + 1)];
            }

            await AssertAnswerAsync(server, body, mustFail: false);
        }

        Assert.Empty(server.Node.Log);
    }

    [Fact]
    public async Task Bodies_and_batches_above_their_limits_are_refused()
    {
        await using var server = await GuardedServer.StartAsync(new SecurityOptions());
        var (status, _) = await server.PostBytesAsync(new byte[(64 << 10) + 1]);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        var many = string.Join(',', Enumerable.Repeat(GuardedServer.Request("eth_chainId"), 21));
        Assert.Equal(-32600, (await server.PostAsync($"[{many}]")).ErrorCode);
        Assert.Equal(-32700, (await server.PostAsync(new string('[', 30_000))).ErrorCode);
    }

    private static async Task AssertAnswerAsync(GuardedServer server, byte[] body, bool mustFail)
    {
        var (status, bytes) = await server.PostBytesAsync(body);
        Assert.Equal(HttpStatusCode.OK, status);
        if (bytes.Length == 0)
        {
            Assert.False(mustFail);
            return;
        }

        using var answer = JsonDocument.Parse(bytes);
        var items = answer.RootElement.ValueKind == JsonValueKind.Array
            ? answer.RootElement.EnumerateArray().ToList()
            : [answer.RootElement];
        foreach (var item in items)
        {
            Assert.Equal("2.0", item.GetProperty("jsonrpc").GetString());
            var failed = item.TryGetProperty("error", out var error);
            Assert.NotEqual(failed, item.TryGetProperty("result", out _));
            Assert.True(failed || !mustFail, Encoding.UTF8.GetString(body));
            Assert.True(!failed || StandardCodes.Contains(error.GetProperty("code").GetInt32()), item.ToString());
        }
    }
}
