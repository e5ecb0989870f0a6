using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

public readonly partial struct Fq
{
    /// <summary>(p + 1) / 4: the exponent of a square root, because p = 3 modulo 4.</summary>
    private static readonly UInt256 RootExponent =
        new(0x4F082305B61F3F52, 0x65E05AA45A1C72A3, 0x6E14116DA0605617, 0x0C19139CB84C680A);

    public static Fq operator +(in Fq a, in Fq b)
    {
        Add(a, b, out var result);
        return result;
    }

    public static Fq operator -(in Fq a, in Fq b)
    {
        Subtract(a, b, out var result);
        return result;
    }

    public static Fq operator -(in Fq a)
    {
        Negate(a, out var result);
        return result;
    }

    public static Fq operator *(in Fq a, in Fq b)
    {
        Multiply(a, b, out var result);
        return result;
    }

    /// <summary>a + b.</summary>
    public static void Add(in Fq a, in Fq b, out Fq result)
    {
        var sum = new FqSum(a);
        sum.Add(b);
        sum.Reduce(out result);
    }

    /// <summary>a - b.</summary>
    public static void Subtract(in Fq a, in Fq b, out Fq result)
    {
        var sum = new FqSum(a);
        sum.Subtract(b);
        sum.Reduce(out result);
    }

    /// <summary>2 a.</summary>
    public static void Double(in Fq a, out Fq result)
    {
        var sum = new FqSum(a);
        sum.Add(a);
        sum.Reduce(out result);
    }

    /// <summary>-a.</summary>
    public static void Negate(in Fq a, out Fq result)
    {
        var sum = default(FqSum);
        sum.Subtract(a);
        sum.Reduce(out result);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Combine(in Fq a, long fa, in Fq b, long fb, out Fq result)
    {
        var sum = default(FqSum);
        sum.Add(a, fa);
        sum.Add(b, fb);
        sum.Reduce(out result);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Combine(in Fq a, long fa, in Fq b, long fb, in Fq c, long fc, out Fq result)
    {
        var sum = default(FqSum);
        sum.Add(a, fa);
        sum.Add(b, fb);
        sum.Add(c, fc);
        sum.Reduce(out result);
    }

    /// <summary>a + b limb by limb, for a factor only: at most as many p, and bits a limb, as both together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void AddLazy(in Fq a, in Fq b, out Fq result) =>
        result = new Fq(a.L0 + b.L0, a.L1 + b.L1, a.L2 + b.L2, a.L3 + b.L3, a.L4 + b.L4);

    /// <summary>8 p - a limb by limb, for a factor only; a is tight or the lazy sum of two tight values.</summary>
    /// <remarks>8 p is spread over the limbs so that each of them is above any of a's (2^53).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void NegateLazy(in Fq a, out Fq result) => result = new Fq(
        0x4460B6C3E7EA38 - a.L0, 0x48B438E5469E0C - a.L1, 0x4C0AC2ECBC0B50 - a.L2, 0x4014DC2822DB3C - a.L3,
        0x1832273970989 - a.L4);

    /// <summary>1 / a; zero for zero.</summary>
    public static void Invert(in Fq a, out Fq result)
    {
        Span<ulong> words = stackalloc ulong[4];
        var plain = Join(a.Canonical());
        ReadOnlySpan<ulong> input = [plain.U0, plain.U1, plain.U2, plain.U3];
        Inverter.Invert(input, words);
        Multiply(Split(new UInt256(words[0], words[1], words[2], words[3])), Cube260, out result);
    }

    /// <summary>a to the power of a number; 1 for the exponent 0.</summary>
    public static Fq Power(in Fq a, in UInt256 exponent)
    {
        FieldAlgorithms.Power(a, exponent, out var result);
        return result;
    }

    /// <summary>A square root; false where a is no square.</summary>
    public static bool TrySquareRoot(in Fq a, out Fq root)
    {
        FieldAlgorithms.Power(a, RootExponent, out root);
        Square(root, out var square);
        return square.Equals(a);
    }
}
