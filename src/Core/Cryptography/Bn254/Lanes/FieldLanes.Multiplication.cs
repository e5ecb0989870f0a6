using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography.Bn254;

internal partial struct FieldLanes<TModulus>
{
    /*
     * Montgomery multiplication, a row of b at a time. A product of two 52-bit limbs comes out of the floating-point
     * multiplier in two exact halves (Emmart, Zheng, Weems, "Faster modular exponentiation using double precision
     * floating point arithmetic on the GPU", ARITH 2018): rounded towards zero, 2^104 + a b shows the high half in its
     * mantissa, and 2^52 + (a b - high) the low half. The bits of the exponents add to the columns with them; Start
     * takes them off in advance. Column sums stay below 2^57.
     *
     * After row i, column i is complete: m = -column / p modulo 2^52 clears it. The low half of m p[0] is not computed,
     * because column + low half is the next multiple of 2^52. The next row's products wait for none of this, so that
     * the processor does them while it waits for m.
     */

    private const ulong LowExponent = 0x4330000000000000;
    private const ulong HighExponent = 0x4670000000000000;

    /// <summary>a * b, tight, of carried values; the result may be one of the factors.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Multiply(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, out FieldLanes<TModulus> product)
    {
        var a0 = Avx512DQ.ConvertToVector512Double(a.L0);
        var a1 = Avx512DQ.ConvertToVector512Double(a.L1);
        var a2 = Avx512DQ.ConvertToVector512Double(a.L2);
        var a3 = Avx512DQ.ConvertToVector512Double(a.L3);
        var a4 = Avx512DQ.ConvertToVector512Double(a.L4);
        var b0 = Avx512DQ.ConvertToVector512Double(b.L0);
        var b1 = Avx512DQ.ConvertToVector512Double(b.L1);
        var b2 = Avx512DQ.ConvertToVector512Double(b.L2);
        var b3 = Avx512DQ.ConvertToVector512Double(b.L3);
        var b4 = Avx512DQ.ConvertToVector512Double(b.L4);
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
        Accumulate(a0, b0, ref c0, ref c1);
        Accumulate(a1, b0, ref c1, ref c2);
        Accumulate(a2, b0, ref c2, ref c3);
        Accumulate(a3, b0, ref c3, ref c4);
        Accumulate(a4, b0, ref c4, ref c5);
        Clear(c0, ref m, ref late, ref c1, ref c2, ref c3, ref c4, ref c5);
        Accumulate(a0, b1, ref c1, ref c2);
        Accumulate(a1, b1, ref c2, ref c3);
        Accumulate(a2, b1, ref c3, ref c4);
        Accumulate(a3, b1, ref c4, ref c5);
        Accumulate(a4, b1, ref c5, ref c6);
        Clear(c1, ref m, ref late, ref c2, ref c3, ref c4, ref c5, ref c6);
        Accumulate(a0, b2, ref c2, ref c3);
        Accumulate(a1, b2, ref c3, ref c4);
        Accumulate(a2, b2, ref c4, ref c5);
        Accumulate(a3, b2, ref c5, ref c6);
        Accumulate(a4, b2, ref c6, ref c7);
        Clear(c2, ref m, ref late, ref c3, ref c4, ref c5, ref c6, ref c7);
        Accumulate(a0, b3, ref c3, ref c4);
        Accumulate(a1, b3, ref c4, ref c5);
        Accumulate(a2, b3, ref c5, ref c6);
        Accumulate(a3, b3, ref c6, ref c7);
        Accumulate(a4, b3, ref c7, ref c8);
        Clear(c3, ref m, ref late, ref c4, ref c5, ref c6, ref c7, ref c8);
        Accumulate(a0, b4, ref c4, ref c5);
        Accumulate(a1, b4, ref c5, ref c6);
        Accumulate(a2, b4, ref c6, ref c7);
        Accumulate(a3, b4, ref c7, ref c8);
        Accumulate(a4, b4, ref c8, ref c9);
        Clear(c4, ref m, ref late, ref c5, ref c6, ref c7, ref c8, ref c9);
        var mask = Vector512.Create(LimbMask);
        c5 += late;
        product.L0 = c5 & mask;
        c6 += c5 >>> LimbBits;
        product.L1 = c6 & mask;
        c7 += c6 >>> LimbBits;
        product.L2 = c7 & mask;
        c8 += c7 >>> LimbBits;
        product.L3 = c8 & mask;
        product.L4 = c9 + (c8 >>> LimbBits);
    }

