using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Primitives;

/// <summary>Division of 256-bit numbers by 65 to 256 bits, in registers: no arrays, no loops.</summary>
/// <remarks>
/// Möller and Granlund, "Improved division by invariant integers" (2011): both are shifted so that the divisor's
/// top bit is set; its two highest limbs then give each digit of the quotient, and those below correct it, seldom.
/// </remarks>
public readonly unsafe partial struct UInt256
{
    /// <summary>For a divisor of at least two limbs; false in one seldom case that is left to loops.</summary>
    private static bool TryDivRemWide(in UInt256 a, in UInt256 b, out UInt256 quotient, out UInt256 remainder)
    {
        var (b0, b1, b2, b3) = (b.U0, b.U1, b.U2, b.U3);
        var shift = BitOperations.LeadingZeroCount(b3 != 0 ? b3 : b2 != 0 ? b2 : b1);
        var u0 = a.U0 << shift;
        var u1 = Joined(a.U1, a.U0, shift);
        var u2 = Joined(a.U2, a.U1, shift);
        var u3 = Joined(a.U3, a.U2, shift);
        var u4 = Joined(0, a.U3, shift);
        ulong q0, q1 = 0, q2 = 0, r0, r1, r2 = 0, r3 = 0;
        var fits = true;
        if (b3 != 0)
        {
            var d = new WideDivisor(Joined(b3, b2, shift), Joined(b2, b1, shift));
            fits = d.TryFour(
                u4, u3, u2, u1, u0, Joined(b1, b0, shift), b0 << shift, out q0, out r3, out r2, out r1, out r0);
        }
        else if (b2 != 0)
        {
            var d = new WideDivisor(Joined(b2, b1, shift), Joined(b1, b0, shift));
            var low = b0 << shift;
            fits = d.TryThree(u4, u3, u2, u1, low, out q1, out r2, out r1, out r0)
                & d.TryThree(r2, r1, r0, u0, low, out q0, out r2, out r1, out r0);
        }
        else
        {
            var d = new WideDivisor(Joined(b1, b0, shift), b0 << shift);
            (r1, r0) = (u3, u2);
            if (u4 != 0 || u3 >= d.High)
            {
                q2 = d.Digit(u4, u3, u2, out r1, out r0);
            }

            q1 = d.Digit(r1, r0, u1, out r1, out r0);
            q0 = d.Digit(r1, r0, u0, out r1, out r0);
        }

        quotient = new UInt256(q0, q1, q2);
        remainder = new UInt256(
            Lowered(r1, r0, shift), Lowered(r2, r1, shift), Lowered(r3, r2, shift), r3 >> shift);
        return fits;
    }

    /// <summary>The lower limb of (high:low) shifted right by 0 to 63 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Lowered(ulong high, ulong low, int shift) => (low >> shift) | ((high << 1) << (63 - shift));

    /// <summary>The upper limb of (high:low) shifted left by 0 to 63 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Joined(ulong high, ulong low, int shift) => (high << shift) | ((low >> 1) >> (63 - shift));

    /// <summary>A product's high half; the low one is multiplied on its own, so that neither goes by memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong HighProduct(ulong a, ulong b) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _);

    /// <summary>The two highest limbs of a normalized divisor and their reciprocal.</summary>
    private readonly ref struct WideDivisor
    {
        internal readonly ulong High, Low;
        private readonly ulong _inverse;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal WideDivisor(ulong high, ulong low)
        {
            (High, Low) = (high, low);
            _inverse = InverseOfTwo(high, low);
        }

        /// <summary>(u2:u1:u0) / divisor, for (u2:u1) below it (algorithm 5 of the paper).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal ulong Digit(ulong u2, ulong u1, ulong u0, out ulong r1, out ulong r0)
        {
            var q0 = (_inverse * u2) + u1;
            var q1 = HighProduct(_inverse, u2) + u2 + (q0 < u1 ? 1UL : 0);
            var t0 = Low * q1;
            var a0 = u0 - t0;
            var a1 = u1 - (q1 * High) - HighProduct(Low, q1) - (u0 < t0 ? 1UL : 0);
            var s0 = a0 - Low;
            var s1 = a1 - High - (a0 < Low ? 1UL : 0);
            q1++;
            if (s1 >= q0)
            {
                q1--;
                (s1, s0) = (a1, a0);
            }

            if (s1 > High || (s1 == High && s0 >= Low))
            {
                q1++;
                s1 -= High + (s0 < Low ? 1UL : 0);
                s0 -= Low;
            }

            (r1, r0) = (s1, s0);
            return q1;
        }

        /// <summary>One digit of (u3:u2:u1:u0) / (divisor:v0); false where it is beyond the estimate.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal bool TryThree(
            ulong u3, ulong u2, ulong u1, ulong u0, ulong v0, out ulong q, out ulong r2, out ulong r1, out ulong r0)
        {
            q = Digit(u3, u2, u1, out var s1, out var s0);
            var p0 = q * v0;
            var p1 = HighProduct(q, v0) + (u0 < p0 ? 1UL : 0);
            r0 = u0 - p0;
            r1 = s0 - p1;
            var borrow = s0 < p1 ? 1UL : 0;
            r2 = s1 - borrow;
            if (s1 < borrow)
            {
                q--;
                r0 += v0;
                AddDivisor(r0 < v0 ? 1UL : 0, ref r2, ref r1);
            }

            return u3 != High || u2 != Low;
        }

        /// <summary>One digit of (u4 … u0) / (divisor:v1:v0); false where it is beyond the estimate.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal bool TryFour(
            ulong u4, ulong u3, ulong u2, ulong u1, ulong u0, ulong v1, ulong v0,
            out ulong q, out ulong r3, out ulong r2, out ulong r1, out ulong r0)
        {
            q = Digit(u4, u3, u2, out var s1, out var s0);
            var p0 = q * v0;
            var p1 = q * v1;
            var carried = HighProduct(q, v0) + (u0 < p0 ? 1UL : 0);
            r0 = u0 - p0;
            p1 += carried;
            var p2 = HighProduct(q, v1) + (p1 < carried ? 1UL : 0) + (u1 < p1 ? 1UL : 0);
            r1 = u1 - p1;
            r2 = s0 - p2;
            var borrow = s0 < p2 ? 1UL : 0;
            r3 = s1 - borrow;
            if (s1 < borrow)
            {
                q--;
                r0 += v0;
                var carry = r0 < v0 ? 1UL : 0;
                r1 += carry;
                carry = r1 < carry ? 1UL : 0;
                r1 += v1;
                AddDivisor(carry | (r1 < v1 ? 1UL : 0), ref r3, ref r2);
            }

            return u4 != High || u3 != Low;
        }

        private void AddDivisor(ulong carry, ref ulong r1, ref ulong r0)
        {
            r0 += carry;
            carry = r0 < carry ? 1UL : 0;
            r0 += Low;
            r1 += High + (carry | (r0 < Low ? 1UL : 0));
        }
    }
}
