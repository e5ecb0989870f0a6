using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Primitives;

public readonly partial struct UInt256
{
    /// <summary>The sum modulo 2^256.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UInt256 operator +(in UInt256 a, in UInt256 b)
    {
        AddWithCarry(a, b, out var sum);
        return sum;
    }

    /// <summary>The difference modulo 2^256.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UInt256 operator -(in UInt256 a, in UInt256 b)
    {
        SubtractWithBorrow(a, b, out var difference);
        return difference;
    }

    public static UInt256 operator -(in UInt256 a) => Zero - a;

    /// <summary>Adds; true where the sum overflowed 256 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AddWithCarry(in UInt256 a, in UInt256 b, out UInt256 sum)
    {
        var s0 = a.U0 + b.U0;
        ulong c = s0 < a.U0 ? 1UL : 0;
        var s1 = a.U1 + b.U1;
        ulong d = s1 < a.U1 ? 1UL : 0;
        s1 += c;
        c = d | (s1 < c ? 1UL : 0);
        var s2 = a.U2 + b.U2;
        d = s2 < a.U2 ? 1UL : 0;
        s2 += c;
        c = d | (s2 < c ? 1UL : 0);
        var s3 = a.U3 + b.U3;
        d = s3 < a.U3 ? 1UL : 0;
        s3 += c;
        c = d | (s3 < c ? 1UL : 0);
        sum = new UInt256(s0, s1, s2, s3);
        return c != 0;
    }

    /// <summary>Subtracts; true where b was greater than a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool SubtractWithBorrow(in UInt256 a, in UInt256 b, out UInt256 difference)
    {
        var d0 = a.U0 - b.U0;
        ulong c = a.U0 < b.U0 ? 1UL : 0;
        var d1 = a.U1 - b.U1;
        ulong d = a.U1 < b.U1 ? 1UL : 0;
        d |= d1 < c ? 1UL : 0;
        d1 -= c;
        c = d;
        var d2 = a.U2 - b.U2;
        d = a.U2 < b.U2 ? 1UL : 0;
        d |= d2 < c ? 1UL : 0;
        d2 -= c;
        c = d;
        var d3 = a.U3 - b.U3;
        d = a.U3 < b.U3 ? 1UL : 0;
        d |= d3 < c ? 1UL : 0;
        d3 -= c;
        difference = new UInt256(d0, d1, d2, d3);
        return d != 0;
    }

    /// <summary>The product modulo 2^256.</summary>
    public static UInt256 operator *(in UInt256 a, in UInt256 b)
    {
        if (a.IsUInt64 && b.IsUInt64)
        {
            var l = a.U0 * b.U0;
        var h = HighProduct(a.U0, b.U0);
            return new UInt256(l, h);
        }

        // Schoolbook, column by column; what would land above limb 3 is never formed.
        var r0 = a.U0 * b.U0;
        var c1 = HighProduct(a.U0, b.U0);
        MultiplyAdd(a.U0, b.U1, c1, 0, out var r1, out var c2);
        MultiplyAdd(a.U1, b.U0, r1, 0, out r1, out var d2);
        MultiplyAdd(a.U0, b.U2, c2, d2, out var r2, out var c3);
        MultiplyAdd(a.U1, b.U1, r2, 0, out r2, out var d3);
        MultiplyAdd(a.U2, b.U0, r2, 0, out r2, out var e3);
        var r3 = (a.U0 * b.U3) + (a.U1 * b.U2) + (a.U2 * b.U1) + (a.U3 * b.U0) + c3 + d3 + e3;
        return new UInt256(r0, r1, r2, r3);
    }

    /// <summary>The full 512-bit product as high and low words.</summary>
    public static UInt256 BigMul(in UInt256 a, in UInt256 b, out UInt256 low)
    {
        // Row by row: row i adds a's limb i times b, and its carry is the limb above.
        var r0 = a.U0 * b.U0;
        var c = HighProduct(a.U0, b.U0);
        MultiplyAdd(a.U0, b.U1, c, 0, out var r1, out c);
        MultiplyAdd(a.U0, b.U2, c, 0, out var r2, out c);
        MultiplyAdd(a.U0, b.U3, c, 0, out var r3, out var r4);
        MultiplyAdd(a.U1, b.U0, r1, 0, out r1, out c);
        MultiplyAdd(a.U1, b.U1, r2, c, out r2, out c);
        MultiplyAdd(a.U1, b.U2, r3, c, out r3, out c);
        MultiplyAdd(a.U1, b.U3, r4, c, out r4, out var r5);
        MultiplyAdd(a.U2, b.U0, r2, 0, out r2, out c);
        MultiplyAdd(a.U2, b.U1, r3, c, out r3, out c);
        MultiplyAdd(a.U2, b.U2, r4, c, out r4, out c);
        MultiplyAdd(a.U2, b.U3, r5, c, out r5, out var r6);
        MultiplyAdd(a.U3, b.U0, r3, 0, out r3, out c);
        MultiplyAdd(a.U3, b.U1, r4, c, out r4, out c);
        MultiplyAdd(a.U3, b.U2, r5, c, out r5, out c);
        MultiplyAdd(a.U3, b.U3, r6, c, out r6, out var r7);
        low = new UInt256(r0, r1, r2, r3);
        return new UInt256(r4, r5, r6, r7);
    }

    /// <summary>
    /// A product's high half. The low one is multiplied on its own: <see cref="Math.BigMul(ulong, ulong, out ulong)"/>
    /// hands it over through memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong HighProduct(ulong a, ulong b) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _);

    /// <summary>a * b + c + d as two limbs; it cannot overflow them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(ulong a, ulong b, ulong c, ulong d, out ulong low, out ulong high)
    {
        low = a * b;
        high = HighProduct(a, b);
        low += c;
        high += low < c ? 1UL : 0;
        low += d;
        high += low < d ? 1UL : 0;
    }

    /// <summary>a to the power of b modulo 2^256, by square and multiply.</summary>
    public static UInt256 Exp(in UInt256 a, in UInt256 b)
    {
        if (a.IsUInt64 && BitOperations.IsPow2(a.U0))
        {
            // Powers of two, 256 above all, are shifts.
            var log = BitOperations.TrailingZeroCount(a.U0);
            return log == 0 || b.IsZero ? One : b.IsUInt64 && b.U0 < 256 ? One << (int)(b.U0 * (ulong)log) : Zero;
        }

        var zeros = BitOperations.TrailingZeroCount(a.U0);
        if (zeros > 0 && b > 255u / (uint)zeros)
        {
            return Zero;
        }

        var result = One;
        var power = a;
        var bits = b.BitLength;
        for (var i = 0; i < bits; i++)
        {
            if (b.Bit(i))
            {
                result *= power;
            }

            power = Square(power);
        }

        return result;
    }

    /// <summary>a * a modulo 2^256: the products of unlike limbs are formed once and doubled.</summary>
    private static UInt256 Square(in UInt256 a)
    {
        var r1 = a.U0 * a.U1;
        var m1 = HighProduct(a.U0, a.U1);
        var r2 = a.U0 * a.U2;
        var m2 = HighProduct(a.U0, a.U2);
        r2 += m1;
        var r3 = m2 + (r2 < m1 ? 1UL : 0) + (a.U0 * a.U3) + (a.U1 * a.U2);
        r3 = (r3 << 1) | (r2 >> 63);
        r2 = (r2 << 1) | (r1 >> 63);
        r1 <<= 1;
        var r0 = a.U0 * a.U0;
        var h0 = HighProduct(a.U0, a.U0);
        var l1 = a.U1 * a.U1;
        var h1 = HighProduct(a.U1, a.U1);
        r1 += h0;
        var carry = r1 < h0 ? 1UL : 0;
        r2 += l1;
        r3 += h1 + (r2 < l1 ? 1UL : 0);
        r2 += carry;
        r3 += r2 < carry ? 1UL : 0;
        return new UInt256(r0, r1, r2, r3);
    }

    /// <summary>Whether bit <paramref name="index"/> (0 = least significant, below 256) is set.</summary>
    public bool Bit(int index)
    {
        var limb = (index >> 6) switch { 0 => U0, 1 => U1, 2 => U2, _ => U3 };
        return ((limb >> (index & 63)) & 1) != 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool operator <(in UInt256 a, in UInt256 b)
    {
        if (a.U3 != b.U3)
        {
            return a.U3 < b.U3;
        }

        if (a.U2 != b.U2)
        {
            return a.U2 < b.U2;
        }

        return a.U1 != b.U1 ? a.U1 < b.U1 : a.U0 < b.U0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool operator >(in UInt256 a, in UInt256 b) => b < a;

    public static bool operator <=(in UInt256 a, in UInt256 b) => !(b < a);

    public static bool operator >=(in UInt256 a, in UInt256 b) => !(a < b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool operator ==(in UInt256 a, in UInt256 b) => a.Equals(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool operator !=(in UInt256 a, in UInt256 b) => !a.Equals(b);

    /// <summary>Less-than in two's complement (SLT).</summary>
    public static bool SignedLess(in UInt256 a, in UInt256 b) =>
        a.IsNegative == b.IsNegative ? a < b : a.IsNegative;

    public static UInt256 operator &(in UInt256 a, in UInt256 b) =>
        new(a.U0 & b.U0, a.U1 & b.U1, a.U2 & b.U2, a.U3 & b.U3);

    public static UInt256 operator |(in UInt256 a, in UInt256 b) =>
        new(a.U0 | b.U0, a.U1 | b.U1, a.U2 | b.U2, a.U3 | b.U3);

    public static UInt256 operator ^(in UInt256 a, in UInt256 b) =>
        new(a.U0 ^ b.U0, a.U1 ^ b.U1, a.U2 ^ b.U2, a.U3 ^ b.U3);

    public static UInt256 operator ~(in UInt256 a) => new(~a.U0, ~a.U1, ~a.U2, ~a.U3);

    /// <summary>Shifts left by 0 or more bits; 256 and above give zero.</summary>
    public static UInt256 operator <<(in UInt256 a, int count)
    {
        if ((uint)count >= 256)
        {
            return Zero;
        }

        if (Vector256.IsHardwareAccelerated)
        {
            // Limb i of the answer has the high part of limb i - limbs and what limb i - limbs - 1 hands up; an index
            // below zero is out of range and shuffles in zeros.
            var from = Vector256.Create(0UL, 1, 2, 3) - Vector256.Create((ulong)count >> 6);
            var x = Unsafe.BitCast<UInt256, Vector256<ulong>>(a);
            var high = Vector256.Shuffle(x, from);
            var low = Vector256.Shuffle(x, from - Vector256<ulong>.One);
            return Unsafe.BitCast<Vector256<ulong>, UInt256>(
                (high << (count & 63)) | ((low >>> 1) >>> (63 - (count & 63))));
        }

        var (limbs, bits) = (count >> 6, count & 63);
        var (x0, x1, x2, x3) = limbs switch
        {
            0 => (a.U0, a.U1, a.U2, a.U3),
            1 => (0UL, a.U0, a.U1, a.U2),
            2 => (0UL, 0UL, a.U0, a.U1),
            _ => (0UL, 0UL, 0UL, a.U0),
        };
        if (bits == 0)
        {
            return new UInt256(x0, x1, x2, x3);
        }

        var back = 64 - bits;
        return new UInt256(x0 << bits, (x1 << bits) | (x0 >> back), (x2 << bits) | (x1 >> back),
            (x3 << bits) | (x2 >> back));
    }

    /// <summary>Logical shift right; 256 and above give zero.</summary>
    public static UInt256 operator >>(in UInt256 a, int count) =>
        (uint)count >= 256 ? Zero : ShiftRight(a, count, 0);

    /// <summary>Arithmetic shift right in two's complement (SAR); 256 and above give 0 or -1.</summary>
    public static UInt256 ArithmeticShiftRight(in UInt256 a, int count)
    {
        var fill = (ulong)((long)a.U3 >> 63);
        return (uint)count >= 256 ? new UInt256(fill, fill, fill, fill) : ShiftRight(a, count, fill);
    }

    private static UInt256 ShiftRight(in UInt256 a, int count, ulong fill)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            // As for the left, but an index above three takes the fill: the sign, or zero.
            var from = Vector256.Create(0UL, 1, 2, 3) + Vector256.Create((ulong)count >> 6);
            var next = from + Vector256<ulong>.One;
            var x = Unsafe.BitCast<UInt256, Vector256<ulong>>(a);
            var filled = Vector256.Create(fill);
            var last = Vector256.Create(3UL);
            var low = Vector256.ConditionalSelect(
                Vector256.GreaterThan(from, last), filled, Vector256.Shuffle(x, from));
            var high = Vector256.ConditionalSelect(
                Vector256.GreaterThan(next, last), filled, Vector256.Shuffle(x, next));
            return Unsafe.BitCast<Vector256<ulong>, UInt256>(
                (low >>> (count & 63)) | ((high << 1) << (63 - (count & 63))));
        }

        var (limbs, bits) = (count >> 6, count & 63);
        var (x0, x1, x2, x3) = limbs switch
        {
            0 => (a.U0, a.U1, a.U2, a.U3),
            1 => (a.U1, a.U2, a.U3, fill),
            2 => (a.U2, a.U3, fill, fill),
            _ => (a.U3, fill, fill, fill),
        };
        if (bits == 0)
        {
            return new UInt256(x0, x1, x2, x3);
        }

        var back = 64 - bits;
        return new UInt256((x0 >> bits) | (x1 << back), (x1 >> bits) | (x2 << back), (x2 >> bits) | (x3 << back),
            (x3 >> bits) | (fill << back));
    }

    /// <summary>The byte at <paramref name="index"/> counted from the most significant (BYTE); 0 beyond 31.</summary>
    public static UInt256 ByteAt(in UInt256 index, in UInt256 value)
    {
        if (!index.IsUInt64 || index.U0 > 31)
        {
            return Zero;
        }

        return (value >> (int)(248 - (index.U0 * 8))).U0 & 0xFF;
    }

    /// <summary>Extends the sign of a number of (byteIndex + 1) bytes (SIGNEXTEND).</summary>
    public static UInt256 SignExtend(in UInt256 byteIndex, in UInt256 value)
    {
        if (!byteIndex.IsUInt64 || byteIndex.U0 >= 31)
        {
            return value;
        }

        var shift = 248 - ((int)byteIndex.U0 * 8);
        return ArithmeticShiftRight(value << shift, shift);
    }

    /// <summary>The number of zero bits above the highest one (CLZ, EIP-7939); 256 for zero.</summary>
    public static int LeadingZeroCount(in UInt256 a)
    {
        if (a.U3 != 0)
        {
            return BitOperations.LeadingZeroCount(a.U3);
        }

        if (a.U2 != 0)
        {
            return 64 + BitOperations.LeadingZeroCount(a.U2);
        }

        return a.U1 != 0
            ? 128 + BitOperations.LeadingZeroCount(a.U1)
            : 192 + BitOperations.LeadingZeroCount(a.U0);
    }
}
