using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>What old blocks leave behind, and what a crash left undone.</summary>
public sealed partial class StateStore
{
    /// <summary>Old blocks whose reverse differences a commit deletes at most: two, so that it catches up.</summary>
    private const int PrunedPerCommit = 2;

    /// <summary>The new head; deletes history that neither a reader nor the stored trie needs any more.</summary>
    private StateHead Prune(IWriteBatch batch, ulong number, in Hash256 root)
    {
        var wanted = number > _options.HistoryBlocks ? number - _options.HistoryBlocks : 0;
        var oldest = Math.Max(OldestNumber, wanted);
        var pruned = _head.Pruned;
        var last = Math.Min(oldest, _buffer.Persisted);
        for (var i = 0; i < PrunedPerCommit && pruned < last; i++)
        {
            StateHistory.Delete(_store, batch, ++pruned);
        }

        return new StateHead(number, root, oldest, pruned);
    }

    /// <summary>Works out the head's trie from the stored one of an older block, as the process died before.</summary>
    private void CatchUp(ulong from, in Hash256 root)
    {
        var head = _head;
        if (from > head.Number)
        {
            throw new StoreException(
                $"The store is damaged: its trie is of block {from}, above the head {head.Number}.");
        }

        // The overlay names what changed since, and has the storage roots that the old trie has.
        var old = new StateOverlay(this);
        StateHistory.Collect(_store, old, from, head.Number);
        var targets = new List<TrieTarget>(old.Accounts.Count);
        var slots = new List<KeyValuePair<UInt256, UInt256>>();
        foreach (var (address, record) in old.Accounts)
        {
            var start = slots.Count;
            foreach (var slot in old.Slots.GetValueOrDefault(address)?.Keys.ToArray() ?? [])
            {
                slots.Add(new(slot, ReadFlat(_store, address, slot)));
            }

            var exists = ReadFlat(_store, address, out var newest);
            targets.Add(new TrieTarget(
                address, record?.StorageRoot ?? TrieUpdater.EmptyRoot, start, slots.Count - start, exists, newest));
        }

        var update = _tries.Apply(root, targets.ToArray(), [.. slots]);
        if (update.Root != head.Root)
        {
            throw new StoreException(
                $"The store is damaged: from block {from} to {head.Number} the state root comes out as {update.Root}, "
                + $"not {head.Root}.");
        }

        _buffer.Settle(_buffer.Stage(update), head.Number, head.Root);
        _tries.Recycle(update);
    }
}
