using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>From a block's changes to the store.</summary>
public sealed partial class StateStore
{
    /// <summary>Works out what a block on top of the latest state changes, and its root.</summary>
    public StateTransition Prepare(BlockState state) => StateTransition.Of(state, this, _tries, _head.Root);

    /// <summary>Works out what a block on top of another state changes, and its root.</summary>
    public StateTransition Prepare(BlockState state, StateOverlay parent)
    {
        var (accounts, slots) = new BlockDifference(parent).Of(state);
        var overlay = new StateOverlay(this);
        foreach (var (address, record) in parent.Accounts)
        {
            overlay.Accounts[address] = record;
        }

        foreach (var (address, values) in parent.Slots)
        {
            overlay.Slots[address] = new(values);
        }

        foreach (var diff in slots)
        {
            overlay.SlotsFor(diff.Address)[diff.Slot] = diff.New;
        }

        foreach (var diff in accounts)
        {
            overlay.Accounts[diff.Address] = diff.NewExists ? diff.New : null;
        }

        var update = TriesOf(overlay, _head.Root, _tries);
        for (var i = 0; i < accounts.Length; i++)
        {
            if (accounts[i].NewExists)
            {
                accounts[i] = accounts[i] with { New = overlay.Accounts[accounts[i].Address]!.Value };
            }
        }

        _tries.Recycle(update);
        return new StateTransition(accounts, slots, state.NewCode, update) { Update = null };
    }

    /// <summary>Gives up a prepared block; what it held is used again.</summary>
    public void Discard(StateTransition transition)
    {
        if (transition.Update is { } update)
        {
            _tries.Recycle(update);
            transition.Update = null;
        }
    }

    /// <summary>
    /// Adds a block's state to the batch, which holds the rest of the block already, and writes it: the new head.
    /// </summary>
    /// <param name="transition">Prepared on the latest state, with no commit since.</param>
    /// <param name="batch">Written as a whole or not at all.</param>
    /// <param name="sync">Whether it must be on the disk before the call returns.</param>
    public void Commit(StateTransition transition, IWriteBatch batch, bool sync = false)
    {
        var update = transition.Update
            ?? throw new InvalidOperationException("The transition was not prepared on the latest state.");
        var number = _head.Number + 1;
        var staged = _buffer.Stage(update);
        foreach (ref readonly var diff in transition.Accounts.AsSpan())
        {
            PutAccount(batch, diff.Address, diff.NewExists, diff.New);
        }

        foreach (ref readonly var diff in transition.Slots.AsSpan())
        {
            BatchWriting.PutSlot(batch, diff.Address, diff.Slot, diff.New);
        }

        StateHistory.Write(batch, transition, number);
        PutCode(batch, transition.NewCode);
        var head = Prune(batch, number, transition.Root);
        StateMeta.WriteHead(batch, head);
        Publish(head, batch, sync, () => Remember(transition));
        Discard(transition);
        _buffer.Settle(staged, number, head.Root);
    }

    /// <summary>
    /// Goes back to an earlier block's state and on to that of other blocks above it, in one batch; with no blocks it
    /// is a revert.
    /// </summary>
    /// <param name="ancestor">The block to go back to; its state must still be readable.</param>
    /// <param name="above">The blocks above it, lowest first.</param>
    /// <param name="expectedRoot">The state root that must come of it.</param>
    /// <param name="batch">Holds the rest of the blocks already.</param>
    /// <param name="sync">Whether it must be on the disk before the call returns.</param>
    /// <exception cref="StoreException">The root is another: what is stored is damaged.</exception>
    public void Switch(
        ulong ancestor,
        IReadOnlyList<StateTransition> above,
        in Hash256 expectedRoot,
        IWriteBatch batch,
        bool sync = false)
    {
        var old = _head;
        var overlay = OverlayAt(ancestor, above);
        var update = TriesOf(overlay, old.Root, _tries);
        if (update.Root != expectedRoot)
        {
            throw new StoreException(
                $"Going back to block {ancestor} gives state root {update.Root}, not {expectedRoot}: "
                + "the store is damaged.");
        }

        for (var number = old.Number; number > ancestor; number--)
        {
            StateHistory.Delete(_store, batch, number);
        }

        foreach (var (address, record) in overlay.Accounts)
        {
            PutAccount(batch, address, record is not null, record.GetValueOrDefault());
        }

        foreach (var (address, slots) in overlay.Slots)
        {
            foreach (var (slot, value) in slots)
            {
                BatchWriting.PutSlot(batch, address, slot, value);
            }
        }

        for (var i = 0; i < above.Count; i++)
        {
            StateHistory.Write(batch, above[i], ancestor + 1 + (ulong)i);
            PutCode(batch, above[i].NewCode);
        }

        var head = new StateHead(ancestor + (ulong)above.Count, expectedRoot, old.Oldest, old.Pruned);
        StateMeta.WriteHead(batch, head);
        _buffer.FlushInto(batch, _buffer.Stage(update), head.Number, head.Root);
        BeginRevert(ancestor);
        try
        {
            Publish(head, batch, sync, ForgetAll);
        }
        finally
        {
            Interlocked.Increment(ref _reverts);
        }

        _buffer.Flushed(head.Number);
        _tries.Recycle(update);
    }

