using System.Runtime.ExceptionServices;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>What an account's leaf should become, as seen from the tries that an update starts from.</summary>
/// <param name="Address">Whose.</param>
/// <param name="StorageRoot">The storage trie that the slots are changes of.</param>
/// <param name="SlotStart">Its first slot in the list beside.</param>
/// <param name="SlotCount">How many; with none the record's own storage root stands.</param>
/// <param name="Exists">Whether the account exists afterwards.</param>
/// <param name="Record">The account afterwards.</param>
internal record struct TrieTarget(
    Address Address, Hash256 StorageRoot, int SlotStart, int SlotCount, bool Exists, AccountRecord Record);

/// <summary>Brings the accounts' trie and storage tries to new values: large ones on all cores.</summary>
/// <remarks>
/// <code>
///   small   storage tries ─▶ one updater, hashed together ─▶ accounts ─▶ root
///   large   storage tries dealt out to workers; a trie with many changes is split at its root into sixteen subtrees
/// </code>
/// Not thread-safe: one update at a time; the updaters it hands out go back with <see cref="Recycle"/>.
/// </remarks>
internal sealed class StateTries(ITrieNodeSource source, int parallelChanges)
{
    /// <summary>Updaters that wait for reuse, and the buffer above which one is not kept.</summary>
    private const int MaximumIdle = 20;
    private const int MaximumIdleBytes = 4 << 20;

    /// <summary>A branch without children: what a trie that begins empty is split at.</summary>
    private static readonly byte[] EmptyBranch = [0xD1, .. Enumerable.Repeat(TrieNode.NoReference, 17)];

    private readonly Stack<TrieUpdater> _idle = new();

    /// <summary>Works out new nodes and the state root; fills in the targets' storage roots.</summary>
    internal TrieUpdate Apply(
        in Hash256 root, Span<TrieTarget> targets, KeyValuePair<UInt256, UInt256>[] slots)
    {
        var update = new TrieUpdate();
        if (slots.Length > 0)
        {
            UpdateStorage(update, targets, slots);
        }

        var changes = AccountChanges(targets);
        update.Root = UpdateTrie(update, TrieOwner.Accounts, root, changes);
        return update;
    }

    internal void Recycle(TrieUpdate update)
    {
        foreach (var updater in update.Release())
        {
            if (updater.BufferBytes <= MaximumIdleBytes)
            {
                Return(updater);
            }
        }
    }

    private void UpdateStorage(
        TrieUpdate update, Span<TrieTarget> targets, KeyValuePair<UInt256, UInt256>[] slots)
    {
        var small = new List<int>();
        for (var i = 0; i < targets.Length; i++)
        {
            ref var target = ref targets[i];
            if (target.SlotCount >= parallelChanges)
            {
                var changes = SlotChanges.Of(slots.AsSpan(target.SlotStart, target.SlotCount));
                var storageRoot = UpdateTrie(
                    update, TrieOwner.Storage(target.Address), target.StorageRoot, changes);
                target.Record = target.Record with { StorageRoot = storageRoot };
            }
            else if (target.SlotCount > 0)
            {
                small.Add(i);
            }
        }

        if (small.Count == 0)
        {
            return;
        }

        // Dealt out by number of tries: their changes are few, and as many to one worker as to the other.
        var tries = small.Select(_ => default(TrieTarget)).ToArray();
        for (var i = 0; i < tries.Length; i++)
        {
            tries[i] = targets[small[i]];
        }

        var workers = slots.Length >= parallelChanges ? Math.Min(Environment.ProcessorCount, tries.Length) : 1;
        if (workers == 1)
        {
            UpdateTries(update, tries, slots);
        }
        else
        {
            InParallel(workers, worker =>
            {
                var start = (int)((long)tries.Length * worker / workers);
                var end = (int)((long)tries.Length * (worker + 1) / workers);
                UpdateTries(update, tries.AsSpan(start, end - start), slots);
            });
        }

        for (var i = 0; i < tries.Length; i++)
        {
            targets[small[i]] = tries[i];
        }
    }

