namespace SuperVm.Core.Storage.InMemory;

/// <summary>
/// A sorted map from byte keys to byte values: a B+ tree whose edits share what they leave alone.
/// </summary>
/// <remarks>
/// Path copying (Driscoll, Sarnak, Sleator, Tarjan, "Making data structures persistent", 1989): an edit clones the
/// nodes from the root to the leaves that it touches, each once for its owner, and gives a new root. A snapshot is
/// therefore a reference. Whoever knows that nobody else holds a tree may go on with the same owner, and nothing is
/// cloned.
/// </remarks>
/// <param name="root">Null in an empty tree.</param>
/// <param name="count">Number of keys.</param>
/// <param name="bytes">Sum of key and value lengths.</param>
internal sealed class SortedTree(TreeNode? root, long count, long bytes)
{
    internal static SortedTree Empty { get; } = new(null, 0, 0);

    internal TreeNode? Root { get; } = root;

    internal long Count { get; } = count;

    internal long Bytes { get; } = bytes;

    /// <summary>The stored array itself: the caller must not change or hand it out.</summary>
    internal byte[]? Find(ReadOnlySpan<byte> key) => Find(Root, key);

    internal static byte[]? Find(TreeNode? node, ReadOnlySpan<byte> key)
    {
        if (node is null)
        {
            return null;
        }

        while (!node.IsLeaf)
        {
            node = node.Child(node.ChildIndexFor(key));
        }

        var index = node.LowerBound(key, out var found);
        return found ? node.Value(index) : null;
    }
}
