using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>
/// An element of the field of P-256, modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-4, D.1.2.3).
/// </summary>
/// <remarks>
/// In Montgomery form (the element times 2^256), always below p. The lowest limb of p is 2^64 - 1, so that a step of
/// the reduction needs no multiplication to find its factor and only one to add that multiple of p:
/// <code>
///   p = | FFFFFFFF00000001 | 0 | 00000000FFFFFFFF | FFFFFFFFFFFFFFFF |
///   m = t0:   t + m p = (t - m) + m 2^96 + m p3 2^192     m 2^96 is two shifts
/// </code>
/// </remarks>
internal readonly struct P256Field(ulong l0, ulong l1, ulong l2, ulong l3)
{
    private const ulong P0 = ulong.MaxValue;
    private const ulong P1 = 0x00000000FFFFFFFF;
    private const ulong P3 = 0xFFFFFFFF00000001;

    private static readonly P256Field SquareOfMontgomery =
        new(0x0000000000000003, 0xFFFFFFFBFFFFFFFF, 0xFFFFFFFFFFFFFFFE, 0x00000004FFFFFFFD);

    private static readonly ModularInverse Inverter = new([P0, P1, 0, P3]);

    private readonly ulong _l0 = l0, _l1 = l1, _l2 = l2, _l3 = l3;

    internal static P256Field Zero => default;

    internal static P256Field One =>
        new(0x0000000000000001, 0xFFFFFFFF00000000, 0xFFFFFFFFFFFFFFFF, 0x00000000FFFFFFFE);

    internal static UInt256 Modulus => new(P0, P1, 0, P3);

    internal bool IsZero => (_l0 | _l1 | _l2 | _l3) == 0;

    /// <summary>The element that is this number, which is below p.</summary>
    internal static P256Field From(in UInt256 value) =>
        new P256Field(value.U0, value.U1, value.U2, value.U3) * SquareOfMontgomery;

    internal UInt256 ToUInt256()
    {
        var plain = this * new P256Field(1, 0, 0, 0);
        return new UInt256(plain._l0, plain._l1, plain._l2, plain._l3);
    }

    internal static bool AreEqual(in P256Field a, in P256Field b) =>
        ((a._l0 ^ b._l0) | (a._l1 ^ b._l1) | (a._l2 ^ b._l2) | (a._l3 ^ b._l3)) == 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static P256Field operator +(in P256Field a, in P256Field b)
    {
        ulong carry = 0;
        var r0 = Limbs.Add(a._l0, b._l0, ref carry);
        var r1 = Limbs.Add(a._l1, b._l1, ref carry);
        var r2 = Limbs.Add(a._l2, b._l2, ref carry);
        var r3 = Limbs.Add(a._l3, b._l3, ref carry);
        return Below(r0, r1, r2, r3, carry);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static P256Field operator -(in P256Field a, in P256Field b)
    {
        ulong borrow = 0;
        var r0 = Limbs.Subtract(a._l0, b._l0, ref borrow);
        var r1 = Limbs.Subtract(a._l1, b._l1, ref borrow);
        var r2 = Limbs.Subtract(a._l2, b._l2, ref borrow);
        var r3 = Limbs.Subtract(a._l3, b._l3, ref borrow);
        if (borrow == 0)
        {
            return new P256Field(r0, r1, r2, r3);
        }

        ulong carry = 0;
        r0 = Limbs.Add(r0, P0, ref carry);
        r1 = Limbs.Add(r1, P1, ref carry);
        r2 = Limbs.Add(r2, 0, ref carry);
        return new P256Field(r0, r1, r2, r3 + P3 + carry);
    }

    public static P256Field operator -(in P256Field a) => Zero - a;

    /// <remarks>
    /// Row by row, product and reduction together, written out: in helpers the compiler leaves the limbs in memory.
    /// </remarks>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static P256Field operator *(in P256Field a, in P256Field b)
    {
        ulong a0 = a._l0, a1 = a._l1, a2 = a._l2, a3 = a._l3;
        var row = b._l0;
        var m = Limbs.MultiplyAdd(a0, row, 0, out var c);
        var r1 = Limbs.MultiplyAdd(a1, row, c, out c);
        var r2 = Limbs.MultiplyAdd(a2, row, c, out c);
        var r3 = Limbs.MultiplyAdd(a3, row, c, out var r4);
        ulong r5 = 0;
        ulong carry = 0;
        var r0 = Limbs.Add(r1, m << 32, ref carry);
        r1 = Limbs.Add(r2, m >> 32, ref carry);
        r2 = Limbs.MultiplyAdd(m, P3, r3, carry, out c);
        r3 = r4 + c;
        r4 = r5 + (r3 < c ? 1UL : 0);

        row = b._l1;
        m = Limbs.MultiplyAdd(a0, row, r0, out c);
        r1 = Limbs.MultiplyAdd(a1, row, r1, c, out c);
        r2 = Limbs.MultiplyAdd(a2, row, r2, c, out c);
        r3 = Limbs.MultiplyAdd(a3, row, r3, c, out c);
        r4 += c;
        r5 = r4 < c ? 1UL : 0;
        carry = 0;
        r0 = Limbs.Add(r1, m << 32, ref carry);
        r1 = Limbs.Add(r2, m >> 32, ref carry);
        r2 = Limbs.MultiplyAdd(m, P3, r3, carry, out c);
        r3 = r4 + c;
        r4 = r5 + (r3 < c ? 1UL : 0);

        row = b._l2;
        m = Limbs.MultiplyAdd(a0, row, r0, out c);
        r1 = Limbs.MultiplyAdd(a1, row, r1, c, out c);
        r2 = Limbs.MultiplyAdd(a2, row, r2, c, out c);
        r3 = Limbs.MultiplyAdd(a3, row, r3, c, out c);
        r4 += c;
        r5 = r4 < c ? 1UL : 0;
        carry = 0;
        r0 = Limbs.Add(r1, m << 32, ref carry);
        r1 = Limbs.Add(r2, m >> 32, ref carry);
        r2 = Limbs.MultiplyAdd(m, P3, r3, carry, out c);
        r3 = r4 + c;
        r4 = r5 + (r3 < c ? 1UL : 0);

        row = b._l3;
        m = Limbs.MultiplyAdd(a0, row, r0, out c);
        r1 = Limbs.MultiplyAdd(a1, row, r1, c, out c);
        r2 = Limbs.MultiplyAdd(a2, row, r2, c, out c);
        r3 = Limbs.MultiplyAdd(a3, row, r3, c, out c);
        r4 += c;
        r5 = r4 < c ? 1UL : 0;
        carry = 0;
        r0 = Limbs.Add(r1, m << 32, ref carry);
        r1 = Limbs.Add(r2, m >> 32, ref carry);
        r2 = Limbs.MultiplyAdd(m, P3, r3, carry, out c);
        r3 = r4 + c;
        r4 = r5 + (r3 < c ? 1UL : 0);
        return Below(r0, r1, r2, r3, r4);
    }

    internal static P256Field Square(in P256Field a) => a * a;

    /// <summary>The inverse of a value that is no secret; zero for zero.</summary>
    internal static P256Field InvertFast(in P256Field a)
    {
        // The element a 2^256 inverts to 1 / (a 2^256): two factors of 2^256 are missing, and each product loses one.
        Span<ulong> words = [a._l0, a._l1, a._l2, a._l3];
        Inverter.Invert(words, words);
        return new P256Field(words[0], words[1], words[2], words[3]) * SquareOfMontgomery * SquareOfMontgomery;
    }

    /// <summary>
    /// The value, which is below 2p, minus p where it is not below p. The highest limb decides nearly always; even a
    /// branch that is guessed wrong costs less than the subtraction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static P256Field Below(ulong r0, ulong r1, ulong r2, ulong r3, ulong top)
    {
        if (top == 0 && r3 < P3)
        {
            return new P256Field(r0, r1, r2, r3);
        }

        ulong borrow = 0;
        var s0 = Limbs.Subtract(r0, P0, ref borrow);
        var s1 = Limbs.Subtract(r1, P1, ref borrow);
        var s2 = Limbs.Subtract(r2, 0, ref borrow);
        var s3 = Limbs.Subtract(r3, P3, ref borrow);
        return (borrow & ~top) != 0 ? new P256Field(r0, r1, r2, r3) : new P256Field(s0, s1, s2, s3);
    }
}
