using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>eth_simulateV1, traces, and what the node tells of its set-up; on a node of its own.</summary>
/// <remarks>execution-apis' exchanges are compared by `conformance rpc`; here is what they do not hold.</remarks>
public sealed class SimulationTests : IDisposable
{
    private const string Contract = "0x00000000000000000000000000000000000000cc";
    private const string Callee = "0x00000000000000000000000000000000000000dd";

    /// <summary>Stores 42 at 1, reads it, logs nothing, calls <see cref="Callee"/>, stops.</summary>
    private const string Code = "0x602a6001556001545060006000a060006000600060006000"
        + "7300000000000000000000000000000000000000dd5af15000";

    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    private string Account(int number) => $"\"{_node.Accounts[number].Address}\"";

    [Fact]
    public void Blocks_of_calls_build_on_each_other_and_change_nothing()
    {
        var root = _node.Chain.Head.Header.StateRoot;
        var calls = $$"""[{"from":{{Account(0)}},"to":"{{Callee}}","value":"0x5"}]""";
        var blocks = _node.Call(
            "eth_simulateV1",
            $$"""{"blockStateCalls":[{"calls":{{calls}}},{"blockOverrides":{"number":"0x4"},"calls":{{calls}}}]}""");
        Assert.Equal(["0x1", "0x2", "0x3", "0x4"], Fields(blocks, "number"));
        for (var i = 1; i < 4; i++)
        {
            Assert.Equal(Text(blocks[i - 1], "hash"), Text(blocks[i], "parentHash"));
        }

        Assert.NotEqual(Text(blocks[0], "stateRoot"), Text(blocks[3], "stateRoot"));
        Assert.Equal(root, _node.Chain.Head.Header.StateRoot);
        Assert.Equal("0x0", _node.Call("eth_getBalance", $"\"{Callee}\",\"latest\"").GetString());
    }

    /// <summary>A simulated block has the very root that the same block has when it is made.</summary>
    [Fact]
    public void A_simulated_state_root_is_that_of_the_block_when_it_is_made()
    {
        _node.Call("anvil_setCode", $"\"{Contract}\",\"{Code}\"");
        _node.Clock.Move(TimeSpan.FromSeconds(3));
        var transfer = _node.Transfer(0, 0);
        _node.Call("eth_sendRawTransaction", TestNode.Raw(transfer));
        _node.Call("evm_mine");
        var made = _node.Chain.Head.Header;
        var before = _node.Chain.Head.Number - 1;
        var call = $$"""
            {"from":{{Account(0)}},"to":"{{transfer.To}}","value":"0x1","gas":"0x5208",
             "maxFeePerGas":"{{transfer.MaxFeePerGas.ToQuantity()}}",
             "maxPriorityFeePerGas":"{{transfer.MaxPriorityFeePerGas.ToQuantity()}}"}
            """;
        var blocks = _node.Call(
            "eth_simulateV1",
            $$"""
            {"validation":true,"blockStateCalls":[{"blockOverrides":{"time":"0x{{made.Timestamp:x}}",
             "baseFeePerGas":"{{made.BaseFeePerGas!.Value.ToQuantity()}}","feeRecipient":"{{made.Coinbase}}",
             "gasLimit":"0x{{made.GasLimit:x}}"},"calls":[{{call}}]}]},"0x{{before:x}}"
            """);
        Assert.Equal(made.StateRoot.ToString(), Text(blocks[0], "stateRoot"));
        Assert.Equal(made.ReceiptsRoot.ToString(), Text(blocks[0], "receiptsRoot"));
    }

    [Fact]
    public void Ether_that_moves_is_told_of_as_logs_where_that_is_asked_for()
    {
        var request = $$"""
            "blockStateCalls":[{"stateOverrides":{"{{Contract}}":{"code":"{{Code}}"} },
             "calls":[{"from":{{Account(0)}},"to":"{{Contract}}","value":"0x7"}]}]
            """;
        Assert.Equal(1, _node.Call("eth_simulateV1", $"{{{request}}}")[0]
            .GetProperty("calls")[0].GetProperty("logs").GetArrayLength());
        var logs = _node.Call("eth_simulateV1", $"{{{request},\"traceTransfers\":true}}")[0]
            .GetProperty("calls")[0].GetProperty("logs");
        Assert.Equal(2, logs.GetArrayLength());
        Assert.Equal("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", Text(logs[0], "address"));
        Assert.Equal(Contract, Text(logs[1], "address"));
    }

    [Theory]
    [InlineData("""{"blockStateCalls":[]}""", -32602)]
    [InlineData("""{"blockStateCalls":[{"blockOverrides":{"number":"0x102"}}]}""", -38026)]
    [InlineData("""{"blockStateCalls":[{"blockOverrides":{"number":"0x0"}}]}""", -38020)]
    [InlineData("""{"blockStateCalls":[{"blockOverrides":{"time":"0x1"}}]}""", -38021)]
    [InlineData("""{"blockStateCalls":[{"calls":[{"nonce":"0x5"}]}],"validation":true}""", -38011)]
    [InlineData("""{"blockStateCalls":[{"calls":[{"value":"0x1"}]}]}""", -38014)]
    [InlineData("""{"blockStateCalls":[{"calls":[{"gas":"0x1"}]}]}""", -38013)]
    [InlineData("""{"blockStateCalls":[{"calls":[{"gas":"0xffffffffff"}]}]}""", -38015)]
    public void What_cannot_be_simulated_has_its_code(string request, int code) =>
        Assert.Equal(code, _node.Fail("eth_simulateV1", request).Code);

