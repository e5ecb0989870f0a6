using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>c0 + c1 v + c2 v^2 with v^3 = 9 + u: the middle floor of the pairing's tower.</summary>
[SkipLocalsInit]
internal struct Fq6
{
    public Fq2 C0, C1, C2;

    public static Fq6 One => new() { C0 = Fq2.One };

    public readonly bool IsZero => C0.IsZero && C1.IsZero && C2.IsZero;

    public readonly bool Equals(in Fq6 other) => C0 == other.C0 && C1 == other.C1 && C2 == other.C2;

    public static void Add(in Fq6 a, in Fq6 b, out Fq6 result)
    {
        Unsafe.SkipInit(out result);
        Fq2.Add(a.C0, b.C0, out result.C0);
        Fq2.Add(a.C1, b.C1, out result.C1);
        Fq2.Add(a.C2, b.C2, out result.C2);
    }

    public static void Negate(in Fq6 a, out Fq6 result)
    {
        Unsafe.SkipInit(out result);
        Fq2.Negate(a.C0, out result.C0);
        Fq2.Negate(a.C1, out result.C1);
        Fq2.Negate(a.C2, out result.C2);
    }

    /// <summary>a * b with six multiplications (Karatsuba), every coefficient reduced once.</summary>
    public static void Multiply(in Fq6 a, in Fq6 b, out Fq6 result)
    {
        Fq2.Multiply(a.C0, b.C0, out var v0);
        Fq2.Multiply(a.C1, b.C1, out var v1);
        Fq2.Multiply(a.C2, b.C2, out var v2);
        Cross(a.C1, a.C2, b.C1, b.C2, v1, v2, out var x12);
        Cross(a.C0, a.C1, b.C0, b.C1, v0, v1, out var x01);
        Cross(a.C0, a.C2, b.C0, b.C2, v0, v2, out var x02);
        Unsafe.SkipInit(out result);
        AddTimesXi(v0, x12, out result.C0);
        AddTimesXi(x01, v2, out result.C1);
        Fq2.Add(x02, v1, out result.C2);
    }

    /// <summary>a * (b0 + b1 v).</summary>
    public static void MultiplySparse(in Fq6 a, in Fq2 b0, in Fq2 b1, out Fq6 result)
    {
        Fq2.Multiply(a.C0, b0, out var v0);
        Fq2.Multiply(a.C1, b1, out var v1);
        Fq2.Multiply(a.C2, b1, out var v21);
        Fq2.Multiply(a.C2, b0, out var v20);
        Cross(a.C0, a.C1, b0, b1, v0, v1, out var x01);
        Unsafe.SkipInit(out result);
        AddTimesXi(v0, v21, out result.C0);
        result.C1 = x01;
        Fq2.Add(v20, v1, out result.C2);
    }

    /// <summary>All coefficients times one of Fq2.</summary>
    public static void Multiply(in Fq6 a, in Fq2 b, out Fq6 result)
    {
        Unsafe.SkipInit(out result);
        Fq2.Multiply(a.C0, b, out result.C0);
        Fq2.Multiply(a.C1, b, out result.C1);
        Fq2.Multiply(a.C2, b, out result.C2);
    }

    /// <summary>a + v b.</summary>
    public static void AddTimesV(in Fq6 a, in Fq6 b, out Fq6 result)
    {
        Unsafe.SkipInit(out result);
        AddTimesXi(a.C0, b.C2, out var c0);
        Fq2.Add(a.C2, b.C1, out result.C2);
        Fq2.Add(a.C1, b.C0, out result.C1);
        result.C0 = c0;
    }

    /// <summary>1 / a; zero for zero. The result must not be the operand.</summary>
    /// <remarks>Beuchat et al., "High-speed software implementation of the optimal ate pairing" (2010), algorithm
    /// 17.</remarks>
    public static void Invert(in Fq6 a, out Fq6 result)
    {
        Unsafe.SkipInit(out result);
        Fq2.Square(a.C0, out var s0);
        Fq2.Square(a.C1, out var s1);
        Fq2.Square(a.C2, out var s2);
        Fq2.Multiply(a.C1, a.C2, out var p12);
        Fq2.Multiply(a.C0, a.C1, out var p01);
        Fq2.Multiply(a.C0, a.C2, out var p02);
        Fq2.Negate(p12, out var minus12);
        Fq2.Negate(p01, out var minus01);
        AddTimesXi(s0, minus12, out var t0);
        AddTimesXi(minus01, s2, out var t1);
        Fq2.Subtract(s1, p02, out var t2);

        // The norm: a0 t0 + xi (a2 t1 + a1 t2).
        Fq2.Multiply(a.C0, t0, out var norm);
        Fq2.Multiply(a.C2, t1, out var high);
        Fq2.Multiply(a.C1, t2, out var low);
        Fq2.Add(high, low, out high);
        AddTimesXi(norm, high, out norm);
        Fq2.Invert(norm, out norm);
        Fq2.Multiply(t0, norm, out result.C0);
        Fq2.Multiply(t1, norm, out result.C1);
        Fq2.Multiply(t2, norm, out result.C2);
    }

    /// <summary>(a + b)(c + d) - ac - bd, the latter two given.</summary>
    private static void Cross(
        in Fq2 a, in Fq2 b, in Fq2 c, in Fq2 d, in Fq2 ac, in Fq2 bd, out Fq2 result)
    {
        Fq2.AddLazy(a, b, out var left);
        Fq2.AddLazy(c, d, out var right);
        Fq2.Multiply(left, right, out var product);
        var sum = new Fq2Sum(product);
        sum.Subtract(ac);
        sum.Subtract(bd);
        sum.Reduce(out result);
    }

    /// <summary>a + (9 + u) b.</summary>
    private static void AddTimesXi(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        var sum = new Fq2Sum(a);
        sum.AddTimesXi(b);
        sum.Reduce(out result);
    }
}
