using System.Collections.Concurrent;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>
/// Blocks beside the canonical chain, blocks that wait for their parent, and the way from one chain to another.
/// </summary>
public sealed partial class Chain
{
    private readonly ConcurrentDictionary<Hash256, SideBlock> _side = new(concurrencyLevel: 1, capacity: 7);
    private readonly Queue<Hash256> _sideOrder = new();
    private readonly List<(Block Block, int Size)> _orphans = [];
    private long _orphanBytes;

    public RewindStatus Rewind(ulong number)
    {
        lock (_writing)
        {
            if (number > _head.Number)
            {
                return RewindStatus.UnknownBlock;
            }

            if (number < _state.OldestNumber)
            {
                return RewindStatus.Pruned;
            }

            if (number < _head.Number)
            {
                var target = GetBlock(number)!;
                var removed = Replace(target, []);
                HeadChanged?.Invoke(new HeadChange(removed, []));
            }

            return RewindStatus.Done;
        }
    }

    /// <summary>Makes a side block the head: unwinds to the fork and goes on from there, in one batch.</summary>
    private void SwitchTo(SideBlock side)
    {
        var path = PathTo(side.Sealed.Block)!;
        EnsureExecuted(path);
        var ancestor = GetBlock(path.Ancestor)!;
        var removed = Replace(ancestor, path.Blocks);
        foreach (var block in path.Blocks)
        {
            _side.TryRemove(block.Sealed.Block.Hash, out _);
        }

        foreach (var block in removed)
        {
            var parentTotal = block.TotalDifficulty - block.Header.Difficulty;
            var rules = Spec.RulesAt(block.Number, block.Header.Timestamp, parentTotal);
            KeepSide(new SideBlock(new SealedBlock(block, BlockCodec.Encode(block.Block)), rules));
        }

        HeadChanged?.Invoke(new HeadChange(
            removed, [.. path.Blocks.Select(block => new AddedBlock(block.Sealed.Block, block.Executed!.Receipts))]));
    }

    /// <summary>Puts other blocks, or none, in place of the canonical ones above the ancestor; answers those.</summary>
    private List<ChainBlock> Replace(ChainBlock ancestor, IReadOnlyList<SideBlock> above)
    {
        var removed = new List<ChainBlock>();
        using var batch = _store.CreateBatch();
        for (var number = ancestor.Number + 1; number <= _head.Number; number++)
        {
            removed.Add(GetBlock(number) ?? throw new StoreException($"Block {number} is missing from the store."));
            ChainRecords.Delete(batch, removed[^1]);
        }

        foreach (var block in above)
        {
            ChainRecords.Write(batch, block.Sealed, block.Executed!.Receipts);
        }

        var head = above.Count == 0 ? ancestor : above[^1].Sealed.Block;
        Interlocked.Increment(ref _version);
        try
        {
            _state.Switch(
                ancestor.Number,
                [.. above.Select(block => block.Executed!.Transition)],
                head.Header.StateRoot,
                batch,
                _options.SyncWrites);
            _head = head;
            _blocks.Clear();
            _receipts.Clear();
            _hashes.Clear();
        }
        finally
        {
            Interlocked.Increment(ref _version);
        }

        return removed;
    }

    /// <summary>The side blocks from the canonical chain up to a block; null where one of them was dropped.</summary>
    private SidePath? PathTo(ChainBlock block)
    {
        var blocks = new List<SideBlock>();
        var hash = block.Hash;
        var number = block.Number;
        while (HashOf(number) != hash)
        {
            if (!_side.TryGetValue(hash, out var side) || number == 0)
            {
                return null;
            }

            blocks.Add(side);
            hash = side.Sealed.Block.Header.ParentHash;
            number--;
        }

        blocks.Reverse();
        return new SidePath(number, blocks);
    }

    private StateOverlay OverlayOf(SidePath path)
    {
        EnsureExecuted(path);
        return _state.OverlayAt(path.Ancestor, path.Blocks.Select(block => block.Executed!.Transition));
    }

