using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.Nodes;

public sealed class BlockProducerTests
{
    [Fact]
    public async Task Whatever_is_accepted_is_mined_at_once_and_nothing_is_lost()
    {
        using var node = new TestNode();
        const int PerAccount = 200;
        var mined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var count = 0;
        node.Chain.HeadChanged += change =>
        {
            count += change.Added.Sum(added => added.Block.Block.Transactions.Count);
            if (count == 3 * PerAccount)
            {
                mined.SetResult();
            }
        };
        node.Node.Start();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(account => Task.Run(() =>
        {
            for (var nonce = 0UL; nonce < PerAccount; nonce++)
            {
                Assert.Null(node.Node.Ingest.Submit(node.Transfer(account, nonce)).Error);
            }
        })));
        await mined.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("0x258", node.Call("eth_getBalance", $"\"{Address.FromNumber(0xBEEF)}\"").GetString());
    }

    [Fact]
    public void What_an_account_cannot_pay_beside_its_other_transactions_is_refused()
    {
        using var node = new TestNode();
        var all = TestNode.Ether * 9_999;
        Assert.Null(node.Node.Ingest.Submit(node.Transfer(0, 0, value: all)).Error);
        var second = node.Transfer(0, 1, value: TestNode.Ether * 2);
        Assert.Contains("insufficient funds", node.Node.Ingest.Submit(second).Error);
        Assert.Single(node.Node.Producer.Mine().Block.Block.Transactions);
        Assert.Contains("insufficient funds", node.Node.Ingest.Submit(second).Error);
    }

    [Fact]
    public void Time_goes_with_the_clock_and_where_it_is_told_to()
    {
        using var node = new TestNode();
        var first = node.Node.Producer.Mine().Block.Header.Timestamp;
        Assert.Equal(1_800_000_000UL, first);
        node.Clock.Move(TimeSpan.FromSeconds(5));
        Assert.Equal(first + 5, node.Node.Producer.Mine().Block.Header.Timestamp);
        node.Call("evm_increaseTime", "100");
        Assert.Equal(first + 105, node.Node.Producer.Mine().Block.Header.Timestamp);
        node.Call("evm_setNextBlockTimestamp", "1900000000");
        Assert.Equal(1_900_000_000UL, node.Node.Producer.Mine().Block.Header.Timestamp);
        node.Clock.Move(TimeSpan.FromSeconds(1));
        Assert.Equal(1_900_000_001UL, node.Node.Producer.Mine().Block.Header.Timestamp);
        Assert.Equal(-32602, node.Fail("evm_setNextBlockTimestamp", "5").Code);
    }

    [Fact]
    public void A_snapshot_is_gone_back_to_once()
    {
        using var node = new TestNode();
        node.Node.Producer.Mine();
        var head = node.Chain.Head.Hash;
        var id = node.Call("evm_snapshot").GetString();
        node.Node.Ingest.Submit(node.Transfer(0, 0));
        node.Node.Producer.Mine();
        node.Node.Ingest.Submit(node.Transfer(0, 1));
        Assert.True(node.Call("evm_revert", $"\"{id}\"").GetBoolean());
        Assert.Equal(head, node.Chain.Head.Hash);
        Assert.Equal(0, node.Node.Pool.Count);
        Assert.Null(node.Node.Ingest.Submit(node.Transfer(0, 0)).Error);
        Assert.False(node.Call("evm_revert", $"\"{id}\"").GetBoolean());
    }

    public static TheoryData<Fork> Forks => [.. Enum.GetValues<Fork>()];

    [Theory]
    [MemberData(nameof(Forks))]
    public void A_chain_of_any_fork_mines_a_transfer_and_a_creation(Fork fork)
    {
        var accounts = DevGenesis.AccountsOf(Core.Cryptography.Mnemonic.Development, 3);
        var genesis = DevGenesis.Create(1337, fork, accounts, TestNode.Ether, 1_700_000_000);
        using var node = new TestNode(genesis);
        var from = $"\"from\":\"{accounts[0].Address}\"";
        var to = $"\"to\":\"{Address.FromNumber(0xBEEF)}\"";
        var transfer = node.Call("eth_sendTransaction", $"{{{from},{to},\"value\":\"0x5\"}}");
        var create = node.Call("eth_sendTransaction", $"{{{from},\"data\":\"0x6001600c60003960016000f300\"}}");
        node.Call("evm_mine");
        foreach (var hash in (string[])[transfer.GetString()!, create.GetString()!])
        {
            var receipt = node.Call("eth_getTransactionReceipt", $"\"{hash}\"");
            Assert.Equal("0x1", receipt.GetProperty("blockNumber").GetString());
            Assert.True(receipt.TryGetProperty("status", out var status)
                ? status.GetString() == "0x1" : receipt.TryGetProperty("root", out _));
        }

        Assert.Equal("0x5", node.Call("eth_getBalance", $"\"{Address.FromNumber(0xBEEF)}\"").GetString());
    }

    [Fact]
    public void What_was_accepted_is_mined_before_the_end()
    {
        var node = new TestNode();
        node.Node.Start();
        var hash = node.Transfer(0, 0).Hash;
        Assert.Null(node.Node.Ingest.Submit(node.Transfer(0, 0)).Error);
        node.Node.Dispose();
        Assert.NotNull(node.Chain.FindTransaction(hash));
    }

    [Fact]
    public void Accounts_are_changed_by_hand_in_blocks_that_keep_their_state_root()
    {
        using var node = new TestNode();
        const string Someone = "\"0x00000000000000000000000000000000000000aa\"";
        node.Call("anvil_setBalance", $"{Someone},\"0x64\"");
        node.Call("anvil_setCode", $"{Someone},\"0x60015460005260206000f3\"");
        node.Call("anvil_setStorageAt", $"{Someone},\"0x1\",\"0x{7:x64}\"");
        node.Call("hardhat_setNonce", $"{Someone},\"0x9\"");
        Assert.Equal("0x64", node.Call("eth_getBalance", Someone).GetString());
        Assert.Equal("0x9", node.Call("eth_getTransactionCount", Someone).GetString());
        Assert.EndsWith("07", node.Call("eth_call", $"{{\"to\":{Someone}}}").GetString());
        Assert.Equal("0x0", node.Call("eth_getBalance", $"{Someone},\"0x0\"").GetString());
        var proof = node.Call("eth_getProof", $"{Someone},[\"0x1\"]");
        Assert.Equal("0x7", proof.GetProperty("storageProof")[0].GetProperty("value").GetString());
        node.Call("anvil_setBalance", $"\"{node.Accounts[2].Address}\",\"0x0\"");
        Assert.Contains("insufficient funds", node.Node.Ingest.Submit(node.Transfer(2, 0)).Error);
    }

    [Fact]
    public void Blocks_keep_the_gas_limit_and_the_rest_comes_later()
    {
        using var node = new TestNode(options: new NodeOptions { GasLimit = 100_000 });
        for (var nonce = 0UL; nonce < 10; nonce++)
        {
            Assert.Null(node.Node.Ingest.Submit(node.Transfer(0, nonce)).Error);
        }

        var sizes = new List<int>();
        while (node.Node.Pool.Count > 0)
        {
            var block = node.Node.Producer.Mine().Block;
            Assert.Equal(100_000UL, block.Header.GasLimit);
            sizes.Add(block.Block.Transactions.Count);
        }

        Assert.Equal([4, 4, 2], sizes);
    }

    [Fact]
    public void The_pending_block_is_made_once_for_many_questions()
    {
        using var node = new TestNode();
        node.Node.Ingest.Submit(node.Transfer(0, 0));
        var pending = node.Node.Pending.Get();
        Assert.Same(pending, node.Node.Pending.Get());
        node.Node.Ingest.Submit(node.Transfer(0, 1));
        Assert.Equal(2, node.Node.Pending.Get().Block.Block.Transactions.Count);
        Assert.Equal(0UL, node.Chain.Head.Number);
    }
}
