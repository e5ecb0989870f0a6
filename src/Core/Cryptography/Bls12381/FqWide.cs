using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>A product of two elements before its reduction: a number of twelve limbs below p 2^384.</summary>
/// <remarks>
/// Sums of products are reduced once instead of one by one: Aranha, Karabina, Longa, Gebotys, López, "Faster explicit
/// formulas for computing pairings over ordinary curves" (eprint 2010/526), section 3.
/// </remarks>
internal struct FqWide
{
    internal ulong W0, W1, W2, W3, W4, W5, W6, W7, W8, W9, W10, W11;

    /// <summary>The product of two numbers below 2^384.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Multiply(in Fq a, in Fq b, out FqWide product)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4, a5 = a.L5;
        var row = b.L0;
        product.W0 = Limbs.MultiplyAdd(a0, row, 0, out var c);
        var t0 = Limbs.MultiplyAdd(a1, row, c, out c);
        var t1 = Limbs.MultiplyAdd(a2, row, c, out c);
        var t2 = Limbs.MultiplyAdd(a3, row, c, out c);
        var t3 = Limbs.MultiplyAdd(a4, row, c, out c);
        var t4 = Limbs.MultiplyAdd(a5, row, c, out c);
        var t5 = c;

        row = b.L1;
        product.W1 = Limbs.MultiplyAdd(a0, row, t0, out c);
        t0 = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t1 = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t2 = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t3 = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t4 = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t5 = c;

        row = b.L2;
        product.W2 = Limbs.MultiplyAdd(a0, row, t0, out c);
        t0 = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t1 = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t2 = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t3 = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t4 = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t5 = c;

        row = b.L3;
        product.W3 = Limbs.MultiplyAdd(a0, row, t0, out c);
        t0 = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t1 = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t2 = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t3 = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t4 = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t5 = c;

        row = b.L4;
        product.W4 = Limbs.MultiplyAdd(a0, row, t0, out c);
        t0 = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t1 = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t2 = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t3 = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t4 = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t5 = c;

        row = b.L5;
        product.W5 = Limbs.MultiplyAdd(a0, row, t0, out c);
        t0 = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t1 = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t2 = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t3 = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t4 = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t5 = c;

