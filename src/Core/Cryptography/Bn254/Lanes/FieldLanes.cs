using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>Eight elements of a field of BN254 side by side, one in each lane of 512-bit registers.</summary>
/// <remarks>
/// <code>
///   lane i:   L0 + L1 2^52 + L2 2^104 + L3 2^156 + L4 2^208
/// </code>
/// In Montgomery form with R = 2^260, as <see cref="Fq"/> is. Three degrees of order, named in the comments:
/// <list type="bullet">
/// <item>tight: below 2 p, limbs below 2^52. What <see cref="Multiply"/> and the reductions return.</item>
/// <item>carried: not negative, limbs below 2^52, a few p: what <see cref="Multiply"/> takes.</item>
/// <item>loose: signed limbs that nobody has carried; only sums and reductions take them.</item>
/// </list>
/// R is 84 p, so a product of values below x p and y p is below (1 + x y / 84) p: sums and differences of a few tight
/// values need their limbs carried, and no reduction, before they are multiplied. Needs AVX-512 F and DQ.
/// </remarks>
internal partial struct FieldLanes<TModulus>
    where TModulus : struct, ILaneModulus
{
    /// <summary>Elements side by side.</summary>
    internal const int Lanes = 8;

    internal const int LimbBits = 52;
    internal const ulong LimbMask = (1UL << LimbBits) - 1;

    internal Vector512<ulong> L0, L1, L2, L3, L4;

    internal static bool IsSupported => LimbProducts.IsSupported;

    /// <summary>The same limbs in every lane.</summary>
    internal static void Broadcast(ulong l0, ulong l1, ulong l2, ulong l3, ulong l4, out FieldLanes<TModulus> result)
    {
        result.L0 = Vector512.Create(l0);
        result.L1 = Vector512.Create(l1);
        result.L2 = Vector512.Create(l2);
        result.L3 = Vector512.Create(l3);
        result.L4 = Vector512.Create(l4);
    }

    /// <summary>Limbs of four vectors of 64 bits each (256 bits a lane, plain words).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Unpack(
        Vector512<ulong> w0, Vector512<ulong> w1, Vector512<ulong> w2, Vector512<ulong> w3,
        out FieldLanes<TModulus> result)
    {
        var mask = Vector512.Create(LimbMask);
        result.L0 = w0 & mask;
        result.L1 = ((w0 >>> 52) | (w1 << 12)) & mask;
        result.L2 = ((w1 >>> 40) | (w2 << 24)) & mask;
        result.L3 = ((w2 >>> 28) | (w3 << 36)) & mask;
        result.L4 = w3 >>> 16;
    }

    /// <summary>The four words of every lane of a carried value below 2^256.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void Pack(
        out Vector512<ulong> w0, out Vector512<ulong> w1, out Vector512<ulong> w2, out Vector512<ulong> w3)
    {
        w0 = L0 | (L1 << 52);
        w1 = (L1 >>> 12) | (L2 << 40);
        w2 = (L2 >>> 24) | (L3 << 28);
        w3 = (L3 >>> 36) | (L4 << 16);
    }

    /// <summary>a + b of carried values, carried.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Add(in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, out FieldLanes<TModulus> sum) =>
        Carry(a.L0 + b.L0, a.L1 + b.L1, a.L2 + b.L2, a.L3 + b.L3, a.L4 + b.L4, out sum);

    /// <summary>a - b + <paramref name="multiple"/> p, carried; the caller knows that it is not negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Subtract(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, ulong multiple, out FieldLanes<TModulus> difference) =>
        Carry(
            a.L0 - b.L0 + Vector512.Create(multiple * TModulus.P0),
            a.L1 - b.L1 + Vector512.Create(multiple * TModulus.P1),
            a.L2 - b.L2 + Vector512.Create(multiple * TModulus.P2),
            a.L3 - b.L3 + Vector512.Create(multiple * TModulus.P3),
            a.L4 - b.L4 + Vector512.Create(multiple * TModulus.P4), out difference);

    /// <summary>a + b, tight, of tight values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddTight(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, out FieldLanes<TModulus> sum)
    {
        // a + b - 2 p, or a + b where that is negative.
        Carry(
            a.L0 + b.L0 - Vector512.Create(2 * TModulus.P0), a.L1 + b.L1 - Vector512.Create(2 * TModulus.P1),
            a.L2 + b.L2 - Vector512.Create(2 * TModulus.P2), a.L3 + b.L3 - Vector512.Create(2 * TModulus.P3),
            a.L4 + b.L4 - Vector512.Create(2 * TModulus.P4), out var less);
        AddBack(less, out sum);
    }

    /// <summary>a - b, tight, of tight values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SubtractTight(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, out FieldLanes<TModulus> difference)
    {
        Carry(a.L0 - b.L0, a.L1 - b.L1, a.L2 - b.L2, a.L3 - b.L3, a.L4 - b.L4, out var less);
        AddBack(less, out difference);
    }

    /// <summary>a - b - c, tight; a, b and c are carried or loose, and their sum lies between -60 p and 60 p.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SubtractBoth(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, in FieldLanes<TModulus> c,
        out FieldLanes<TModulus> difference) => Reduce(
            a.L0 - b.L0 - c.L0, a.L1 - b.L1 - c.L1, a.L2 - b.L2 - c.L2, a.L3 - b.L3 - c.L3, a.L4 - b.L4 - c.L4,
            out difference);

    /// <summary>a - b, tight, as above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SubtractReduced(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, out FieldLanes<TModulus> difference) =>
        Reduce(a.L0 - b.L0, a.L1 - b.L1, a.L2 - b.L2, a.L3 - b.L3, a.L4 - b.L4, out difference);

    /// <summary>-a, loose, in lanes whose mask is all ones; a elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void NegateLoose(Vector512<ulong> mask)
    {
        L0 = (L0 ^ mask) - mask;
        L1 = (L1 ^ mask) - mask;
        L2 = (L2 ^ mask) - mask;
        L3 = (L3 ^ mask) - mask;
        L4 = (L4 ^ mask) - mask;
    }

    /// <summary>The one form below p of tight values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void Canonical(out FieldLanes<TModulus> result)
    {
        Carry(
            L0 - Vector512.Create(TModulus.P0), L1 - Vector512.Create(TModulus.P1),
            L2 - Vector512.Create(TModulus.P2), L3 - Vector512.Create(TModulus.P3),
            L4 - Vector512.Create(TModulus.P4), out var less);
        var negative = Vector512.ShiftRightArithmetic(less.L4.AsInt64(), 63).AsUInt64();
        result.L0 = Vector512.ConditionalSelect(negative, L0, less.L0);
        result.L1 = Vector512.ConditionalSelect(negative, L1, less.L1);
        result.L2 = Vector512.ConditionalSelect(negative, L2, less.L2);
        result.L3 = Vector512.ConditionalSelect(negative, L3, less.L3);
        result.L4 = Vector512.ConditionalSelect(negative, L4, less.L4);
    }

    /// <summary>Whether the tight values of all lanes are equal modulo p to those of another.</summary>
    internal readonly bool EqualsAll(in FieldLanes<TModulus> other)
    {
        Canonical(out var a);
        other.Canonical(out var b);
        return ((a.L0 ^ b.L0) | (a.L1 ^ b.L1) | (a.L2 ^ b.L2) | (a.L3 ^ b.L3) | (a.L4 ^ b.L4))
            == Vector512<ulong>.Zero;
    }

    /// <summary>Limbs signed and uncarried to limbs below 2^52 (the highest signed).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Carry(
        Vector512<ulong> l0, Vector512<ulong> l1, Vector512<ulong> l2, Vector512<ulong> l3, Vector512<ulong> l4,
        out FieldLanes<TModulus> result)
    {
        var mask = Vector512.Create(LimbMask);
        l1 += Vector512.ShiftRightArithmetic(l0.AsInt64(), LimbBits).AsUInt64();
        result.L0 = l0 & mask;
        l2 += Vector512.ShiftRightArithmetic(l1.AsInt64(), LimbBits).AsUInt64();
        result.L1 = l1 & mask;
        l3 += Vector512.ShiftRightArithmetic(l2.AsInt64(), LimbBits).AsUInt64();
        result.L2 = l2 & mask;
        result.L4 = l4 + Vector512.ShiftRightArithmetic(l3.AsInt64(), LimbBits).AsUInt64();
        result.L3 = l3 & mask;
    }

    /// <summary>Carried limbs whose highest is negative get 2 p added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddBack(in FieldLanes<TModulus> less, out FieldLanes<TModulus> result)
    {
        var negative = Vector512.ShiftRightArithmetic(less.L4.AsInt64(), 63).AsUInt64();
        Carry(
            less.L0 + (negative & Vector512.Create(2 * TModulus.P0)),
            less.L1 + (negative & Vector512.Create(2 * TModulus.P1)),
            less.L2 + (negative & Vector512.Create(2 * TModulus.P2)),
            less.L3 + (negative & Vector512.Create(2 * TModulus.P3)),
            less.L4 + (negative & Vector512.Create(2 * TModulus.P4)), out result);
    }

    /// <summary>A tight value of loose limbs between -60 p and 60 p.</summary>
    /// <remarks>
    /// The quotient comes from the highest limb: p / 2^208 is 2^45.6, so that what the lower limbs may still carry
    /// (a few units) matters less than the margin of 1/64 by which the quotient is taken too small; the rest is then
    /// between 0 and 1.1 p.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reduce(
        Vector512<ulong> l0, Vector512<ulong> l1, Vector512<ulong> l2, Vector512<ulong> l3, Vector512<ulong> l4,
        out FieldLanes<TModulus> result)
    {
        var top = Avx512DQ.ConvertToVector512Double(l4.AsInt64());
        var estimate = Avx512F.FusedMultiplyAdd(
            top, Vector512.Create(1.0 / TModulus.P4), Vector512.Create(-1.0 / 64),
            FloatRoundingMode.ToNegativeInfinity);
        var quotient = Avx512DQ
            .ConvertToVector512Int64(estimate, FloatRoundingMode.ToNegativeInfinity).AsUInt64();
        Carry(
            l0 - (quotient * Vector512.Create(TModulus.P0)), l1 - (quotient * Vector512.Create(TModulus.P1)),
            l2 - (quotient * Vector512.Create(TModulus.P2)), l3 - (quotient * Vector512.Create(TModulus.P3)),
            l4 - (quotient * Vector512.Create(TModulus.P4)), out result);
    }
}
