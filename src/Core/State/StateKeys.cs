using System.Buffers.Binary;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State;

/// <summary>The keys under which a state lies in the store.</summary>
/// <remarks>
/// <code>
///   Accounts  address                                     record before the trie's RLP (AccountRecord)
///   Slots     address ‖ slot                              value without leading zeros
///   Trie      00 ‖ depth ‖ path                           node of the accounts' trie; depth in nibbles, path packed
///             01 ‖ address ‖ depth ‖ path                 node of a storage trie
///   History   00 ‖ address ‖ block                        the record before the block; empty: absent
///             01 ‖ address ‖ slot ‖ block                 the value before the block; empty: zero
///             02 ‖ block                                  which accounts and slots the block changed
///   Meta      "state"                                     head number ‖ root ‖ oldest readable ‖ newest pruned
///             "trie"                                      the number and root of the block whose trie is stored
/// </code>
/// Numbers are eight bytes, most significant first. The state after block B has, for every key, the value of the first
/// history entry above B, or the flat value where there is none: one seek a read.
/// </remarks>
internal static class StateKeys
{
    internal const int SlotLength = Address.Size + 32;
    internal const int NumberLength = 8;

    internal const int AccountHistoryPrefix = 1 + Address.Size;
    internal const int SlotHistoryPrefix = 1 + SlotLength;
    internal const int HistoryMaximum = SlotHistoryPrefix + NumberLength;
    internal const int TrieMaximum = 1 + Address.Size + 1 + Hash256.Size;
    internal const int BlockChangesLength = 1 + NumberLength;

    private const byte AccountTag = 0;
    private const byte SlotTag = 1;
    private const byte BlockTag = 2;

    internal static ReadOnlySpan<byte> Meta => "state"u8;

    internal static ReadOnlySpan<byte> TrieMeta => "trie"u8;

    internal static void WriteSlot(in Address address, in UInt256 slot, Span<byte> destination)
    {
        address.CopyTo(destination);
        slot.WriteBigEndian(destination[Address.Size..]);
    }

    internal static int WriteAccountHistory(in Address address, ulong number, Span<byte> destination)
    {
        destination[0] = AccountTag;
        address.CopyTo(destination[1..]);
        BinaryPrimitives.WriteUInt64BigEndian(destination[AccountHistoryPrefix..], number);
        return AccountHistoryPrefix + NumberLength;
    }

    internal static int WriteSlotHistory(in Address address, in UInt256 slot, ulong number, Span<byte> destination)
    {
        destination[0] = SlotTag;
        WriteSlot(address, slot, destination[1..]);
        BinaryPrimitives.WriteUInt64BigEndian(destination[SlotHistoryPrefix..], number);
        return SlotHistoryPrefix + NumberLength;
    }

    internal static byte[] BlockChanges(ulong number)
    {
        var key = new byte[BlockChangesLength];
        key[0] = BlockTag;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), number);
        return key;
    }

    internal static int WriteTrieNode(in TrieOwner owner, in Hash256 path, int depth, Span<byte> destination)
    {
        var position = 1;
        destination[0] = owner.IsStorage ? (byte)1 : (byte)0;
        if (owner.IsStorage)
        {
            owner.Address.CopyTo(destination[1..]);
            position += Address.Size;
        }

        destination[position++] = (byte)depth;
        var bytes = (depth + 1) / 2;
        path.Bytes[..bytes].CopyTo(destination[position..]);
        position += bytes;
        if ((depth & 1) == 1)
        {
            destination[position - 1] &= 0xF0;
        }

        return position;
    }
}
