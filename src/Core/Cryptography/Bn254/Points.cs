using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>A point by its coordinates; (0, 0), which is on neither curve, stands for the point at infinity.</summary>
/// <typeparam name="T">Fq for G1, Fq2 for G2.</typeparam>
public struct AffinePoint<T>(in T x, in T y) : IEquatable<AffinePoint<T>>
    where T : unmanaged, ICurveField<T>
{
    public T X = x;

    public T Y = y;

    public static AffinePoint<T> Infinity => default;

    public readonly bool IsInfinity => X.IsZero && Y.IsZero;

    public readonly bool Equals(AffinePoint<T> other) => X.Equals(other.X) && Y.Equals(other.Y);

    public override readonly bool Equals([NotNullWhen(true)] object? obj) =>
        obj is AffinePoint<T> other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(X, Y);

    public static AffinePoint<T> operator -(in AffinePoint<T> a)
    {
        T.Negate(a.Y, out var y);
        return new AffinePoint<T>(a.X, y);
    }

    /// <summary>Whether y^2 = x^3 + b, or the point is at infinity.</summary>
    public readonly bool IsOnCurve(in T b)
    {
        if (IsInfinity)
        {
            return true;
        }

        T.Square(Y, out var left);
        T.Square(X, out var right);
        T.Multiply(right, X, out right);
        T.Add(right, b, out right);
        return left.Equals(right);
    }
}

