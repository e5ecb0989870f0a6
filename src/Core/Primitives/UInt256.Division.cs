using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Primitives;

/// <content>
/// Division: one limb by the machine's 128-by-64 division, more by Knuth's algorithm D (TAOCP 4.3.1) with the 3-by-2
/// reciprocal of Möller and Granlund ("Improved division by invariant integers", 2011), whose digits are at most one
/// too high.
/// </content>
public readonly partial struct UInt256
{
    /// <summary>The quotient; 0 where b is 0, as the EVM has it.</summary>
    public static UInt256 operator /(in UInt256 a, in UInt256 b)
    {
        DivRem(a, b, out var quotient, out _);
        return quotient;
    }

    /// <summary>The remainder; 0 where b is 0, as the EVM has it.</summary>
    public static UInt256 operator %(in UInt256 a, in UInt256 b)
    {
        DivRem(a, b, out _, out var remainder);
        return remainder;
    }

    /// <summary>Quotient and remainder; both 0 where b is 0.</summary>
    public static void DivRem(in UInt256 a, in UInt256 b, out UInt256 quotient, out UInt256 remainder)
    {
        if (b.IsUInt64)
        {
            DivRemByLimb(a, b.U0, out quotient, out remainder);
            return;
        }

        if (a < b)
        {
            remainder = a;
            quotient = Zero;
            return;
        }

        var digits = Zero;
        remainder = Divide(
            ref Unsafe.As<UInt256, ulong>(ref Unsafe.AsRef(in a)), Length(a), b,
            ref Unsafe.As<UInt256, ulong>(ref digits));
        quotient = digits;
    }

    /// <summary>Division in two's complement (SDIV): rounds to zero; the lowest number by -1 gives itself.</summary>
    public static UInt256 SignedDivide(in UInt256 a, in UInt256 b)
    {
        DivRem(Magnitude(a), Magnitude(b), out var quotient, out _);
        return a.IsNegative != b.IsNegative ? -quotient : quotient;
    }

    /// <summary>Remainder in two's complement (SMOD): takes the sign of a.</summary>
    public static UInt256 SignedModulo(in UInt256 a, in UInt256 b)
    {
        DivRem(Magnitude(a), Magnitude(b), out _, out var remainder);
        return a.IsNegative ? -remainder : remainder;
    }

    /// <summary>(a + b) mod m without losing the carry; 0 where m is 0.</summary>
    public static UInt256 AddMod(in UInt256 a, in UInt256 b, in UInt256 m)
    {
        var carry = AddWithCarry(a, b, out var sum);
        if (m.U3 != 0 && a < m && b < m)
        {
            // Reduced already, the common case: at most one subtraction.
            var wrapped = SubtractWithBorrow(sum, m, out var reduced);
            return carry || !wrapped ? reduced : sum;
        }

        if (!carry)
        {
            DivRem(sum, m, out _, out var remainder);
            return remainder;
        }

        if (m.IsZero)
        {
            return Zero;
        }

        var limbs = new Limbs8 { Low = sum, High = One };
        return Divide(ref Unsafe.As<Limbs8, ulong>(ref limbs), 5, m, ref Unsafe.NullRef<ulong>());
    }

    /// <summary>(a * b) mod m over the full 512-bit product; 0 where m is 0.</summary>
    public static UInt256 MulMod(in UInt256 a, in UInt256 b, in UInt256 m)
    {
        var high = BigMul(a, b, out var low);
        if (high.IsZero)
        {
            DivRem(low, m, out _, out var remainder);
            return remainder;
        }

        if (m.IsZero)
        {
            return Zero;
        }

        var limbs = new Limbs8 { Low = low, High = high };
        return Divide(ref Unsafe.As<Limbs8, ulong>(ref limbs), 4 + Length(high), m, ref Unsafe.NullRef<ulong>());
    }

    private static UInt256 Magnitude(in UInt256 a) => a.IsNegative ? -a : a;

    /// <summary>The number of limbs up to the highest one that is not zero; 1 for zero.</summary>
    private static int Length(in UInt256 a) => a.U3 != 0 ? 4 : a.U2 != 0 ? 3 : a.U1 != 0 ? 2 : 1;

    private static void DivRemByLimb(in UInt256 a, ulong divisor, out UInt256 quotient, out UInt256 remainder)
    {
        if (a.IsUInt64)
        {
            var low = divisor == 0 ? 0 : a.U0 / divisor;
            remainder = divisor == 0 ? 0 : a.U0 - (low * divisor);
            quotient = low;
            return;
        }

        if (divisor == 0)
        {
            quotient = remainder = Zero;
            return;
        }

        var (q3, r) = a.U3 == 0 ? (0UL, 0UL) : Math.DivRem(a.U3, divisor);
        var q2 = (r | a.U2) == 0 ? 0 : DivideTwoByOne(r, a.U2, divisor, out r);
        var q1 = DivideTwoByOne(r, a.U1, divisor, out r);
        var q0 = DivideTwoByOne(r, a.U0, divisor, out r);
        quotient = new UInt256(q0, q1, q2, q3);
        remainder = r;
    }

    /// <summary>Divides by a divisor that is not zero.</summary>
    /// <param name="u">The dividend's lowest limb; the others lie behind it.</param>
    /// <param name="length">The number of the dividend's limbs, not below the divisor's.</param>
    /// <param name="divisor">The divisor; of two limbs at least where the quotient is wanted.</param>
    /// <param name="quotient">The quotient's lowest limb, with room behind it; a null reference: not wanted.</param>
    /// <returns>The remainder.</returns>
    private static UInt256 Divide(ref ulong u, int length, in UInt256 divisor, ref ulong quotient)
    {
        if ((divisor.U2 | divisor.U3) != 0)
        {
            return DivideByMore(ref u, length, divisor, ref quotient);
        }

        return divisor.U1 != 0
            ? DivideByTwo(ref u, length, divisor.U1, divisor.U0, ref quotient)
            : RemainderByLimb(ref u, length, divisor.U0);
    }

    /// <summary>For sums and products only: quotients by one limb are <see cref="DivRemByLimb"/>'s.</summary>
    private static UInt256 RemainderByLimb(ref ulong u, int length, ulong divisor)
    {
        ulong rest = 0;
        for (var i = length - 1; i >= 0; i--)
        {
            DivideTwoByOne(rest, Unsafe.Add(ref u, i), divisor, out rest);
        }

        return rest;
    }

    private static UInt256 DivideByTwo(ref ulong u, int length, ulong d1, ulong d0, ref ulong quotient)
    {
        var shift = BitOperations.LeadingZeroCount(d1);
        d1 = Upper(d1, d0, shift);
        d0 <<= shift;
        var inverse = InverseOfTwo(d1, d0);
        var limb = Unsafe.Add(ref u, length - 1);
        var r1 = Upper(0, limb, shift);
        var below = Unsafe.Add(ref u, length - 2);
        var r0 = Upper(limb, below, shift);
        for (var j = length - 2; j >= 0; j--)
        {
            limb = below;
            below = j == 0 ? 0 : Unsafe.Add(ref u, j - 1);
            var digit = DivideThreeByTwo(r1, r0, Upper(limb, below, shift), d1, d0, inverse, out r1, out r0);
            if (!Unsafe.IsNullRef(ref quotient))
            {
                Unsafe.Add(ref quotient, j) = digit;
            }
        }

        return new UInt256(Lower(r0, r1, shift), r1 >> shift);
    }

    /// <summary>Three or four limbs: the top two give a digit, the others correct it, seldom, by one.</summary>
    /// <remarks>
    /// A divisor of three limbs is taken as one of four with an empty lowest one, and the dividend with an empty limb
    /// below it: the digits are the same, the remainder stands a limb higher. The dividend is shifted as it is read.
    /// </remarks>
    private static UInt256 DivideByMore(ref ulong u, int length, in UInt256 divisor, ref ulong quotient)
    {
        var isThree = divisor.U3 == 0;
        var shift = BitOperations.LeadingZeroCount(isThree ? divisor.U2 : divisor.U3);
        var d3 = isThree ? Upper(divisor.U2, divisor.U1, shift) : Upper(divisor.U3, divisor.U2, shift);
        var d2 = isThree ? Upper(divisor.U1, divisor.U0, shift) : Upper(divisor.U2, divisor.U1, shift);
        var d1 = isThree ? divisor.U0 << shift : Upper(divisor.U1, divisor.U0, shift);
        var d0 = isThree ? 0 : divisor.U0 << shift;
        var inverse = InverseOfTwo(d3, d2);
        var position = length - 1;
        var limb = Unsafe.Add(ref u, position--);
        var r3 = Upper(0, limb, shift);
        var below = Unsafe.Add(ref u, position--);
        var r2 = Upper(limb, below, shift);
        limb = Unsafe.Add(ref u, position--);
        var r1 = Upper(below, limb, shift);
        below = position < 0 ? 0 : Unsafe.Add(ref u, position);
        position--;
        var r0 = Upper(limb, below, shift);
        for (var j = length - (isThree ? 3 : 4); j >= 0; j--)
        {
            limb = below;
            below = position < 0 ? 0 : Unsafe.Add(ref u, position);
            position--;
            var digit = Digit(
                ref r3, ref r2, ref r1, ref r0, Upper(limb, below, shift), d3, d2, d1, d0, inverse);
            if (!Unsafe.IsNullRef(ref quotient))
            {
                Unsafe.Add(ref quotient, j) = digit;
            }
        }

        return isThree
            ? new UInt256(Lower(r1, r2, shift), Lower(r2, r3, shift), r3 >> shift)
            : new UInt256(Lower(r0, r1, shift), Lower(r1, r2, shift), Lower(r2, r3, shift), r3 >> shift);
    }

    /// <summary>One step of algorithm D: (r:next) / d, for r below d; r takes the remainder.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Digit(
        ref ulong r3, ref ulong r2, ref ulong r1, ref ulong r0, ulong next, ulong d3, ulong d2, ulong d1, ulong d0,
        ulong inverse)
    {
        if (r3 == d3 && r2 == d2)
        {
            return LargestDigit(ref r3, ref r2, ref r1, ref r0, next, d3, d2, d1, d0);
        }

        var digit = DivideThreeByTwo(r3, r2, r1, d3, d2, inverse, out var t3, out var t2);
        var low = digit * d0;
        var high = HighProduct(digit, d0);
        var part = digit * d1;
        var middle = HighProduct(digit, d1);
        part += high;
        middle += part < high ? 1UL : 0;
        var borrow = next < low ? 1UL : 0;
        var n0 = next - low;
        var n1 = r0 - part - borrow;
        borrow = r0 < part || (r0 == part && borrow != 0) ? 1UL : 0;
        var n2 = t2 - middle - borrow;
        borrow = t2 < middle || (t2 == middle && borrow != 0) ? 1UL : 0;
        var n3 = t3 - borrow;
        if (t3 < borrow)
        {
            digit--;
            AddBack(ref n3, ref n2, ref n1, ref n0, d3, d2, d1, d0);
        }

        (r3, r2, r1, r0) = (n3, n2, n1, n0);
        return digit;
    }

    /// <summary>
    /// Equal upper halves: the digit is 2^64 - 1, for what is left, (r - d) * 2^64 + next + d, is above zero and below
    /// d.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong LargestDigit(
        ref ulong r3, ref ulong r2, ref ulong r1, ref ulong r0, ulong next, ulong d3, ulong d2, ulong d1, ulong d0)
    {
        var rest = new UInt256(next, r0, r1) - new UInt256(0, d0, d1) + new UInt256(d0, d1, d2, d3);
        (r3, r2, r1, r0) = (rest.U3, rest.U2, rest.U1, rest.U0);
        return ulong.MaxValue;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddBack(
        ref ulong n3, ref ulong n2, ref ulong n1, ref ulong n0, ulong d3, ulong d2, ulong d1, ulong d0)
    {
        AddWithCarry(new UInt256(n0, n1, n2, n3), new UInt256(d0, d1, d2, d3), out var sum);
        (n3, n2, n1, n0) = (sum.U3, sum.U2, sum.U1, sum.U0);
    }

    /// <summary>The upper limb of (high:low) shifted left by 0 to 63.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Upper(ulong high, ulong low, int shift) => (high << shift) | ((low >> 1) >> (63 - shift));

    /// <summary>The lower limb of (high:low) shifted right by 0 to 63.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Lower(ulong low, ulong high, int shift) => (low >> shift) | ((high << 1) << (63 - shift));

    /// <summary>(high:low) / divisor, for high below the divisor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong DivideTwoByOne(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        if (X86Base.X64.IsSupported)
        {
            // The intrinsic's shape may still change, says the framework; the fallback below needs none.
#pragma warning disable SYSLIB5004
            (var quotient, remainder) = X86Base.X64.DivRem(low, high, divisor);
#pragma warning restore SYSLIB5004
            return quotient;
        }

        var (wide, rest) = UInt128.DivRem(new UInt128(high, low), divisor);
        remainder = (ulong)rest;
        return (ulong)wide;
    }

    /// <summary>
    /// floor((2^192 - 1) / (d1:d0)) - 2^64, for a d1 with its top bit set (algorithm 6 of the paper).
    /// </summary>
    private static ulong InverseOfTwo(ulong d1, ulong d0)
    {
        var v = DivideTwoByOne(~d1, ulong.MaxValue, d1, out _);
        var p = (d1 * v) + d0;
        if (p < d0)
        {
            v--;
            if (p >= d1)
            {
                v--;
                p -= d1;
            }

            p -= d1;
        }

        var t0 = v * d0;
        var t1 = HighProduct(v, d0);
        p += t1;
        if (p < t1)
        {
            v--;
            if (p > d1 || (p == d1 && t0 >= d0))
            {
                v--;
            }
        }

        return v;
    }

    /// <summary>(u2:u1:u0) / (d1:d0), for (u2:u1) below the divisor (algorithm 5 of the paper).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong DivideThreeByTwo(
        ulong u2, ulong u1, ulong u0, ulong d1, ulong d0, ulong inverse, out ulong r1, out ulong r0)
    {
        var q0 = inverse * u2;
        var q1 = HighProduct(inverse, u2);
        q0 += u1;
        q1 += u2 + (q0 < u1 ? 1UL : 0);
        var t0 = d0 * q1;
        var t1 = HighProduct(d0, q1);
        r0 = u0 - t0;
        r1 = u1 - (q1 * d1) - t1 - (u0 < t0 ? 1UL : 0);
        r1 -= d1 + (r0 < d0 ? 1UL : 0);
        r0 -= d0;
        q1++;
        if (r1 >= q0)
        {
            q1--;
            r0 += d0;
            r1 += d1 + (r0 < d0 ? 1UL : 0);
        }

        if (r1 > d1 || (r1 == d1 && r0 >= d0))
        {
            q1++;
            r1 -= d1 + (r0 < d0 ? 1UL : 0);
            r0 -= d0;
        }

        return q1;
    }

    /// <summary>A sum or product of two words: eight limbs one behind the other.</summary>
    private struct Limbs8
    {
        internal UInt256 Low, High;
    }
}
