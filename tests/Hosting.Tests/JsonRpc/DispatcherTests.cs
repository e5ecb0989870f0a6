using System.Text.Json;
using SuperVm.Hosting.JsonRpc;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>The envelope of JSON-RPC 2.0: errors, batches, notifications, limits.</summary>
public sealed class DispatcherTests : IDisposable
{
    private readonly TestNode _node = new(limits: new RpcLimits { MaximumBatch = 5, MaximumResponseBytes = 8_192 });

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("", -32700)]
    [InlineData("{", -32700)]
    [InlineData("nonsense", -32700)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"} x", -32700)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",}", -32700)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}", -32700)]
    [InlineData("[]", -32600)]
    [InlineData("1", -32600)]
    [InlineData("null", -32600)]
    [InlineData("{}", -32600)]
    [InlineData("{\"id\":1,\"method\":\"eth_chainId\"}", -32600)]
    [InlineData("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"eth_chainId\"}", -32600)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"eth_chainId\"}", -32600)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":7}", -32600)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no_such\"}", -32601)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":{}}", -32602)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[1]}", -32602)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":[]}", -32602)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":[\"0x12\"]}", -32602)]
    public void A_bad_request_is_answered_with_its_code(string body, int code)
    {
        using var answer = JsonDocument.Parse(_node.Answer(body));
        Assert.Equal(code, answer.RootElement.GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal("2.0", answer.RootElement.GetProperty("jsonrpc").GetString());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"a\\u0041\\n\"")]
    [InlineData("null")]
    [InlineData("1.5e3")]
    public void The_id_comes_back_as_it_was(string id) => Assert.Equal(
        $"{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":\"0x7a69\"}}",
        _node.Answer($"{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"eth_chainId\",\"params\":[]}}"));

    [Fact]
    public void Notifications_are_carried_out_and_not_answered()
    {
        Assert.Empty(_node.Answer("{\"jsonrpc\":\"2.0\",\"method\":\"evm_mine\"}"));
        Assert.Empty(_node.Answer(
            """[{"jsonrpc":"2.0","method":"evm_mine"},{"jsonrpc":"2.0","method":"x"}]"""));
        Assert.Equal("0x2", _node.Call("eth_blockNumber").GetString());
    }

    [Fact]
    public void A_batch_is_answered_in_order_each_on_its_own()
    {
        using var answer = JsonDocument.Parse(_node.Answer(
            """
            [{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},7,{"jsonrpc":"2.0","method":"eth_chainId"},
             {"jsonrpc":"2.0","id":"b","method":"no_such"},{"jsonrpc":"2.0","id":3,"method":"eth_blockNumber"}]
            """));
        var items = answer.RootElement.EnumerateArray().ToList();
        Assert.Equal(4, items.Count);
        Assert.Equal("0x7a69", items[0].GetProperty("result").GetString());
        Assert.Equal(-32600, items[1].GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal("b", items[2].GetProperty("id").GetString());
        Assert.Equal("0x0", items[3].GetProperty("result").GetString());
    }

    [Fact]
    public void Batches_and_responses_have_limits()
    {
        const string One = """{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}""";
        Assert.Contains("-32600", _node.Answer($"[{string.Join(',', Enumerable.Repeat(One, 6))}]"));
        const string Long = """{"jsonrpc":"2.0","id":1,"method":"web3_sha3","params":["0x00"]}""";
        Assert.DoesNotContain("error", _node.Answer($"[{string.Join(',', Enumerable.Repeat(Long, 5))}]"));
        const string Block = """{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0",true]}""";
        using var answer = JsonDocument.Parse(_node.Answer($"[{string.Join(',', Enumerable.Repeat(Block, 5))}]"));
        Assert.Equal(-32003, answer.RootElement[4].GetProperty("error").GetProperty("code").GetInt32());
        Assert.True(answer.RootElement[0].TryGetProperty("result", out _));
    }

    [Fact]
    public void A_deeply_nested_body_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 500)) + string.Concat(Enumerable.Repeat("]", 500));
        Assert.Contains("-32700", _node.Answer(
            $"{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":{deep}}}"));
    }
}
