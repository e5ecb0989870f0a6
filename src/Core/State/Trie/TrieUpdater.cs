using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>
/// Applies many changes to Merkle Patricia tries at once and hashes what became dirty level by level.
/// </summary>
/// <remarks>
/// <para>Sorted changes run down the trie together, so a node is read and encoded once, however many changes pass it.
/// New nodes are encoded into one buffer with room where the hash of a child belongs; when the structure stands, all
/// nodes of a depth, over all tries of the updater, are hashed side by side, deepest first, and their digests put
/// where their parents have room for them:</para>
/// <code>
///   depth 2   [leaf] [leaf]   [branch]        hashed first
///                 \    |        /
///   depth 1      [branch]  [extension]        then these
///                     \     /
///   depth 0          [branch]                 the root last
/// </code>
/// <para>Source: Yellow Paper, appendix D. Keys of a trie are prefix-free, so a branch never has a value. Not
/// thread-safe; reusable after <see cref="Clear"/>.</para>
/// </remarks>
internal sealed partial class TrieUpdater(ITrieNodeSource source)
{
    /// <summary>The index that stands for an empty trie.</summary>
    internal const int Nothing = -1;

    private const int Unchanged = -2;

    private readonly List<TrieOwner> _owners = [];
    private readonly List<RemovedNode> _removed = [];
    private TrieOwner _owner;

    /// <summary>The root of a trie without keys: Keccak-256 of the empty string's RLP.</summary>
    internal static Hash256 EmptyRoot { get; } = Keccak256.Hash([0x80]);

    /// <summary>Paths whose stored node is gone; they take effect before the new nodes.</summary>
    internal IReadOnlyList<RemovedNode> Removed => _removed;

    /// <summary>Entries and removals so far.</summary>
    internal int Count => _count + _removed.Count;

    /// <summary>Bytes of the buffer that it keeps for the next use.</summary>
    internal int BufferBytes => _bytes.Length;

    internal void Clear()
    {
        _owners.Clear();
        _removed.Clear();
        _count = 0;
        _length = 0;
    }

    /// <summary>
    /// Applies changes, sorted by key and each key once; pass the answer to <see cref="RootOf"/> later.
    /// </summary>
    internal int Update(in TrieOwner owner, in Hash256 root, ReadOnlySpan<TrieChange> changes)
    {
        Enter(owner);
        if (changes.IsEmpty)
        {
            return root == EmptyRoot ? Nothing : AddHashReference(root);
        }

        if (root == EmptyRoot)
        {
            var fresh = Fresh(changes);
            return fresh.Kind == BuiltKind.Nothing ? Nothing : MarkRoot(Finish(fresh, 0));
        }

        var node = source.Load(owner, default, 0, root);
        var built = UpdateNode(0, node, 0, node.Length, changes);
        if (built.Kind == BuiltKind.Nothing)
        {
            _removed.Add(new RemovedNode(owner, default, 0));
            return Nothing;
        }

        return MarkRoot(Finish(built, 0));
    }

    /// <summary>
    /// Applies changes below one child of a root branch, for callers that share the sixteen children out; pass the
    /// answer to <see cref="ReferenceTo"/> after hashing.
    /// </summary>
    /// <param name="owner">Whose trie.</param>
    /// <param name="node">The root branch.</param>
    /// <param name="start">Where the child's item begins in it.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="changes">Sorted changes, all below the child.</param>
    internal int UpdateRootChild(
        in TrieOwner owner, byte[] node, int start, int end, ReadOnlySpan<TrieChange> changes)
    {
        Enter(owner);
        var built = UpdateOrCreate(1, node, start, end, changes);
        if (built.Kind == BuiltKind.Nothing)
        {
            Forget(node.AsSpan(start, end - start), changes[0].Key, 1);
            return Nothing;
        }

        return FinishChild(built, node, start, end, changes[0].Key, 1);
    }

    /// <summary>Encodes a root branch anew from references to its changed children; null keeps a child.</summary>
    internal int ReplaceRoot(in TrieOwner owner, byte[] node, ReadOnlySpan<int> starts, byte[]?[] references)
    {
        Enter(owner);
        Span<int> children = stackalloc int[16];
        for (var nibble = 0; nibble < 16; nibble++)
        {
            children[nibble] = references[nibble] switch
            {
                null => Unchanged,
                { Length: 0 } => Nothing,
                var reference => AddReference(reference),
            };
        }

        return MarkRoot(AddBranch(default, 0, children, node, starts));
    }

