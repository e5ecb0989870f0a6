using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>What is answered for blocks before a state that was taken over.</summary>
public sealed class PrunedHistoryTests
{
    private const ulong Taken = 300;

    [Fact]
    public void Blocks_before_a_state_that_was_taken_over_are_said_to_be_pruned_and_never_left_out_silently()
    {
        using var node = new TestNode(open: genesis => OpenAsync(genesis).GetAwaiter().GetResult());
        Assert.Equal("0x12c", node.Call("eth_blockNumber").GetString());
        Assert.Equal("0x2d", node.Call("eth_getBlockByNumber", "\"0x2d\", false").GetProperty("number").GetString());
        Assert.Equal("0x0", node.Call("eth_getBlockByNumber", "\"earliest\", false").GetProperty("number").GetString());
        foreach (var (method, arguments) in ((string, string)[])[
            ("eth_getBlockByNumber", "\"0x2c\", true"),
            ("eth_getBlockTransactionCountByNumber", "\"0x1\""),
            ("eth_getBlockReceipts", "\"0x1\""),
            ("eth_getTransactionByBlockNumberAndIndex", "\"0x1\", \"0x0\""),
            ("eth_getLogs", """{"fromBlock":"0x2c","toBlock":"latest"}"""),
            ("eth_getLogs", """{"fromBlock":"earliest","toBlock":"0x2f"}"""),
        ])
        {
            Assert.Equal((4444, "pruned history unavailable"), node.Fail(method, arguments));
        }

        Assert.Empty(node.Call("eth_getLogs", """{"fromBlock":"0x2d","toBlock":"latest"}""").EnumerateArray());
        Assert.Equal(
            System.Text.Json.JsonValueKind.Null, node.Call("eth_getBlockByNumber", "\"0x12d\", true").ValueKind);
        Assert.Contains("is pruned", node.Fail(
            "eth_getBalance", $"\"{node.Accounts[0].Address}\", \"0x12b\"").Message);
        Assert.NotEqual("0x0", node.Call(
            "eth_getBalance", $"\"{node.Accounts[0].Address}\", \"0x12c\"").GetString());
    }

    private static async Task<IChain> OpenAsync(Genesis genesis)
    {
        using var giver = await DocumentChain.OpenAsync(NewPorts(), genesis);
        for (ulong number = 1; number <= Taken; number++)
        {
            await giver.ProduceAsync(number, new BlockAttributes { Timestamp = 1_700_000_000 + number }, []);
        }

        var taker = await DocumentChain.OpenAsync(NewPorts(), genesis);
        var takeover = taker.BeginTakeover(Taken, giver.Head.Hash);
        for (var number = Taken; !takeover.HasBlocks; number--)
        {
            var (block, receipts) = SnapshotBlocks.Read(giver, number)!.Value;
            await takeover.TakeBlockAsync(block, receipts, default);
        }

        var parts = giver.ExportState(Taken)!;
        while (!takeover.IsComplete)
        {
            await takeover.TakeNodesAsync(parts.Read(takeover.Places, StateImport.MaximumPlaces * 512)!, default);
        }

        await takeover.EndAsync(default);
        await taker.TakeOverAsync(takeover);
        return taker;
    }

    private static DocumentChainPorts NewPorts() => new(
        new InMemoryDocumentStore(), new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System);
}
