namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>A point of y^2 = x^3 + b over F; infinity is (0, 0), which is on neither curve.</summary>
internal readonly struct Affine<TField>(in TField x, in TField y)
    where TField : struct, IBlsField<TField>
{
    internal readonly TField X = x, Y = y;

    internal static Affine<TField> Infinity => default;

    internal bool IsInfinity => X.IsZero && Y.IsZero;

    internal bool IsOnCurve =>
        IsInfinity || TField.AreEqual(TField.Square(Y), (TField.Square(X) * X) + TField.CurveB);

    public static Affine<TField> operator -(in Affine<TField> a) => new(a.X, -a.Y);
}

/// <summary>
/// A point as (X / Z^2, Y / Z^3); infinity has Z = 0. Its operations take a time that depends on the values.
/// </summary>
/// <remarks>Formulas: Bernstein, Lange, Explicit-Formulas Database, short Weierstrass curves with a = 0.</remarks>
internal readonly struct Jacobian<TField>(in TField x, in TField y, in TField z)
    where TField : struct, IBlsField<TField>
{
    internal readonly TField X = x, Y = y, Z = z;

    internal static Jacobian<TField> Infinity => new(TField.One, TField.One, TField.Zero);

    internal bool IsInfinity => Z.IsZero;

    internal static Jacobian<TField> From(in Affine<TField> a) =>
        a.IsInfinity ? Infinity : new(a.X, a.Y, TField.One);

    public static Jacobian<TField> operator -(in Jacobian<TField> a) => new(a.X, -a.Y, a.Z);

    /// <summary>Twice the point: 3 multiplications, 4 squarings.</summary>
    internal static Jacobian<TField> Double(in Jacobian<TField> a)
    {
        var yy = TField.Square(a.Y);
        var xyy = a.X * yy;
        var xyy2 = xyy + xyy;
        var xyy4 = xyy2 + xyy2;
        var xx = TField.Square(a.X);
        var slope = xx + xx + xx;
        var x = TField.Square(slope) - (xyy4 + xyy4);
        var yy2 = yy + yy;
        var yyyy4 = TField.Square(yy2);
        var yz = a.Y * a.Z;
        return new Jacobian<TField>(x, (slope * (xyy4 - x)) - (yyyy4 + yyyy4), yz + yz);
    }

    /// <summary>The sum with an affine point: 8 multiplications, 3 squarings.</summary>
    internal static Jacobian<TField> Add(in Jacobian<TField> a, in Affine<TField> b)
    {
        if (a.IsInfinity)
        {
            return From(b);
        }

        if (b.IsInfinity)
        {
            return a;
        }

        var zz = TField.Square(a.Z);
        var h = (b.X * zz) - a.X;
        var r = (b.Y * (zz * a.Z)) - a.Y;
        return h.IsZero ? r.IsZero ? Double(a) : Infinity : Chord(a.X, a.Y, a.Z * h, h, r);
    }

    /// <summary>The sum: 12 multiplications, 4 squarings.</summary>
    internal static Jacobian<TField> Add(in Jacobian<TField> a, in Jacobian<TField> b)
    {
        if (a.IsInfinity)
        {
            return b;
        }

        if (b.IsInfinity)
        {
            return a;
        }

        var zzA = TField.Square(a.Z);
        var zzB = TField.Square(b.Z);
        var x = a.X * zzB;
        var y = a.Y * (zzB * b.Z);
        var h = (b.X * zzA) - x;
        var r = (b.Y * (zzA * a.Z)) - y;
        return h.IsZero ? r.IsZero ? Double(a) : Infinity : Chord(x, y, a.Z * b.Z * h, h, r);
    }

    internal static bool AreEqual(in Jacobian<TField> a, in Jacobian<TField> b)
    {
        if (a.IsInfinity || b.IsInfinity)
        {
            return a.IsInfinity == b.IsInfinity;
        }

        var zzA = TField.Square(a.Z);
        var zzB = TField.Square(b.Z);
        return TField.AreEqual(a.X * zzB, b.X * zzA)
            && TField.AreEqual(a.Y * (zzB * b.Z), b.Y * (zzA * a.Z));
    }

    /// <summary>The point's multiple by a public number, bit by bit: for numbers of few one bits.</summary>
    internal static Jacobian<TField> Multiply(in Jacobian<TField> a, ulong factor)
    {
        var result = Infinity;
        for (var bit = 63; bit >= 0; bit--)
        {
            result = Double(result);
            if (((factor >> bit) & 1) != 0)
            {
                result = Add(result, a);
            }
        }

        return result;
    }

    internal Affine<TField> ToAffine() =>
        IsInfinity ? Affine<TField>.Infinity : Scale(TField.Invert(Z));

    /// <summary>The affine form of many points with one inversion (Montgomery's trick).</summary>
    internal static void ToAffine(ReadOnlySpan<Jacobian<TField>> points, Span<Affine<TField>> affine)
    {
        var products = new TField[points.Length];
        var product = TField.One;
        for (var i = 0; i < points.Length; i++)
        {
            products[i] = product;
            product = points[i].IsInfinity ? product : product * points[i].Z;
        }

        var inverse = TField.Invert(product);
        for (var i = points.Length - 1; i >= 0; i--)
        {
            if (points[i].IsInfinity)
            {
                affine[i] = Affine<TField>.Infinity;
                continue;
            }

            affine[i] = points[i].Scale(inverse * products[i]);
            inverse *= points[i].Z;
        }
    }

    private Affine<TField> Scale(in TField inverseZ)
    {
        var square = TField.Square(inverseZ);
        return new Affine<TField>(X * square, Y * (square * inverseZ));
    }

    /// <summary>The sum of two points whose difference in x is h and in y is r, both scaled to one Z.</summary>
    private static Jacobian<TField> Chord(in TField x, in TField y, in TField z, in TField h, in TField r)
    {
        var hh = TField.Square(h);
        var hhh = hh * h;
        var v = x * hh;
        var sumX = TField.Square(r) - hhh - (v + v);
        return new Jacobian<TField>(sumX, (r * (v - sumX)) - (y * hhh), z);
    }
}
