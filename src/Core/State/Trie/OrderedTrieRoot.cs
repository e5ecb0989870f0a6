using System.Buffers.Binary;
using System.Numerics;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>
/// The root of a list: a trie from the RLP of each index to the item's encoding (Yellow Paper, 4.3.2).
/// </summary>
/// <remarks>For the transactions, receipts and withdrawals of a block. An item has one byte at least.</remarks>
public static class OrderedTrieRoot
{
    /// <summary>The root of a trie without keys, and of a list without items.</summary>
    public static Hash256 Empty => TrieUpdater.EmptyRoot;

    /// <summary>The root of items that are encoded already.</summary>
    public static Hash256 Of(IReadOnlyList<byte[]> items)
    {
        if (items.Count == 0)
        {
            return Empty;
        }

        var changes = new TrieChange[items.Count];
        for (var i = 0; i < changes.Length; i++)
        {
            var index = IndexAt(i, changes.Length);
            changes[i] = Change(index, items[index], 0, items[index].Length);
        }

        return Root(changes);
    }

    /// <summary>The root of items that <paramref name="encode"/> writes one after another.</summary>
    public static Hash256 Of<T>(IReadOnlyList<T> items, Action<T, RlpWriter> encode)
    {
        if (items.Count == 0)
        {
            return Empty;
        }

        var writer = new RlpWriter(items.Count * 128);
        var ends = new int[items.Count];
        for (var i = 0; i < ends.Length; i++)
        {
            encode(items[i], writer);
            ends[i] = writer.Written.Length;
        }

        var bytes = writer.ToArray();
        var changes = new TrieChange[items.Count];
        for (var i = 0; i < changes.Length; i++)
        {
            var index = IndexAt(i, changes.Length);
            var start = index == 0 ? 0 : ends[index - 1];
            changes[i] = Change(index, bytes, start, ends[index] - start);
        }

        return Root(changes);
    }

    private static Hash256 Root(ReadOnlySpan<TrieChange> changes)
    {
        var updater = new TrieUpdater(NoTrieNodes.Instance);
        var root = updater.Update(TrieOwner.Accounts, Empty, changes);
        updater.HashAll();
        return updater.RootOf(root);
    }

    /// <summary>The index whose key comes at a position: 1 to 127, then 0 (0x80), then the longer ones.</summary>
    private static int IndexAt(int position, int count)
    {
        var zero = Math.Min(127, count - 1);
        return position < zero ? position + 1 : position == zero ? 0 : position;
    }

    private static TrieChange Change(int index, byte[] buffer, int offset, int length)
    {
        Span<byte> key = stackalloc byte[Hash256.Size];
        key.Clear();
        if (index is > 0 and < 0x80)
        {
            key[0] = (byte)index;
            return new TrieChange(new Hash256(key), buffer, offset, length, 2);
        }

        var bytes = (32 - BitOperations.LeadingZeroCount((uint)index) + 7) / 8;
        key[0] = (byte)(0x80 + bytes);
        BinaryPrimitives.WriteUInt32BigEndian(key[1..], (uint)index << ((4 - bytes) * 8));
        return new TrieChange(new Hash256(key), buffer, offset, length, 2 + (bytes * 2));
    }
}
