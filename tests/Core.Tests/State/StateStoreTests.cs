using System.Collections.Concurrent;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.State;

public sealed class StateStoreTests
{
    [Fact]
    public void Random_blocks_and_reverts_equal_a_state_in_dictionaries() => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), seed => new StateScript(seed, historyBlocks: 8, parallelChanges: 512).Run(30))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    [Fact]
    public void Trie_nodes_that_were_never_written_are_worked_out_anew() => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(),
        seed => new StateScript(seed, historyBlocks: 2, parallelChanges: 512, bufferBlocks: 1000).Run(25))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void Updates_on_many_threads_give_the_same_roots() => Prop.ForAll(
        ArbMap.Default.ArbFor<int>(), seed => new StateScript(seed, historyBlocks: 8, parallelChanges: 2).Run(15))
        .Check(Config.QuickThrowOnFailure.WithMaxTest(20));

    [Fact]
    public void A_reopened_store_goes_on_where_it_was()
    {
        var script = new StateScript(5, historyBlocks: 100, parallelChanges: 512);
        script.Run(20);
        var (number, root) = (script.Store.HeadNumber, script.Store.HeadRoot);
        script.Reopen();
        Assert.Equal((number, root), (script.Store.HeadNumber, script.Store.HeadRoot));
        script.Run(20);
    }

    [Fact]
    public void A_store_without_state_is_not_opened() => Assert.Null(StateStore.Open(new MemoryKeyValueStore()));

    [Fact]
    public void A_foreign_state_record_is_refused()
    {
        using var store = new MemoryKeyValueStore();
        store.Put(Column.Meta, "state"u8, [1, 2, 3]);
        Assert.Throws<StoreException>(() => StateStore.Open(store));
    }

    [Fact]
    public void A_damaged_trie_node_is_noticed()
    {
        using var store = new MemoryKeyValueStore();
        using var batch = store.CreateBatch();
        StateStore.WriteGenesis([new(Address.FromNumber(1), 1, 1, null, null)], batch);
        store.Write(batch);
        store.Put(Column.Trie, [0, 0], [0xC0]);
        var state = StateStore.Open(store)!;
        var block = new BlockState(state.Latest);
        StateScript.SetBalance(block, Address.FromNumber(1), 2);
        var refusal = Assert.Throws<StoreException>(() => state.Prepare(block));
        Assert.Contains("damaged", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_write_leaves_the_state_as_it_was()
    {
        using var store = new FailingStore();
        var script = new StateScript(3, historyBlocks: 8, parallelChanges: 512, store);
        script.Run(6);
        store.Failing = true;
        Assert.Throws<StoreException>(() => script.Run(1));
        store.Failing = false;
        script.AssertStates();
        script.Run(6);
    }

    [Fact]
    public async Task A_reader_stays_with_its_block_while_others_commit()
    {
        var script = new StateScript(9, historyBlocks: 1000, parallelChanges: 512);
        script.Run(5, revert: false);
        var stop = false;
        var reader = script.Store.Latest;
        var expected = script.Snapshot();
        var readings = Task.Run(() =>
        {
            var count = 0;
            while (!Volatile.Read(ref stop) || count == 0)
            {
                StateScript.AssertSame(expected, reader);
                StateScript.AssertWhole(script.Store);
                count++;
            }

            return count;
        });
        script.Run(150, revert: false);
        Volatile.Write(ref stop, true);
        Assert.True(await readings > 0);
    }

    [Fact]
    public async Task Proofs_are_good_while_blocks_are_committed_and_nodes_written_behind_them()
    {
        var script = new StateScript(13, historyBlocks: 20, parallelChanges: 512, bufferBlocks: 2);
        var roots = new ConcurrentDictionary<ulong, Hash256> { [0] = script.Store.HeadRoot };
        var stop = false;
        var proving = Task.Run(() =>
        {
            var proven = 0;
            for (var i = 0UL; !Volatile.Read(ref stop) || proven == 0; i++)
            {
                var newest = roots.Keys.Max();
                var number = newest - Math.Min(newest, i % 3);
                if (script.Store.Prove(number, Address.FromNumber((i % 12) + 1), [1, 2, 5]) is { } proof)
                {
                    ProofVerifier.AssertProves(roots[number], proof);
                    proven++;
                }
            }

            return proven;
        });
        for (var block = 0; block < 80; block++)
        {
            script.Run(1, revert: false);
            roots[script.Store.HeadNumber] = script.Store.HeadRoot;
        }

        Volatile.Write(ref stop, true);
        Assert.True(await proving > 0);
    }

    [Fact]
    public void A_state_that_was_pruned_or_unwound_says_so()
    {
        var script = new StateScript(11, historyBlocks: 3, parallelChanges: 512);
        script.Run(2, revert: false);
        var pruned = script.Store.Latest;
        script.Run(5, revert: false);
        Assert.Throws<StateUnavailableException>(() => pruned.ReadAccount(Address.FromNumber(1), out _));
        var unwound = script.Store.Latest;
        var kept = script.Store.At(script.Store.HeadNumber - 2)!;
        script.Revert(script.Store.HeadNumber - 1);
        Assert.Throws<StateUnavailableException>(() => unwound.ReadAccount(Address.FromNumber(1), out _));
        kept.ReadAccount(Address.FromNumber(1), out _);
        Assert.Null(script.Store.At(script.Store.HeadNumber + 1));
        Assert.Null(script.Store.At(0));
    }
}
