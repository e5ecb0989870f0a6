using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.JsonRpc;

public sealed class FilterTests : IDisposable
{
    private static readonly Address Logger = Address.FromNumber(0x1066);

    /// <summary>LOG1 with no data and the topic that is the call's first word.</summary>
    private static readonly byte[] LoggerCode = Convert.FromHexString("60003560006000a1");

    private readonly TestNode _node = new(limits: new RpcLimits { MaximumFilters = 3 });
    private ulong _nonce;

    [Fact]
    public void A_block_filter_answers_each_new_block_once()
    {
        var id = Install("eth_newBlockFilter");
        Assert.Empty(Changes(id));
        var first = _node.Node.Producer.Mine().Block.Hash;
        var second = _node.Node.Producer.Mine().Block.Hash;
        Assert.Equal([first.ToString(), second.ToString()], Changes(id).Select(item => item.GetString()));
        Assert.Empty(Changes(id));
    }

    [Fact]
    public void A_transaction_filter_answers_what_the_pool_took_since()
    {
        SendTransfer();
        var id = Install("eth_newPendingTransactionFilter");
        var seen = SendTransfer();
        Assert.Equal([seen], Changes(id).Select(item => item.GetString()!));
        Assert.Empty(Changes(id));
    }

    [Fact]
    public void A_log_filter_answers_matching_logs_and_again_as_removed_when_their_block_leaves()
    {
        _node.Call("anvil_setCode", $"\"{Logger}\",\"{Hex.Encode(LoggerCode)}\"");
        var snapshot = _node.Call("evm_snapshot").GetRawText();
        var id = Install("eth_newFilter", $$"""{"address":"{{Logger}}","topics":["{{Topic(7)}}"]}""");
        Log(6);
        Log(7);
        var log = Assert.Single(Changes(id));
        Assert.Equal(Topic(7), log.GetProperty("topics")[0].GetString());
        Assert.Equal("0x3", log.GetProperty("blockNumber").GetString());
        Assert.False(log.GetProperty("removed").GetBoolean());
        Assert.Equal(log.ToString(), Assert.Single(_node.Call("eth_getFilterLogs", id).EnumerateArray()).ToString());

        Assert.True(_node.Call("evm_revert", snapshot).GetBoolean());
        var removed = Assert.Single(Changes(id));
        Assert.True(removed.GetProperty("removed").GetBoolean());
        Assert.Equal(log.GetProperty("blockHash").GetString(), removed.GetProperty("blockHash").GetString());
        Assert.Empty(_node.Call("eth_getFilterLogs", id).EnumerateArray());
    }

    [Fact]
    public void A_range_holds_for_changes_too()
    {
        _node.Call("anvil_setCode", $"\"{Logger}\",\"{Hex.Encode(LoggerCode)}\"");
        var id = Install("eth_newFilter", """{"fromBlock":"0x3","toBlock":"0x3"}""");
        Log(1);
        Log(2);
        Log(3);
        Assert.Equal("0x3", Assert.Single(Changes(id)).GetProperty("blockNumber").GetString());
    }

    [Fact]
    public void An_uninstalled_filter_and_one_that_nobody_polls_are_gone()
    {
        var gone = Install("eth_newBlockFilter");
        Assert.True(_node.Call("eth_uninstallFilter", gone).GetBoolean());
        Assert.False(_node.Call("eth_uninstallFilter", gone).GetBoolean());
        Assert.Contains("filter not found", _node.Fail("eth_getFilterChanges", gone).Message);

        var (polled, forgotten) = (Install("eth_newBlockFilter"), Install("eth_newBlockFilter"));
        for (var minute = 0; minute < 8; minute++)
        {
            _node.Clock.Move(TimeSpan.FromMinutes(1));
            Changes(polled);
        }

        Assert.Contains("filter not found", _node.Fail("eth_getFilterChanges", forgotten).Message);
    }

    [Fact]
    public void There_are_so_many_filters_and_no_more()
    {
        for (var i = 0; i < 3; i++)
        {
            Install("eth_newBlockFilter");
        }

        Assert.Equal(-32005, _node.Fail("eth_newBlockFilter").Code);
    }

    [Fact]
    public void Who_is_overtaken_by_the_events_is_told_so_and_goes_on()
    {
        var position = _node.Node.Events.BeginTransactions();
        var transfer = new PooledAnswer(_node.Transfer(0, 0), default);
        var many = Enumerable.Repeat(transfer, ChainEvents.MaximumTransactions + 1).ToList();
        _node.Node.Events.OnAccepted(many);
        List<Hash256> hashes = [];
        Assert.False(_node.Node.Events.ReadTransactions(ref position, hashes, int.MaxValue));
        Assert.Equal(ChainEvents.MaximumTransactions, hashes.Count);
        Assert.True(_node.Node.Events.ReadTransactions(ref position, hashes, int.MaxValue));
    }

    [Fact]
    public void A_subscription_needs_a_connection_that_can_be_told() =>
        Assert.Contains("WebSocket", _node.Fail("eth_subscribe", "\"newHeads\"").Message);

    public void Dispose() => _node.Dispose();

    private static string Topic(ulong number) => Hex.Encode(new UInt256(number).ToBigEndian());

    private string Install(string method, string arguments = "") => _node.Call(method, arguments).GetRawText();

    private List<JsonElement> Changes(string id) => [.. _node.Call("eth_getFilterChanges", id).EnumerateArray()];

    private string SendTransfer()
    {
        var transfer = _node.Transfer(0, _nonce++);
        return _node.Call("eth_sendRawTransaction", TestNode.Raw(transfer)).GetString()!;
    }

    private void Log(ulong topic)
    {
        var call = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = _node.Chain.ChainId, Nonce = _nonce++, GasLimit = 100_000,
                MaxFeePerGas = 3_000_000_000, To = Logger, Data = new UInt256(topic).ToBigEndian(),
            },
            _node.Accounts[0].PrivateKey);
        _node.Call("eth_sendRawTransaction", TestNode.Raw(call));
        Assert.Single(_node.Node.Producer.Mine().Receipts);
    }
}
