using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>Merkle proofs (EIP-1186).</summary>
public sealed partial class StateStore
{
    /// <summary>
    /// Proves an account and some of its slots after a block; null where the block's state is pruned or above the head.
    /// </summary>
    /// <remarks>
    /// On the latest state it is a walk down the trie; on an older one the old tries are worked out again from the
    /// reverse differences, at a cost that grows with what changed since. Any thread.
    /// </remarks>
    public AccountProof? Prove(ulong number, in Address address, IReadOnlyList<UInt256> slots)
    {
        var (snapshot, recent) = _buffer.Capture();
        using var closing = snapshot;
        var head = StateMeta.ReadHead(snapshot) ?? throw new StoreException("The store has lost its state record.");
        if (number > head.Number || number < head.Oldest)
        {
            return null;
        }

        ITrieNodeSource nodes = new StoredTrieNodes(snapshot, recent, _nodes.Cache);
        var root = head.Root;
        if (number < head.Number)
        {
            var overlay = new StateOverlay(this);
            StateHistory.Collect(snapshot, overlay, number, head.Number, address);
            var update = TriesOf(overlay, root, new StateTries(nodes, _options.ParallelChanges), snapshot);
            var layered = new LayeredTrieNodes(nodes);
            layered.Add(update);
            (nodes, root) = (layered, update.Root);
        }

        return Prove(nodes, root, address, slots);
    }

    internal static AccountProof Prove(
        ITrieNodeSource source, in Hash256 root, in Address address, IReadOnlyList<UInt256> slots)
    {
        var nodes = TrieProver.Prove(
            source, TrieOwner.Accounts, root, Keccak256.Hash(address.Bytes), out var leaf);
        var record = leaf.IsEmpty
            ? new AccountRecord(0, UInt256.Zero, TrieUpdater.EmptyRoot, Keccak256.OfEmpty)
            : AccountRecord.ReadFlat(leaf.Span);
        var proofs = new SlotProof[slots.Count];
        Span<byte> key = stackalloc byte[32];
        for (var i = 0; i < proofs.Length; i++)
        {
            slots[i].WriteBigEndian(key);
            var path = TrieProver.Prove(
                source, TrieOwner.Storage(address), record.StorageRoot, Keccak256.Hash(key), out var value);
            proofs[i] = new SlotProof(
                slots[i], value.IsEmpty ? UInt256.Zero : new RlpReader(value.Span).ReadUInt256(), path);
        }

        return new AccountProof(address, record.ToAccount(), record.StorageRoot, nodes, proofs);
    }
}
