using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static SuperVm.Core.Cryptography.LimbProducts;

namespace SuperVm.Core.Cryptography.Bn254;

internal partial struct FieldLanes<TModulus>
{
    /*
     * Montgomery multiplication, a row of b at a time, of products as LimbProducts has them. Column sums stay below
     * 2^57.
     *
     * After row i, column i is complete: m = -column / p modulo 2^52 clears it. The low half of m p[0] is not computed,
     * because column + low half is the next multiple of 2^52. The next row's products wait for none of this, so that
     * the processor does them while it waits for m.
     */

    /// <summary>a * b, tight, of carried values; the result may be one of the factors.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Multiply(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, out FieldLanes<TModulus> product)
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
        Vector512<ulong> m = default, late = default;
        var c0 = Start(1, 0);
        var c1 = Start(3, 2);
        var c2 = Start(5, 4);
        var c3 = Start(7, 6);
        var c4 = Start(9, 8);
        var c5 = Start(8, 10);
        var c6 = Start(6, 8);
        var c7 = Start(4, 6);
        var c8 = Start(2, 4);
        var c9 = Start(0, 2);
        AccumulateRow(a0, a1, a2, a3, a4, b0, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5);
        Clear(c0, ref m, ref late, ref c1, ref c2, ref c3, ref c4, ref c5);
        AccumulateRow(a0, a1, a2, a3, a4, b1, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6);
        Clear(c1, ref m, ref late, ref c2, ref c3, ref c4, ref c5, ref c6);
        AccumulateRow(a0, a1, a2, a3, a4, b2, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
        Clear(c2, ref m, ref late, ref c3, ref c4, ref c5, ref c6, ref c7);
        AccumulateRow(a0, a1, a2, a3, a4, b3, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8);
        Clear(c3, ref m, ref late, ref c4, ref c5, ref c6, ref c7, ref c8);
        AccumulateRow(a0, a1, a2, a3, a4, b4, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
        Clear(c4, ref m, ref late, ref c5, ref c6, ref c7, ref c8, ref c9);
        Carry(c5 + late, c6, c7, c8, c9, out product);
    }

    /// <summary>a * b + c * d with one reduction, of carried values.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void MultiplyAdd(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, in FieldLanes<TModulus> c,
        in FieldLanes<TModulus> d, out FieldLanes<TModulus> product)
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
        var e0 = Factor(c.L0);
        var e1 = Factor(c.L1);
        var e2 = Factor(c.L2);
        var e3 = Factor(c.L3);
        var e4 = Factor(c.L4);
        var d0 = Factor(d.L0);
        var d1 = Factor(d.L1);
        var d2 = Factor(d.L2);
        var d3 = Factor(d.L3);
        var d4 = Factor(d.L4);
        Vector512<ulong> m = default, late = default;
        var c0 = Start(2, 0);
        var c1 = Start(5, 3);
        var c2 = Start(8, 6);
        var c3 = Start(11, 9);
        var c4 = Start(14, 12);
        var c5 = Start(12, 15);
        var c6 = Start(9, 12);
        var c7 = Start(6, 9);
        var c8 = Start(3, 6);
        var c9 = Start(0, 3);
        AccumulateRow(a0, a1, a2, a3, a4, b0, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5);
        AccumulateRow(e0, e1, e2, e3, e4, d0, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5);
        Clear(c0, ref m, ref late, ref c1, ref c2, ref c3, ref c4, ref c5);
        AccumulateRow(a0, a1, a2, a3, a4, b1, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6);
        AccumulateRow(e0, e1, e2, e3, e4, d1, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6);
        Clear(c1, ref m, ref late, ref c2, ref c3, ref c4, ref c5, ref c6);
        AccumulateRow(a0, a1, a2, a3, a4, b2, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
        AccumulateRow(e0, e1, e2, e3, e4, d2, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7);
        Clear(c2, ref m, ref late, ref c3, ref c4, ref c5, ref c6, ref c7);
        AccumulateRow(a0, a1, a2, a3, a4, b3, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8);
        AccumulateRow(e0, e1, e2, e3, e4, d3, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8);
        Clear(c3, ref m, ref late, ref c4, ref c5, ref c6, ref c7, ref c8);
        AccumulateRow(a0, a1, a2, a3, a4, b4, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
        AccumulateRow(e0, e1, e2, e3, e4, d4, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
        Clear(c4, ref m, ref late, ref c5, ref c6, ref c7, ref c8, ref c9);
        Carry(c5 + late, c6, c7, c8, c9, out product);
    }

    /// <summary>Adds the multiple of p that clears a column, which is then dropped.</summary>
    /// <param name="column">The column, but for the low half of the last multiple's product with p[1].</param>
    /// <param name="multiple">The last multiple; becomes this one.</param>
    /// <param name="late">That low half; becomes this multiple's.</param>
    /// <remarks>
    /// Low halves are long in coming from the floating-point multiplier. Modulo 2^52 an integer multiplication has
    /// this one sooner, and the next multiple needs no more than that.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clear(
        Vector512<ulong> column, ref Vector512<ulong> multiple, ref Vector512<ulong> late,
        ref Vector512<ulong> next1, ref Vector512<ulong> next2, ref Vector512<ulong> next3,
        ref Vector512<ulong> next4, ref Vector512<ulong> next5)
    {
        var mask = Vector512.Create(LimbMask);
        multiple = (Avx512DQ.MultiplyLow(column, Vector512.Create(TModulus.NegativeInverse))
            + Avx512DQ.MultiplyLow(multiple, Vector512.Create(TModulus.P1 * TModulus.NegativeInverse))) & mask;
        var m = Factor(multiple);
        next1 += ((column + late + mask) >>> LimbBits) + Avx512F.FusedMultiplyAdd(
            m, Vector512.Create((double)TModulus.P0), Vector512.Create(HighExponent).AsDouble(),
            FloatRoundingMode.ToZero).AsUInt64();
        late = Vector512<ulong>.Zero;
        Accumulate(m, Vector512.Create((double)TModulus.P1), ref late, ref next2);
        Accumulate(m, Vector512.Create((double)TModulus.P2), ref next2, ref next3);
        Accumulate(m, Vector512.Create((double)TModulus.P3), ref next3, ref next4);
        Accumulate(m, Vector512.Create((double)TModulus.P4), ref next4, ref next5);
    }
}