    private void Enter(in TrieOwner owner)
    {
        _owner = owner;
        if (_owners.Count == 0 || _owners[^1] != owner)
        {
            _owners.Add(owner);
        }
    }

    /// <summary>The subtree that the changes make where nothing stood before.</summary>
    private Built Fresh(ReadOnlySpan<TrieChange> changes)
    {
        var first = 0;
        var last = changes.Length - 1;
        while (first <= last && changes[first].IsRemoval)
        {
            first++;
        }

        while (first <= last && changes[last].IsRemoval)
        {
            last--;
        }

        if (first >= last)
        {
            return first > last ? default : Built.Leaf(changes[first]);
        }

        // The first and the last key fork here, so this branch has two children at least.
        var depth = Nibbles.Common(changes[first].Key, changes[last].Key);
        changes = changes[first..(last + 1)];
        Span<int> children = stackalloc int[16];
        children.Fill(Nothing);
        for (var position = 0; position < changes.Length;)
        {
            var nibble = Nibbles.At(changes[position].Key, depth);
            var end = GroupEnd(changes, position, depth);
            var built = Fresh(changes[position..end]);
            if (built.Kind != BuiltKind.Nothing)
            {
                children[nibble] = Finish(built, depth + 1);
            }

            position = end;
        }

        var key = changes[0].Key;
        return Built.Branch(key, depth, AddBranch(key, depth, children, [], default));
    }

    private Built UpdateOrCreate(int depth, byte[] node, int start, int end, ReadOnlySpan<TrieChange> changes) =>
        node[start] == TrieNode.NoReference ? Fresh(changes) : UpdateChild(depth, node, start, end, changes);

    /// <summary>Applies changes to the node that the item in [start, end) refers to.</summary>
    private Built UpdateChild(int depth, byte[] node, int start, int end, ReadOnlySpan<TrieChange> changes)
    {
        if (TrieNode.IsHash(node.AsSpan(start, end - start)))
        {
            node = source.Load(_owner, changes[0].Key, depth, new Hash256(node.AsSpan(start + 1, Hash256.Size)));
            return UpdateNode(depth, node, 0, node.Length, changes);
        }

        return UpdateNode(depth, node, start, end, changes);
    }

    private Built UpdateNode(int depth, byte[] buffer, int start, int end, ReadOnlySpan<TrieChange> changes)
    {
        Span<int> items = stackalloc int[TrieNode.BranchItems + 1];
        var count = TrieNode.Items(buffer.AsSpan(start, end - start), items);
        items = items[..(count + 1)];
        foreach (ref var item in items)
        {
            item += start;
        }

        if (count == TrieNode.BranchItems)
        {
            return UpdateBranch(depth, buffer, items, changes);
        }

        var (pathStart, pathLength) = TrieNode.Content(buffer, items[0], items[1]);
        var path = buffer.AsSpan(pathStart, pathLength);
        var key = Nibbles.Append(changes[0].Key, depth, path, out var keyEnd);
        if (!Nibbles.IsLeaf(path))
        {
            return UpdateExtension(depth, key, keyEnd, buffer, items[1], items[2], changes);
        }

        var (valueStart, valueLength) = TrieNode.Content(buffer, items[1], items[2]);
        return MergeLeaf(new TrieChange(key, buffer, valueStart, valueLength, keyEnd), changes);
    }

    private Built MergeLeaf(in TrieChange leaf, ReadOnlySpan<TrieChange> changes)
    {
        var position = 0;
        while (position < changes.Length && changes[position].Key.CompareTo(leaf.Key) < 0)
        {
            position++;
        }

        if (position < changes.Length && changes[position].Key == leaf.Key)
        {
            return Fresh(changes);
        }

        var merged = new TrieChange[changes.Length + 1];
        changes[..position].CopyTo(merged);
        merged[position] = leaf;
        changes[position..].CopyTo(merged.AsSpan(position + 1));
        return Fresh(merged);
    }

