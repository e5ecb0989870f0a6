using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Primitives;

/// <content>
/// Division: one limb by the machine's 128-by-64 division, more by Knuth's algorithm D (TAOCP 4.3.1) with the 3-by-2
/// reciprocal of Möller and Granlund ("Improved division by invariant integers", 2011), whose digits are at most one
/// too high.
/// </content>
public readonly unsafe partial struct UInt256
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
    [SkipLocalsInit]
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

        if (TryDivRemWide(a, b, out quotient, out remainder))
        {
            return;
        }

        var u = stackalloc ulong[5] { a.U0, a.U1, a.U2, a.U3, 0 };
        var q = stackalloc ulong[4] { 0, 0, 0, 0 };
        remainder = DivideLimbs(u, Length(a), b, q);
        quotient = new UInt256(q[0], q[1], q[2], q[3]);
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
    [SkipLocalsInit]
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

        var u = stackalloc ulong[6] { sum.U0, sum.U1, sum.U2, sum.U3, 1, 0 };
        return m.IsZero ? Zero : DivideLimbs(u, 5, m, null);
    }

    /// <summary>(a * b) mod m over the full 512-bit product; 0 where m is 0.</summary>
    [SkipLocalsInit]
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

        var u = stackalloc ulong[9] { low.U0, low.U1, low.U2, low.U3, high.U0, high.U1, high.U2, high.U3, 0 };
        return DivideLimbs(u, 4 + Length(high), m, null);
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
    /// <param name="u">The dividend's limbs and room for one more above them; destroyed.</param>
    /// <param name="length">The number of the dividend's limbs.</param>
    /// <param name="divisor">The divisor.</param>
    /// <param name="quotient">Zeros where the quotient's limbs go, as many as the dividend has; null: not
    /// wanted.</param>
    /// <returns>The remainder.</returns>
    private static UInt256 DivideLimbs(ulong* u, int length, in UInt256 divisor, ulong* quotient)
    {
        // Unsafe: all indexes are below length + 1 of u and below 4 of v, which the loops' bounds say.
        var n = Length(divisor);
        if (n == 1)
        {
            return RemainderByLimb(u, length, divisor.U0);
        }

        var shift = BitOperations.LeadingZeroCount(n == 4 ? divisor.U3 : n == 3 ? divisor.U2 : divisor.U1);
        var v = divisor << shift;
        u[length] = 0;
        if (shift != 0)
        {
            for (var i = length; i > 0; i--)
            {
                u[i] = (u[i] << shift) | (u[i - 1] >> (64 - shift));
            }

            u[0] <<= shift;
        }

        if (n == 2)
        {
            DivideByTwo(u, length, v.U1, v.U0, quotient);
        }
        else
        {
            DivideByMore(u, length, n, v, quotient);
        }

        var rest = new UInt256(u[0], u[1], n > 2 ? u[2] : 0, n > 3 ? u[3] : 0);
        return rest >> shift;
    }

    /// <summary>For sums and products only: quotients by one limb are <see cref="DivRemByLimb"/>'s.</summary>
    private static UInt256 RemainderByLimb(ulong* u, int length, ulong divisor)
    {
        ulong rest = 0;
        for (var i = length - 1; i >= 0; i--)
        {
            DivideTwoByOne(rest, u[i], divisor, out rest);
        }

        return rest;
    }

    private static void DivideByTwo(ulong* u, int length, ulong d1, ulong d0, ulong* quotient)
    {
        var inverse = InverseOfTwo(d1, d0);
        var (r1, r0) = (u[length], u[length - 1]);
        for (var j = length - 2; j >= 0; j--)
        {
            var digit = DivideThreeByTwo(r1, r0, u[j], d1, d0, inverse, out r1, out r0);
            if (quotient != null)
            {
                quotient[j] = digit;
            }
        }

        u[0] = r0;
        u[1] = r1;
    }

    /// <summary>Three or four limbs: the top two give a digit, the others correct it, seldom, by one.</summary>
    private static void DivideByMore(ulong* u, int length, int n, in UInt256 divisor, ulong* quotient)
    {
        var v = stackalloc ulong[4] { divisor.U0, divisor.U1, divisor.U2, divisor.U3 };
        var (d1, d0) = (v[n - 1], v[n - 2]);
        var inverse = InverseOfTwo(d1, d0);
        for (var j = length - n; j >= 0; j--)
        {
            var top = u + j + n;
            ulong digit;
            if (top[0] == d1 && top[-1] == d0)
            {
                digit = ulong.MaxValue;
                MultiplySubtract(u + j, v, n, digit);
            }
            else
            {
                digit = DivideThreeByTwo(top[0], top[-1], top[-2], d1, d0, inverse, out var r1, out var r0);
                var borrow = MultiplySubtract(u + j, v, n - 2, digit);
                top[-2] = r0 - borrow;
                borrow = r0 < borrow ? 1UL : 0;
                top[-1] = r1 - borrow;
                if (r1 < borrow)
                {
                    digit--;
                    AddBack(u + j, v, n);
                }
            }

            if (quotient != null)
            {
                quotient[j] = digit;
            }
        }
    }

    /// <summary>u -= v * digit over some limbs; answers the borrow from the limb above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong MultiplySubtract(ulong* u, ulong* v, int count, ulong digit)
    {
        ulong borrow = 0;
        for (var i = 0; i < count; i++)
        {
            var high = Math.BigMul(digit, v[i], out var low);
            low += borrow;
            high += low < borrow ? 1UL : 0;
            borrow = high + (u[i] < low ? 1UL : 0);
            u[i] -= low;
        }

        return borrow;
    }

    private static void AddBack(ulong* u, ulong* v, int count)
    {
        ulong carry = 0;
        for (var i = 0; i < count; i++)
        {
            var sum = u[i] + v[i];
            var overflow = sum < v[i] ? 1UL : 0;
            sum += carry;
            carry = overflow | (sum < carry ? 1UL : 0);
            u[i] = sum;
        }
    }

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

        var t1 = Math.BigMul(v, d0, out var t0);
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
        var q1 = Math.BigMul(inverse, u2, out var q0);
        q0 += u1;
        q1 += u2 + (q0 < u1 ? 1UL : 0);
        var t1 = Math.BigMul(d0, q1, out var t0);
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
}
