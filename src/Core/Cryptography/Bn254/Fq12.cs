using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>c0 + c1 w with w^2 = v: the field that pairings take their values in.</summary>
/// <remarks>
/// The tower is Fq2 = Fq[u]/(u^2 + 1), Fq6 = Fq2[v]/(v^3 - 9 - u), Fq12 = Fq6[w]/(w^2 - v); so w is a sixth root of
/// 9 + u, and the six Fq2 coefficients stand for the powers of w in the order 0, 2, 4 (c0) and 1, 3, 5 (c1).
/// </remarks>
[SkipLocalsInit]
public struct Fq12
{
    internal Fq6 C0, C1;

    /// <summary>xi^(i (p-1)/6) for i = 0 .. 5: what the p-th power multiplies the conjugated coefficient of w^i
    /// by.</summary>
    private static readonly Fq2[] FrobeniusFactors = MakeFrobeniusFactors();

    public static Fq12 One => new() { C0 = Fq6.One };

    public readonly bool IsOne => C0.Equals(Fq6.One) && C1.IsZero;

    public readonly bool Equals(in Fq12 other) => C0.Equals(other.C0) && C1.Equals(other.C1);

    /// <summary>a * b; the result may be one of the factors.</summary>
    public static void Multiply(in Fq12 a, in Fq12 b, out Fq12 result)
    {
        Fq6.Multiply(a.C0, b.C0, out var v0);
        Fq6.Multiply(a.C1, b.C1, out var v1);
        Fq6.Add(a.C0, a.C1, out var left);
        Fq6.Add(b.C0, b.C1, out var right);
        Fq6.Multiply(left, right, out left);
        Unsafe.SkipInit(out result);
        SubtractBoth(left, v0, v1, out result.C1);
        Fq6.AddTimesV(v0, v1, out result.C0);
    }

    /// <summary>a * a = (a0 + a1)(a0 + v a1) - (1 + v) a0 a1 + 2 a0 a1 w.</summary>
    public static void Square(in Fq12 a, out Fq12 result)
    {
        Fq6.Multiply(a.C0, a.C1, out var product);
        Fq6.Add(a.C0, a.C1, out var left);
        Fq6.AddTimesV(a.C0, a.C1, out var right);
        Fq6.Multiply(left, right, out left);
        Fq6.Negate(product, out var negative);
        Unsafe.SkipInit(out result);
        Fq6.AddTimesV(negative, negative, out right);
        Fq6.Add(left, right, out result.C0);
        Fq6.Add(product, product, out result.C1);
    }

    /// <summary>a * (l0 + (l1 + l2 v) w): the shape of a line of the Miller loop.</summary>
    internal static void MultiplyByLine(in Fq12 a, in Fq2 l0, in Fq2 l1, in Fq2 l2, out Fq12 result)
    {
        Fq6.Multiply(a.C0, l0, out var v0);
        Fq6.MultiplySparse(a.C1, l1, l2, out var v1);
        Fq2.Add(l0, l1, out var sum);
        Fq6.Add(a.C0, a.C1, out var both);
        Fq6.MultiplySparse(both, sum, l2, out both);
        Unsafe.SkipInit(out result);
        SubtractBoth(both, v0, v1, out result.C1);
        Fq6.AddTimesV(v0, v1, out result.C0);
    }

    /// <summary>c0 - c1 w: the p^6-th power, and in the cyclotomic subgroup the inverse.</summary>
    public static void Conjugate(in Fq12 a, out Fq12 result)
    {
        Unsafe.SkipInit(out result);
        Fq6.Negate(a.C1, out result.C1);
        result.C0 = a.C0;
    }

    /// <summary>1 / a = (c0 - c1 w) / (c0^2 - v c1^2); zero for zero.</summary>
    public static void Invert(in Fq12 a, out Fq12 result)
    {
        Fq6.Multiply(a.C0, a.C0, out var square0);
        Fq6.Multiply(a.C1, a.C1, out var square1);
        Fq6.Negate(square1, out square1);
        Fq6.AddTimesV(square0, square1, out var norm);
        Fq6.Invert(norm, out var inverse);
        Unsafe.SkipInit(out result);
        Fq6.Multiply(a.C1, inverse, out var c1);
        Fq6.Multiply(a.C0, inverse, out result.C0);
        Fq6.Negate(c1, out result.C1);
    }

