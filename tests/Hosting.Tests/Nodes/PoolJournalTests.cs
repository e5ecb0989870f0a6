using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.Nodes;

public sealed class PoolJournalTests
{
    private readonly MemoryKeyValueStore _journal = new();

    [Fact]
    public void What_waited_when_the_process_died_waits_again_in_the_next_one()
    {
        using var first = Node();
        var waiting = new[] { first.Transfer(0, 0), first.Transfer(0, 1), first.Transfer(1, 0), first.Transfer(2, 5) };
        foreach (var transaction in waiting)
        {
            first.Call("eth_sendRawTransaction", TestNode.Raw(transaction));
        }

        // Nothing of the first node is ended: its process is dead. The order of the journal's keys is that of hashes.
        using var second = Node();
        Assert.Equal(4, second.Node.Journal!.Replay(second.Node.Ingest));
        Assert.All(waiting, transaction => Assert.NotNull(second.Node.Pool.Find(transaction.Hash)));
        Assert.Equal((3, 1), (second.Node.Pool.Counts().Pending, second.Node.Pool.Counts().Queued));
    }

    [Fact]
    public void What_was_sent_in_a_name_keeps_its_sender()
    {
        using var first = Node();
        var account = Address.FromNumber(0xCC);
        first.Call("anvil_setBalance", $"\"{account}\",\"0xde0b6b3a7640000\"");
        first.Call("anvil_impersonateAccount", $"\"{account}\"");
        first.Call("eth_sendTransaction", $$"""{"from":"{{account}}","to":"{{account}}"}""");
        using var second = Node();
        second.Call("anvil_setBalance", $"\"{account}\",\"0xde0b6b3a7640000\"");
        Assert.Equal(1, second.Node.Journal!.Replay(second.Node.Ingest));
        Assert.Equal(account, Assert.Single(second.Node.Producer.Candidates()).Sender);
    }

    [Fact]
    public void What_is_in_a_block_or_was_dropped_does_not_come_again()
    {
        using var first = Node();
        first.Call("eth_sendRawTransaction", TestNode.Raw(first.Transfer(0, 0)));
        first.Node.Producer.Mine();
        var dropped = first.Transfer(1, 0);
        first.Call("eth_sendRawTransaction", TestNode.Raw(dropped));
        first.Call("anvil_dropTransaction", $"\"{dropped.Hash}\"");
        first.Node.Producer.Mine();
        Assert.Empty(_journal.Scan(Column.Consensus, default));
    }

    [Fact]
    public void A_replacement_takes_the_place_of_what_it_replaced()
    {
        using var first = Node();
        first.Call("eth_sendRawTransaction", TestNode.Raw(first.Transfer(0, 0)));
        var better = first.Transfer(0, 0, cap: 9_000_000_000);
        first.Call("eth_sendRawTransaction", TestNode.Raw(better));
        first.Node.Journal!.Forget();
        using var second = Node();
        Assert.Equal(1, second.Node.Journal!.Replay(second.Node.Ingest));
        Assert.NotNull(second.Node.Pool.Find(better.Hash));
    }

    [Fact]
    public void What_the_chain_has_already_is_forgotten_at_the_start()
    {
        using var first = Node();
        var transaction = first.Transfer(0, 0);
        using var second = Node();
        second.Call("eth_sendRawTransaction", TestNode.Raw(transaction));
        second.Node.Producer.Mine();

        // As if the process had died between the block and the deletion.
        byte[] key = [(byte)'P', .. transaction.Hash.Bytes];
        _journal.Put(Column.Consensus, key, TransactionCodec.Encode(transaction));
        Assert.Equal(0, second.Node.Journal!.Replay(second.Node.Ingest));
        Assert.Empty(_journal.Scan(Column.Consensus, default));
    }

    private TestNode Node() => new(options: new NodeOptions { AllowDevelopmentMethods = true, Journal = _journal });
}
