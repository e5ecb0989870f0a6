namespace SuperVm.Core.Storage.InMemory;

/// <summary>A walk over the keys of a range, upwards or downwards.</summary>
internal sealed class SortedTreeWalk
{
    private readonly Stack<(TreeNode Node, int Index)> _path = new();
    private readonly KeyRange _range;
    private readonly int _step;
    private TreeNode? _pending;

    internal SortedTreeWalk(TreeNode? root, KeyRange range, bool reverse)
    {
        _range = range;
        _step = reverse ? -1 : 1;
        _pending = range.IsEmpty ? null : root;
    }

    internal byte[] Key { get; private set; } = [];

    internal byte[] Value { get; private set; } = [];

    internal bool MoveNext()
    {
        if (_pending is { } root)
        {
            _pending = null;
            SeekFirst(root);
        }
        else if (!StepOn())
        {
            return false;
        }

        if (!SettleOnLeaf(out var leaf, out var index) || !IsInside(leaf.Key(index)))
        {
            _path.Clear();
            return false;
        }

        Key = leaf.Key(index);
        Value = leaf.Value(index);
        return true;
    }

    /// <summary>The path to the first entry of the walk, which may lie one past either end of its leaf.</summary>
    private void SeekFirst(TreeNode node)
    {
        var bound = _step > 0 ? _range.From : _range.To;
        while (!node.IsLeaf)
        {
            var index = bound is null ? node.Count - 1 : node.ChildIndexFor(bound);
            _path.Push((node, index));
            node = node.Child(index);
        }

        var first = bound is null ? node.Count : node.LowerBound(bound, out _);
        _path.Push((node, _step > 0 ? first : first - 1));
    }

    private bool StepOn()
    {
        if (!_path.TryPop(out var top))
        {
            return false;
        }

        _path.Push((top.Node, top.Index + _step));
        return true;
    }

    /// <summary>
    /// Leaves nodes that are walked through, steps on in their parents and goes down to the next leaf.
    /// </summary>
    private bool SettleOnLeaf(out TreeNode leaf, out int index)
    {
        while (_path.TryPeek(out var top))
        {
            (leaf, index) = top;
            if (index < 0 || index >= leaf.Count)
            {
                _path.Pop();
                StepOn();
                continue;
            }

            if (leaf.IsLeaf)
            {
                return true;
            }

            var child = leaf.Child(index);
            _path.Push((child, _step > 0 ? 0 : child.Count - 1));
        }

        (leaf, index) = (null!, 0);
        return false;
    }

    private bool IsInside(byte[] key) => _step > 0
        ? _range.To is null || key.AsSpan().SequenceCompareTo(_range.To) < 0
        : key.AsSpan().SequenceCompareTo(_range.From) >= 0;
}
