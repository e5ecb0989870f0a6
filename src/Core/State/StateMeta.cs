using System.Buffers.Binary;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>The latest committed state.</summary>
/// <param name="Number">Its block.</param>
/// <param name="Root">Its root.</param>
/// <param name="Oldest">The oldest block whose state can be read.</param>
/// <param name="Pruned">The newest block whose reverse differences are deleted; not above the oldest.</param>
internal sealed record StateHead(ulong Number, Hash256 Root, ulong Oldest, ulong Pruned);

/// <summary>The state's two records in the store: its head, and which block's trie is there.</summary>
internal static class StateMeta
{
    private const int HeadLength = 8 + Hash256.Size + 8 + 8;
    private const int TrieLength = 8 + Hash256.Size;

    /// <summary>The head; null in a store without a state.</summary>
    /// <exception cref="StoreException">The record is damaged, or of another version.</exception>
    internal static StateHead? ReadHead(IKeyValueReader store)
    {
        var bytes = store.Get(Column.Meta, StateKeys.Meta);
        if (bytes is null)
        {
            return null;
        }

        if (bytes.Length != HeadLength)
        {
            throw new StoreException("The store's state record is damaged, or of another version.");
        }

        var numbers = bytes.AsSpan(8 + Hash256.Size);
        return new StateHead(
            BinaryPrimitives.ReadUInt64BigEndian(bytes),
            new Hash256(bytes.AsSpan(8, Hash256.Size)),
            BinaryPrimitives.ReadUInt64BigEndian(numbers),
            BinaryPrimitives.ReadUInt64BigEndian(numbers[8..]));
    }

    internal static void WriteHead(IWriteBatch batch, StateHead head)
    {
        Span<byte> bytes = stackalloc byte[HeadLength];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, head.Number);
        head.Root.CopyTo(bytes[8..]);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[(8 + Hash256.Size)..], head.Oldest);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[(16 + Hash256.Size)..], head.Pruned);
        batch.Put(Column.Meta, StateKeys.Meta, bytes);
    }

    /// <summary>The block whose trie is stored, and its root.</summary>
    /// <exception cref="StoreException">There is no such record, or it is damaged.</exception>
    internal static (ulong Number, Hash256 Root) ReadTrie(IKeyValueReader store)
    {
        var bytes = store.Get(Column.Meta, StateKeys.TrieMeta);
        return bytes?.Length == TrieLength
            ? (BinaryPrimitives.ReadUInt64BigEndian(bytes), new Hash256(bytes.AsSpan(8)))
            : throw new StoreException("The store's trie record is missing or damaged.");
    }

    internal static void WriteTrie(IWriteBatch batch, ulong number, in Hash256 root)
    {
        Span<byte> bytes = stackalloc byte[TrieLength];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        root.CopyTo(bytes[8..]);
        batch.Put(Column.Meta, StateKeys.TrieMeta, bytes);
    }
}