    /// <summary>Executes blocks again whose changes are not kept: they were canonical once, and so are valid.</summary>
    private void EnsureExecuted(SidePath path)
    {
        for (var i = 0; i < path.Blocks.Count; i++)
        {
            var side = path.Blocks[i];
            if (side.Executed is not null)
            {
                continue;
            }

            var below = new SidePath(path.Ancestor, path.Blocks.GetRange(0, i));
            var parent = i == 0 ? GetBlock(path.Ancestor)! : path.Blocks[i - 1].Sealed.Block;
            var refusal = Execute(side.Sealed, parent, below, side.Rules, out var executed);
            side.Executed = refusal is null
                ? executed
                : throw new StoreException(
                    $"Block {side.Sealed.Block.Hash} was valid before and is refused now ({refusal.Rule}).");
            _state.Discard(executed!.Transition);
        }
    }

    private IBlockHashSource HashesOn(SidePath path) =>
        path.Blocks.Count == 0 ? BlockHashes : new SideHashes(this, path);

    private void KeepSide(SideBlock block)
    {
        if (_side.TryAdd(block.Sealed.Block.Hash, block))
        {
            _sideOrder.Enqueue(block.Sealed.Block.Hash);
        }

        // Hashes of blocks that became canonical still wait in the queue; they fall out here too.
        while (_sideOrder.Count > _options.MaximumSideBlocks)
        {
            _side.TryRemove(_sideOrder.Dequeue(), out _);
        }
    }

    private void KeepOrphan(Block block, int size)
    {
        if (size > _options.MaximumOrphanBytes || _options.MaximumOrphans == 0)
        {
            return;
        }

        _orphans.Add((block, size));
        _orphanBytes += size;
        while (_orphans.Count > _options.MaximumOrphans || _orphanBytes > _options.MaximumOrphanBytes)
        {
            _orphanBytes -= _orphans[0].Size;
            _orphans.RemoveAt(0);
        }
    }

    /// <summary>Imports what waited for the block, and what waited for that.</summary>
    private void ImportOrphansOf(Hash256 parentHash)
    {
        var parents = new Queue<Hash256>([parentHash]);
        while (_orphans.Count > 0 && parents.TryDequeue(out var parent))
        {
            foreach (var orphan in _orphans.FindAll(orphan => orphan.Block.Header.ParentHash == parent))
            {
                _orphans.Remove(orphan);
                _orphanBytes -= orphan.Size;
                var hash = HeaderCodec.Hash(orphan.Block.Header);
                if (GetBlock(hash) is null && ImportNew(orphan.Block, BlockCodec.Encode(orphan.Block), hash).Accepted)
                {
                    parents.Enqueue(hash);
                }
            }
        }
    }

    /// <summary>Hashes of the ancestors of a side block.</summary>
    private sealed class SideHashes(Chain chain, SidePath path) : IBlockHashSource
    {
        public Hash256 HashOf(ulong number)
        {
            if (number <= path.Ancestor)
            {
                return chain.HashOf(number) ?? Hash256.Zero;
            }

            var index = number - path.Ancestor - 1;
            return index < (ulong)path.Blocks.Count ? path.Blocks[(int)index].Sealed.Block.Hash : Hash256.Zero;
        }
    }
}

/// <summary>A valid block that is not canonical.</summary>
internal sealed class SideBlock(SealedBlock sealedBlock, ForkRules rules)
{
    internal SealedBlock Sealed => sealedBlock;

    internal ForkRules Rules => rules;

    /// <summary>What it changes; null where it is to be executed again before use.</summary>
    internal ExecutedBlock? Executed { get; set; }
}

/// <summary>
/// The way from the canonical chain to a block: the last canonical number, and the side blocks after it.
/// </summary>
internal sealed record SidePath(ulong Ancestor, List<SideBlock> Blocks);
