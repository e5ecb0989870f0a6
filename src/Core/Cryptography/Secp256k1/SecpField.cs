using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>An element of the field of secp256k1, modulo p = 2^256 - 2^32 - 977 (SEC 2, section 2.4.1).</summary>
/// <remarks>
/// Four limbs, least significant first, any value below 2^256 that is congruent to the element: 2^256 is
/// <see cref="Excess"/> modulo p, so that what overflows is multiplied by it and added back. Only comparison and output
/// bring it below p. No operation but <see cref="InvertFast"/> branches on the value, save for carries that a value of
/// chance meets once in 2^31 times.
/// </remarks>
internal readonly struct SecpField(ulong l0, ulong l1, ulong l2, ulong l3)
{
    /// <summary>2^256 - p.</summary>
    private const ulong Excess = 0x1000003D1;

    private const ulong P0 = 0xFFFFFFFEFFFFFC2F;

    private static readonly ModularInverse Inverter = new([P0, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue]);

    internal readonly ulong L0 = l0, L1 = l1, L2 = l2, L3 = l3;

    internal static SecpField Zero => default;

    internal static SecpField One => new(1, 0, 0, 0);

    internal static UInt256 Modulus => new(P0, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue);

    internal static SecpField From(in UInt256 value) => new(value.U0, value.U1, value.U2, value.U3);

    /// <summary>The element as a number below p.</summary>
    internal UInt256 ToUInt256()
    {
        ulong carry = 0;
        var s0 = Limbs.Add(L0, Excess, ref carry);
        var s1 = Limbs.Add(L1, 0, ref carry);
        var s2 = Limbs.Add(L2, 0, ref carry);
        var s3 = Limbs.Add(L3, 0, ref carry);
        var mask = Limbs.Mask(carry);
        return new UInt256(
            (s0 & mask) | (L0 & ~mask), (s1 & mask) | (L1 & ~mask),
            (s2 & mask) | (L2 & ~mask), (s3 & mask) | (L3 & ~mask));
    }

    internal bool IsZero =>
        (L0 | L1 | L2 | L3) == 0 || (L0 == P0 && (L1 & L2 & L3) == ulong.MaxValue);

    internal bool IsOdd => (ToUInt256().U0 & 1) != 0;

    internal static bool AreEqual(in SecpField a, in SecpField b) => (a - b).IsZero;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static SecpField operator +(in SecpField a, in SecpField b)
    {
        ulong carry = 0;
        var r0 = Limbs.Add(a.L0, b.L0, ref carry);
        var r1 = Limbs.Add(a.L1, b.L1, ref carry);
        var r2 = Limbs.Add(a.L2, b.L2, ref carry);
        var r3 = Limbs.Add(a.L3, b.L3, ref carry);
        var more = Limbs.Mask(carry) & Excess;
        r0 += more;
        return r0 < more ? CarryOn(r0, r1, r2, r3) : new SecpField(r0, r1, r2, r3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static SecpField operator -(in SecpField a, in SecpField b)
    {
        ulong borrow = 0;
        var r0 = Limbs.Subtract(a.L0, b.L0, ref borrow);
        var r1 = Limbs.Subtract(a.L1, b.L1, ref borrow);
        var r2 = Limbs.Subtract(a.L2, b.L2, ref borrow);
        var r3 = Limbs.Subtract(a.L3, b.L3, ref borrow);
        var less = Limbs.Mask(borrow) & Excess;
        return r0 < less ? BorrowOn(r0 - less, r1, r2, r3) : new SecpField(r0 - less, r1, r2, r3);
    }

    public static SecpField operator -(in SecpField a) => Zero - a;

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static SecpField operator *(in SecpField a, in SecpField b)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3;
        ulong b0 = b.L0, b1 = b.L1, b2 = b.L2, b3 = b.L3;
        var c = Math.BigMul(a0, b0, out var r0);
        var r1 = Limbs.MultiplyAdd(a0, b1, c, out c);
        var r2 = Limbs.MultiplyAdd(a0, b2, c, out c);
        var r3 = Limbs.MultiplyAdd(a0, b3, c, out var r4);
        r1 = Limbs.MultiplyAdd(a1, b0, r1, out c);
        r2 = Limbs.MultiplyAdd(a1, b1, r2, c, out c);
        r3 = Limbs.MultiplyAdd(a1, b2, r3, c, out c);
        r4 = Limbs.MultiplyAdd(a1, b3, r4, c, out var r5);
        r2 = Limbs.MultiplyAdd(a2, b0, r2, out c);
        r3 = Limbs.MultiplyAdd(a2, b1, r3, c, out c);
        r4 = Limbs.MultiplyAdd(a2, b2, r4, c, out c);
        r5 = Limbs.MultiplyAdd(a2, b3, r5, c, out var r6);
        r3 = Limbs.MultiplyAdd(a3, b0, r3, out c);
        r4 = Limbs.MultiplyAdd(a3, b1, r4, c, out c);
        r5 = Limbs.MultiplyAdd(a3, b2, r5, c, out c);
        r6 = Limbs.MultiplyAdd(a3, b3, r6, c, out var r7);
        return Reduce(r0, r1, r2, r3, r4, r5, r6, r7);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static SecpField Square(in SecpField a)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3;

        // The products of different limbs once, doubled, then the squares.
        var c = Math.BigMul(a0, a1, out var r1);
        var r2 = Limbs.MultiplyAdd(a0, a2, c, out c);
        var r3 = Limbs.MultiplyAdd(a0, a3, c, out var r4);
        r3 = Limbs.MultiplyAdd(a1, a2, r3, out c);
        r4 = Limbs.MultiplyAdd(a1, a3, r4, c, out var r5);
        r5 = Limbs.MultiplyAdd(a2, a3, r5, out var r6);
        var r7 = r6 >> 63;
        r6 = (r6 << 1) | (r5 >> 63);
        r5 = (r5 << 1) | (r4 >> 63);
        r4 = (r4 << 1) | (r3 >> 63);
        r3 = (r3 << 1) | (r2 >> 63);
        r2 = (r2 << 1) | (r1 >> 63);
        r1 <<= 1;
        c = Math.BigMul(a0, a0, out var r0);
        ulong carry = 0;
        r1 = Limbs.Add(r1, c, ref carry);
        c = Math.BigMul(a1, a1, out var low);
        r2 = Limbs.Add(r2, low, ref carry);
        r3 = Limbs.Add(r3, c, ref carry);
        c = Math.BigMul(a2, a2, out low);
        r4 = Limbs.Add(r4, low, ref carry);
        r5 = Limbs.Add(r5, c, ref carry);
        c = Math.BigMul(a3, a3, out low);
        r6 = Limbs.Add(r6, low, ref carry);
        r7 = r7 + c + carry;
        return Reduce(r0, r1, r2, r3, r4, r5, r6, r7);
    }

    /// <summary>The element times a small number (below 2^31).</summary>
    internal static SecpField Scale(in SecpField a, ulong factor)
    {
        var r0 = Limbs.MultiplyAdd(a.L0, factor, 0, out var c);
        var r1 = Limbs.MultiplyAdd(a.L1, factor, c, out c);
        var r2 = Limbs.MultiplyAdd(a.L2, factor, c, out c);
        var r3 = Limbs.MultiplyAdd(a.L3, factor, c, out c);
        return FoldTop(r0, r1, r2, r3, c);
    }

    /// <summary>The element divided by two: the odd ones plus p are even.</summary>
    internal static SecpField Half(in SecpField a)
    {
        var mask = Limbs.Mask(a.L0 & 1);
        ulong carry = 0;
        var r0 = Limbs.Add(a.L0, mask & P0, ref carry);
        var r1 = Limbs.Add(a.L1, mask, ref carry);
        var r2 = Limbs.Add(a.L2, mask, ref carry);
        var r3 = Limbs.Add(a.L3, mask, ref carry);
        return new SecpField(
            (r0 >> 1) | (r1 << 63), (r1 >> 1) | (r2 << 63), (r2 >> 1) | (r3 << 63), (r3 >> 1) | (carry << 63));
    }

    /// <summary>a where the mask is zero, b where it is all ones.</summary>
    internal static SecpField Select(in SecpField a, in SecpField b, ulong mask) => new(
        a.L0 ^ (mask & (a.L0 ^ b.L0)), a.L1 ^ (mask & (a.L1 ^ b.L1)),
        a.L2 ^ (mask & (a.L2 ^ b.L2)), a.L3 ^ (mask & (a.L3 ^ b.L3)));

    internal static SecpField SquareTimes(SecpField a, int count)
    {
        for (var i = 0; i < count; i++)
        {
            a = Square(a);
        }

        return a;
    }

    /// <summary>The square root a^((p+1)/4); false where a has none.</summary>
    internal static bool TrySquareRoot(in SecpField a, out SecpField root)
    {
        Runs(a, out var x2, out _, out var x22, out var x223);
        root = SquareTimes(SquareTimes(SquareTimes(x223, 23) * x22, 6) * x2, 2);
        return AreEqual(Square(root), a);
    }

    /// <summary>The inverse a^(p-2), in constant time; zero for zero.</summary>
    internal static SecpField Invert(in SecpField a)
    {
        Runs(a, out var x2, out _, out var x22, out var x223);
        return SquareTimes(SquareTimes(SquareTimes(SquareTimes(x223, 23) * x22, 5) * a, 3) * x2, 2) * a;
    }

    /// <summary>The inverse of a value that is no secret.</summary>
    internal static SecpField InvertFast(in SecpField a)
    {
        var value = a.ToUInt256();
        Span<ulong> words = [value.U0, value.U1, value.U2, value.U3];
        Inverter.Invert(words, words);
        return new SecpField(words[0], words[1], words[2], words[3]);
    }

    /// <summary>
    /// Powers whose exponents are runs of 2, 3, 22 and 223 one bits, the pieces that p - 2 and (p + 1) / 4 share.
    /// </summary>
    private static void Runs(
        in SecpField a, out SecpField x2, out SecpField x3, out SecpField x22, out SecpField x223)
    {
        x2 = Square(a) * a;
        x3 = Square(x2) * a;
        var x6 = SquareTimes(x3, 3) * x3;
        var x11 = SquareTimes(SquareTimes(x6, 3) * x3, 2) * x2;
        x22 = SquareTimes(x11, 11) * x11;
        var x44 = SquareTimes(x22, 22) * x22;
        var x88 = SquareTimes(x44, 44) * x44;
        var x176 = SquareTimes(x88, 88) * x88;
        x223 = SquareTimes(SquareTimes(x176, 44) * x44, 3) * x3;
    }

    /// <summary>The rest of an addition whose lowest limb overflowed at the last: one in 2^31.</summary>
    private static SecpField CarryOn(ulong r0, ulong r1, ulong r2, ulong r3) =>
        ++r1 == 0 && ++r2 == 0 && ++r3 == 0
            ? new SecpField(r0 + Excess, r1, r2, r3)
            : new SecpField(r0, r1, r2, r3);

    /// <summary>The rest of a subtraction whose lowest limb went below zero at the last: one in 2^31.</summary>
    private static SecpField BorrowOn(ulong r0, ulong r1, ulong r2, ulong r3) =>
        r1-- == 0 && r2-- == 0 && r3-- == 0
            ? new SecpField(r0 - Excess, r1, r2, r3)
            : new SecpField(r0, r1, r2, r3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static SecpField Reduce(
        ulong r0, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5, ulong r6, ulong r7)
    {
        r0 = Limbs.MultiplyAdd(r4, Excess, r0, out var c);
        r1 = Limbs.MultiplyAdd(r5, Excess, r1, c, out c);
        r2 = Limbs.MultiplyAdd(r6, Excess, r2, c, out c);
        r3 = Limbs.MultiplyAdd(r7, Excess, r3, c, out c);
        return FoldTop(r0, r1, r2, r3, c);
    }

    /// <summary>
    /// Adds top * 2^256, the top below 2^35; the second overflow, of one bit, cannot overflow again.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static SecpField FoldTop(ulong r0, ulong r1, ulong r2, ulong r3, ulong top)
    {
        r0 = Limbs.MultiplyAdd(top, Excess, r0, out var c);
        r1 += c;
        c = r1 < c ? 1UL : 0;
        r2 += c;
        c = r2 < c ? 1UL : 0;
        r3 += c;
        c = r3 < c ? 1UL : 0;
        return new SecpField(r0 + (Limbs.Mask(c) & Excess), r1, r2, r3);
    }
}