    private void UpdateTries(
        TrieUpdate update, Span<TrieTarget> targets, KeyValuePair<UInt256, UInt256>[] slots)
    {
        var updater = Rent();
        update.Add(updater);
        var roots = new int[targets.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            ref var target = ref targets[i];
            var changes = SlotChanges.Of(slots.AsSpan(target.SlotStart, target.SlotCount));
            roots[i] = updater.Update(TrieOwner.Storage(target.Address), target.StorageRoot, changes);
        }

        updater.HashAll();
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i].Record = targets[i].Record with { StorageRoot = updater.RootOf(roots[i]) };
        }
    }

    private Hash256 UpdateTrie(TrieUpdate update, in TrieOwner owner, in Hash256 root, TrieChange[] changes)
    {
        if (changes.Length >= parallelChanges && Environment.ProcessorCount > 1
            && TryUpdateParallel(update, owner, root, changes, out var answer))
        {
            return answer;
        }

        var updater = Rent();
        update.Add(updater);
        var index = updater.Update(owner, root, changes);
        updater.HashAll();
        return updater.RootOf(index);
    }

    /// <summary>Shares the root's sixteen subtrees out; false where the root is, or would become, no branch.</summary>
    private bool TryUpdateParallel(
        TrieUpdate update, TrieOwner owner, in Hash256 root, TrieChange[] changes, out Hash256 answer)
    {
        answer = default;
        var node = root == TrieUpdater.EmptyRoot ? EmptyBranch : source.Load(owner, default, 0, root);
        var starts = new int[TrieNode.BranchItems + 1];
        if (TrieNode.Items(node, starts) != TrieNode.BranchItems)
        {
            return false;
        }

        var ends = GroupEnds(changes);
        var references = new byte[]?[16];
        var updaters = new TrieUpdater?[16];
        InParallel(16, nibble =>
        {
            var group = changes.AsSpan(ends[nibble], ends[nibble + 1] - ends[nibble]);
            if (!group.IsEmpty)
            {
                var updater = updaters[nibble] = Rent();
                var index = updater.UpdateRootChild(owner, node, starts[nibble], starts[nibble + 1], group);
                updater.HashAll();
                references[nibble] = updater.ReferenceTo(index);
            }
        });
        var survivors = 0;
        for (var nibble = 0; nibble < 16; nibble++)
        {
            survivors += references[nibble] is { } reference
                ? Math.Sign(reference.Length)
                : node[starts[nibble]] == TrieNode.NoReference ? 0 : 1;
        }

        if (survivors < 2)
        {
            return false;
        }

        foreach (var updater in updaters)
        {
            if (updater is not null)
            {
                update.Add(updater);
            }
        }

        var top = Rent();
        update.Add(top);
        var topIndex = top.ReplaceRoot(owner, node, starts, references);
        top.HashAll();
        answer = top.RootOf(topIndex);
        return true;
    }

    /// <summary>Where the changes of each first nibble begin; sorted changes lie together.</summary>
    private static int[] GroupEnds(TrieChange[] changes)
    {
        var ends = new int[17];
        foreach (ref readonly var change in changes.AsSpan())
        {
            ends[Nibbles.At(change.Key, 0) + 1]++;
        }

        for (var nibble = 1; nibble < ends.Length; nibble++)
        {
            ends[nibble] += ends[nibble - 1];
        }

        return ends;
    }

    private static TrieChange[] AccountChanges(ReadOnlySpan<TrieTarget> targets)
    {
        var addresses = new byte[targets.Length * Address.Size];
        var hashes = new Hash256[targets.Length];
        var values = new byte[targets.Length * AccountRecord.MaximumBytes];
        var changes = new TrieChange[targets.Length];
        for (var i = 0; i < targets.Length; i++)
        {
            targets[i].Address.CopyTo(addresses.AsSpan(i * Address.Size));
        }

        Keccak256.HashMany(addresses, Address.Size, hashes);
        for (var i = 0; i < targets.Length; i++)
        {
            var offset = i * AccountRecord.MaximumBytes;
            var length = targets[i].Exists ? targets[i].Record.WriteTrieValue(values.AsSpan(offset)) : 0;
            changes[i] = new TrieChange(hashes[i], values, offset, length);
        }

        TrieChange.Sort(changes);
        return changes;
    }

    /// <summary>Runs the action for 0 to count-1 on the thread pool; what one throws comes out as it is.</summary>
    private static void InParallel(int count, Action<int> action)
    {
        try
        {
            System.Threading.Tasks.Parallel.For(0, count, action);
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    private TrieUpdater Rent()
    {
        lock (_idle)
        {
            return _idle.TryPop(out var updater) ? updater : new TrieUpdater(source);
        }
    }

    private void Return(TrieUpdater updater)
    {
        updater.Clear();
        lock (_idle)
        {
            if (_idle.Count < MaximumIdle)
            {
                _idle.Push(updater);
            }
        }
    }
}
