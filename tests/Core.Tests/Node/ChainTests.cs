using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Core.Tests.State;

namespace SuperVm.Core.Tests.Node;

public sealed class ChainTests
{
    [Fact]
    public void A_produced_block_is_the_head_and_another_chain_accepts_it()
    {
        Fork[] forks = [Fork.Frontier, Fork.Byzantium, Fork.London, Fork.Paris, Fork.Shanghai, Fork.Cancun];
        foreach (var fork in forks)
        {
            var maker = new ChainScenario(fork);
            var follower = new ChainScenario(fork);
            for (var i = 0; i < 5; i++)
            {
                var produced = maker.Produce();
                Assert.Empty(produced.LeftOut);
                Assert.Equal(produced.Block.Hash, maker.Chain.Head.Hash);
                Assert.Equal(new ImportResult(ImportStatus.Head), follower.Chain.Import(Copy(produced.Block.Block)));
            }

            Assert.Equal((UInt256)20UL, ChainScenario.Slot(follower.Chain, 5, 0));
            Assert.Equal((UInt256)8UL, ChainScenario.Slot(follower.Chain, 2, 0));
        }
    }

    [Fact]
    public void Invalid_candidates_are_left_out_with_the_rule_that_they_break()
    {
        var scenario = new ChainScenario(Fork.Cancun);
        var unsigned = new Transaction { ChainId = 1337, GasLimit = 21_000, To = Address.Zero, R = 0, S = 0, V = 37 };
        var good = scenario.Transfer(0, 0, Address.FromNumber(7), 1);
        Transaction[] candidates =
        [
            unsigned,
            scenario.Transfer(0, 1, Address.FromNumber(7), 1),
            good,
            good,
            scenario.Transfer(1, 0, Address.FromNumber(7), UInt256.MaxValue >> 1),
        ];
        var produced = scenario.Chain.Produce(scenario.AttributesAfter(1), candidates);
        Assert.Equal([good.Hash], produced.Block.Block.Transactions.Select(transaction => transaction.Hash));
        Assert.Equal(
            [
                (0, TransactionError.InvalidSignature), (1, TransactionError.NonceTooHigh),
                (3, TransactionError.NonceTooLow), (4, TransactionError.InsufficientFunds),
            ],
            produced.LeftOut.Select(left => (left.Index, left.Error)));
    }

    [Fact]
    public void A_pending_block_shows_its_state_and_leaves_the_chain_as_it_was()
    {
        var scenario = new ChainScenario(Fork.Cancun);
        var target = Address.FromNumber(77);
        var pending = scenario.Chain.Build(
            scenario.AttributesAfter(1),
            [scenario.Transfer(0, 0, target, 9), scenario.Transfer(1, 0, ChainScenario.Counter, 3)]);
        pending.State.ReadAccount(target, out var account);
        pending.State.ReadSlot(ChainScenario.Counter, 1, out var slot);
        Assert.Equal((9UL, 3UL), ((ulong)account.Balance, (ulong)slot));
        Assert.Equal(0UL, scenario.Chain.Head.Number);
        Assert.Equal(ReadStatus.Absent, scenario.Chain.StateAt(0).State!.ReadAccount(target, out _));
        Assert.Equal(ImportStatus.Head, scenario.Chain.Import(Copy(pending.Block.Block)).Status);
    }