        product.W6 = t0;
        product.W7 = t1;
        product.W8 = t2;
        product.W9 = t3;
        product.W10 = t4;
        product.W11 = t5;
    }

    /// <summary>a - b, which is not negative.</summary>
    internal static void Subtract(in FqWide a, in FqWide b, out FqWide difference)
    {
        ulong borrow = 0;
        difference.W0 = Limbs.Subtract(a.W0, b.W0, ref borrow);
        difference.W1 = Limbs.Subtract(a.W1, b.W1, ref borrow);
        difference.W2 = Limbs.Subtract(a.W2, b.W2, ref borrow);
        difference.W3 = Limbs.Subtract(a.W3, b.W3, ref borrow);
        difference.W4 = Limbs.Subtract(a.W4, b.W4, ref borrow);
        difference.W5 = Limbs.Subtract(a.W5, b.W5, ref borrow);
        difference.W6 = Limbs.Subtract(a.W6, b.W6, ref borrow);
        difference.W7 = Limbs.Subtract(a.W7, b.W7, ref borrow);
        difference.W8 = Limbs.Subtract(a.W8, b.W8, ref borrow);
        difference.W9 = Limbs.Subtract(a.W9, b.W9, ref borrow);
        difference.W10 = Limbs.Subtract(a.W10, b.W10, ref borrow);
        difference.W11 = Limbs.Subtract(a.W11, b.W11, ref borrow);
    }

    /// <summary>a - b, plus p 2^384 where that is negative.</summary>
    internal static void SubtractModular(in FqWide a, in FqWide b, out FqWide difference)
    {
        ulong borrow = 0;
        difference.W0 = Limbs.Subtract(a.W0, b.W0, ref borrow);
        difference.W1 = Limbs.Subtract(a.W1, b.W1, ref borrow);
        difference.W2 = Limbs.Subtract(a.W2, b.W2, ref borrow);
        difference.W3 = Limbs.Subtract(a.W3, b.W3, ref borrow);
        difference.W4 = Limbs.Subtract(a.W4, b.W4, ref borrow);
        difference.W5 = Limbs.Subtract(a.W5, b.W5, ref borrow);
        difference.W6 = Limbs.Subtract(a.W6, b.W6, ref borrow);
        difference.W7 = Limbs.Subtract(a.W7, b.W7, ref borrow);
        difference.W8 = Limbs.Subtract(a.W8, b.W8, ref borrow);
        difference.W9 = Limbs.Subtract(a.W9, b.W9, ref borrow);
        difference.W10 = Limbs.Subtract(a.W10, b.W10, ref borrow);
        difference.W11 = Limbs.Subtract(a.W11, b.W11, ref borrow);
        if (borrow == 0)
        {
            return;
        }

        ulong carry = 0;
        difference.W6 = Limbs.Add(difference.W6, Fq.P0, ref carry);
        difference.W7 = Limbs.Add(difference.W7, Fq.P1, ref carry);
        difference.W8 = Limbs.Add(difference.W8, Fq.P2, ref carry);
        difference.W9 = Limbs.Add(difference.W9, Fq.P3, ref carry);
        difference.W10 = Limbs.Add(difference.W10, Fq.P4, ref carry);
        difference.W11 = Limbs.Add(difference.W11, Fq.P5, ref carry);
    }

    /// <summary>The element: the number divided by 2^384 modulo p.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Fq Reduce(in FqWide a)
    {
        ulong t0 = a.W0, t1 = a.W1, t2 = a.W2, t3 = a.W3, t4 = a.W4, t5 = a.W5;
        ulong carry = 0;
        var m = t0 * Fq.ReductionFactor;
        Limbs.MultiplyAdd(m, Fq.P0, t0, out var c);
        t0 = Limbs.MultiplyAdd(m, Fq.P1, t1, c, out c);
        t1 = Limbs.MultiplyAdd(m, Fq.P2, t2, c, out c);
        t2 = Limbs.MultiplyAdd(m, Fq.P3, t3, c, out c);
        t3 = Limbs.MultiplyAdd(m, Fq.P4, t4, c, out c);
        t4 = Limbs.MultiplyAdd(m, Fq.P5, t5, c, out c);
        t5 = Limbs.Add(a.W6, c, ref carry);

        m = t0 * Fq.ReductionFactor;
        Limbs.MultiplyAdd(m, Fq.P0, t0, out c);
        t0 = Limbs.MultiplyAdd(m, Fq.P1, t1, c, out c);
        t1 = Limbs.MultiplyAdd(m, Fq.P2, t2, c, out c);
        t2 = Limbs.MultiplyAdd(m, Fq.P3, t3, c, out c);
        t3 = Limbs.MultiplyAdd(m, Fq.P4, t4, c, out c);
        t4 = Limbs.MultiplyAdd(m, Fq.P5, t5, c, out c);
        t5 = Limbs.Add(a.W7, c, ref carry);

        m = t0 * Fq.ReductionFactor;
        Limbs.MultiplyAdd(m, Fq.P0, t0, out c);
        t0 = Limbs.MultiplyAdd(m, Fq.P1, t1, c, out c);
        t1 = Limbs.MultiplyAdd(m, Fq.P2, t2, c, out c);
        t2 = Limbs.MultiplyAdd(m, Fq.P3, t3, c, out c);
        t3 = Limbs.MultiplyAdd(m, Fq.P4, t4, c, out c);
        t4 = Limbs.MultiplyAdd(m, Fq.P5, t5, c, out c);
        t5 = Limbs.Add(a.W8, c, ref carry);

        m = t0 * Fq.ReductionFactor;
        Limbs.MultiplyAdd(m, Fq.P0, t0, out c);
        t0 = Limbs.MultiplyAdd(m, Fq.P1, t1, c, out c);
        t1 = Limbs.MultiplyAdd(m, Fq.P2, t2, c, out c);
        t2 = Limbs.MultiplyAdd(m, Fq.P3, t3, c, out c);
        t3 = Limbs.MultiplyAdd(m, Fq.P4, t4, c, out c);
        t4 = Limbs.MultiplyAdd(m, Fq.P5, t5, c, out c);
        t5 = Limbs.Add(a.W9, c, ref carry);

        m = t0 * Fq.ReductionFactor;
        Limbs.MultiplyAdd(m, Fq.P0, t0, out c);
        t0 = Limbs.MultiplyAdd(m, Fq.P1, t1, c, out c);
        t1 = Limbs.MultiplyAdd(m, Fq.P2, t2, c, out c);
        t2 = Limbs.MultiplyAdd(m, Fq.P3, t3, c, out c);
        t3 = Limbs.MultiplyAdd(m, Fq.P4, t4, c, out c);
        t4 = Limbs.MultiplyAdd(m, Fq.P5, t5, c, out c);
        t5 = Limbs.Add(a.W10, c, ref carry);

        m = t0 * Fq.ReductionFactor;
        Limbs.MultiplyAdd(m, Fq.P0, t0, out c);
        t0 = Limbs.MultiplyAdd(m, Fq.P1, t1, c, out c);
        t1 = Limbs.MultiplyAdd(m, Fq.P2, t2, c, out c);
        t2 = Limbs.MultiplyAdd(m, Fq.P3, t3, c, out c);
        t3 = Limbs.MultiplyAdd(m, Fq.P4, t4, c, out c);
        t4 = Limbs.MultiplyAdd(m, Fq.P5, t5, c, out c);
        t5 = Limbs.Add(a.W11, c, ref carry);
        return Fq.Below(t0, t1, t2, t3, t4, t5);
    }
}
