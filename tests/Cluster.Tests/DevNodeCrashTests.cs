namespace SuperVm.Cluster.Tests;

/// <summary>A development node with a data folder, killed while transactions wait for its next block.</summary>
public sealed class DevNodeCrashTests : IDisposable
{
    private const int Transactions = 120;

    /// <summary>An hour between blocks: what is submitted waits until the test asks for a block.</summary>
    private readonly DevProcess _node = new("--block-time", "3600");

    [Fact]
    public async Task Every_acknowledged_transaction_is_in_a_block_after_kill_9()
    {
        await _node.StartAsync();
        var hashes = new List<string>();
        for (var nonce = 0UL; nonce < Transactions; nonce++)
        {
            var answer = await _node.CallAsync("eth_sendRawTransaction", DevProcess.Transfer(nonce));
            hashes.Add(answer.GetString()!);
            if (nonce == Transactions / 3)
            {
                // These are in a block, and must not come again.
                await _node.CallAsync("evm_mine");
            }
        }

        _node.Kill();
        await _node.StartAsync();
        var waiting = await _node.CallAsync("txpool_status");
        Assert.Equal($"0x{Transactions - (Transactions / 3) - 1:x}", waiting.GetProperty("pending").GetString());
        await _node.CallAsync("evm_mine");
        foreach (var hash in hashes)
        {
            var receipt = await _node.CallAsync("eth_getTransactionReceipt", hash);
            Assert.Equal("0x1", receipt.GetProperty("status").GetString());
        }
    }

    public void Dispose() => _node.Dispose();
}
