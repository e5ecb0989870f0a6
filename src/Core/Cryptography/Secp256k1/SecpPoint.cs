using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>A point of y^2 = x^3 + 7 that is not the point at infinity.</summary>
internal readonly struct SecpAffine(in SecpField x, in SecpField y)
{
    internal readonly SecpField X = x, Y = y;

    internal static readonly SecpAffine Generator = new(
        new SecpField(0x59F2815B16F81798, 0x029BFCDB2DCE28D9, 0x55A06295CE870B07, 0x79BE667EF9DCBBAC),
        new SecpField(0x9C47D08FFB10D4B8, 0xFD17B448A6855419, 0x5DA4FBFC0E1108A8, 0x483ADA7726A3C465));

    /// <summary>beta, a cube root of one: (beta x, y) is lambda times (x, y).</summary>
    internal static readonly SecpField Beta =
        new(0xC1396C28719501EE, 0x9CF0497512F58995, 0x6E64479EAC3434E9, 0x7AE96A2B657C0710);

    public static SecpAffine operator -(in SecpAffine a) => new(a.X, -a.Y);

    internal SecpAffine TimesLambda() => new(X * Beta, Y);

    /// <summary>The point with this x and this parity of y; false where there is none.</summary>
    internal static bool TryFromX(in UInt256 x, bool odd, out SecpAffine point)
    {
        var fieldX = SecpField.From(x);
        var found = SecpField.TrySquareRoot(RightSide(fieldX), out var y);
        point = new SecpAffine(fieldX, y.IsOdd == odd ? y : -y);
        return found;
    }

    /// <summary>
    /// Reads x and y, 32 big-endian bytes each; false for other lengths, numbers from p on, points off the curve.
    /// </summary>
    internal static bool TryRead(ReadOnlySpan<byte> publicKey64, out SecpAffine point)
    {
        point = default;
        if (publicKey64.Length != 64)
        {
            return false;
        }

        var x = UInt256.FromBigEndian(publicKey64[..32]);
        var y = UInt256.FromBigEndian(publicKey64[32..]);
        if (x >= SecpField.Modulus || y >= SecpField.Modulus)
        {
            return false;
        }

        point = new SecpAffine(SecpField.From(x), SecpField.From(y));
        return SecpField.AreEqual(SecpField.Square(point.Y), RightSide(point.X));
    }

    internal void Write(Span<byte> publicKey64)
    {
        X.ToUInt256().WriteBigEndian(publicKey64);
        Y.ToUInt256().WriteBigEndian(publicKey64[32..]);
    }

    private static SecpField RightSide(in SecpField x) => (SecpField.Square(x) * x) + new SecpField(7, 0, 0, 0);
}

/// <summary>
/// A point as (X / Z^2, Y / Z^3); infinity has Z = 0. Its operations take a time that depends on the values.
/// </summary>
internal readonly struct SecpJacobian(in SecpField x, in SecpField y, in SecpField z)
{
    internal readonly SecpField X = x, Y = y, Z = z;

    internal static SecpJacobian Infinity => new(SecpField.One, SecpField.One, SecpField.Zero);

    internal static SecpJacobian From(in SecpAffine a) => new(a.X, a.Y, SecpField.One);

    internal bool IsInfinity => Z.IsZero;

    /// <summary>Twice the point: 3 multiplications, 4 squarings. No point of this curve has y = 0.</summary>
    internal static SecpJacobian Double(in SecpJacobian a)
    {
        var s = SecpField.Square(a.Y);
        var xx = SecpField.Square(a.X);
        var l = SecpField.Half(xx + xx + xx);
        var t = a.X * s;
        var x = SecpField.Square(l) - t - t;
        return new SecpJacobian(x, (l * (t - x)) - SecpField.Square(s), a.Y * a.Z);
    }

    /// <summary>The sum with an affine point: 8 multiplications, 3 squarings.</summary>
    internal static SecpJacobian Add(in SecpJacobian a, in SecpAffine b) => Add(a, b, a.Z, out _);

    /// <summary>
    /// The sum with a point that is affine on the curve itself, where a stands for a point scaled by
    /// <paramref name="scale"/>: its true Z is a.Z * scale.
    /// </summary>
    internal static SecpJacobian AddScaled(in SecpJacobian a, in SecpAffine b, in SecpField scale)
    {
        if (!a.IsInfinity)
        {
            return Add(a, b, a.Z * scale, out _);
        }

        var square = SecpField.Square(scale);
        return new SecpJacobian(b.X * square, b.Y * square * scale, SecpField.One);
    }

    /// <param name="a">A point, perhaps scaled.</param>
    /// <param name="b">An affine point.</param>
    /// <param name="z">a's Z as b's curve sees it.</param>
    /// <param name="ratio">What Z was multiplied by; meaningless for an exceptional sum.</param>
    internal static SecpJacobian Add(in SecpJacobian a, in SecpAffine b, in SecpField z, out SecpField ratio)
    {
        ratio = SecpField.One;
        if (a.IsInfinity)
        {
            return From(b);
        }

        var zz = SecpField.Square(z);
        var h = (b.X * zz) - a.X;
        var r = (b.Y * zz * z) - a.Y;
        if (h.IsZero)
        {
            return r.IsZero ? Double(a) : Infinity;
        }

        ratio = h;
        var hh = SecpField.Square(h);
        var hhh = hh * h;
        var v = a.X * hh;
        var x = SecpField.Square(r) - hhh - v - v;
        return new SecpJacobian(x, (r * (v - x)) - (a.Y * hhh), a.Z * h);
    }

    /// <summary>The affine form; the point is not infinity.</summary>
    internal SecpAffine ToAffine() => ToAffine(SecpField.InvertFast(Z));

    /// <summary>
    /// The affine form of many points, none of them infinity, with one inversion (Montgomery's trick).
    /// </summary>
    internal static void ToAffine(ReadOnlySpan<SecpJacobian> points, Span<SecpAffine> affine)
    {
        var products = new SecpField[points.Length];
        var product = SecpField.One;
        for (var i = 0; i < points.Length; i++)
        {
            products[i] = product;
            product *= points[i].Z;
        }

        var inverse = SecpField.InvertFast(product);
        for (var i = points.Length - 1; i >= 0; i--)
        {
            affine[i] = points[i].ToAffine(inverse * products[i]);
            inverse *= points[i].Z;
        }
    }

    private SecpAffine ToAffine(in SecpField inverseZ)
    {
        var square = SecpField.Square(inverseZ);
        return new SecpAffine(X * square, Y * square * inverseZ);
    }
}
