using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>The group of the curve y^2 = x^3 + 3 over Fq: order r, so that every point on the curve is in it.</summary>
[SkipLocalsInit]
public static class G1
{
    /// <summary>Bytes of an encoded point: x and y, big-endian; all zero at infinity (EIP-196).</summary>
    public const int EncodedSize = 64;

    private const int Window = 5;
    private const int TableSize = 1 << (Window - 2);

    /// <summary>The b of y^2 = x^3 + b.</summary>
    public static readonly Fq CurveB = Fq.FromUInt64(3);

    /// <summary>(1, 2).</summary>
    public static AffinePoint<Fq> Generator => new(Fq.One, Fq.FromUInt64(2));

    public static bool IsOnCurve(in AffinePoint<Fq> point) => point.IsOnCurve(CurveB);

    /// <summary>Reads 64 bytes; false for a coordinate that is not below p and for a point off the curve.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out AffinePoint<Fq> point)
    {
        point = default;
        return Fq.TryRead(bytes[..32], out point.X) && Fq.TryRead(bytes.Slice(32, 32), out point.Y)
            && IsOnCurve(point);
    }

    /// <summary>Writes 64 bytes.</summary>
    public static void Write(in AffinePoint<Fq> point, Span<byte> bytes)
    {
        point.X.WriteBigEndian(bytes[..32]);
        point.Y.WriteBigEndian(bytes.Slice(32, 32));
    }

    /// <summary>scalar * point, for any 256-bit scalar. Not for secrets: the time depends on the scalar.</summary>
    /// <remarks>
    /// Two half scalars in signed windows of five bits over one table of odd multiples, which is made affine by one
    /// inversion; the second half reads it through the endomorphism.
    /// </remarks>
    public static void Multiply(in AffinePoint<Fq> point, in UInt256 scalar, out JacobianPoint<Fq> result)
    {
        result = default;
        if (point.IsInfinity)
        {
            return;
        }

        var split = SplitScalar.Of(scalar < Fr.Modulus ? scalar : scalar % Fr.Modulus);
        Span<sbyte> first = stackalloc sbyte[SignedDigits.MaxLength];
        Span<sbyte> second = stackalloc sbyte[SignedDigits.MaxLength];
        var length = Math.Max(
            SignedDigits.Write(split.First, Window, first), SignedDigits.Write(split.Second, Window, second));
        Span<AffinePoint<Fq>> table = stackalloc AffinePoint<Fq>[TableSize];
        Span<AffinePoint<Fq>> mapped = stackalloc AffinePoint<Fq>[TableSize];
        FillTable(point, table);
        for (var i = 0; i < TableSize; i++)
        {
            Fq.Multiply(table[i].X, SplitScalar.Beta, out mapped[i].X);
            mapped[i].Y = table[i].Y;
        }

        for (var i = length - 1; i >= 0; i--)
        {
            JacobianPoint<Fq>.Double(result, out result);
            AddDigit(ref result, table, split.FirstNegative ? -first[i] : first[i]);
            AddDigit(ref result, mapped, split.SecondNegative ? -second[i] : second[i]);
        }
    }

    /// <summary>P, 3 P, 5 P ... in affine form.</summary>
    private static void FillTable(in AffinePoint<Fq> point, Span<AffinePoint<Fq>> table)
    {
        Span<JacobianPoint<Fq>> multiples = stackalloc JacobianPoint<Fq>[TableSize];
        multiples[0] = new JacobianPoint<Fq>(point);
        JacobianPoint<Fq>.Double(multiples[0], out var twice);
        for (var i = 1; i < multiples.Length; i++)
        {
            JacobianPoint<Fq>.Add(multiples[i - 1], twice, out multiples[i]);
        }

        JacobianPoint<Fq>.ToAffine(multiples, table);
    }

    private static void AddDigit(ref JacobianPoint<Fq> sum, ReadOnlySpan<AffinePoint<Fq>> table, int digit)
    {
        if (digit > 0)
        {
            JacobianPoint<Fq>.Add(sum, table[digit >> 1], out sum);
        }
        else if (digit < 0)
        {
            JacobianPoint<Fq>.Add(sum, -table[-digit >> 1], out sum);
        }
    }
}
