using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

public readonly partial struct Fr
{
    /// <summary>(t - 1) / 2 for r - 1 = 2^28 t with t odd.</summary>
    private static readonly UInt256 RootExponent = (Modulus - 1) >> (TwoAdicity + 1);

    public static Fr operator +(in Fr a, in Fr b)
    {
        Add(a, b, out var result);
        return result;
    }

    public static Fr operator -(in Fr a, in Fr b)
    {
        Subtract(a, b, out var result);
        return result;
    }

    public static Fr operator -(in Fr a)
    {
        Negate(a, out var result);
        return result;
    }

    public static Fr operator *(in Fr a, in Fr b)
    {
        Multiply(a, b, out var result);
        return result;
    }

    /// <summary>a + b.</summary>
    public static void Add(in Fr a, in Fr b, out Fr result)
    {
        ulong carry = 0;
        var s0 = Limbs.Add(a.L0, b.L0, ref carry);
        var s1 = Limbs.Add(a.L1, b.L1, ref carry);
        var s2 = Limbs.Add(a.L2, b.L2, ref carry);
        SubtractModulus(s0, s1, s2, a.L3 + b.L3 + carry, out result);
    }

    /// <summary>a - b.</summary>
    public static void Subtract(in Fr a, in Fr b, out Fr result)
    {
        ulong borrow = 0, carry = 0;
        var d0 = Limbs.Subtract(a.L0, b.L0, ref borrow);
        var d1 = Limbs.Subtract(a.L1, b.L1, ref borrow);
        var d2 = Limbs.Subtract(a.L2, b.L2, ref borrow);
        var d3 = Limbs.Subtract(a.L3, b.L3, ref borrow);
        var mask = Limbs.Mask(borrow);
        d0 = Limbs.Add(d0, R0 & mask, ref carry);
        d1 = Limbs.Add(d1, R1 & mask, ref carry);
        d2 = Limbs.Add(d2, R2 & mask, ref carry);
        result = new Fr(d0, d1, d2, d3 + (R3 & mask) + carry);
    }

    /// <summary>2 a.</summary>
    public static void Double(in Fr a, out Fr result) => Add(a, a, out result);

    /// <summary>-a.</summary>
    public static void Negate(in Fr a, out Fr result) => Subtract(default, a, out result);

    /// <summary>a * a.</summary>
    public static void Square(in Fr a, out Fr result) => Multiply(a, a, out result);

    /// <summary>a * b / 2^256, for b below r and any a below 2^256; the result may be one of the factors.</summary>
    /// <remarks>
    /// Montgomery multiplication a row at a time, "coarsely integrated operand scanning": because r leaves the two
    /// highest bits free, a row's sum never needs a fifth limb (Acar, "Analyzing and comparing Montgomery
    /// multiplication algorithms"; the shortcut is the gnark authors').
    /// </remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in Fr a, in Fr b, out Fr result)
    {
        ulong b0 = b.L0, b1 = b.L1, b2 = b.L2, b3 = b.L3;
        ulong t0 = 0, t1 = 0, t2 = 0, t3 = 0;
        Row(a.L0, b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3);
        Row(a.L1, b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3);
        Row(a.L2, b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3);
        Row(a.L3, b0, b1, b2, b3, ref t0, ref t1, ref t2, ref t3);
        SubtractModulus(t0, t1, t2, t3, out result);
    }

    /// <summary>t = (t + a b + m r) / 2^64 with the m that makes the division exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row(
        ulong a, ulong b0, ulong b1, ulong b2, ulong b3, ref ulong t0, ref ulong t1, ref ulong t2, ref ulong t3)
    {
        var low = Limbs.MultiplyAddFast(a, b0, t0, 0, out var upper);
        var m = low * NegativeInverse;
        var reduced = Limbs.MultiplyHigh(m, R0) + (low != 0 ? 1UL : 0);
        low = Limbs.MultiplyAddFast(a, b1, t1, upper, out upper);
        t0 = Limbs.MultiplyAddFast(m, R1, low, reduced, out reduced);
        low = Limbs.MultiplyAddFast(a, b2, t2, upper, out upper);
        t1 = Limbs.MultiplyAddFast(m, R2, low, reduced, out reduced);
        low = Limbs.MultiplyAddFast(a, b3, t3, upper, out upper);
        t2 = Limbs.MultiplyAddFast(m, R3, low, reduced, out reduced);
        t3 = upper + reduced;
    }

    /// <summary>The value, or the value minus r where it is not below r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SubtractModulus(ulong t0, ulong t1, ulong t2, ulong t3, out Fr result)
    {
        ulong borrow = 0;
        var d0 = Limbs.Subtract(t0, R0, ref borrow);
        var d1 = Limbs.Subtract(t1, R1, ref borrow);
        var d2 = Limbs.Subtract(t2, R2, ref borrow);
        var d3 = Limbs.Subtract(t3, R3, ref borrow);
        var keep = borrow != 0;
        result = new Fr(keep ? t0 : d0, keep ? t1 : d1, keep ? t2 : d2, keep ? t3 : d3);
    }

    /// <summary>1 / a; zero for zero.</summary>
    public static void Invert(in Fr a, out Fr result)
    {
        Span<ulong> words = stackalloc ulong[4];
        ReadOnlySpan<ulong> input = [a.L0, a.L1, a.L2, a.L3];
        Inverter.Invert(input, words);
        Multiply(new Fr(words[0], words[1], words[2], words[3]), Cube256, out result);
    }

    /// <summary>a to the power of a number; 1 for the exponent 0.</summary>
    public static Fr Power(in Fr a, in UInt256 exponent)
    {
        FieldAlgorithms.Power(a, exponent, out var result);
        return result;
    }

    /// <summary>A square root; false where a is no square.</summary>
    /// <remarks>
    /// Tonelli-Shanks. Invariant: root^2 = a * rest, and the order of rest is a power of two, at most 2^(order - 1);
    /// a turn multiplies rest by the square of a root of unity that lowers that order.
    /// </remarks>
    public static bool TrySquareRoot(in Fr a, out Fr root)
    {
        FieldAlgorithms.Power(a, RootExponent, out var power);
        root = power * a;
        var rest = root * power;
        var unity = RootOfUnity;
        var order = TwoAdicity;
        while (!rest.IsZero && rest != One)
        {
            var (k, square) = (0, rest);
            for (; square != One; k++)
            {
                Square(square, out square);
            }

            if (k == order)
            {
                return false;
            }

            for (var i = k; i < order - 1; i++)
            {
                Square(unity, out unity);
            }

            root *= unity;
            Square(unity, out unity);
            rest *= unity;
            order = k;
        }

        return true;
    }
}
