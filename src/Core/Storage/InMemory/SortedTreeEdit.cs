namespace SuperVm.Core.Storage.InMemory;

/// <summary>A series of changes to a <see cref="SortedTree"/>.</summary>
/// <param name="owner">
/// Nodes of this owner are changed in place, and the origin with them; others are cloned first, so that a new owner
/// leaves the origin as it is.
/// </param>
internal sealed class SortedTreeEdit(SortedTree origin, object owner)
{
    /// <summary>A node with fewer entries than this looks for a neighbour to join.</summary>
    private const int SparseCount = TreeNode.Capacity / 4;

    /// <summary>
    /// Neighbours join where the result has at most this many, so that it does not split again at once.
    /// </summary>
    private const int JoinedCount = TreeNode.Capacity * 3 / 4;

    private TreeNode? _root = origin.Root;
    private long _count = origin.Count;
    private long _bytes = origin.Bytes;

    internal SortedTree Finish() => new(_root, _count, _bytes);

    /// <summary>Takes over both arrays: nobody may change them afterwards.</summary>
    internal void Put(byte[] key, byte[] value)
    {
        _root = _root is null ? new TreeNode(isLeaf: true, owner) : Own(_root);
        if (PutBelow(_root, key, value) is { } right)
        {
            var root = new TreeNode(isLeaf: false, owner);
            root.Insert(0, _root.Key(0), _root);
            root.Insert(1, right.Key(0), right);
            _root = root;
        }
    }

    internal void Delete(ReadOnlySpan<byte> key)
    {
        if (SortedTree.Find(_root, key) is null)
        {
            return;
        }

        _root = Own(_root!);
        DeleteBelow(_root, key);
        while (_root is { IsLeaf: false, Count: 1 })
        {
            _root = _root.Child(0);
        }

        if (_root.Count == 0)
        {
            _root = null;
        }
    }

    internal void DeleteRange(byte[] from, byte[] to)
    {
        var range = new KeyRange(from, to);
        if (range.IsEmpty)
        {
            return;
        }

        // The walk is over nodes that this edit may own and change: the keys are gathered first.
        var doomed = new List<byte[]>();
        var walk = new SortedTreeWalk(_root, range, reverse: false);
        while (walk.MoveNext())
        {
            doomed.Add(walk.Key);
        }

        foreach (var key in doomed)
        {
            Delete(key);
        }
    }

    private TreeNode Own(TreeNode node) => node.BelongsTo(owner) ? node : node.CloneFor(owner);

    /// <summary>The new right neighbour where <paramref name="node"/> (which the owner has) had to be split.</summary>
    private TreeNode? PutBelow(TreeNode node, byte[] key, byte[] value)
    {
        if (node.IsLeaf)
        {
            return PutIntoLeaf(node, key, value);
        }

        if (key.AsSpan().SequenceCompareTo(node.Key(0)) < 0)
        {
            node.LowerFirstKey(key);
        }

        var index = node.ChildIndexFor(key);
        var child = Own(node.Child(index));
        node.SetItem(index, child);
        return PutBelow(child, key, value) is { } right ? InsertOrSplit(node, index + 1, right.Key(0), right) : null;
    }

    private TreeNode? PutIntoLeaf(TreeNode leaf, byte[] key, byte[] value)
    {
        var index = leaf.LowerBound(key, out var found);
        if (found)
        {
            _bytes += value.Length - leaf.Value(index).Length;
            leaf.SetItem(index, value);
            return null;
        }

        _count++;
        _bytes += key.Length + value.Length;
        return InsertOrSplit(leaf, index, key, value);
    }

    private TreeNode? InsertOrSplit(TreeNode node, int index, byte[] key, object item)
    {
        if (node.Count < TreeNode.Capacity)
        {
            node.Insert(index, key, item);
            return null;
        }

        // Ascending insertion (block numbers) fills nodes to the brim instead of leaving halves behind.
        var middle = index == node.Count ? node.Count - 1 : node.Count / 2;
        var right = node.SplitAt(middle, owner);
        if (index <= middle)
        {
            node.Insert(index, key, item);
        }
        else
        {
            right.Insert(index - middle, key, item);
        }

        return right;
    }

    private void DeleteBelow(TreeNode node, ReadOnlySpan<byte> key)
    {
        if (node.IsLeaf)
        {
            var at = node.LowerBound(key, out _);
            _count--;
            _bytes -= node.Key(at).Length + node.Value(at).Length;
            node.RemoveAt(at);
            return;
        }

        var index = node.ChildIndexFor(key);
        var child = Own(node.Child(index));
        node.SetItem(index, child);
        DeleteBelow(child, key);
        if (child.Count == 0)
        {
            node.RemoveAt(index);
        }
        else if (child.Count < SparseCount)
        {
            JoinAround(node, index);
        }
    }

    private void JoinAround(TreeNode parent, int index)
    {
        for (var left = Math.Max(index - 1, 0); left <= index && left + 1 < parent.Count; left++)
        {
            if (parent.Child(left).Count + parent.Child(left + 1).Count <= JoinedCount)
            {
                var joined = Own(parent.Child(left));
                joined.Append(parent.Child(left + 1));
                parent.SetItem(left, joined);
                parent.RemoveAt(left + 1);
                return;
            }
        }
    }
}