/// <summary>A point (X / Z^2, Y / Z^3) of a curve y^2 = x^3 + b; Z = 0 at infinity.</summary>
/// <remarks>
/// Formulas: Explicit-Formulas Database, short Weierstrass curves with a = 0, Jacobian coordinates: dbl-2009-l,
/// add-2007-bl, madd-2007-bl. They do not need b. The special cases (equal, opposite, infinite) are branched to: not
/// for secret scalars. Every result may be one of the operands.
/// </remarks>
/// <typeparam name="T">Fq for G1, Fq2 for G2.</typeparam>
[SkipLocalsInit]
public struct JacobianPoint<T>
    where T : unmanaged, ICurveField<T>
{
    public T X, Y, Z;

    public JacobianPoint(in AffinePoint<T> point)
    {
        X = point.X;
        Y = point.Y;
        Z = point.IsInfinity ? T.Zero : T.One;
    }

    public static JacobianPoint<T> Infinity => default;

    public readonly bool IsInfinity => Z.IsZero;

    /// <summary>2 a.</summary>
    public static void Double(in JacobianPoint<T> a, out JacobianPoint<T> result)
    {
        T.Square(a.X, out var xx);
        T.Square(a.Y, out var yy);
        T.Square(yy, out var yyyy);
        T.Add(a.X, yy, out var d);
        T.Square(d, out d);
        T.Combine(d, 2, xx, -2, yyyy, -2, out d);
        T.Combine(xx, 3, default, 0, out var e);
        T.Square(e, out var f);

        Unsafe.SkipInit(out result);
        T.Multiply(a.Y, a.Z, out var z);
        T.Double(z, out result.Z);
        T.Combine(f, 1, d, -2, out result.X);
        T.Subtract(d, result.X, out d);
        T.Multiply(e, d, out e);
        T.Combine(e, 1, yyyy, -8, out result.Y);
    }

    /// <summary>a + b.</summary>
    public static void Add(in JacobianPoint<T> a, in JacobianPoint<T> b, out JacobianPoint<T> result)
    {
        if (a.IsInfinity)
        {
            result = b;
            return;
        }

        if (b.IsInfinity)
        {
            result = a;
            return;
        }

        T.Square(a.Z, out var z1);
        T.Square(b.Z, out var z2);
        T.Multiply(a.X, z2, out var u1);
        T.Multiply(b.X, z1, out var u2);
        T.Multiply(a.Y, b.Z, out var s1);
        T.Multiply(s1, z2, out s1);
        T.Multiply(b.Y, a.Z, out var s2);
        T.Multiply(s2, z1, out s2);
        T.Subtract(u2, u1, out var h);
        T.Subtract(s2, s1, out var r);
        if (h.IsZero)
        {
            DoubleOrCancel(a, r.IsZero, out result);
            return;
        }

        // (Z1 + Z2)^2 - Z1^2 - Z2^2 = 2 Z1 Z2: a square for a multiplication.
        T.Add(a.Z, b.Z, out var z);
        T.Square(z, out z);
        T.Combine(z, 1, z1, -1, z2, -1, out z);
        Finish(h, r, u1, s1, z, out result);
    }

    /// <summary>a + b for an affine b: four multiplications less.</summary>
    public static void Add(in JacobianPoint<T> a, in AffinePoint<T> b, out JacobianPoint<T> result)
    {
        if (b.IsInfinity)
        {
            result = a;
            return;
        }

        if (a.IsInfinity)
        {
            result = new JacobianPoint<T>(b);
            return;
        }

        T.Square(a.Z, out var z1);
        T.Multiply(b.X, z1, out var u2);
        T.Multiply(b.Y, a.Z, out var s2);
        T.Multiply(s2, z1, out s2);
        T.Subtract(u2, a.X, out var h);
        T.Subtract(s2, a.Y, out var r);
        if (h.IsZero)
        {
            DoubleOrCancel(a, r.IsZero, out result);
            return;
        }

        T.Double(a.Z, out var z);
        Finish(h, r, a.X, a.Y, z, out result);
    }

    /// <summary>-a.</summary>
    public static void Negate(in JacobianPoint<T> a, out JacobianPoint<T> result)
    {
        result = a;
        T.Negate(a.Y, out result.Y);
    }

    /// <summary>The affine form, by one inversion.</summary>
    public readonly AffinePoint<T> ToAffine()
    {
        T.Invert(Z, out var inverse);
        Scale(inverse, out var point);
        return point;
    }

    /// <summary>The affine forms of many points, by one inversion in all.</summary>
    /// <exception cref="ArgumentException">Spans of different length.</exception>
    public static void ToAffine(ReadOnlySpan<JacobianPoint<T>> points, Span<AffinePoint<T>> results)
    {
        if (results.Length != points.Length)
        {
            throw new ArgumentException("Every point needs room for its affine form.");
        }

        Span<T> inverses = points.Length <= 32 ? stackalloc T[64] : new T[2 * points.Length];
        var scratch = inverses[points.Length..];
        inverses = inverses[..points.Length];
        for (var i = 0; i < points.Length; i++)
        {
            inverses[i] = points[i].Z;
        }

        FieldAlgorithms.InvertMany(inverses, scratch);
        for (var i = 0; i < points.Length; i++)
        {
            points[i].Scale(inverses[i], out results[i]);
        }
    }

    /// <summary>Whether both stand for the same point.</summary>
    public readonly bool Equals(in JacobianPoint<T> other)
    {
        if (IsInfinity || other.IsInfinity)
        {
            return IsInfinity == other.IsInfinity;
        }

        T.Square(Z, out var z1);
        T.Square(other.Z, out var z2);
        T.Multiply(X, z2, out var left);
        T.Multiply(other.X, z1, out var right);
        if (!left.Equals(right))
        {
            return false;
        }

        T.Multiply(z2, other.Z, out z2);
        T.Multiply(z1, Z, out z1);
        T.Multiply(Y, z2, out left);
        T.Multiply(other.Y, z1, out right);
        return left.Equals(right);
    }

    /// <summary>What both additions share, from H = U2 - U1, r / 2 = S2 - S1, U1, S1 and Z3 / H.</summary>
    private static void Finish(in T h, in T halfR, in T u1, in T s1, in T z, out JacobianPoint<T> result)
    {
        T.Double(h, out var i);
        T.Square(i, out i);
        T.Multiply(h, i, out var j);
        T.Double(halfR, out var r);
        T.Multiply(u1, i, out var v);
        T.Multiply(s1, j, out var s);

        Unsafe.SkipInit(out result);
        T.Square(r, out var x);
        T.Combine(x, 1, j, -1, v, -2, out result.X);
        T.Subtract(v, result.X, out v);
        T.Multiply(r, v, out r);
        T.Combine(r, 1, s, -2, out result.Y);
        T.Multiply(z, h, out result.Z);
    }

    private static void DoubleOrCancel(in JacobianPoint<T> a, bool equal, out JacobianPoint<T> result)
    {
        if (equal)
        {
            Double(a, out result);
        }
        else
        {
            result = default;
        }
    }

    /// <summary>(X / Z^2, Y / Z^3) from 1 / Z; a zero gives infinity.</summary>
    private readonly void Scale(in T inverse, out AffinePoint<T> point)
    {
        Unsafe.SkipInit(out point);
        T.Square(inverse, out var square);
        T.Multiply(X, square, out point.X);
        T.Multiply(square, inverse, out square);
        T.Multiply(Y, square, out point.Y);
    }
}
