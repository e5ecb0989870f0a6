using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SuperVm.Core.Cryptography;

/// <summary>Montgomery multiplication a * b / R mod m for an odd m of n limbs without leading zero limb; R = 2^(64
/// n).</summary>
/// <remarks>One factor may be any number below R, the other is below m; so is the result.</remarks>
internal interface IMontgomeryProduct : ILimbProduct;

/// <summary>Powers by Montgomery multiplication.</summary>
internal static class MontgomeryForm<T>
    where T : IMontgomeryProduct, allows ref struct
{
    /// <summary>power^e mod m, for a power below m and an exponent without leading zero bytes, not zero.</summary>
    internal static void Power(
        T product, LimbDivisor divisor, ReadOnlySpan<ulong> power, ReadOnlySpan<byte> e, Span<ulong> result,
        ref LimbArena arena)
    {
        // R^2 mod m turns a number into its Montgomery form.
        var n = divisor.Length;
        var value = arena.Take((2 * n) + 2);
        value.Clear();
        value[2 * n] = 1;
        var form = arena.Take(n);
        divisor.Remainder(value, form);
        product.Multiply(power, form, form);

        result = result[..n];
        PowerWindow.Power(product, form, e, result, ref arena);
        form.Clear();
        form[0] = 1;
        product.Multiply(form, result, result);
    }
}

/// <summary>-1 / m modulo 2^64, which Montgomery multiplication needs.</summary>
internal static class MontgomeryConstant
{
    internal static ulong Of(ulong lowLimb)
    {
        var inverse = lowLimb;
        for (var bits = 3; bits < 64; bits *= 2)
        {
            inverse *= 2 - (lowLimb * inverse);
        }

        return 0 - inverse;
    }
}

/// <summary>Moduli of any length, a row of limb products at a time.</summary>
/// <param name="modulus">n limbs.</param>
/// <param name="scratch">n + 1 limbs.</param>
internal readonly ref struct MontgomeryRows(ReadOnlySpan<ulong> modulus, Span<ulong> scratch) : IMontgomeryProduct
{
    private readonly ReadOnlySpan<ulong> _modulus = modulus;
    private readonly Span<ulong> _scratch = scratch;
    private readonly ulong _constant = MontgomeryConstant.Of(modulus[0]);

    public void Multiply(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, Span<ulong> result)
    {
        var n = _modulus.Length;
        var t = _scratch;
        t.Clear();

        // All vectors have n limbs, the sum one more.
        ref var factor = ref MemoryMarshal.GetReference(b[..n]);
        ref var modulus = ref MemoryMarshal.GetReference(_modulus);
        ref var sum = ref MemoryMarshal.GetReference(t);
        for (var i = 0; i < n; i++)
        {
            Row(a[i], ref factor, ref modulus, _constant, ref sum, n);
        }

        if (t[n] != 0 || !LimbVector.IsBelow(t[..n], _modulus))
        {
            LimbVector.Subtract(t, _modulus);
        }

        t[..n].CopyTo(result);
    }

    /// <summary>t = (t + a b + q m) / 2^64 with the q that makes the division exact; t has n + 1 limbs, the top 0 or
    /// 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(ulong a, ref ulong b, ref ulong m, ulong constant, ref ulong t, int n)
    {
        var low = Limbs.MultiplyAdd(a, b, t, out var upper);
        var q = low * constant;
        var reduced = Limbs.MultiplyHigh(q, m) + (low != 0 ? 1UL : 0);
        for (var j = 1; j < n; j++)
        {
            low = Limbs.MultiplyAdd(a, Unsafe.Add(ref b, j), Unsafe.Add(ref t, j), upper, out upper);
            Unsafe.Add(ref t, j - 1) = Limbs.MultiplyAdd(q, Unsafe.Add(ref m, j), low, reduced, out reduced);
        }

        ulong carry = 0;
        var top = Limbs.Add(upper, reduced, ref carry);
        ulong more = 0;
        Unsafe.Add(ref t, n - 1) = Limbs.Add(top, Unsafe.Add(ref t, n), ref more);
        Unsafe.Add(ref t, n) = carry + more;
    }
}

/// <summary>Moduli of four limbs, all in registers: the size of most curves' fields.</summary>
internal readonly ref struct Montgomery256(ReadOnlySpan<ulong> modulus) : IMontgomeryProduct
{
    internal const int Limbs = 4;

    private readonly ulong _m0 = modulus[0], _m1 = modulus[1], _m2 = modulus[2], _m3 = modulus[3];
    private readonly ulong _constant = MontgomeryConstant.Of(modulus[0]);

    // Inlined into a loop, the conditional increments would become jumps, and those are mispredicted.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public void Multiply(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, Span<ulong> result)
    {
        b = b[..Limbs];
        ulong b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        ulong t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0;
        a = a[..Limbs];
        Row(a[0], b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3, ref t4);
        Row(a[1], b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3, ref t4);
        Row(a[2], b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3, ref t4);
        Row(a[3], b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3, ref t4);

        ulong borrow = 0;
        var d0 = Cryptography.Limbs.Subtract(t0, _m0, ref borrow);
        var d1 = Cryptography.Limbs.Subtract(t1, _m1, ref borrow);
        var d2 = Cryptography.Limbs.Subtract(t2, _m2, ref borrow);
        var d3 = Cryptography.Limbs.Subtract(t3, _m3, ref borrow);
        var keep = t4 < borrow;
        result = result[..Limbs];
        result[0] = keep ? t0 : d0;
        result[1] = keep ? t1 : d1;
        result[2] = keep ? t2 : d2;
        result[3] = keep ? t3 : d3;
    }

    /// <summary>As <see cref="MontgomeryRows"/> does it, unrolled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Row(
        ulong a, ulong b0, ulong b1, ulong b2, ulong b3,
        ref ulong t0, ref ulong t1, ref ulong t2, ref ulong t3, ref ulong t4)
    {
        var low = Cryptography.Limbs.MultiplyAddFast(a, b0, t0, 0, out var upper);
        var q = low * _constant;
        var reduced = Cryptography.Limbs.MultiplyHigh(q, _m0) + (low != 0 ? 1UL : 0);
        low = Cryptography.Limbs.MultiplyAddFast(a, b1, t1, upper, out upper);
        t0 = Cryptography.Limbs.MultiplyAddFast(q, _m1, low, reduced, out reduced);
        low = Cryptography.Limbs.MultiplyAddFast(a, b2, t2, upper, out upper);
        t1 = Cryptography.Limbs.MultiplyAddFast(q, _m2, low, reduced, out reduced);
        low = Cryptography.Limbs.MultiplyAddFast(a, b3, t3, upper, out upper);
        t2 = Cryptography.Limbs.MultiplyAddFast(q, _m3, low, reduced, out reduced);
        upper += t4;
        t4 = upper < t4 ? 1UL : 0;
        t3 = upper + reduced;
        t4 += t3 < reduced ? 1UL : 0;
    }
}
