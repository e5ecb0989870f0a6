using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>Trie nodes from the store, through a cache by hash.</summary>
/// <remarks>
/// A node in the cache is right whatever is committed, as its hash says what it is; so none is ever void.
/// </remarks>
/// <param name="store">The store, or a snapshot of it.</param>
/// <param name="recent">Nodes that are not in it yet; null for none.</param>
/// <param name="cache">Nodes by hash.</param>
internal sealed class StoredTrieNodes(
    IKeyValueReader store, IRecentTrieNodes? recent, BoundedCache<Hash256, byte[]> cache) : ITrieNodeSource
{
    /// <summary>Bytes that an entry costs beside its node.</summary>
    private const int EntryOverhead = 96;

    internal BoundedCache<Hash256, byte[]> Cache => cache;

    public byte[] Load(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash)
    {
        if (cache.TryGet(hash, out var node) || (recent is not null && recent.TryGet(hash, out node)))
        {
            return node;
        }

        Span<byte> key = stackalloc byte[StateKeys.TrieMaximum];
        key = key[..StateKeys.WriteTrieNode(owner, path, depth, key)];
        node = store.Get(Column.Trie, key)
            ?? throw new StoreException($"The store is damaged: trie node {hash} at depth {depth} is missing.");
        if (Keccak256.Hash(node) != hash)
        {
            throw new StoreException(
                $"The store is damaged: the trie node at depth {depth} is not the one with hash {hash}.");
        }

        cache.Set(hash, node, CostOf(node));
        return node;
    }

    /// <summary>What the cache counts for a node.</summary>
    internal static int CostOf(byte[] node) => node.Length + EntryOverhead;
}