    /// <summary>The state of a block with others on top of it; lives until the next commit.</summary>
    public StateOverlay OverlayAt(ulong ancestor, IEnumerable<StateTransition> above)
    {
        var overlay = new StateOverlay(this);
        StateHistory.Collect(_store, overlay, ancestor, _head.Number);
        foreach (var transition in above)
        {
            overlay.Apply(transition);
        }

        return overlay;
    }

    /// <summary>All slots of an account in the latest state.</summary>
    internal Dictionary<UInt256, UInt256> SlotsOf(in Address address) => SlotsOf(_store, address);

    internal static Dictionary<UInt256, UInt256> SlotsOf(IKeyValueReader store, in Address address)
    {
        var slots = new Dictionary<UInt256, UInt256>();
        using var cursor = store.OpenCursor(Column.Slots, address.ToArray());
        while (cursor.MoveNext())
        {
            var slot = UInt256.FromBigEndian(cursor.Key[Address.Size..]);
            slots[slot] = DecodeValue(cursor.Value, cursor.Value.Length, address);
        }

        return slots;
    }

    /// <summary>
    /// The tries of an overlay, worked out from those of the latest state; fills in its storage roots.
    /// </summary>
    private TrieUpdate TriesOf(
        StateOverlay overlay, in Hash256 root, StateTries tries, IKeyValueSnapshot? snapshot = null)
    {
        var targets = new List<TrieTarget>(overlay.Accounts.Count);
        var slots = new List<KeyValuePair<UInt256, UInt256>>();
        foreach (var (address, record) in overlay.Accounts)
        {
            var start = slots.Count;
            if (overlay.Slots.TryGetValue(address, out var changed))
            {
                slots.AddRange(changed);
            }

            var exists = snapshot is null
                ? ReadNewest(address, out var newest)
                : ReadFlat(snapshot, address, out newest);
            var storageRoot = exists ? newest.StorageRoot : TrieUpdater.EmptyRoot;
            targets.Add(new TrieTarget(
                address, storageRoot, start, slots.Count - start, record is not null, record.GetValueOrDefault()));
        }

        var array = targets.ToArray();
        var update = tries.Apply(root, array, [.. slots]);
        foreach (var target in array)
        {
            if (target.Exists)
            {
                overlay.Accounts[target.Address] = target.Record;
            }
        }

        return update;
    }

    /// <summary>Writes the batch and makes it visible: readers learn of the block before and see it after.</summary>
    private void Publish(StateHead head, IWriteBatch batch, bool sync, Action remember)
    {
        var old = _head;
        var oldest = OldestNumber;
        Volatile.Write(ref _newest, Math.Max(head.Number, old.Number));
        Volatile.Write(ref _oldest, head.Oldest);
        Interlocked.Increment(ref _version);
        try
        {
            _store.Write(batch, sync);
            remember();
            _head = head;
            Volatile.Write(ref _newest, head.Number);
        }
        catch
        {
            Volatile.Write(ref _newest, old.Number);
            Volatile.Write(ref _oldest, oldest);
            throw;
        }
        finally
        {
            Interlocked.Increment(ref _version);
        }
    }

    private void BeginRevert(ulong ancestor)
    {
        Volatile.Write(ref _revertTargets[(_reverts / 2) % MaximumReverts], ancestor);
        Interlocked.Increment(ref _reverts);
    }

    private void Remember(StateTransition transition)
    {
        foreach (ref readonly var diff in transition.Accounts.AsSpan())
        {
            _accounts.Set(diff.Address, (diff.NewExists, diff.New));
        }

        foreach (ref readonly var diff in transition.Slots.AsSpan())
        {
            _slots.Set(new SlotKey(diff.Address, diff.Slot), diff.New);
        }

        foreach (var (hash, code) in transition.NewCode)
        {
            _code.Set(hash, code, CostOf(code));
        }
    }

    private void ForgetAll()
    {
        _accounts.Clear();
        _slots.Clear();
    }

    private static void PutCode(IWriteBatch batch, IReadOnlyDictionary<Hash256, Code> newCode)
    {
        foreach (var (hash, code) in newCode)
        {
            batch.Put(Column.Code, hash.Bytes, code.Bytes);
        }
    }

    private static void PutAccount(IWriteBatch batch, in Address address, bool exists, in AccountRecord record)
    {
        if (exists)
        {
            BatchWriting.PutAccount(batch, address, record);
        }
        else
        {
            batch.Delete(Column.Accounts, address.Bytes);
        }
    }
}
