namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>c0 + c1 v + c2 v^2 in Fq6 = Fq2[v] / (v^3 - (1 + u)).</summary>
internal readonly struct Fq6(in Fq2 c0, in Fq2 c1, in Fq2 c2)
{
    internal readonly Fq2 C0 = c0, C1 = c1, C2 = c2;

    internal static Fq6 Zero => default;

    internal static Fq6 One => new(Fq2.One, Fq2.Zero, Fq2.Zero);

    internal bool IsZero => C0.IsZero && C1.IsZero && C2.IsZero;

    public static Fq6 operator +(in Fq6 a, in Fq6 b) => new(a.C0 + b.C0, a.C1 + b.C1, a.C2 + b.C2);

    public static Fq6 operator -(in Fq6 a, in Fq6 b) => new(a.C0 - b.C0, a.C1 - b.C1, a.C2 - b.C2);

    public static Fq6 operator -(in Fq6 a) => new(-a.C0, -a.C1, -a.C2);

    /// <summary>
    /// Six multiplications (Devegili, Ó hÉigeartaigh, Scott, Dahab, "Multiplication and squaring on pairing-friendly
    /// fields", eprint 2006/471).
    /// </summary>
    public static Fq6 operator *(in Fq6 a, in Fq6 b)
    {
        var v0 = a.C0 * b.C0;
        var v1 = a.C1 * b.C1;
        var v2 = a.C2 * b.C2;
        var cross12 = ((a.C1 + a.C2) * (b.C1 + b.C2)) - v1 - v2;
        var cross01 = ((a.C0 + a.C1) * (b.C0 + b.C1)) - v0 - v1;
        var cross02 = ((a.C0 + a.C2) * (b.C0 + b.C2)) - v0 - v2;
        return new Fq6(
            v0 + Fq2.TimesNonResidue(cross12), cross01 + Fq2.TimesNonResidue(v2), cross02 + v1);
    }

    /// <summary>a (b0 + b1 v): five multiplications.</summary>
    internal static Fq6 TimesSparse(in Fq6 a, in Fq2 b0, in Fq2 b1)
    {
        var v0 = a.C0 * b0;
        var v1 = a.C1 * b1;
        var cross12 = ((a.C1 + a.C2) * b1) - v1;
        var cross01 = ((a.C0 + a.C1) * (b0 + b1)) - v0 - v1;
        var cross02 = ((a.C0 + a.C2) * b0) - v0;
        return new Fq6(v0 + Fq2.TimesNonResidue(cross12), cross01, cross02 + v1);
    }

    /// <summary>a b1 v: three multiplications.</summary>
    internal static Fq6 TimesSparse(in Fq6 a, in Fq2 b1) =>
        new(Fq2.TimesNonResidue(a.C2 * b1), a.C0 * b1, a.C1 * b1);

    /// <summary>a v.</summary>
    internal static Fq6 TimesV(in Fq6 a) => new(Fq2.TimesNonResidue(a.C2), a.C0, a.C1);

    internal static Fq6 Invert(in Fq6 a)
    {
        var t0 = Fq2.Square(a.C0) - Fq2.TimesNonResidue(a.C1 * a.C2);
        var t1 = Fq2.TimesNonResidue(Fq2.Square(a.C2)) - (a.C0 * a.C1);
        var t2 = Fq2.Square(a.C1) - (a.C0 * a.C2);
        var norm = (a.C0 * t0) + Fq2.TimesNonResidue((a.C2 * t1) + (a.C1 * t2));
        var inverse = Fq2.Invert(norm);
        return new Fq6(t0 * inverse, t1 * inverse, t2 * inverse);
    }
}
