namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>c0 + c1 w in Fq12 = Fq6[w] / (w^2 - v), where the pairing takes its values.</summary>
/// <remarks>
/// As a polynomial in w over Fq2 (w^6 = 1 + u) the coefficients of w^0 ... w^5 are
/// <code>
///   c0.c0   c1.c0   c0.c1   c1.c1   c0.c2   c1.c2
/// </code>
/// </remarks>
internal readonly struct Fq12(in Fq6 c0, in Fq6 c1)
{
    internal readonly Fq6 C0 = c0, C1 = c1;

    /// <summary>(p - 1) / 6, words lowest first.</summary>
    private static ReadOnlySpan<ulong> SixthOfOrder =>
    [
        0x49AA7FFFFFFFF1C7, 0x051CAAAA72E35555, 0xE688231AD3C82906,
        0xE613E1EB7DEB831F, 0x0C849BF3B5E1F223, 0x045582FC5EEAA66F,
    ];

    /// <summary>w^(p-1) = (1 + u)^((p-1)/6) and its powers up to the fifth.</summary>
    private static readonly Fq2[] FrobeniusFactors = CreateFrobeniusFactors();

    /// <summary>w^(p^2-1) and its powers, which are in Fq.</summary>
    private static readonly Fq[] SquaredFrobeniusFactors = [.. FrobeniusFactors.Select(f => Fq2.Norm(f))];

    internal static Fq12 One => new(Fq6.One, Fq6.Zero);

    internal bool IsOne => (C0 - Fq6.One).IsZero && C1.IsZero;

    /// <summary>w^((p-1) i) for i from 1 to 5: what a coefficient of w^i gains by the map to the p-th power.</summary>
    internal static Fq2 FrobeniusFactor(int i) => FrobeniusFactors[i];

    public static Fq12 operator *(in Fq12 a, in Fq12 b)
    {
        var low = a.C0 * b.C0;
        var high = a.C1 * b.C1;
        return new Fq12(low + Fq6.TimesV(high), ((a.C0 + a.C1) * (b.C0 + b.C1)) - low - high);
    }

    /// <summary>(c0 + c1)(c0 + v c1) - c0 c1 - v c0 c1 + 2 c0 c1 w: two multiplications.</summary>
    internal static Fq12 Square(in Fq12 a)
    {
        var product = a.C0 * a.C1;
        var both = (a.C0 + a.C1) * (a.C0 + Fq6.TimesV(a.C1));
        return new Fq12(both - product - Fq6.TimesV(product), product + product);
    }

    /// <summary>a times a line b0 + b1 w^2 + b4 w^3, which is all that a Miller loop multiplies by.</summary>
    internal static Fq12 TimesLine(in Fq12 a, in Fq2 b0, in Fq2 b1, in Fq2 b4)
    {
        var low = Fq6.TimesSparse(a.C0, b0, b1);
        var high = Fq6.TimesSparse(a.C1, b4);
        var cross = Fq6.TimesSparse(a.C0 + a.C1, b0, b1 + b4);
        return new Fq12(low + Fq6.TimesV(high), cross - low - high);
    }

    /// <summary>a^(p^6), and in the cyclotomic subgroup the inverse.</summary>
    internal static Fq12 Conjugate(in Fq12 a) => new(a.C0, -a.C1);

    internal static Fq12 Invert(in Fq12 a)
    {
        var inverse = Fq6.Invert((a.C0 * a.C0) - Fq6.TimesV(a.C1 * a.C1));
        return new Fq12(a.C0 * inverse, -(a.C1 * inverse));
    }

    /// <summary>a^p.</summary>
    internal static Fq12 Frobenius(in Fq12 a)
    {
        var f = FrobeniusFactors;
        return new Fq12(
            new Fq6(
                Fq2.Conjugate(a.C0.C0), Fq2.Conjugate(a.C0.C1) * f[2], Fq2.Conjugate(a.C0.C2) * f[4]),
            new Fq6(
                Fq2.Conjugate(a.C1.C0) * f[1], Fq2.Conjugate(a.C1.C1) * f[3], Fq2.Conjugate(a.C1.C2) * f[5]));
    }

    /// <summary>a^(p^2).</summary>
    internal static Fq12 FrobeniusTwice(in Fq12 a)
    {
        var f = SquaredFrobeniusFactors;
        return new Fq12(
            new Fq6(a.C0.C0, a.C0.C1 * f[2], a.C0.C2 * f[4]),
            new Fq6(a.C1.C0 * f[1], a.C1.C1 * f[3], a.C1.C2 * f[5]));
    }

    /// <summary>
    /// The square of an element of the cyclotomic subgroup: nine squarings in Fq2 (Granger, Scott, "Faster squaring in
    /// the cyclotomic subgroup of sixth degree extensions", eprint 2009/565, section 3.2).
    /// </summary>
    internal static Fq12 SquareCyclotomic(in Fq12 a)
    {
        SquareQuartic(a.C0.C0, a.C1.C1, out var t0, out var t1);
        SquareQuartic(a.C1.C0, a.C0.C2, out var t2, out var t3);
        SquareQuartic(a.C0.C1, a.C1.C2, out var t4, out var t5);
        return new Fq12(
            new Fq6(ThriceMinusTwice(t0, a.C0.C0), ThriceMinusTwice(t2, a.C0.C1), ThriceMinusTwice(t4, a.C0.C2)),
            new Fq6(
                ThricePlusTwice(Fq2.TimesNonResidue(t5), a.C1.C0), ThricePlusTwice(t1, a.C1.C1),
                ThricePlusTwice(t3, a.C1.C2)));
    }

    /// <summary>The square of a + b s in Fq2[s] / (s^2 - (1 + u)).</summary>
    private static void SquareQuartic(in Fq2 a, in Fq2 b, out Fq2 c0, out Fq2 c1)
    {
        var aa = Fq2.Square(a);
        var bb = Fq2.Square(b);
        c0 = aa + Fq2.TimesNonResidue(bb);
        c1 = Fq2.Square(a + b) - aa - bb;
    }

    private static Fq2 ThriceMinusTwice(in Fq2 t, in Fq2 a)
    {
        var difference = t - a;
        return difference + difference + t;
    }

    private static Fq2 ThricePlusTwice(in Fq2 t, in Fq2 a)
    {
        var sum = t + a;
        return sum + sum + t;
    }

    private static Fq2[] CreateFrobeniusFactors()
    {
        var factors = new Fq2[6];
        factors[0] = Fq2.One;
        factors[1] = Fq2.Power(new Fq2(Fq.One, Fq.One), SixthOfOrder);
        for (var i = 2; i < factors.Length; i++)
        {
            factors[i] = factors[i - 1] * factors[1];
        }

        return factors;
    }
}
