using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static SuperVm.Core.Cryptography.LimbProducts;

namespace SuperVm.Core.Cryptography;

/// <summary>Eight elements of the field of secp256k1 side by side, one in each lane of 512-bit registers.</summary>
/// <remarks>
/// <code>
///   lane i:   L0 + L1 2^52 + L2 2^104 + L3 2^156 + L4 2^208      L0..L3 below 2^52, L4 below 2^49
/// </code>
/// Products are those of <see cref="LimbProducts"/>. Needs AVX-512 F and DQ.
/// </remarks>
internal struct SecpField8
{
    /// <summary>Elements side by side.</summary>
    internal const int Lanes = 8;

    private const int LimbBits = 52;
    private const int TopBits = 256 - (4 * LimbBits);
    private const ulong LimbMask = (1UL << LimbBits) - 1;
    private const ulong TopMask = (1UL << TopBits) - 1;

    /// <summary>2^256 modulo p.</summary>
    private const ulong Excess = 0x1000003D1;

    /// <summary>2^260 modulo p.</summary>
    private const ulong FoldFactor = Excess << 4;

    // 8 p, its limbs lent to each other so that each is at least 2^52 (the highest 2^50): a bias that keeps
    // differences of limbs positive.
    private const ulong Bias0 = (2UL << LimbBits) - (8 * Excess);
    private const ulong BiasMiddle = (2UL << LimbBits) - 2;
    private const ulong Bias4 = (8UL << TopBits) - 2;

    internal Vector512<ulong> L0, L1, L2, L3, L4;

    internal static bool IsSupported => LimbProducts.IsSupported;

    /// <summary>The same element in every lane.</summary>
    internal static SecpField8 Create(in SecpField value)
    {
        Span<SecpField> all = stackalloc SecpField[Lanes];
        all.Fill(value);
        return Create(all);
    }

    /// <summary>Eight elements, one a lane.</summary>
    internal static SecpField8 Create(ReadOnlySpan<SecpField> values)
    {
        Span<ulong> limbs = stackalloc ulong[5 * Lanes];
        for (var lane = 0; lane < Lanes; lane++)
        {
            WriteLimbs(values[lane], limbs, lane);
        }

        return Create(limbs);
    }

    /// <summary>Forty limbs: the eight lanes of L0, then those of L1, and so on.</summary>
    internal static SecpField8 Create(ReadOnlySpan<ulong> limbs)
    {
        SecpField8 result;
        result.L0 = Vector512.Create(limbs);
        result.L1 = Vector512.Create(limbs[Lanes..]);
        result.L2 = Vector512.Create(limbs[(2 * Lanes)..]);
        result.L3 = Vector512.Create(limbs[(3 * Lanes)..]);
        result.L4 = Vector512.Create(limbs[(4 * Lanes)..]);
        return result;
    }

    /// <summary>Writes an element's five limbs into its lane of forty.</summary>
    internal static void WriteLimbs(in SecpField value, Span<ulong> limbs, int lane)
    {
        var v = value.ToUInt256();
        limbs[lane] = v.U0 & LimbMask;
        limbs[Lanes + lane] = ((v.U0 >> 52) | (v.U1 << 12)) & LimbMask;
        limbs[(2 * Lanes) + lane] = ((v.U1 >> 40) | (v.U2 << 24)) & LimbMask;
        limbs[(3 * Lanes) + lane] = ((v.U2 >> 28) | (v.U3 << 36)) & LimbMask;
        limbs[(4 * Lanes) + lane] = v.U3 >> 16;
    }

    /// <summary>The elements of the lanes.</summary>
    internal void CopyTo(Span<SecpField> values)
    {
        for (var lane = 0; lane < Lanes; lane++)
        {
            var (l0, l1, l2, l3, l4) = (L0[lane], L1[lane], L2[lane], L3[lane], L4[lane]);
            var low = new SecpField(
                l0 | (l1 << 52), (l1 >> 12) | (l2 << 40), (l2 >> 24) | (l3 << 28), (l3 >> 36) | (l4 << 16));
            values[lane] = low + SecpField.Scale(new SecpField(Excess, 0, 0, 0), l4 >> TopBits);
        }
    }

