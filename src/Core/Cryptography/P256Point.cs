using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>A point of y^2 = x^3 - 3x + b (P-256) that is not the point at infinity.</summary>
internal readonly struct P256Affine(in P256Field x, in P256Field y)
{
    internal readonly P256Field X = x, Y = y;

    private static readonly P256Field B = P256Field.From(
        new UInt256(0x3BCE3C3E27D2604B, 0x651D06B0CC53B0F6, 0xB3EBBD55769886BC, 0x5AC635D8AA3A93E7));

    internal static readonly P256Affine Generator = new(
        P256Field.From(new UInt256(0xF4A13945D898C296, 0x77037D812DEB33A0, 0xF8BCE6E563A440F2, 0x6B17D1F2E12C4247)),
        P256Field.From(new UInt256(0xCBB6406837BF51F5, 0x2BCE33576B315ECE, 0x8EE7EB4A7C0F9E16, 0x4FE342E2FE1A7F9B)));

    public static P256Affine operator -(in P256Affine a) => new(a.X, -a.Y);

    /// <summary>False for coordinates from p on and for what is not on the curve; (0, 0) is not on it.</summary>
    internal static bool TryCreate(in UInt256 x, in UInt256 y, out P256Affine point)
    {
        point = default;
        if (x >= P256Field.Modulus || y >= P256Field.Modulus)
        {
            return false;
        }

        point = new P256Affine(P256Field.From(x), P256Field.From(y));
        var three = point.X + point.X + point.X;
        var right = (P256Field.Square(point.X) * point.X) - three + B;
        return P256Field.AreEqual(P256Field.Square(point.Y), right);
    }
}

/// <summary>
/// A point as (X / Z^2, Y / Z^3); infinity has Z = 0. Its operations take a time that depends on the values.
/// </summary>
internal readonly struct P256Jacobian(in P256Field x, in P256Field y, in P256Field z)
{
    internal readonly P256Field X = x, Y = y, Z = z;

    internal static P256Jacobian Infinity => new(P256Field.One, P256Field.One, P256Field.Zero);

    internal static P256Jacobian From(in P256Affine a) => new(a.X, a.Y, P256Field.One);

    internal bool IsInfinity => Z.IsZero;

    /// <summary>Twice the point: 4 multiplications, 4 squarings, using a = -3.</summary>
    internal static P256Jacobian Double(in P256Jacobian a)
    {
        var zz = P256Field.Square(a.Z);
        var yy = P256Field.Square(a.Y);
        var product = (a.X - zz) * (a.X + zz);
        var slope = product + product + product;
        var xyy = a.X * yy;
        var xyy2 = xyy + xyy;
        var xyy4 = xyy2 + xyy2;
        var x = P256Field.Square(slope) - (xyy4 + xyy4);
        var yy2 = yy + yy;
        var yyyy4 = P256Field.Square(yy2);
        var yz = a.Y * a.Z;
        return new P256Jacobian(x, (slope * (xyy4 - x)) - (yyyy4 + yyyy4), yz + yz);
    }

    /// <summary>The sum with an affine point: 8 multiplications, 3 squarings.</summary>
    internal static P256Jacobian Add(in P256Jacobian a, in P256Affine b)
    {
        if (a.IsInfinity)
        {
            return From(b);
        }

        var zz = P256Field.Square(a.Z);
        var h = (b.X * zz) - a.X;
        var r = (b.Y * zz * a.Z) - a.Y;
        if (h.IsZero)
        {
            return r.IsZero ? Double(a) : Infinity;
        }

        var hh = P256Field.Square(h);
        var hhh = hh * h;
        var v = a.X * hh;
        var x = P256Field.Square(r) - hhh - (v + v);
        return new P256Jacobian(x, (r * (v - x)) - (a.Y * hhh), a.Z * h);
    }

    /// <summary>Writes P, 3P, 5P, ... in affine form, with two inversions in all.</summary>
    internal static void WriteOddMultiples(in P256Affine point, Span<P256Affine> multiples)
    {
        var jacobian = new P256Jacobian[multiples.Length];
        Span<P256Jacobian> twice = [Double(From(point))];
        Span<P256Affine> step = stackalloc P256Affine[1];
        ToAffine(twice, step);
        jacobian[0] = From(point);
        for (var i = 1; i < jacobian.Length; i++)
        {
            jacobian[i] = Add(jacobian[i - 1], step[0]);
        }

        ToAffine(jacobian, multiples);
    }

    /// <summary>The affine form of points that are not infinity, with one inversion (Montgomery's trick).</summary>
    private static void ToAffine(ReadOnlySpan<P256Jacobian> points, Span<P256Affine> affine)
    {
        var products = new P256Field[points.Length];
        var product = P256Field.One;
        for (var i = 0; i < points.Length; i++)
        {
            products[i] = product;
            product *= points[i].Z;
        }

        var inverse = P256Field.InvertFast(product);
        for (var i = points.Length - 1; i >= 0; i--)
        {
            var inverseZ = inverse * products[i];
            var square = P256Field.Square(inverseZ);
            affine[i] = new P256Affine(points[i].X * square, points[i].Y * square * inverseZ);
            inverse *= points[i].Z;
        }
    }
}
