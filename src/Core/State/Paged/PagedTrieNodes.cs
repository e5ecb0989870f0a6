using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State.Paged;

/// <summary>The tries of one block, out of pages.</summary>
/// <remarks>
/// <code>
///   node above the pages    stands in the document that has the directory
///   leaf within a page      is made from its pair
///   node within a page      follows from the page's keys: the whole page's nodes are worked out at once
///   otherwise               (an older block, before a page was split) follows from the keys of all pages below it
/// </code>
/// Every node is checked against its hash. Leaves are not kept: they are most of the nodes, and the cheapest to make.
/// </remarks>
/// <param name="store">The pages.</param>
/// <param name="reader">The state that the tries are of.</param>
internal sealed class PagedTrieNodes(PageStore store, PagedStateReader reader) : ITrieNodeSource
{
    /// <summary>Bytes that a cached node costs beside its own.</summary>
    private const int NodeOverhead = 96;

    public byte[] Load(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash)
    {
        if (store.Nodes.TryGet(hash, out var node))
        {
            return node;
        }

        var id = PageId.RootOf(owner);
        var part = PageId.Of(owner, Math.Min(depth * 4, PageId.MostBits), path);
        var found = new Found([]);
        while (true)
        {
            var page = reader.Page(id);
            if (page.Directory is not { } directory)
            {
                var entries = reader.EntriesOf(page);
                if (TryLeaf(entries, path, depth, out var leaf) && Keccak256.Hash(leaf) == hash)
                {
                    return leaf;
                }

                Emit(owner, entries, (page.Id.Bits + 3) / 4, ref found);
                break;
            }

            var below = id.Bits + directory.Find(path, id.Bits);
            if (part.Bits < below && part.Bits < id.Bits + PageDirectory.Levels)
            {
                var place = PageKey.PlaceOfNode(path, depth);
                if (reader.TryValue(page, place, out var stored))
                {
                    // Another node at the place: the hash is none of this block's, and no work is done for it.
                    return Keccak256.Hash(stored.Span) == hash
                        ? Keep(store, hash, stored.ToArray())
                        : throw Missing(hash, depth);
                }

                Emit(owner, reader.EntriesUnder(part), depth, ref found);
                break;
            }

            id = PageId.Of(owner, below, path);
        }

        foreach (var (known, worked) in found.Nodes)
        {
            Keep(store, known, worked);
        }

        return found.Nodes.TryGetValue(hash, out node) ? node : throw Missing(hash, depth);
    }

    /// <summary>All nodes at a depth or below it that pairs of a page make, handed to the sink.</summary>
    internal static void Emit<TSink>(in TrieOwner owner, PageEntries entries, int depth, ref TSink sink)
        where TSink : struct, ITrieNodeSink
    {
        var (changes, count) = (ChangesOf(entries), 0);
        var updater = new TrieUpdater(NoTrieNodes.Instance);
        for (var start = 0; start < changes.Length; start += count)
        {
            count = 1;
            while (start + count < changes.Length
                && Nibbles.Common(changes[start].Key, changes[start + count].Key) >= depth)
            {
                count++;
            }

            updater.Build(owner, changes.AsSpan(start, count), depth);
        }

        updater.HashAll();
        updater.Emit(ref sink);
    }

    /// <summary>Puts a node into the cache, unless it is a leaf.</summary>
    internal static byte[] Keep(PageStore store, in Hash256 hash, byte[] node)
    {
        Span<int> items = stackalloc int[TrieNode.BranchItems + 1];
        if (TrieNode.Items(node, items) == TrieNode.BranchItems || !IsLeaf(node, items))
        {
            store.Nodes.Set(hash, node, node.Length + NodeOverhead);
        }

        return node;
    }

    private static StoreException Missing(in Hash256 hash, int depth) =>
        new($"The store is damaged: trie node {hash} at depth {depth} is missing.");

    private static bool IsLeaf(byte[] node, ReadOnlySpan<int> items)
    {
        var (start, length) = TrieNode.Content(node, items[0], items[1]);
        return Nibbles.IsLeaf(node.AsSpan(start, length));
    }

    /// <summary>The leaf at the path, where only one pair is below it.</summary>
    private static bool TryLeaf(PageEntries entries, in Hash256 path, int depth, out byte[] leaf)
    {
        leaf = [];
        var index = entries.IndexFrom(Nibbles.Prefix(path, depth));
        var places = entries.Places;
        if (index == places.Length || Nibbles.Common(places[index], path) < depth
            || (index + 1 < places.Length && Nibbles.Common(places[index + 1], path) >= depth))
        {
            return false;
        }

        Span<byte> hexPrefix = stackalloc byte[Nibbles.HexPrefixLength(Nibbles.KeyLength)];
        hexPrefix = hexPrefix[..Nibbles.HexPrefixLength(Nibbles.KeyLength - depth)];
        Nibbles.WriteHexPrefix(places[index], depth, Nibbles.KeyLength, true, hexPrefix);
        Span<byte> value = stackalloc byte[AccountRecord.MaximumBytes];
        var writer = new RlpWriter(AccountRecord.MaximumBytes + Hash256.Size + 8);
        var list = writer.BeginList();
        writer.WriteBytes(hexPrefix);
        writer.WriteBytes(value[..WriteTrieValue(entries, index, value)]);
        writer.EndList(list);
        leaf = writer.ToArray();
        return true;
    }

    private static int WriteTrieValue(PageEntries entries, int index, Span<byte> destination)
    {
        var value = entries.ValueAt(index).Span;
        return entries.KeyAt(index).Span[0] == PageKey.Account
            ? AccountRecord.ReadFlat(value).WriteTrieValue(destination)
            : SlotChanges.Write(UInt256.FromBigEndian(value), destination);
    }

    private static TrieChange[] ChangesOf(PageEntries entries)
    {
        var changes = new TrieChange[entries.Count];
        var values = new byte[entries.Count * AccountRecord.MaximumBytes];
        var places = entries.Places;
        for (var i = 0; i < changes.Length; i++)
        {
            var offset = i * AccountRecord.MaximumBytes;
            var length = WriteTrieValue(entries, i, values.AsSpan(offset, AccountRecord.MaximumBytes));
            changes[i] = new TrieChange(places[i], values, offset, length);
        }

        return changes;
    }

    private readonly struct Found(Dictionary<Hash256, byte[]> nodes) : ITrieNodeSink
    {
        internal Dictionary<Hash256, byte[]> Nodes => nodes;

        public void Remove(in TrieOwner owner, in Hash256 path, int depth)
        {
        }

        public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node) =>
            nodes[hash] = node.ToArray();
    }
}