    /// <summary>a where a lane's mask is zero, b where it is all ones.</summary>
    internal static void Select(in SecpField8 a, in SecpField8 b, Vector512<ulong> mask, out SecpField8 result)
    {
        result.L0 = Vector512.ConditionalSelect(mask, b.L0, a.L0);
        result.L1 = Vector512.ConditionalSelect(mask, b.L1, a.L1);
        result.L2 = Vector512.ConditionalSelect(mask, b.L2, a.L2);
        result.L3 = Vector512.ConditionalSelect(mask, b.L3, a.L3);
        result.L4 = Vector512.ConditionalSelect(mask, b.L4, a.L4);
    }

    /// <summary>a + b.</summary>
    internal static void Add(in SecpField8 a, in SecpField8 b, out SecpField8 sum) =>
        Carry(a.L0 + b.L0, a.L1 + b.L1, a.L2 + b.L2, a.L3 + b.L3, a.L4 + b.L4, out sum);

    /// <summary>3 a.</summary>
    internal static void Triple(in SecpField8 a, out SecpField8 result) => Carry(
        a.L0 + a.L0 + a.L0, a.L1 + a.L1 + a.L1, a.L2 + a.L2 + a.L2, a.L3 + a.L3 + a.L3, a.L4 + a.L4 + a.L4,
        out result);

