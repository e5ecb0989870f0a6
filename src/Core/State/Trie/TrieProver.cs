using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>Merkle proofs: the nodes on a key's way down, and the value that the way ends at.</summary>
internal static class TrieProver
{
    /// <summary>
    /// The nodes from the root as far as the key's way goes; a node that stands in its parent is not listed.
    /// </summary>
    /// <param name="source">The trie's nodes.</param>
    /// <param name="owner">Whose trie.</param>
    /// <param name="root">Its root.</param>
    /// <param name="key">The hashed key.</param>
    /// <param name="value">The value as it stands in the leaf; empty where the key is absent.</param>
    internal static List<byte[]> Prove(
        ITrieNodeSource source, in TrieOwner owner, in Hash256 root, in Hash256 key, out ReadOnlyMemory<byte> value)
    {
        var nodes = new List<byte[]>();
        value = default;
        if (root == TrieUpdater.EmptyRoot)
        {
            return nodes;
        }

        Span<int> items = stackalloc int[TrieNode.BranchItems + 1];
        var node = source.Load(owner, key, 0, root);
        nodes.Add(node);
        var (start, end, depth) = (0, node.Length, 0);
        while (true)
        {
            int first;
            if (TrieNode.Items(node.AsSpan(start, end - start), items) == TrieNode.BranchItems)
            {
                first = Nibbles.At(key, depth++);
            }
            else
            {
                var (pathStart, pathLength) = TrieNode.Content(node, start + items[0], start + items[1]);
                var path = node.AsSpan(pathStart, pathLength);
                var reached = Nibbles.Append(key, depth, path, out var pathEnd);
                if (Nibbles.Common(reached, key) < pathEnd)
                {
                    return nodes;
                }

                if (Nibbles.IsLeaf(path))
                {
                    var (valueStart, valueLength) = TrieNode.Content(node, start + items[1], start + items[2]);
                    value = node.AsMemory(valueStart, valueLength);
                    return nodes;
                }

                depth = pathEnd;
                first = 1;
            }

            (start, end) = (start + items[first], start + items[first + 1]);
            if (node[start] == TrieNode.NoReference)
            {
                return nodes;
            }

            if (TrieNode.IsHash(node.AsSpan(start, end - start)))
            {
                node = source.Load(owner, key, depth, new Hash256(node.AsSpan(start + 1, Hash256.Size)));
                nodes.Add(node);
                (start, end) = (0, node.Length);
            }
        }
    }
}

/// <summary>New nodes by hash in front of those of another source.</summary>
internal sealed class LayeredTrieNodes(ITrieNodeSource below) : ITrieNodeSource
{
    private readonly Dictionary<Hash256, byte[]> _nodes = [];

    internal void Add(TrieUpdate update)
    {
        var sink = new Sink(_nodes);
        update.Emit(ref sink);
    }

    public byte[] Load(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash) =>
        _nodes.TryGetValue(hash, out var node) ? node : below.Load(owner, path, depth, hash);

    private readonly struct Sink(Dictionary<Hash256, byte[]> nodes) : ITrieNodeSink
    {
        public void Remove(in TrieOwner owner, in Hash256 path, int depth)
        {
            // Found by hash, an old node does no harm.
        }

        public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node) =>
            nodes[hash] = node.ToArray();
    }
}
