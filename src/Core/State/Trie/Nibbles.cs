using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>Half bytes of trie keys, and their hex-prefix form (Yellow Paper, appendix C).</summary>
internal static class Nibbles
{
    /// <summary>Nibbles of a hashed key.</summary>
    internal const int KeyLength = 64;

    /// <summary>The half byte at the depth, the high one of a byte first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int At(in Hash256 key, int depth)
    {
        var part = key.Bytes[depth >> 1];
        return (depth & 1) == 0 ? part >> 4 : part & 0x0F;
    }

    /// <summary>How many leading nibbles two keys share.</summary>
    internal static int Common(in Hash256 left, in Hash256 right)
    {
        var a = left.Bytes;
        var b = right.Bytes;
        for (var i = 0; i < Hash256.Size; i += 8)
        {
            var difference = BinaryPrimitives.ReadUInt64BigEndian(a[i..])
                ^ BinaryPrimitives.ReadUInt64BigEndian(b[i..]);
            if (difference != 0)
            {
                return (i * 2) + (BitOperations.LeadingZeroCount(difference) / 4);
            }
        }

        return KeyLength;
    }

    /// <summary>The key with another nibble at the depth.</summary>
    internal static Hash256 With(in Hash256 key, int depth, int nibble)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        key.CopyTo(bytes);
        Set(bytes, depth, nibble);
        return new Hash256(bytes);
    }

    /// <summary>The key with zeros behind its first nibbles.</summary>
    internal static Hash256 Prefix(in Hash256 key, int depth)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        key.CopyTo(bytes);
        bytes[((depth + 1) / 2)..].Clear();
        if ((depth & 1) == 1)
        {
            bytes[depth / 2] &= 0xF0;
        }

        return new Hash256(bytes);
    }

    internal static void Set(Span<byte> key, int depth, int nibble)
    {
        ref var part = ref key[depth >> 1];
        part = (byte)((depth & 1) == 0 ? (part & 0x0F) | (nibble << 4) : (part & 0xF0) | nibble);
    }

    /// <summary>Bytes of the hex-prefix form of so many nibbles.</summary>
    internal static int HexPrefixLength(int nibbles) => 1 + (nibbles / 2);

    /// <summary>Writes the key's nibbles [from, to) in hex-prefix form.</summary>
    internal static void WriteHexPrefix(in Hash256 key, int from, int to, bool leaf, Span<byte> destination)
    {
        var flag = leaf ? 0x20 : 0x00;
        var position = from;
        if (((to - from) & 1) == 1)
        {
            destination[0] = (byte)(flag | 0x10 | At(key, position++));
        }
        else
        {
            destination[0] = (byte)flag;
        }

        var bytes = key.Bytes;
        var count = (to - position) / 2;
        if ((position & 1) == 0)
        {
            bytes.Slice(position / 2, count).CopyTo(destination[1..]);
            return;
        }

        for (var i = 0; i < count; i++)
        {
            var at = position >> 1;
            destination[1 + i] = (byte)((bytes[at + i] << 4) | (bytes[at + i + 1] >> 4));
        }
    }

    /// <summary>Whether a hex-prefix form ends in a leaf.</summary>
    internal static bool IsLeaf(ReadOnlySpan<byte> hexPrefix) => (hexPrefix[0] & 0x20) != 0;

    /// <summary>
    /// The key whose first <paramref name="depth"/> nibbles are given and whose next are in hex-prefix form.
    /// </summary>
    /// <param name="prefix">A key with the leading nibbles.</param>
    /// <param name="depth">How many of them count.</param>
    /// <param name="hexPrefix">The nibbles that follow.</param>
    /// <param name="end">How many nibbles the answer has; those behind are zero.</param>
    internal static Hash256 Append(in Hash256 prefix, int depth, ReadOnlySpan<byte> hexPrefix, out int end)
    {
        Span<byte> key = stackalloc byte[Hash256.Size];
        key.Clear();
        prefix.Bytes[..((depth + 1) / 2)].CopyTo(key);
        if ((depth & 1) == 1)
        {
            key[depth >> 1] &= 0xF0;
        }

        end = depth;
        if ((hexPrefix[0] & 0x10) != 0)
        {
            Set(key, end++, hexPrefix[0] & 0x0F);
        }

        foreach (var pair in hexPrefix[1..])
        {
            Set(key, end++, pair >> 4);
            Set(key, end++, pair & 0x0F);
        }

        return new Hash256(key);
    }
}
