using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography;

/// <summary>Products of 52-bit limbs, eight at a time, in the floating-point multiplier.</summary>
/// <remarks>
/// A product comes out in two exact halves (Emmart, Zheng, Weems, "Faster modular exponentiation using double precision
/// floating point arithmetic on the GPU", ARITH 2018): rounded towards zero, 2^104 + a b shows the high half in its
/// mantissa, and 2^52 + (a b - high) the low half. The bits of the exponents add to the columns with them;
/// <see cref="Start"/> takes them off in advance. Needs AVX-512 F and DQ.
/// </remarks>
internal static class LimbProducts
{
    internal const ulong LowExponent = 0x4330000000000000;
    internal const ulong HighExponent = 0x4670000000000000;

    internal static bool IsSupported => Avx512F.IsSupported && Avx512DQ.IsSupported;

    /// <summary>What a column starts with so that the exponents of its terms vanish.</summary>
    /// <param name="low">Low halves that will be added to it.</param>
    /// <param name="high">High halves.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<ulong> Start(ulong low, ulong high) =>
        Vector512.Create(0 - (low * LowExponent) - (high * HighExponent));

    /// <summary>A limb as the factor it is in the multiplier.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<double> Factor(Vector512<ulong> limb) => Avx512DQ.ConvertToVector512Double(limb);

    /// <summary>
    /// Adds the low half of a b to one column and the high half to the next; both factors are below 2^52.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Accumulate(
        Vector512<double> a, Vector512<double> b, ref Vector512<ulong> column, ref Vector512<ulong> next)
    {
        var high = Avx512F.FusedMultiplyAdd(
            a, b, Vector512.Create(HighExponent).AsDouble(), FloatRoundingMode.ToZero);
        var rest = Vector512.Create(HighExponent + 1).AsDouble() - high;
        var low = Avx512F.FusedMultiplyAdd(a, b, rest, FloatRoundingMode.ToZero);
        next += high.AsUInt64();
        column += low.AsUInt64();
    }

    /// <summary>Adds a number of five limbs times one limb to six columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AccumulateRow(
        Vector512<double> a0, Vector512<double> a1, Vector512<double> a2, Vector512<double> a3, Vector512<double> a4,
        Vector512<double> b, ref Vector512<ulong> c0, ref Vector512<ulong> c1, ref Vector512<ulong> c2,
        ref Vector512<ulong> c3, ref Vector512<ulong> c4, ref Vector512<ulong> c5)
    {
        Accumulate(a0, b, ref c0, ref c1);
        Accumulate(a1, b, ref c1, ref c2);
        Accumulate(a2, b, ref c2, ref c3);
        Accumulate(a3, b, ref c3, ref c4);
        Accumulate(a4, b, ref c4, ref c5);
    }
}
