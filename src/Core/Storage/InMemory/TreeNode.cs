using System.Buffers.Binary;

namespace SuperVm.Core.Storage.InMemory;

/// <summary>
/// One node of a <see cref="SortedTree"/>: sorted keys with a value (leaf) or a child (branch) beside each.
/// </summary>
/// <remarks>
/// <code>
///   keys   k0      k1      k2   …      in a branch: no key of child i is below ki
///   heads  h0      h1      h2   …      the 8 bytes of a key after the bytes that all keys of the node share
///   items  v0|c0   v1|c1   v2|c2 …     value (byte[]) or child (TreeNode)
/// </code>
/// A search goes over the heads, 8 to a cache line, and looks at a whole key only where heads are equal. A node is
/// changed only on behalf of the owner it was made for; every other clones it first.
/// </remarks>
internal sealed class TreeNode(bool isLeaf, object owner)
{
    /// <summary>Most entries of a node.</summary>
    internal const int Capacity = 64;

    private readonly byte[][] _keys = new byte[Capacity][];
    private readonly ulong[] _heads = new ulong[Capacity];
    private readonly object[] _items = new object[Capacity];
    private int _shared;

    internal bool IsLeaf { get; } = isLeaf;

    internal int Count { get; private set; }

    internal byte[] Key(int index) => _keys[index];

    internal byte[] Value(int index) => (byte[])_items[index];

    internal TreeNode Child(int index) => (TreeNode)_items[index];

    internal bool BelongsTo(object other) => ReferenceEquals(owner, other);

    internal TreeNode CloneFor(object other)
    {
        var clone = new TreeNode(IsLeaf, other) { Count = Count, _shared = _shared };
        _keys.AsSpan(0, Count).CopyTo(clone._keys);
        _heads.AsSpan(0, Count).CopyTo(clone._heads);
        _items.AsSpan(0, Count).CopyTo(clone._items);
        return clone;
    }

    /// <summary>
    /// The first index whose key is not below <paramref name="key"/>; <see cref="Count"/> where all are.
    /// </summary>
    internal int LowerBound(ReadOnlySpan<byte> key, out bool found)
    {
        found = false;
        if (Count == 0)
        {
            return 0;
        }

        if (_shared > 0)
        {
            var order = key[..Math.Min(_shared, key.Length)].SequenceCompareTo(_keys[0].AsSpan(0, _shared));
            if (order != 0)
            {
                return order < 0 ? 0 : Count;
            }
        }

        var head = HeadOf(key, _shared);
        int low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = head.CompareTo(_heads[middle]);
            if (order == 0)
            {
                order = key.SequenceCompareTo(_keys[middle]);
                if (order == 0)
                {
                    found = true;
                    return middle;
                }
            }

            if (order > 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>In a branch: the child that has the key, if any has.</summary>
    internal int ChildIndexFor(ReadOnlySpan<byte> key)
    {
        var index = LowerBound(key, out var found);
        return found || index == 0 ? index : index - 1;
    }

    internal void SetItem(int index, object item) => _items[index] = item;

    /// <summary>In a branch: <paramref name="key"/> is below all others from now on.</summary>
    internal void LowerFirstKey(byte[] key)
    {
        _keys[0] = key;
        RefreshHeads();
    }

    internal void Insert(int index, byte[] key, object item)
    {
        var moved = Count - index;
        Array.Copy(_keys, index, _keys, index + 1, moved);
        Array.Copy(_heads, index, _heads, index + 1, moved);
        Array.Copy(_items, index, _items, index + 1, moved);
        _keys[index] = key;
        _items[index] = item;
        Count++;
        var shared = Count == 1 ? key.Length : _keys[index == 0 ? 1 : 0].AsSpan().CommonPrefixLength(key);
        if (Count == 1 || shared < _shared)
        {
            RefreshHeads();
        }
        else
        {
            _heads[index] = HeadOf(key, _shared);
        }
    }

    internal void RemoveAt(int index)
    {
        var moved = Count - index - 1;
        Array.Copy(_keys, index + 1, _keys, index, moved);
        Array.Copy(_heads, index + 1, _heads, index, moved);
        Array.Copy(_items, index + 1, _items, index, moved);
        Count--;
        _keys[Count] = null!;
        _items[Count] = null!;
    }

    /// <summary>Moves the entries from <paramref name="index"/> on into a new right neighbour.</summary>
    internal TreeNode SplitAt(int index, object newOwner)
    {
        var right = new TreeNode(IsLeaf, newOwner) { Count = Count - index };
        Array.Copy(_keys, index, right._keys, 0, right.Count);
        Array.Copy(_items, index, right._items, 0, right.Count);
        Array.Clear(_keys, index, right.Count);
        Array.Clear(_items, index, right.Count);
        Count = index;
        RefreshHeads();
        right.RefreshHeads();
        return right;
    }

    /// <summary>Appends all entries of the right neighbour.</summary>
    internal void Append(TreeNode right)
    {
        Array.Copy(right._keys, 0, _keys, Count, right.Count);
        Array.Copy(right._items, 0, _items, Count, right.Count);
        Count += right.Count;
        RefreshHeads();
    }

    private static ulong HeadOf(ReadOnlySpan<byte> key, int skip)
    {
        var rest = key[Math.Min(skip, key.Length)..];
        if (rest.Length >= sizeof(ulong))
        {
            return BinaryPrimitives.ReadUInt64BigEndian(rest);
        }

        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        padded.Clear();
        rest.CopyTo(padded);
        return BinaryPrimitives.ReadUInt64BigEndian(padded);
    }

    /// <summary>Keys are sorted, so what the first and the last share, all share.</summary>
    private void RefreshHeads()
    {
        _shared = Count == 0 ? 0 : _keys[0].AsSpan().CommonPrefixLength(_keys[Count - 1]);
        for (var i = 0; i < Count; i++)
        {
            _heads[i] = HeadOf(_keys[i], _shared);
        }
    }
}
