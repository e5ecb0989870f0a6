using System.Text.Json;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>prestateTracer and debug_traceCall, in the shapes that geth's documentation shows.</summary>
public sealed class PrestateTests : IDisposable
{
    private const string Contract = "0x00000000000000000000000000000000000000cc";
    private const string Callee = "0x00000000000000000000000000000000000000dd";
    private const string Prestate = "\"tracer\":\"prestateTracer\"";
    private const string Differences = $"{Prestate},\"tracerConfig\":{{\"diffMode\":true}}";

    /// <summary>Stores 42 at 1, reads 2, calls <see cref="Callee"/> with 5 wei.</summary>
    private const string Code =
        "0x602a60015560025450600060006000600060057300000000000000000000000000000000000000dd5af100";

    private readonly TestNode _node = new();

    public PrestateTests()
    {
        _node.Call("anvil_setCode", $"\"{Contract}\",\"{Code}\"");
        _node.Call("anvil_setBalance", $"\"{Contract}\",\"0x64\"");
        _node.Call("anvil_setStorageAt", $"\"{Contract}\",\"0x2\",\"{Slot(7)}\"");
        _node.Call("evm_mine");
    }

    private string Sender => _node.Accounts[0].Address.ToString();

    public void Dispose() => _node.Dispose();

    [Fact]
    public void The_state_before_is_that_of_whatever_was_touched()
    {
        var hash = Send($"\"to\":\"{Contract}\"");
        var before = Trace(hash, Prestate);
        var coinbase = _node.Chain.Head.Header.Coinbase.ToString();
        Assert.Equal(BalanceBefore(Sender), Text(before.GetProperty(Sender), "balance"));
        Assert.False(before.GetProperty(Sender).TryGetProperty("nonce", out _));
        var contract = before.GetProperty(Contract);
        Assert.Equal("0x64", Text(contract, "balance"));
        Assert.Equal(Code, Text(contract, "code"));
        Assert.Equal([(Slot(1), Slot(0)), (Slot(2), Slot(7))], Storage(contract));
        Assert.Equal(BalanceBefore(coinbase) != "0x0", before.TryGetProperty(coinbase, out _));
        Assert.False(before.TryGetProperty(Callee, out _));

        var all = Trace(hash, $"{Prestate},\"tracerConfig\":{{\"includeEmpty\":true,\"disableCode\":true}}");
        Assert.Equal("{\"balance\":\"0x0\"}", all.GetProperty(Callee).GetRawText());
        Assert.False(all.GetProperty(Contract).TryGetProperty("code", out _));
        var small = Trace(hash, $"{Prestate},\"tracerConfig\":{{\"disableStorage\":true}}");
        Assert.False(small.GetProperty(Contract).TryGetProperty("storage", out _));
    }

    [Fact]
    public void In_diff_mode_there_is_what_changed_before_and_after()
    {
        var hash = Send($"\"to\":\"{Contract}\"");
        var (before, after) = Both(Trace(hash, Differences));
        Assert.Equal(BalanceBefore(Sender), Text(before.GetProperty(Sender), "balance"));
        Assert.Equal(Balance(Sender), Text(after.GetProperty(Sender), "balance"));
        Assert.Equal(1, after.GetProperty(Sender).GetProperty("nonce").GetInt32());
        Assert.Equal(
            $$"""{"balance":"0x64","code":"{{Code}}"}""", before.GetProperty(Contract).GetRawText());
        Assert.Equal(
            $"{{\"balance\":\"0x5f\",\"storage\":{{\"{Slot(1)}\":\"{Slot(42)}\"}}}}",
            after.GetProperty(Contract).GetRawText());
        Assert.False(before.TryGetProperty(Callee, out _));
        Assert.Equal("""{"balance":"0x5"}""", after.GetProperty(Callee).GetRawText());

        // The second time nothing changes in storage, and the sender has a nonce before.
        (before, after) = Both(Trace(Send($"\"to\":\"{Contract}\""), Differences));
        Assert.Equal(1, before.GetProperty(Sender).GetProperty("nonce").GetInt32());
        Assert.False(before.GetProperty(Contract).TryGetProperty("storage", out _));
        Assert.False(after.GetProperty(Contract).TryGetProperty("storage", out _));
    }

    [Fact]
    public void A_created_contract_is_only_in_the_state_after_and_one_that_destroyed_itself_in_neither()
    {
        // Deploys the one byte STOP.
        var hash = Send("\"data\":\"0x60016000f3\"");
        var created = Text(_node.Call("eth_getTransactionReceipt", $"\"{hash}\""), "contractAddress");
        var (before, after) = Both(Trace(hash, Differences));
        Assert.False(before.TryGetProperty(created, out _));
        Assert.Equal("""{"code":"0x00","nonce":1}""", after.GetProperty(created).GetRawText());
        Assert.False(Trace(hash, Prestate).TryGetProperty(created, out _));

        hash = Send("\"data\":\"0x33ff\"");
        created = Text(_node.Call("eth_getTransactionReceipt", $"\"{hash}\""), "contractAddress");
        (before, after) = Both(Trace(hash, Differences));
        Assert.False(before.TryGetProperty(created, out _));
        Assert.False(after.TryGetProperty(created, out _));
    }

