using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>c0 + c1 u with u^2 = -1: the quadratic extension of BN254's base field, over which G2 lies.</summary>
[SkipLocalsInit]
public struct Fq2(in Fq c0, in Fq c1) : ICurveField<Fq2>, IEquatable<Fq2>
{
    public Fq C0 = c0;

    public Fq C1 = c1;

    public static Fq2 Zero => default;

    public static Fq2 One => new(Fq.One, Fq.Zero);

    /// <summary>9 + u: neither a square nor a cube, so that the tower above is built on it.</summary>
    internal static Fq2 Xi => new(Fq.FromUInt64(9), Fq.One);

    public readonly bool IsZero => C0.IsZero && C1.IsZero;

    public readonly bool Equals(Fq2 other) => C0.Equals(other.C0) && C1.Equals(other.C1);

    public override readonly bool Equals([NotNullWhen(true)] object? obj) => obj is Fq2 other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(C0, C1);

    public override readonly string ToString() => $"{C0} + {C1} u";

    public static bool operator ==(in Fq2 left, in Fq2 right) => left.Equals(right);

    public static bool operator !=(in Fq2 left, in Fq2 right) => !left.Equals(right);

    public static Fq2 operator +(in Fq2 a, in Fq2 b)
    {
        Add(a, b, out var result);
        return result;
    }

    public static Fq2 operator -(in Fq2 a, in Fq2 b)
    {
        Subtract(a, b, out var result);
        return result;
    }

    public static Fq2 operator -(in Fq2 a)
    {
        Negate(a, out var result);
        return result;
    }

    public static Fq2 operator *(in Fq2 a, in Fq2 b)
    {
        Multiply(a, b, out var result);
        return result;
    }

    public static void Add(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Add(a.C0, b.C0, out result.C0);
        Fq.Add(a.C1, b.C1, out result.C1);
    }

    public static void Subtract(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Subtract(a.C0, b.C0, out result.C0);
        Fq.Subtract(a.C1, b.C1, out result.C1);
    }

    public static void Double(in Fq2 a, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Double(a.C0, out result.C0);
        Fq.Double(a.C1, out result.C1);
    }

    public static void Negate(in Fq2 a, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Negate(a.C0, out result.C0);
        Fq.Negate(a.C1, out result.C1);
    }

    /// <inheritdoc/>
    public static void Combine(in Fq2 a, long fa, in Fq2 b, long fb, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Combine(a.C0, fa, b.C0, fb, out result.C0);
        Fq.Combine(a.C1, fa, b.C1, fb, out result.C1);
    }

    /// <inheritdoc/>
    public static void Combine(in Fq2 a, long fa, in Fq2 b, long fb, in Fq2 c, long fc, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Combine(a.C0, fa, b.C0, fb, c.C0, fc, out result.C0);
        Fq.Combine(a.C1, fa, b.C1, fb, c.C1, fc, out result.C1);
    }

    /// <summary>c0 - c1 u, which is also the p-th power.</summary>
    public static void Conjugate(in Fq2 a, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Negate(a.C1, out result.C1);
        result.C0 = a.C0;
    }

    /// <summary>Both parts times a base field element.</summary>
    public static void Multiply(in Fq2 a, in Fq b, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.Multiply(a.C0, b, out var c0);
        Fq.Multiply(a.C1, b, out result.C1);
        result.C0 = c0;
    }

    /// <summary>a * b; either may be the lazy sum of two tight values.</summary>
    /// <remarks>a0 b0 - a1 b1 and a0 b1 + a1 b0, each reduced once: as many limb products as Karatsuba's
    /// three.</remarks>
    public static void Multiply(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.NegateLazy(b.C1, out var negative);
        Fq.MultiplyAdd(a.C0, b.C0, a.C1, negative, out var c0);
        Fq.MultiplyAdd(a.C0, b.C1, a.C1, b.C0, out result.C1);
        result.C0 = c0;
    }

    /// <summary>a * a = (a0 + a1)(a0 - a1) + 2 a0 a1 u, for a tight value.</summary>
    public static void Square(in Fq2 a, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.NegateLazy(a.C1, out var difference);
        Fq.AddLazy(a.C0, difference, out difference);
        Fq.AddLazy(a.C0, a.C1, out var sum);
        Fq.AddLazy(a.C0, a.C0, out var twice);
        Fq.Multiply(twice, a.C1, out result.C1);
        Fq.Multiply(sum, difference, out result.C0);
    }

    /// <summary>a + b limb by limb, for a factor only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddLazy(in Fq2 a, in Fq2 b, out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        Fq.AddLazy(a.C0, b.C0, out result.C0);
        Fq.AddLazy(a.C1, b.C1, out result.C1);
    }

    /// <summary>1 / a = (c0 - c1 u) / (c0^2 + c1^2); zero for zero.</summary>
    public static void Invert(in Fq2 a, out Fq2 result)
    {
        Fq.MultiplyAdd(a.C0, a.C0, a.C1, a.C1, out var norm);
        Fq.Invert(norm, out norm);
        Conjugate(a, out result);
        Multiply(result, norm, out result);
    }
}

/// <summary>A linear combination over Fq2, reduced once; the limits of <see cref="FqSum"/> hold for both
/// parts.</summary>
internal struct Fq2Sum(in Fq2 a)
{
    private FqSum _c0 = new(a.C0);

    private FqSum _c1 = new(a.C1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(in Fq2 a)
    {
        _c0.Add(a.C0);
        _c1.Add(a.C1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(in Fq2 a, long factor)
    {
        _c0.Add(a.C0, factor);
        _c1.Add(a.C1, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Subtract(in Fq2 a)
    {
        _c0.Subtract(a.C0);
        _c1.Subtract(a.C1);
    }

    /// <summary>Adds factor * (9 + u) * a: 10 times factor tight values, one of them negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void AddTimesXi(in Fq2 a, long factor = 1)
    {
        _c0.Add(a.C0, 9 * factor);
        _c0.Add(a.C1, -factor);
        _c1.Add(a.C1, 9 * factor);
        _c1.Add(a.C0, factor);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void Reduce(out Fq2 result)
    {
        Unsafe.SkipInit(out result);
        _c0.Reduce(out result.C0);
        _c1.Reduce(out result.C1);
    }
}
