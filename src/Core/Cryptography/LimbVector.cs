using System.Buffers.Binary;
using System.Numerics;

namespace SuperVm.Core.Cryptography;

/// <summary>Numbers of any length as 64-bit limbs, least significant first.</summary>
internal static class LimbVector
{
    internal static int CountFor(int bytes) => (int)(((uint)bytes + 7) / 8);

    internal static int CountForBits(int bits) => (int)(((uint)bits + 63) / 64);

    /// <summary>Reads big-endian bytes; the limbs have room for them, and the higher ones become zero.</summary>
    internal static void Read(ReadOnlySpan<byte> bytes, Span<ulong> limbs)
    {
        var i = 0;
        for (; bytes.Length >= 8; bytes = bytes[..^8])
        {
            limbs[i++] = BinaryPrimitives.ReadUInt64BigEndian(bytes[^8..]);
        }

        if (!bytes.IsEmpty)
        {
            ulong last = 0;
            foreach (var value in bytes)
            {
                last = (last << 8) | value;
            }

            limbs[i++] = last;
        }

        limbs[i..].Clear();
    }

    /// <summary>Writes the lowest bytes of a number, most significant first, into all of the destination.</summary>
    internal static void Write(ReadOnlySpan<ulong> limbs, Span<byte> bytes)
    {
        for (var i = 0; i < limbs.Length && !bytes.IsEmpty; i++)
        {
            if (bytes.Length >= 8)
            {
                BinaryPrimitives.WriteUInt64BigEndian(bytes[^8..], limbs[i]);
                bytes = bytes[..^8];
                continue;
            }

            for (var limb = limbs[i]; !bytes.IsEmpty; limb >>= 8)
            {
                bytes[^1] = (byte)limb;
                bytes = bytes[..^1];
            }
        }

        bytes.Clear();
    }

    /// <summary>The number of at most four big-endian bytes.</summary>
    internal static uint ToUInt32(ReadOnlySpan<byte> bytes)
    {
        uint value = 0;
        foreach (var part in bytes)
        {
            value = (value << 8) | part;
        }

        return value;
    }

    /// <summary>How often 2 divides the number; all bits for zero.</summary>
    internal static int TrailingZeroCount(ReadOnlySpan<ulong> limbs)
    {
        for (var i = 0; i < limbs.Length; i++)
        {
            if (limbs[i] != 0)
            {
                return (64 * i) + BitOperations.TrailingZeroCount(limbs[i]);
            }
        }

        return 64 * limbs.Length;
    }

    /// <summary>Without leading zero limbs.</summary>
    internal static Span<ulong> Trim(Span<ulong> limbs)
    {
        while (!limbs.IsEmpty && limbs[^1] == 0)
        {
            limbs = limbs[..^1];
        }

        return limbs;
    }

    /// <summary>floor(source / 2^count), for a destination of the same length.</summary>
    internal static void ShiftRight(ReadOnlySpan<ulong> source, int count, Span<ulong> destination)
    {
        var (skip, shift) = (count / 64, count % 64);
        for (var i = 0; i < destination.Length; i++)
        {
            var low = i + skip < source.Length ? source[i + skip] : 0;
            var high = i + skip + 1 < source.Length ? source[i + skip + 1] : 0;
            destination[i] = shift == 0 ? low : (low >> shift) | (high << (64 - shift));
        }
    }

    /// <summary>Clears all bits from the given one on.</summary>
    internal static void KeepBits(Span<ulong> limbs, int bits)
    {
        var full = bits / 64;
        if (full < limbs.Length)
        {
            limbs[full] &= (1UL << (bits % 64)) - 1;
            limbs[(full + 1)..].Clear();
        }
    }

    /// <summary>a -= b modulo 2^(64 a.Length); b may be longer or shorter.</summary>
    internal static void Subtract(Span<ulong> a, ReadOnlySpan<ulong> b)
    {
        ulong borrow = 0;
        for (var i = 0; i < a.Length; i++)
        {
            a[i] = Limbs.Subtract(a[i], i < b.Length ? b[i] : 0, ref borrow);
        }
    }

    /// <summary>a += b; the carry out.</summary>
    internal static ulong Add(Span<ulong> a, ReadOnlySpan<ulong> b)
    {
        ulong carry = 0;
        for (var i = 0; i < a.Length; i++)
        {
            a[i] = Limbs.Add(a[i], b[i], ref carry);
        }

        return carry;
    }

    /// <summary>Whether a is below b, of the same length.</summary>
    internal static bool IsBelow(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        for (var i = a.Length - 1; i >= 0; i--)
        {
            if (a[i] != b[i])
            {
                return a[i] < b[i];
            }
        }

        return false;
    }

    /// <summary>sum += a * b, modulo 2^(64 sum.Length).</summary>
    internal static void AddProduct(Span<ulong> sum, ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        for (var i = 0; i < a.Length; i++)
        {
            ulong carry = 0;
            var j = 0;
            for (; j < b.Length && i + j < sum.Length; j++)
            {
                sum[i + j] = Limbs.MultiplyAdd(a[i], b[j], sum[i + j], carry, out carry);
            }

            for (; carry != 0 && i + j < sum.Length; j++)
            {
                sum[i + j] += carry;
                carry = sum[i + j] < carry ? 1UL : 0;
            }
        }
    }
}