    [Fact]
    public void The_heavier_of_two_chains_wins_in_whatever_order_their_blocks_come()
    {
        var light = new ChainScenario(Fork.London);
        var heavy = new ChainScenario(Fork.London);
        var common = light.Produce();
        heavy.Chain.Import(Copy(common.Block.Block));
        for (var i = 0; i < 4; i++)
        {
            light.Produce(seconds: 60, mark: 1);
            heavy.Produce(seconds: 5, value: 9, mark: 2);
        }

        var blocks = Blocks(light.Chain).Concat(Blocks(heavy.Chain).Skip(1)).ToArray();
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var order = blocks.OrderBy(_ => seed == 0 ? 0 : random.Next()).Select(block => Copy(block.Block)).ToList();
            var scenario = new ChainScenario(Fork.London);
            var changes = new List<HeadChange>();
            scenario.Chain.HeadChanged += changes.Add;
            foreach (var block in order)
            {
                Assert.NotEqual(ImportStatus.Invalid, scenario.Chain.Import(block).Status);
            }

            Assert.Equal(heavy.Chain.Head.Hash, scenario.Chain.Head.Hash);
            Assert.Equal((UInt256)20UL, ChainScenario.Slot(scenario.Chain, 5, 0));
            Assert.Equal((UInt256)9UL, ChainScenario.Slot(scenario.Chain, 3, 1));
            AssertFollowed(scenario.Chain, changes);
            scenario.Reopen();
            Assert.Equal(heavy.Chain.Head.Hash, scenario.Chain.Head.Hash);
            AssertProofs(scenario.Chain);
        }
    }

    [Fact]
    public void After_the_merge_the_last_valid_block_is_the_head_be_it_an_old_one()
    {
        var first = new ChainScenario(Fork.Shanghai);
        var second = new ChainScenario(Fork.Shanghai);
        var a = first.Produce(mark: 1).Block.Block;
        var b = second.Produce(mark: 2, value: 8).Block.Block;
        Assert.Equal(ImportStatus.Head, first.Chain.Import(Copy(b)).Status);
        Assert.Equal((UInt256)8UL, ChainScenario.Slot(first.Chain, 1, 1));
        Assert.Equal(ImportStatus.AlreadyKnown, first.Chain.Import(Copy(a)).Status);
        Assert.Equal(HeaderCodec.Hash(a.Header), first.Chain.Head.Hash);
        Assert.Equal((UInt256)5UL, ChainScenario.Slot(first.Chain, 1, 1));
        first.Produce();
        Assert.Equal(2UL, first.Chain.Head.Number);
    }

    [Fact]
    public void A_changed_header_field_is_refused_by_a_rule_and_changes_nothing()
    {
        var maker = new ChainScenario(Fork.Cancun);
        var follower = new ChainScenario(Fork.Cancun);
        var block = maker.Produce().Block.Block;
        var header = block.Header;
        (BlockHeader Header, string Rule)[] wrong =
        [
            (header with { StateRoot = Hash256.Zero }, nameof(BlockImportRule.WrongStateRoot)),
            (header with { ReceiptsRoot = Hash256.Zero }, nameof(BlockImportRule.WrongReceiptsRoot)),
            (header with { TransactionsRoot = Hash256.Zero }, nameof(BlockImportRule.WrongTransactionsRoot)),
            (header with { WithdrawalsRoot = Hash256.Zero }, nameof(BlockImportRule.WrongWithdrawalsRoot)),
            (header with { GasUsed = header.GasUsed + 1 }, nameof(BlockImportRule.WrongGasUsed)),
            (header with { Number = 2 }, nameof(HeaderError.WrongNumber)),
            (header with { BaseFeePerGas = 1 }, nameof(HeaderError.WrongBaseFee)),
            (header with { Timestamp = 1_000 }, nameof(HeaderError.TimestampNotAfterParent)),
        ];
        foreach (var (changed, rule) in wrong)
        {
            var result = follower.Chain.Import(Copy(block with { Header = changed }));
            Assert.Equal((ImportStatus.Invalid, rule), (result.Status, result.Rule));
            Assert.Equal(0UL, follower.Chain.Head.Number);
        }

        var twice = block with { Transactions = [.. block.Transactions, block.Transactions[0]] };
        Assert.False(follower.Chain.Import(Copy(twice)).Accepted);
        Assert.Equal(ImportStatus.Head, follower.Chain.Import(Copy(block)).Status);
    }

    [Fact]
    public void Rewinding_forgets_blocks_transactions_and_states_above()
    {
        var scenario = new ChainScenario(Fork.Cancun);
        for (var i = 0; i < 6; i++)
        {
            scenario.Produce();
        }

        var dropped = scenario.Chain.GetBlock(5)!;
        scenario.Chain.SetFinality(5, 4);
        Assert.Equal(RewindStatus.UnknownBlock, scenario.Chain.Rewind(7));
        Assert.Equal(RewindStatus.Done, scenario.Chain.Rewind(3));
        Assert.Equal((3UL, 3UL, 3UL), (
            scenario.Chain.Head.Number, scenario.Chain.SafeNumber, scenario.Chain.FinalizedNumber));
        Assert.Null(scenario.Chain.GetBlock(5));
        Assert.Null(scenario.Chain.GetBlock(dropped.Hash));
        Assert.Null(scenario.Chain.FindTransaction(dropped.Block.Transactions[0].Hash));
        Assert.Equal(StateAvailability.UnknownBlock, scenario.Chain.StateAt(4).Availability);
        Assert.Equal((UInt256)12UL, ChainScenario.Slot(scenario.Chain, 3, 0));
        scenario.Produce(mark: 7);
        scenario.Reopen();
        Assert.Equal((UInt256)16UL, ChainScenario.Slot(scenario.Chain, 4, 0));
        AssertProofs(scenario.Chain);
    }

    [Fact]
    public void Old_states_are_pruned_and_say_so()
    {
        var options = new ChainOptions { State = new StateOptions { HistoryBlocks = 3 } };
        var scenario = new ChainScenario(Fork.Cancun, options: options);
        for (var i = 0; i < 8; i++)
        {
            scenario.Produce();
        }

        Assert.Equal(5UL, scenario.Chain.OldestStateNumber);
        Assert.Equal(StateAvailability.Pruned, scenario.Chain.StateAt(4).Availability);
        Assert.Equal(StateAvailability.Pruned, scenario.Chain.GetProof(4, Address.Zero, []).Availability);
        Assert.Equal(RewindStatus.Pruned, scenario.Chain.Rewind(4));
        Assert.Equal((UInt256)20UL, ChainScenario.Slot(scenario.Chain, 5, 0));
        Assert.NotNull(scenario.Chain.GetBlock(2));
        Assert.NotNull(scenario.Chain.GetReceipts(2));
    }

    [Fact]
    public void A_write_that_fails_leaves_the_chain_at_a_whole_block()
    {
        using var store = new FailingStore();
        var scenario = new ChainScenario(Fork.London, store);
        var rival = new ChainScenario(Fork.London);
        scenario.Produce(seconds: 60);
        rival.Produce(seconds: 5, value: 9);
        rival.Produce(seconds: 5, value: 9);
        scenario.Chain.Import(Copy(rival.Chain.GetBlock(1)!.Block));
        foreach (var fails in (Action[])
        [
            () => scenario.Produce(),
            () => scenario.Chain.Import(Copy(rival.Chain.GetBlock(2)!.Block)),
            () => scenario.Chain.Rewind(0),
        ])
        {
            var head = scenario.Chain.Head.Hash;
            store.Failing = true;
            Assert.Throws<StoreException>(fails);
            store.Failing = false;
            Assert.Equal(head, scenario.Chain.Head.Hash);
            AssertProofs(scenario.Chain);
            scenario.Reopen();
            Assert.Equal(head, scenario.Chain.Head.Hash);
            fails();
            Assert.NotEqual(head, scenario.Chain.Head.Hash);
            AssertProofs(scenario.Chain);
        }
    }

    [Fact]
    public void A_store_of_another_chain_or_of_nonsense_is_refused_with_the_reason()
    {
        var scenario = new ChainScenario(Fork.Cancun);
        scenario.Produce();
        var other = scenario.Genesis with { Timestamp = 5 };
        Assert.Contains(
            "another chain",
            Assert.Throws<StoreException>(() => Chain.Open(scenario.Store, other)).Message,
            StringComparison.Ordinal);
        scenario.Store.Put(Column.Meta, "chain"u8, [0, 0, 0, 9, .. scenario.Chain.Genesis.Hash.Bytes]);
        Assert.Contains(
            "version 9",
            Assert.Throws<StoreException>(scenario.Reopen).Message,
            StringComparison.Ordinal);
        using var foreign = new MemoryKeyValueStore();
        foreign.Put(Column.Meta, "chain"u8, [1]);
        Assert.Throws<StoreException>(() => Chain.Open(foreign, scenario.Genesis));
    }

    private static void AssertProofs(Chain chain)
    {
        for (var number = chain.OldestStateNumber; number <= chain.Head.Number; number++)
        {
            var proof = chain.GetProof(number, ChainScenario.Counter, [0, 1, 2]).Proof!;
            ProofVerifier.AssertProves(chain.GetHeader(number)!.Header.StateRoot, proof);
        }
    }

    /// <summary>Whether the announced changes, one after another, lead from block 0 to the chain as it is.</summary>
    private static void AssertFollowed(Chain chain, List<HeadChange> changes)
    {
        var followed = new List<Hash256> { chain.Genesis.Hash };
        foreach (var change in changes)
        {
            foreach (var removed in change.Removed.Reverse())
            {
                Assert.Equal(followed[^1], removed.Hash);
                followed.RemoveAt(followed.Count - 1);
            }

            foreach (var added in change.Added)
            {
                Assert.Equal(followed[^1], added.Block.Header.ParentHash);
                Assert.Equal(added.Block.Block.Transactions.Count, added.Receipts.Count);
                followed.Add(added.Block.Hash);
            }
        }

        for (var number = 0; number < followed.Count; number++)
        {
            Assert.Equal(followed[number], chain.GetHeader((ulong)number)!.Hash);
        }

        Assert.Equal((ulong)followed.Count - 1, chain.Head.Number);
    }

    private static IEnumerable<ChainBlock> Blocks(Chain chain) =>
        Enumerable.Range(1, (int)chain.Head.Number).Select(number => chain.GetBlock((ulong)number)!);

    /// <summary>The block as another node would get it.</summary>
    private static Block Copy(Block block) => BlockCodec.Decode(BlockCodec.Encode(block)).OrThrow();
}