    private Built UpdateBranch(int depth, byte[] node, ReadOnlySpan<int> items, ReadOnlySpan<TrieChange> changes)
    {
        Span<int> children = stackalloc int[16];
        var survivors = 0;
        var survivor = -1;
        Built last = default;
        var position = 0;
        for (var nibble = 0; nibble < 16; nibble++)
        {
            var (start, end) = (items[nibble], items[nibble + 1]);
            var present = node[start] != TrieNode.NoReference;
            children[nibble] = present ? Unchanged : Nothing;
            if (position < changes.Length && Nibbles.At(changes[position].Key, depth) == nibble)
            {
                var groupEnd = GroupEnd(changes, position, depth);
                var group = changes[position..groupEnd];
                position = groupEnd;
                var built = UpdateOrCreate(depth + 1, node, start, end, group);
                if (built.Kind == BuiltKind.Nothing)
                {
                    children[nibble] = Nothing;
                    Forget(node.AsSpan(start, end - start), group[0].Key, depth + 1);
                }
                else
                {
                    children[nibble] = FinishChild(built, node, start, end, group[0].Key, depth + 1);
                    last = built;
                }
            }

            if (children[nibble] != Nothing)
            {
                survivors++;
                survivor = nibble;
            }
        }

        if (survivors >= 2)
        {
            var key = changes[0].Key;
            return Built.Branch(key, depth, AddBranch(key, depth, children, node, items));
        }

        return survivors == 0
            ? default
            : Collapse(depth, node, items, changes[0].Key, survivor, children[survivor], last);
    }

    /// <summary>A branch that has one child left gives way to that child, whose path grows by a nibble.</summary>
    private Built Collapse(
        int depth, byte[] node, ReadOnlySpan<int> items, in Hash256 path, int survivor, int entry, in Built changed)
    {
        var key = Nibbles.With(path, depth, survivor);
        var (start, end) = (items[survivor], items[survivor + 1]);
        var built = entry == Unchanged ? Reopen(depth + 1, key, node, start, end) : changed;
        if (built.Kind == BuiltKind.Branch && built.Depth == depth + 1)
        {
            return built;
        }

        if (entry != Unchanged)
        {
            Cancel(entry);
        }

        Forget(node.AsSpan(start, end - start), key, depth + 1);
        return built;
    }

    /// <summary>What stands at a reference, as if it had just been built.</summary>
    private Built Reopen(int depth, in Hash256 path, byte[] node, int start, int end)
    {
        var (referenceBuffer, referenceStart, referenceEnd) = (node, start, end);
        if (TrieNode.IsHash(node.AsSpan(start, end - start)))
        {
            node = source.Load(_owner, path, depth, new Hash256(node.AsSpan(start + 1, Hash256.Size)));
            (start, end) = (0, node.Length);
        }

        Span<int> items = stackalloc int[TrieNode.BranchItems + 1];
        if (TrieNode.Items(node.AsSpan(start, end - start), items) == TrieNode.BranchItems)
        {
            var reference = referenceBuffer.AsSpan(referenceStart, referenceEnd - referenceStart);
            return Built.Branch(path, depth, AddReference(reference));
        }

        var (pathStart, pathLength) = TrieNode.Content(node, start + items[0], start + items[1]);
        var hexPrefix = node.AsSpan(pathStart, pathLength);
        var key = Nibbles.Append(path, depth, hexPrefix, out var keyEnd);
        if (!Nibbles.IsLeaf(hexPrefix))
        {
            return Built.Branch(key, keyEnd, AddReference(node.AsSpan(start + items[1], items[2] - items[1])));
        }

        var (valueStart, valueLength) = TrieNode.Content(node, start + items[1], start + items[2]);
        return Built.Leaf(new TrieChange(key, node, valueStart, valueLength, keyEnd));
    }

    /// <summary>The end of the changes that share the nibble of the one at <paramref name="position"/>.</summary>
    private static int GroupEnd(ReadOnlySpan<TrieChange> changes, int position, int depth)
    {
        var nibble = Nibbles.At(changes[position].Key, depth);
        var end = position + 1;
        while (end < changes.Length && Nibbles.At(changes[end].Key, depth) == nibble)
        {
            end++;
        }

        return end;
    }
}

/// <summary>A path at which no node is stored any more.</summary>
internal readonly record struct RemovedNode(TrieOwner Owner, Hash256 Path, int Depth);