    /// <summary>2^shiftA a - 2^shiftB b; shifts up to 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Subtract(
        in SecpField8 a, int shiftA, in SecpField8 b, int shiftB, out SecpField8 difference) =>
        Carry(
            (a.L0 << shiftA) - (b.L0 << shiftB) + Vector512.Create(Bias0 << shiftB),
            (a.L1 << shiftA) - (b.L1 << shiftB) + Vector512.Create(BiasMiddle << shiftB),
            (a.L2 << shiftA) - (b.L2 << shiftB) + Vector512.Create(BiasMiddle << shiftB),
            (a.L3 << shiftA) - (b.L3 << shiftB) + Vector512.Create(BiasMiddle << shiftB),
            (a.L4 << shiftA) - (b.L4 << shiftB) + Vector512.Create(Bias4 << shiftB),
            out difference);

    /// <summary>a - b.</summary>
    internal static void Subtract(in SecpField8 a, in SecpField8 b, out SecpField8 difference) =>
        Subtract(a, 0, b, 0, out difference);

    /// <summary>a - b - 2 c.</summary>
    internal static void SubtractTwice(in SecpField8 a, in SecpField8 b, in SecpField8 c, out SecpField8 difference) =>
        Carry(
            a.L0 - b.L0 - c.L0 - c.L0 + Vector512.Create(2 * Bias0),
            a.L1 - b.L1 - c.L1 - c.L1 + Vector512.Create(2 * BiasMiddle),
            a.L2 - b.L2 - c.L2 - c.L2 + Vector512.Create(2 * BiasMiddle),
            a.L3 - b.L3 - c.L3 - c.L3 + Vector512.Create(2 * BiasMiddle),
            a.L4 - b.L4 - c.L4 - c.L4 + Vector512.Create(2 * Bias4),
            out difference);

    /// <summary>a - b, or -a - b in lanes whose mask is all ones.</summary>
    internal static void SubtractSigned(
        in SecpField8 a, Vector512<ulong> negate, in SecpField8 b, out SecpField8 difference) =>
        Carry(
            Signed(a.L0, negate, Bias0) - b.L0 + Vector512.Create(Bias0),
            Signed(a.L1, negate, BiasMiddle) - b.L1 + Vector512.Create(BiasMiddle),
            Signed(a.L2, negate, BiasMiddle) - b.L2 + Vector512.Create(BiasMiddle),
            Signed(a.L3, negate, BiasMiddle) - b.L3 + Vector512.Create(BiasMiddle),
            Signed(a.L4, negate, Bias4) - b.L4 + Vector512.Create(Bias4),
            out difference);

    /// <summary>a squared <paramref name="count"/> times.</summary>
    internal static SecpField8 SquareTimes(in SecpField8 a, int count)
    {
        var result = a;
        for (var i = 0; i < count; i++)
        {
            Square(result, out result);
        }

        return result;
    }

    /// <summary>a^((p+1)/4), a square root where there is one; the same chain as for one element.</summary>
    internal static void RootCandidate(in SecpField8 a, out SecpField8 root)
    {
        var x2 = Chain(a, 1, a);
        var x3 = Chain(x2, 1, a);
        var x6 = Chain(x3, 3, x3);
        var x11 = Chain(Chain(x6, 3, x3), 2, x2);
        var x22 = Chain(x11, 11, x11);
        var x44 = Chain(x22, 22, x22);
        var x88 = Chain(x44, 44, x44);
        var x223 = Chain(Chain(Chain(x88, 88, x88), 44, x44), 3, x3);
        root = SquareTimes(Chain(Chain(x223, 23, x22), 6, x2), 2);
    }

    /// <summary>a squared <paramref name="count"/> times, times b.</summary>
    private static SecpField8 Chain(in SecpField8 a, int count, in SecpField8 b)
    {
        Multiply(SquareTimes(a, count), b, out var product);
        return product;
    }

    private static Vector512<ulong> Signed(Vector512<ulong> limb, Vector512<ulong> negate, ulong bias) =>
        Vector512.ConditionalSelect(negate, Vector512.Create(bias) - limb, limb);

    /// <summary>Brings limbs below 2^57 to their sizes; bits from 256 on come back times 2^256 modulo p.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Carry(
        Vector512<ulong> l0, Vector512<ulong> l1, Vector512<ulong> l2, Vector512<ulong> l3, Vector512<ulong> l4,
        out SecpField8 result)
    {
        // The excess is 2^32 + 977 and the overflow has a few bits.
        var mask = Vector512.Create(LimbMask);
        var over = l4 >>> TopBits;
        l0 += (over << 32) + Avx512F.Multiply(over.AsUInt32(), Vector512.Create(977UL).AsUInt32());
        result.L0 = l0 & mask;
        l1 += l0 >>> LimbBits;
        result.L1 = l1 & mask;
        l2 += l1 >>> LimbBits;
        result.L2 = l2 & mask;
        l3 += l2 >>> LimbBits;
        result.L3 = l3 & mask;
        result.L4 = (l4 & Vector512.Create(TopMask)) + (l3 >>> LimbBits);
    }

    /// <summary>The product in every lane.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Multiply(in SecpField8 a, in SecpField8 b, out SecpField8 product)
    {
        var a0 = Factor(a.L0);
        var a1 = Factor(a.L1);
        var a2 = Factor(a.L2);
        var a3 = Factor(a.L3);
        var a4 = Factor(a.L4);
        var b0 = Factor(b.L0);
        var b1 = Factor(b.L1);
        var b2 = Factor(b.L2);
        var b3 = Factor(b.L3);
        var b4 = Factor(b.L4);
        var c0 = Start(1, 0);
        var c1 = Start(2, 1);
        var c2 = Start(3, 2);
        var c3 = Start(4, 3);
        var c4 = Start(5, 4);
        var c5 = Start(4, 5);
        var c6 = Start(3, 4);
        var c7 = Start(2, 3);
        var c8 = Start(1, 2);
        var c9 = Start(0, 1);
        AccumulateRow(b0, b1, b2, b3, b4, a0, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5);
        AccumulateRow(b0, b1, b2, b3, b4, a1, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6);
        AccumulateRow(b0, b1, b2, b3, b4, a2, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
        AccumulateRow(b0, b1, b2, b3, b4, a3, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8);
        AccumulateRow(b0, b1, b2, b3, b4, a4, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
        Reduce(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, out product);
    }

    /// <summary>The square in every lane: products of different limbs once, doubled.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Square(in SecpField8 a, out SecpField8 square)
    {
        var a0 = Factor(a.L0);
        var a1 = Factor(a.L1);
        var a2 = Factor(a.L2);
        var a3 = Factor(a.L3);
        var a4 = Factor(a.L4);
        var c1 = Start(1, 0);
        var c2 = Start(1, 1);
        var c3 = Start(2, 1);
        var c4 = Start(2, 2);
        var c5 = Start(2, 2);
        var c6 = Start(1, 2);
        var c7 = Start(1, 1);
        var c8 = Start(0, 1);
        Accumulate(a0, a1, ref c1, ref c2);
        Accumulate(a0, a2, ref c2, ref c3);
        Accumulate(a0, a3, ref c3, ref c4);
        Accumulate(a0, a4, ref c4, ref c5);
        Accumulate(a1, a2, ref c3, ref c4);
        Accumulate(a1, a3, ref c4, ref c5);
        Accumulate(a1, a4, ref c5, ref c6);
        Accumulate(a2, a3, ref c5, ref c6);
        Accumulate(a2, a4, ref c6, ref c7);
        Accumulate(a3, a4, ref c7, ref c8);
        var c0 = Start(1, 0);
        c1 = c1 + c1 + Start(0, 1);
        c2 = c2 + c2 + Start(1, 0);
        c3 = c3 + c3 + Start(0, 1);
        c4 = c4 + c4 + Start(1, 0);
        c5 = c5 + c5 + Start(0, 1);
        c6 = c6 + c6 + Start(1, 0);
        c7 = c7 + c7 + Start(0, 1);
        c8 = c8 + c8 + Start(1, 0);
        var c9 = Start(0, 1);
        Accumulate(a0, a0, ref c0, ref c1);
        Accumulate(a1, a1, ref c2, ref c3);
        Accumulate(a2, a2, ref c4, ref c5);
        Accumulate(a3, a3, ref c6, ref c7);
        Accumulate(a4, a4, ref c8, ref c9);
        Reduce(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, out square);
    }

    /// <summary>Folds ten columns, each below 2^57, into five limbs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reduce(
        Vector512<ulong> c0, Vector512<ulong> c1, Vector512<ulong> c2, Vector512<ulong> c3, Vector512<ulong> c4,
        Vector512<ulong> c5, Vector512<ulong> c6, Vector512<ulong> c7, Vector512<ulong> c8, Vector512<ulong> c9,
        out SecpField8 result)
    {
        // The upper five as limbs of 52 bits; what the lower ones carry is left with them.
        var mask = Vector512.Create(LimbMask);
        c6 += c5 >>> LimbBits;
        c7 += c6 >>> LimbBits;
        c8 += c7 >>> LimbBits;
        c9 += c8 >>> LimbBits;
        var factor = Vector512.Create((double)FoldFactor);
        c0 += Start(1, 0);
        c1 += Start(1, 1);
        c2 += Start(1, 1);
        c3 += Start(1, 1);
        c4 += Start(1, 1);
        var top = Start(0, 1);
        Accumulate(Factor(c5 & mask), factor, ref c0, ref c1);
        Accumulate(Factor(c6 & mask), factor, ref c1, ref c2);
        Accumulate(Factor(c7 & mask), factor, ref c2, ref c3);
        Accumulate(Factor(c8 & mask), factor, ref c3, ref c4);
        Accumulate(Factor(c9), factor, ref c4, ref top);

        // Bits from 256 on, below 2^43, come back times 2^256 modulo p.
        c1 += c0 >>> LimbBits;
        c2 += c1 >>> LimbBits;
        c3 += c2 >>> LimbBits;
        c4 += c3 >>> LimbBits;
        var over = Factor((c4 >>> TopBits) + (top << (LimbBits - TopBits)));
        c0 = (c0 & mask) + Start(1, 0);
        c1 = (c1 & mask) + Start(0, 1);
        Accumulate(over, Vector512.Create((double)Excess), ref c0, ref c1);
        result.L0 = c0 & mask;
        c1 += c0 >>> LimbBits;
        result.L1 = c1 & mask;
        c2 = (c2 & mask) + (c1 >>> LimbBits);
        result.L2 = c2 & mask;
        c3 = (c3 & mask) + (c2 >>> LimbBits);
        result.L3 = c3 & mask;
        result.L4 = (c4 & Vector512.Create(TopMask)) + (c3 >>> LimbBits);
    }
}
