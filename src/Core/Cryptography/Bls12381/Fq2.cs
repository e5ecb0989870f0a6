using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>c0 + c1 u in Fq2 = Fq[u] / (u^2 + 1).</summary>
internal readonly struct Fq2(in Fq c0, in Fq c1) : ISwuField<Fq2>
{
    internal readonly Fq C0 = c0, C1 = c1;

    public static Fq2 Zero => default;

    public static Fq2 One => new(Fq.One, Fq.Zero);

    /// <summary>4 (1 + u).</summary>
    public static Fq2 CurveB { get; } = new(Fq.FromNumber(4), Fq.FromNumber(4));

    public static Fq2 SwuZ { get; } = new(-Fq.FromNumber(2), -Fq.One);

    /// <summary>The norm of Z is 5.</summary>
    private static readonly Fq RootOfMinusFive = Fq.FromHex(
        "186417302d5a65347a88b0f999ab2b504614aa5e2eebdeb1a014c40bceb7d2306c12a6d436befcf94d39c9db7b263cd4");

    public bool IsZero => C0.IsZero && C1.IsZero;

    /// <summary>sgn0 of RFC 9380, section 4.1: the parity of the first part that is not zero.</summary>
    public bool IsOdd => C0.IsZero ? C1.IsOdd : C0.IsOdd;

    public static bool AreEqual(in Fq2 a, in Fq2 b) => Fq.AreEqual(a.C0, b.C0) && Fq.AreEqual(a.C1, b.C1);

    public static Fq2 operator +(in Fq2 a, in Fq2 b) => new(a.C0 + b.C0, a.C1 + b.C1);

    public static Fq2 operator -(in Fq2 a, in Fq2 b) => new(a.C0 - b.C0, a.C1 - b.C1);

    public static Fq2 operator -(in Fq2 a) => new(-a.C0, -a.C1);

    /// <summary>The product by Karatsuba's three multiplications and two reductions.</summary>
    [SkipLocalsInit]
    public static Fq2 operator *(in Fq2 a, in Fq2 b)
    {
        FqWide.Multiply(a.C0, b.C0, out var low);
        FqWide.Multiply(a.C1, b.C1, out var high);
        FqWide.Multiply(Fq.AddLazy(a.C0, a.C1), Fq.AddLazy(b.C0, b.C1), out var cross);
        FqWide.Subtract(cross, low, out cross);
        FqWide.Subtract(cross, high, out cross);
        FqWide.SubtractModular(low, high, out low);
        return new Fq2(FqWide.Reduce(low), FqWide.Reduce(cross));
    }

    /// <summary>Each part times an element of Fq.</summary>
    public static Fq2 operator *(in Fq2 a, in Fq b) => new(a.C0 * b, a.C1 * b);

    /// <summary>(c0 + c1)(c0 - c1) + 2 c0 c1 u: two multiplications.</summary>
    public static Fq2 Square(in Fq2 a)
    {
        var product = a.C0 * a.C1;
        return new Fq2(Fq.AddLazy(a.C0, a.C1) * (a.C0 - a.C1), product + product);
    }

    internal static Fq2 Half(in Fq2 a) => new(Fq.Half(a.C0), Fq.Half(a.C1));

    internal static Fq2 Conjugate(in Fq2 a) => new(a.C0, -a.C1);

    /// <summary>a (1 + u), the non-residue of which the tower takes roots.</summary>
    internal static Fq2 TimesNonResidue(in Fq2 a) => new(a.C0 - a.C1, a.C0 + a.C1);

    /// <summary>c0^2 + c1^2, the product with the conjugate.</summary>
    internal static Fq Norm(in Fq2 a) => Fq.Square(a.C0) + Fq.Square(a.C1);

    public static Fq2 Invert(in Fq2 a)
    {
        var inverse = Fq.Invert(Norm(a));
        return new Fq2(a.C0 * inverse, -(a.C1 * inverse));
    }

    /// <summary>a to a public power, words lowest first.</summary>
    internal static Fq2 Power(in Fq2 a, ReadOnlySpan<ulong> exponent)
    {
        var result = One;
        for (var bit = (64 * exponent.Length) - 1; bit >= 0; bit--)
        {
            result = Square(result);
            if (((exponent[bit / 64] >> (bit % 64)) & 1) != 0)
            {
                result *= a;
            }
        }

        return result;
    }

    public static bool RootOrRootTimesZ(in Fq2 a, out Fq2 root)
    {
        // a has a root where its norm has one in Fq; if not, the candidate s has s^2 = -norm(a).
        var norm = Norm(a);
        if (Fq.TrySquareRoot(norm, out var normRoot))
        {
            root = RootWithNorm(a, normRoot);
            return true;
        }

        root = RootWithNorm(a * SwuZ, normRoot * RootOfMinusFive);
        return false;
    }

    /// <summary>
    /// A root of a, given a root of its norm: x0^2 = (a0 + n) / 2 or (a0 - n) / 2, and x1 = a1 / (2 x0).
    /// </summary>
    private static Fq2 RootWithNorm(in Fq2 a, in Fq normRoot)
    {
        var square = Fq.Half(a.C0 + normRoot);
        square = square.IsZero ? Fq.Half(a.C0 - normRoot) : square;
        var found = Fq.TrySquareRoot(square, out var part);
        var other = Fq.Half(a.C1) * Fq.Invert(part);
        return found ? new Fq2(part, other) : new Fq2(other, part);
    }
}