    /// <summary>a * b + c * d with one reduction, of carried values.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void MultiplyAdd(
        in FieldLanes<TModulus> a, in FieldLanes<TModulus> b, in FieldLanes<TModulus> c,
        in FieldLanes<TModulus> d, out FieldLanes<TModulus> product)
    {
        var a0 = Avx512DQ.ConvertToVector512Double(a.L0);
        var a1 = Avx512DQ.ConvertToVector512Double(a.L1);
        var a2 = Avx512DQ.ConvertToVector512Double(a.L2);
        var a3 = Avx512DQ.ConvertToVector512Double(a.L3);
        var a4 = Avx512DQ.ConvertToVector512Double(a.L4);
        var b0 = Avx512DQ.ConvertToVector512Double(b.L0);
        var b1 = Avx512DQ.ConvertToVector512Double(b.L1);
        var b2 = Avx512DQ.ConvertToVector512Double(b.L2);
        var b3 = Avx512DQ.ConvertToVector512Double(b.L3);
        var b4 = Avx512DQ.ConvertToVector512Double(b.L4);
        var e0 = Avx512DQ.ConvertToVector512Double(c.L0);
        var e1 = Avx512DQ.ConvertToVector512Double(c.L1);
        var e2 = Avx512DQ.ConvertToVector512Double(c.L2);
        var e3 = Avx512DQ.ConvertToVector512Double(c.L3);
        var e4 = Avx512DQ.ConvertToVector512Double(c.L4);
        var d0 = Avx512DQ.ConvertToVector512Double(d.L0);
        var d1 = Avx512DQ.ConvertToVector512Double(d.L1);
        var d2 = Avx512DQ.ConvertToVector512Double(d.L2);
        var d3 = Avx512DQ.ConvertToVector512Double(d.L3);
        var d4 = Avx512DQ.ConvertToVector512Double(d.L4);
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
        Accumulate(a0, b0, ref c0, ref c1);
        Accumulate(a1, b0, ref c1, ref c2);
        Accumulate(a2, b0, ref c2, ref c3);
        Accumulate(a3, b0, ref c3, ref c4);
        Accumulate(a4, b0, ref c4, ref c5);
        Accumulate(e0, d0, ref c0, ref c1);
        Accumulate(e1, d0, ref c1, ref c2);
        Accumulate(e2, d0, ref c2, ref c3);
        Accumulate(e3, d0, ref c3, ref c4);
        Accumulate(e4, d0, ref c4, ref c5);
        Clear(c0, ref m, ref late, ref c1, ref c2, ref c3, ref c4, ref c5);
        Accumulate(a0, b1, ref c1, ref c2);
        Accumulate(a1, b1, ref c2, ref c3);
        Accumulate(a2, b1, ref c3, ref c4);
        Accumulate(a3, b1, ref c4, ref c5);
        Accumulate(a4, b1, ref c5, ref c6);
        Accumulate(e0, d1, ref c1, ref c2);
        Accumulate(e1, d1, ref c2, ref c3);
        Accumulate(e2, d1, ref c3, ref c4);
        Accumulate(e3, d1, ref c4, ref c5);
        Accumulate(e4, d1, ref c5, ref c6);
        Clear(c1, ref m, ref late, ref c2, ref c3, ref c4, ref c5, ref c6);
        Accumulate(a0, b2, ref c2, ref c3);
        Accumulate(a1, b2, ref c3, ref c4);
        Accumulate(a2, b2, ref c4, ref c5);
        Accumulate(a3, b2, ref c5, ref c6);
        Accumulate(a4, b2, ref c6, ref c7);
        Accumulate(e0, d2, ref c2, ref c3);
        Accumulate(e1, d2, ref c3, ref c4);
        Accumulate(e2, d2, ref c4, ref c5);
        Accumulate(e3, d2, ref c5, ref c6);
        Accumulate(e4, d2, ref c6, ref c7);
        Clear(c2, ref m, ref late, ref c3, ref c4, ref c5, ref c6, ref c7);
        Accumulate(a0, b3, ref c3, ref c4);
        Accumulate(a1, b3, ref c4, ref c5);
        Accumulate(a2, b3, ref c5, ref c6);
        Accumulate(a3, b3, ref c6, ref c7);
        Accumulate(a4, b3, ref c7, ref c8);
        Accumulate(e0, d3, ref c3, ref c4);
        Accumulate(e1, d3, ref c4, ref c5);
        Accumulate(e2, d3, ref c5, ref c6);
        Accumulate(e3, d3, ref c6, ref c7);
        Accumulate(e4, d3, ref c7, ref c8);
        Clear(c3, ref m, ref late, ref c4, ref c5, ref c6, ref c7, ref c8);
        Accumulate(a0, b4, ref c4, ref c5);
        Accumulate(a1, b4, ref c5, ref c6);
        Accumulate(a2, b4, ref c6, ref c7);
        Accumulate(a3, b4, ref c7, ref c8);
        Accumulate(a4, b4, ref c8, ref c9);
        Accumulate(e0, d4, ref c4, ref c5);
        Accumulate(e1, d4, ref c5, ref c6);
        Accumulate(e2, d4, ref c6, ref c7);
        Accumulate(e3, d4, ref c7, ref c8);
        Accumulate(e4, d4, ref c8, ref c9);
        Clear(c4, ref m, ref late, ref c5, ref c6, ref c7, ref c8, ref c9);
        var mask = Vector512.Create(LimbMask);
        c5 += late;
        product.L0 = c5 & mask;
        c6 += c5 >>> LimbBits;
        product.L1 = c6 & mask;
        c7 += c6 >>> LimbBits;
        product.L2 = c7 & mask;
        c8 += c7 >>> LimbBits;
        product.L3 = c8 & mask;
        product.L4 = c9 + (c8 >>> LimbBits);
    }

    /// <summary>What a column starts with so that the exponents of its terms vanish.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Start(ulong low, ulong high) =>
        Vector512.Create(0 - (low * LowExponent) - (high * HighExponent));

    /// <summary>Adds the low half of a b to one column and the high half to the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Accumulate(
        Vector512<double> a, Vector512<double> b, ref Vector512<ulong> column, ref Vector512<ulong> next)
    {
        var high = Avx512F.FusedMultiplyAdd(
            a, b, Vector512.Create(HighExponent).AsDouble(), FloatRoundingMode.ToZero);
        var rest = Vector512.Create(HighExponent + 1).AsDouble() - high;
        var low = Avx512F.FusedMultiplyAdd(a, b, rest, FloatRoundingMode.ToZero);
        next += high.AsUInt64();
        column += low.AsUInt64();
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
        var m = Avx512DQ.ConvertToVector512Double(multiple);
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