    /// <summary>The p-th power.</summary>
    public static void Frobenius(in Fq12 a, out Fq12 result)
    {
        Unsafe.SkipInit(out result);
        ReadOnlySpan<Fq2> factors = FrobeniusFactors;
        Fq2.Conjugate(a.C0.C0, out result.C0.C0);
        ConjugateTimes(a.C1.C0, factors[1], out result.C1.C0);
        ConjugateTimes(a.C0.C1, factors[2], out result.C0.C1);
        ConjugateTimes(a.C1.C1, factors[3], out result.C1.C1);
        ConjugateTimes(a.C0.C2, factors[4], out result.C0.C2);
        ConjugateTimes(a.C1.C2, factors[5], out result.C1.C2);
    }

    /// <summary>a * a where a^(p^4 - p^2 + 1) = 1: half the work of a plain square.</summary>
    /// <remarks>Granger, Scott, "Faster squaring in the cyclotomic subgroup of sixth degree extensions"
    /// (2010).</remarks>
    internal static void CyclotomicSquare(in Fq12 a, out Fq12 result)
    {
        SquarePair(a.C0.C0, a.C1.C1, out var even0, out var odd0);
        SquarePair(a.C1.C0, a.C0.C2, out var even1, out var odd1);
        SquarePair(a.C0.C1, a.C1.C2, out var even2, out var odd2);
        Unsafe.SkipInit(out result);
        ThreeMinusTwo(even0, a.C0.C0, out result.C0.C0);
        ThreeMinusTwo(even1, a.C0.C1, out result.C0.C1);
        ThreeMinusTwo(even2, a.C0.C2, out result.C0.C2);

        var sum = default(Fq2Sum);
        sum.AddTimesXi(odd2, 3);
        sum.Add(a.C1.C0, 2);
        sum.Reduce(out result.C1.C0);
        ThreePlusTwo(odd0, a.C1.C1, out result.C1.C1);
        ThreePlusTwo(odd1, a.C1.C2, out result.C1.C2);
    }

    /// <summary>(x + y s)^2 for s^2 = xi: x^2 + xi y^2 and 2 x y.</summary>
    private static void SquarePair(in Fq2 x, in Fq2 y, out Fq2 even, out Fq2 odd)
    {
        Fq2.Square(x, out var xx);
        Fq2.Square(y, out var yy);
        Fq2.Add(x, y, out var both);
        Fq2.Square(both, out both);
        var sum = new Fq2Sum(both);
        sum.Subtract(xx);
        sum.Subtract(yy);
        sum.Reduce(out odd);
        sum = new Fq2Sum(xx);
        sum.AddTimesXi(yy);
        sum.Reduce(out even);
    }

    private static void ThreeMinusTwo(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        var sum = default(Fq2Sum);
        sum.Add(a, 3);
        sum.Add(b, -2);
        sum.Reduce(out result);
    }

    private static void ThreePlusTwo(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        var sum = default(Fq2Sum);
        sum.Add(a, 3);
        sum.Add(b, 2);
        sum.Reduce(out result);
    }

    private static void ConjugateTimes(in Fq2 a, in Fq2 factor, out Fq2 result)
    {
        Fq2.Conjugate(a, out result);
        Fq2.Multiply(result, factor, out result);
    }

    /// <summary>a - b - c.</summary>
    private static void SubtractBoth(in Fq6 a, in Fq6 b, in Fq6 c, out Fq6 result)
    {
        Unsafe.SkipInit(out result);
        SubtractBoth(a.C0, b.C0, c.C0, out result.C0);
        SubtractBoth(a.C1, b.C1, c.C1, out result.C1);
        SubtractBoth(a.C2, b.C2, c.C2, out result.C2);
    }

    private static void SubtractBoth(in Fq2 a, in Fq2 b, in Fq2 c, out Fq2 result)
    {
        var sum = new Fq2Sum(a);
        sum.Subtract(b);
        sum.Subtract(c);
        sum.Reduce(out result);
    }

    /// <summary>The factor of w^i under the p-th power (used for points of the twist, too).</summary>
    internal static Fq2 FrobeniusFactor(int i) => FrobeniusFactors[i];

    private static Fq2[] MakeFrobeniusFactors()
    {
        FieldAlgorithms.Power(Fq2.Xi, (Fq.Modulus - 1) / 6, out var root);
        var factors = new Fq2[6];
        factors[0] = Fq2.One;
        for (var i = 1; i < factors.Length; i++)
        {
            Fq2.Multiply(factors[i - 1], root, out factors[i]);
        }

        return factors;
    }
}
