using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>The keys of a page's entries: bytes that say themselves how many they are.</summary>
/// <remarks>
/// <code>
///   01 ‖ address              a flat account (AccountRecord)            placed by keccak(address)
///   02 ‖ slot                 a slot's value without leading zeros      placed by keccak(slot)
///   03 ‖ depth ‖ path         a trie node above the pages               placed by its path, depth in the last byte
///   04                        which pages there are below (directory)   placed last
/// </code>
/// Depth in nibbles, path packed. Entries of a page are in the order of their places.
/// </remarks>
internal static class PageKey
{
    internal const byte Account = 1;
    internal const byte Slot = 2;
    internal const byte Node = 3;
    internal const byte Directory = 4;

    /// <summary>Bytes of the longest key.</summary>
    internal const int Longest = 2 + Hash256.Size;

    internal static byte[] DirectoryKey { get; } = [Directory];

    internal static Hash256 DirectoryPlace { get; } = LastPlace();

    internal static byte[] OfAccount(in Address address)
    {
        var key = new byte[1 + Address.Size];
        key[0] = Account;
        address.CopyTo(key.AsSpan(1));
        return key;
    }

    internal static byte[] OfSlot(in UInt256 slot)
    {
        var key = new byte[1 + 32];
        key[0] = Slot;
        slot.WriteBigEndian(key.AsSpan(1));
        return key;
    }

    internal static byte[] OfNode(in Hash256 path, int depth)
    {
        var key = new byte[2 + ((depth + 1) / 2)];
        key[0] = Node;
        key[1] = (byte)depth;
        Nibbles.Prefix(path, depth).Bytes[..(key.Length - 2)].CopyTo(key.AsSpan(2));
        return key;
    }

    internal static Hash256 PlaceOf(in Address address) => Keccak256.Hash(address.Bytes);

    internal static Hash256 PlaceOf(in UInt256 slot)
    {
        Span<byte> key = stackalloc byte[32];
        slot.WriteBigEndian(key);
        return Keccak256.Hash(key);
    }

    /// <summary>
    /// Where a node's entry stands: nodes above pages are never so deep that the last byte is their path's.
    /// </summary>
    internal static Hash256 PlaceOfNode(in Hash256 path, int depth)
    {
        Span<byte> place = stackalloc byte[Hash256.Size];
        Nibbles.Prefix(path, depth).CopyTo(place);
        place[^1] = (byte)depth;
        return new Hash256(place);
    }

    /// <summary>Bytes of the key that the entry begins with; 0 where it is none.</summary>
    internal static int LengthOf(ReadOnlySpan<byte> entry) => entry.IsEmpty ? 0 : entry[0] switch
    {
        Account => 1 + Address.Size,
        Slot => 1 + 32,
        Node when entry.Length > 1 && entry[1] <= PageId.MostBits / 4 => 2 + ((entry[1] + 1) / 2),
        Directory => 1,
        _ => 0,
    };

    private static Hash256 LastPlace()
    {
        Span<byte> place = stackalloc byte[Hash256.Size];
        place.Fill(0xFF);
        return new Hash256(place);
    }
}
