namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>A field with what the simplified SWU map needs beside its arithmetic.</summary>
internal interface ISwuField<TSelf> : IBlsField<TSelf>
    where TSelf : struct, ISwuField<TSelf>
{
    /// <summary>Z, a number without square root: 11 for G1, -(2 + u) for G2.</summary>
    static abstract TSelf SwuZ { get; }

    /// <summary>sgn0 of RFC 9380, section 4.1.</summary>
    bool IsOdd { get; }

    /// <summary>A root of a, answering true, or else of Z a, answering false.</summary>
    static abstract bool RootOrRootTimesZ(in TSelf a, out TSelf root);
}

/// <summary>
/// Field elements mapped to points of G1 and G2 (RFC 9380, sections 6.6.3 and 8.8): EIP-2537's mappings.
/// </summary>
internal static class MapToCurve
{
    internal static Affine<Fq> ToG1(in Fq u)
    {
        Swu(u, G1Isogeny.A, G1Isogeny.B, out var x, out var y);
        var point = Isogeny<Fq>(
            x, y, G1Isogeny.XNumerator, G1Isogeny.XDenominator, G1Isogeny.YNumerator, G1Isogeny.YDenominator);
        return G1.ClearCofactor(point).ToAffine();
    }

    internal static Affine<Fq2> ToG2(in Fq2 u)
    {
        Swu(u, G2Isogeny.A, G2Isogeny.B, out var x, out var y);
        var point = Isogeny<Fq2>(
            x, y, G2Isogeny.XNumerator, G2Isogeny.XDenominator, G2Isogeny.YNumerator, G2Isogeny.YDenominator);
        return G2.ClearCofactor(point).ToAffine();
    }

    /// <summary>
    /// A point of y^2 = x^3 + A x + B: of two x, whose right sides differ by a factor Z times a square, one fits.
    /// </summary>
    private static void Swu<TField>(in TField u, in TField a, in TField b, out TField x, out TField y)
        where TField : struct, ISwuField<TField>
    {
        var zuu = TField.SwuZ * TField.Square(u);
        var t = TField.Square(zuu) + zuu;
        var denominator = a * (t.IsZero ? TField.SwuZ : -t);
        x = b * (t + TField.One) * TField.Invert(denominator);
        var right = ((TField.Square(x) + a) * x) + b;
        if (!TField.RootOrRootTimesZ(right, out y))
        {
            x *= zuu;
            y *= zuu * u;
        }

        y = u.IsOdd == y.IsOdd ? y : -y;
    }

    /// <summary>(xn(x) / xd(x), y yn(x) / yd(x)) with Z = xd yd; where a denominator is zero, infinity.</summary>
    private static Jacobian<TField> Isogeny<TField>(
        in TField x, in TField y,
        TField[] xNumerator, TField[] xDenominator, TField[] yNumerator, TField[] yDenominator)
        where TField : struct, IBlsField<TField>
    {
        var xn = Evaluate(xNumerator, x);
        var xd = Evaluate(xDenominator, x);
        var yn = Evaluate(yNumerator, x);
        var yd = Evaluate(yDenominator, x);
        var yyd = TField.Square(yd);
        var jacobianX = xn * xd * yyd;
        var jacobianY = y * yn * (TField.Square(xd) * xd) * yyd;
        return new Jacobian<TField>(jacobianX, jacobianY, xd * yd);
    }

    private static TField Evaluate<TField>(TField[] coefficients, in TField x)
        where TField : struct, IBlsField<TField>
    {
        var value = coefficients[^1];
        for (var i = coefficients.Length - 2; i >= 0; i--)
        {
            value = (value * x) + coefficients[i];
        }

        return value;
    }
}
