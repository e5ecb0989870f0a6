using System.Numerics;

namespace SuperVm.Core.Primitives;

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
        if (b.IsZero)
        {
            quotient = remainder = Zero;
            return;
        }

        if (a < b)
        {
            quotient = Zero;
            remainder = a;
            return;
        }

        if (a.IsUInt64)
        {
            var (q, r) = Math.DivRem(a.U0, b.U0);
            quotient = q;
            remainder = r;
            return;
        }

        Span<ulong> dividend = [a.U0, a.U1, a.U2, a.U3];
        Span<ulong> q4 = stackalloc ulong[4];
        q4.Clear();
        remainder = DivideLimbs(dividend, b, q4);
        quotient = new UInt256(q4[0], q4[1], q4[2], q4[3]);
    }

    /// <summary>Division in two's complement (SDIV): rounds to zero; the lowest number by -1 gives itself.</summary>
    public static UInt256 SignedDivide(in UInt256 a, in UInt256 b)
    {
        var quotient = Magnitude(a) / Magnitude(b);
        return a.IsNegative != b.IsNegative ? -quotient : quotient;
    }

    /// <summary>Remainder in two's complement (SMOD): takes the sign of a.</summary>
    public static UInt256 SignedModulo(in UInt256 a, in UInt256 b)
    {
        var remainder = Magnitude(a) % Magnitude(b);
        return a.IsNegative ? -remainder : remainder;
    }

    /// <summary>(a + b) mod m without losing the carry; 0 where m is 0.</summary>
    public static UInt256 AddMod(in UInt256 a, in UInt256 b, in UInt256 m)
    {
        if (m.IsZero)
        {
            return Zero;
        }

        var carry = AddWithCarry(a, b, out var sum);
        if (!carry)
        {
            return sum < m ? sum : sum % m;
        }

        Span<ulong> dividend = [sum.U0, sum.U1, sum.U2, sum.U3, 1];
        Span<ulong> quotient = stackalloc ulong[5];
        quotient.Clear();
        return DivideLimbs(dividend, m, quotient);
    }

    /// <summary>(a * b) mod m over the full 512-bit product; 0 where m is 0.</summary>
    public static UInt256 MulMod(in UInt256 a, in UInt256 b, in UInt256 m)
    {
        if (m.IsZero)
        {
            return Zero;
        }

        var high = BigMul(a, b, out var low);
        if (high.IsZero)
        {
            return low < m ? low : low % m;
        }

        Span<ulong> dividend = [low.U0, low.U1, low.U2, low.U3, high.U0, high.U1, high.U2, high.U3];
        Span<ulong> quotient = stackalloc ulong[8];
        quotient.Clear();
        return DivideLimbs(dividend, m, quotient);
    }

    private static UInt256 Magnitude(in UInt256 a) => a.IsNegative ? -a : a;

    /// <summary>Knuth's algorithm D (TAOCP 4.3.1) on 64-bit limbs; the quotient has room for the dividend's limbs.</summary>
    private static UInt256 DivideLimbs(ReadOnlySpan<ulong> dividend, in UInt256 divisor, Span<ulong> quotient)
    {
        var n = divisor.U3 != 0 ? 4 : divisor.U2 != 0 ? 3 : divisor.U1 != 0 ? 2 : 1;
        Span<ulong> v = [divisor.U0, divisor.U1, divisor.U2, divisor.U3];
        if (n == 1)
        {
            var small = Reciprocal.Normalize(v[0]);
            return DivideBySingle(dividend, small, quotient);
        }

        var shift = BitOperations.LeadingZeroCount(v[n - 1]);
        var m = dividend.Length;
        Span<ulong> u = stackalloc ulong[9];
        ShiftLeft(dividend, shift, u[..(m + 1)]);
        var normalized = divisor << shift;
        v[0] = normalized.U0;
        v[1] = normalized.U1;
        v[2] = normalized.U2;
        v[3] = normalized.U3;
        var reciprocal = new Reciprocal(v[n - 1]);
        for (var j = m - n; j >= 0; j--)
        {
            quotient[j] = QuotientDigit(u.Slice(j, n + 1), v[..n], reciprocal);
        }

        Span<ulong> r = stackalloc ulong[4];
        r.Clear();
        for (var i = 0; i < n; i++)
        {
            r[i] = shift == 0 ? u[i] : (u[i] >> shift) | (u[i + 1] << (64 - shift));
        }

        return new UInt256(r[0], r[1], r[2], r[3]);
    }

    private static void ShiftLeft(ReadOnlySpan<ulong> source, int shift, Span<ulong> destination)
    {
        ulong carry = 0;
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = (source[i] << shift) | carry;
            carry = shift == 0 ? 0 : source[i] >> (64 - shift);
        }

        destination[source.Length] = carry;
    }

    private static UInt256 DivideBySingle(ReadOnlySpan<ulong> dividend, Reciprocal divisor, Span<ulong> quotient)
    {
        Span<ulong> u = stackalloc ulong[9];
        var length = dividend.Length;
        ShiftLeft(dividend, divisor.Shift, u[..(length + 1)]);
        var remainder = u[length];
        for (var i = length - 1; i >= 0; i--)
        {
            quotient[i] = divisor.Divide(remainder, u[i], out remainder);
        }

        return remainder >> divisor.Shift;
    }

    /// <summary>One digit: estimates from the top limbs, subtracts, and adds back at most twice.</summary>
    private static ulong QuotientDigit(Span<ulong> u, ReadOnlySpan<ulong> v, Reciprocal reciprocal)
    {
        var n = v.Length;
        ulong estimate;
        if (u[n] >= v[n - 1])
        {
            estimate = ulong.MaxValue;
        }
        else
        {
            estimate = reciprocal.Divide(u[n], u[n - 1], out var rest);
            var high = Math.BigMul(estimate, v[n - 2], out var low);
            while (high > rest || (high == rest && low > u[n - 2]))
            {
                estimate--;
                rest += v[n - 1];
                if (rest < v[n - 1])
                {
                    break;
                }

                high -= low < v[n - 2] ? 1UL : 0;
                low -= v[n - 2];
            }
        }

        ulong borrow = 0;
        for (var i = 0; i < n; i++)
        {
            MultiplyAdd(estimate, v[i], borrow, 0, out var product, out borrow);
            borrow += u[i] < product ? 1UL : 0;
            u[i] -= product;
        }

        var top = u[n];
        u[n] = top - borrow;
        var negative = top < borrow;
        while (negative)
        {
            estimate--;
            ulong carry = 0;
            for (var i = 0; i < n; i++)
            {
                var sum = u[i] + v[i];
                var overflow = sum < u[i] ? 1UL : 0;
                sum += carry;
                carry = overflow | (sum < carry ? 1UL : 0);
                u[i] = sum;
            }

            u[n] += carry;
            negative = carry == 0;
        }

        return estimate;
    }

    /// <summary>A normalized divisor with its 2-by-1 reciprocal (Möller and Granlund, 2011).</summary>
    private readonly struct Reciprocal
    {
        private readonly ulong _divisor, _inverse;

        internal Reciprocal(ulong normalized, int shift = 0)
        {
            _divisor = normalized;
            _inverse = (ulong)(((((UInt128)~normalized) << 64) | ulong.MaxValue) / normalized);
            Shift = shift;
        }

        internal int Shift { get; }

        internal static Reciprocal Normalize(ulong divisor)
        {
            var shift = BitOperations.LeadingZeroCount(divisor);
            return new Reciprocal(divisor << shift, shift);
        }

        /// <summary>(high:low) / divisor, for high below the divisor.</summary>
        internal ulong Divide(ulong high, ulong low, out ulong remainder)
        {
            var q1 = Math.BigMul(_inverse, high, out var q0);
            q0 += low;
            q1 += high + (q0 < low ? 1UL : 0) + 1;
            var r = low - (q1 * _divisor);
            if (r > q0)
            {
                q1--;
                r += _divisor;
            }

            if (r >= _divisor)
            {
                q1++;
                r -= _divisor;
            }

            remainder = r;
            return q1;
        }
    }
}