    [Fact]
    public void A_precompiled_contract_can_be_moved_for_a_call()
    {
        const string Moved = "0x0000000000000000000000000000000000001234";
        const string Sha256 = "0x0000000000000000000000000000000000000002";
        var overrides = $$"""{"{{Sha256}}":{"movePrecompileToAddress":"{{Moved}}"} }""";
        Assert.Equal(
            _node.Call("eth_call", $$"""{"to":"{{Sha256}}","data":"0x01"}""").GetString(),
            _node.Call("eth_call", $$"""{"to":"{{Moved}}","data":"0x01"},"latest",{{overrides}}""").GetString());
        Assert.Equal("0x", _node.Call(
            "eth_call", $$"""{"to":"{{Sha256}}","data":"0x01"},"latest",{{overrides}}""").GetString());
    }

    [Fact]
    public void A_trace_has_each_instruction_with_its_price_and_the_storage_it_touched()
    {
        var steps = Trace(string.Empty).GetProperty("structLogs").EnumerateArray().ToList();
        Assert.Equal("PUSH1", Text(steps[0], "op"));
        var store = steps.Single(step => Text(step, "op") == "SSTORE");
        var slot = $"0x{new string('0', 63)}1";
        Assert.Equal(22_100, store.GetProperty("gasCost").GetInt64());
        Assert.EndsWith("2a", store.GetProperty("storage").GetProperty(slot).GetString());
        Assert.EndsWith("2a", steps.Single(step => Text(step, "op") == "SLOAD").GetProperty("storage")
            .GetProperty(slot).GetString());
        Assert.Equal("STOP", Text(steps[^1], "op"));
        for (var i = 0; i + 1 < steps.Count; i++)
        {
            if (Text(steps[i], "op") != "CALL")
            {
                Assert.Equal(
                    steps[i + 1].GetProperty("gas").GetInt64(),
                    steps[i].GetProperty("gas").GetInt64() - steps[i].GetProperty("gasCost").GetInt64());
            }
        }
    }

    [Fact]
    public void The_tree_of_calls_has_calls_and_logs()
    {
        var tree = Trace(",{\"tracer\":\"callTracer\",\"tracerConfig\":{\"withLog\":true}}");
        Assert.Equal("CALL", Text(tree, "type"));
        Assert.Equal(Contract, Text(tree, "to"));
        Assert.Equal(Callee, Text(tree.GetProperty("calls")[0], "to"));
        Assert.Equal(Contract, Text(tree.GetProperty("logs")[0], "address"));
        var top = Trace(",{\"tracer\":\"callTracer\",\"tracerConfig\":{\"onlyTopCall\":true}}");
        Assert.False(top.TryGetProperty("calls", out _));
        Assert.Equal(-32000, _node.Fail(
            "debug_traceBlockByNumber", "\"latest\",{\"tracer\":\"no such\"}").Code);
    }

    [Fact]
    public void A_block_built_to_order_is_the_one_that_would_be_made_and_is_not_kept()
    {
        var head = _node.Chain.Head;
        var attributes = $$"""
            {"timestamp":"0x{{head.Header.Timestamp + 5:x}}","prevRandao":"{{Hash256.Zero}}","withdrawals":[],
             "suggestedFeeRecipient":"{{Callee}}","parentBeaconBlockRoot":"{{Hash256.Zero}}"}
            """;
        var raw = TestNode.Raw(_node.Transfer(0, 0));
        var built = _node.Call("testing_buildBlockV1", $"\"{head.Hash}\",{attributes},[{raw}],\"0x6869\"");
        var payload = built.GetProperty("executionPayload");
        Assert.Equal(1, payload.GetProperty("transactions").GetArrayLength());
        Assert.Equal("0x6869", Text(payload, "extraData"));
        Assert.Equal(head.Hash, _node.Chain.Head.Hash);
        var late = TestNode.Raw(_node.Transfer(0, 7));
        Assert.Equal(-32000, _node.Fail("testing_buildBlockV1", $"\"{head.Hash}\",{attributes},[{late}]").Code);
    }

    [Fact]
    public void A_filled_transaction_lacks_its_signature_only()
    {
        var filled = _node.Call("eth_fillTransaction", $$"""{"from":{{Account(1)}},"to":"{{Callee}}"}""");
        Assert.Equal("0x5208", Text(filled.GetProperty("tx"), "gas"));
        Assert.Equal("0x0", Text(filled.GetProperty("tx"), "r"));
        Assert.StartsWith("0x02", Text(filled, "raw"));
    }

    /// <summary>A call of the contract, mined, and traced by its hash.</summary>
    private JsonElement Trace(string options)
    {
        _node.Call("anvil_setCode", $"\"{Contract}\",\"{Code}\"");
        var hash = _node.Call(
            "eth_sendTransaction", $$"""{"from":{{Account(0)}},"to":"{{Contract}}","gas":"0x186a0"}""").GetString();
        _node.Call("evm_mine");
        return _node.Call("debug_traceTransaction", $"\"{hash}\"{options}");
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static IEnumerable<string> Fields(JsonElement array, string name) =>
        array.EnumerateArray().Select(item => Text(item, name));
}