    [Fact]
    public void Every_transaction_of_a_block_sees_what_those_before_it_changed()
    {
        _node.Call("evm_setAutomine", "false");
        Send($"\"to\":\"{Contract}\"", mine: false);
        Send($"\"to\":\"{Contract}\",\"nonce\":\"0x1\"", mine: false);
        _node.Call("evm_mine");
        var traces = _node.Call("debug_traceBlockByNumber", $"\"latest\",{{{Prestate}}}");
        Assert.Equal(2, traces.GetArrayLength());
        Assert.Equal((Slot(1), Slot(0)), Storage(traces[0].GetProperty("result").GetProperty(Contract))[0]);
        Assert.Equal((Slot(1), Slot(42)), Storage(traces[1].GetProperty("result").GetProperty(Contract))[0]);
    }

    [Fact]
    public void A_call_is_traced_like_a_transaction_and_changes_nothing()
    {
        var root = _node.Chain.Head.Header.StateRoot;
        var call = $$"""{"from":"{{Sender}}","to":"{{Contract}}","gas":"0x186a0"}""";
        var (before, after) = Both(_node.Call("debug_traceCall", $"{call},\"latest\",{{{Differences}}}"));
        Assert.Equal("0x64", Text(before.GetProperty(Contract), "balance"));
        Assert.Equal([(Slot(1), Slot(42))], Storage(after.GetProperty(Contract)));
        Assert.Equal("""{"nonce":1}""", after.GetProperty(Sender).GetRawText());

        var tree = _node.Call("debug_traceCall", $"{call},\"latest\",{{\"tracer\":\"callTracer\"}}");
        Assert.Equal(Callee, Text(tree.GetProperty("calls")[0], "to"));
        Assert.Equal("0x186a0", Text(tree, "gas"));
        var log = _node.Call("debug_traceCall", $"{call},\"latest\"");
        Assert.False(log.GetProperty("failed").GetBoolean());
        Assert.Equal("PUSH1", Text(log.GetProperty("structLogs")[0], "op"));
        Assert.Equal(Text(tree, "gasUsed"), $"0x{log.GetProperty("gas").GetInt64():x}");
        Assert.Equal(root, _node.Chain.Head.Header.StateRoot);
        Assert.Equal(Slot(0), _node.Call("eth_getStorageAt", $"\"{Contract}\",\"0x1\",\"latest\"").GetString());
    }

    [Fact]
    public void Overrides_hold_for_a_traced_call_and_delegated_code_is_touched()
    {
        var options = $$"""
            {{{Prestate}},"stateOverrides":{"{{Callee}}":{"code":"0xef0100{{Contract[2..]}}","balance":"0x9"} },
             "blockOverrides":{"feeRecipient":"{{Sender}}"} }
            """;
        var before = _node.Call("debug_traceCall", $"{{\"to\":\"{Callee}\"}},\"latest\",{options}");
        Assert.Equal("0x9", Text(before.GetProperty(Callee), "balance"));
        Assert.Equal([(Slot(1), Slot(0)), (Slot(2), Slot(0))], Storage(before.GetProperty(Callee)));
        Assert.Equal(Code, Text(before.GetProperty(Contract), "code"));
        Assert.True(before.TryGetProperty(Sender, out _));
    }

    [Fact]
    public void A_call_that_fails_is_a_trace_and_one_that_cannot_begin_is_an_error()
    {
        // Reverts with nothing.
        var overrides = $"\"stateOverrides\":{{\"{Callee}\":{{\"code\":\"0x60006000fd\"}}}}";
        var tree = _node.Call(
            "debug_traceCall", $"{{\"to\":\"{Callee}\"}},\"latest\",{{\"tracer\":\"callTracer\",{overrides}}}");
        Assert.Equal("execution reverted", Text(tree, "error"));
        var call = $$"""{"to":"{{Contract}}"}""";
        Assert.Equal(-32000, _node.Fail("debug_traceCall", $"{call},\"0xffff\"").Code);
        Assert.Equal(-32000, _node.Fail("debug_traceCall", $"{call},\"latest\",{{\"tracer\":\"x\"}}").Code);
        Assert.Equal(-32602, _node.Fail("debug_traceCall", $"{call},\"latest\",{{\"txIndex\":\"0x0\"}}").Code);
        Assert.Equal(-32602, _node.Fail("debug_traceCall", string.Empty).Code);
        Assert.Equal(-32000, _node.Fail(
            "debug_traceCall", $"{{\"to\":\"{Contract}\",\"gas\":\"0x1\"}},\"latest\"").Code);
    }

    private string Send(string fields, bool mine = true)
    {
        var hash = _node.Call(
            "eth_sendTransaction", $"{{\"from\":\"{Sender}\",\"gas\":\"0x186a0\",{fields}}}").GetString()!;
        if (mine)
        {
            _node.Call("evm_mine");
        }

        return hash;
    }

    private JsonElement Trace(string hash, string options) =>
        _node.Call("debug_traceTransaction", $"\"{hash}\",{{{options}}}");

    private string Balance(string address) =>
        _node.Call("eth_getBalance", $"\"{address}\",\"latest\"").GetString()!;

    private string BalanceBefore(string address) =>
        _node.Call("eth_getBalance", $"\"{address}\",\"0x{_node.Chain.Head.Number - 1:x}\"").GetString()!;

    private static (JsonElement Before, JsonElement After) Both(JsonElement differences) =>
        (differences.GetProperty("pre"), differences.GetProperty("post"));

    private static List<(string Slot, string Value)> Storage(JsonElement account) =>
    [
        .. account.GetProperty("storage").EnumerateObject().Select(slot => (slot.Name, slot.Value.GetString()!)),
    ];

    private static string Slot(int number) => $"0x{number:x64}";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
