using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>The subgroup of order r of the twist y^2 = x^3 + 3 / (9 + u) over Fq2.</summary>
[SkipLocalsInit]
public static class G2
{
    /// <summary>Bytes of an encoded point: x and y, of each the factor of u first (EIP-197).</summary>
    public const int EncodedSize = 128;

    /// <summary>The curve's parameter x; p, r and the twist's order are polynomials in it.</summary>
    internal const ulong CurveParameter = 4965661367192848881;

    private const int Window = 4;
    private const int TableSize = 1 << (Window - 2);

    /// <summary>The b of the twist's y^2 = x^3 + b: 3 / (9 + u).</summary>
    public static readonly Fq2 CurveB = MakeCurveB();

    private static readonly AffinePoint<Fq2> GeneratorPoint = new(
        new Fq2(
            Parse("10857046999023057135944570762232829481370756359578518086990519993285655852781"),
            Parse("11559732032986387107991004021392285783925812861821192530917403151452391805634")),
        new Fq2(
            Parse("8495653923123431417604973247489272438418190587263600148770280649306958101930"),
            Parse("4082367875863433681332203403145435568316851327593401208105741076214120093531")));

    /// <summary>The generator that EIP-197 names.</summary>
    public static ref readonly AffinePoint<Fq2> Generator => ref GeneratorPoint;

    public static bool IsOnCurve(in AffinePoint<Fq2> point) => point.IsOnCurve(CurveB);

    /// <summary>
    /// Reads 128 bytes; false for a coordinate that is not below p, a point off the curve or outside the subgroup.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out AffinePoint<Fq2> point) =>
        TryReadTwist(bytes, out point) && IsInSubgroup(point);

    /// <summary>Reads 128 bytes; the point is on the curve, but may lie outside the subgroup.</summary>
    internal static bool TryReadTwist(ReadOnlySpan<byte> bytes, out AffinePoint<Fq2> point)
    {
        point = default;
        return Fq.TryRead(bytes[..32], out point.X.C1) && Fq.TryRead(bytes.Slice(32, 32), out point.X.C0)
            && Fq.TryRead(bytes.Slice(64, 32), out point.Y.C1) && Fq.TryRead(bytes.Slice(96, 32), out point.Y.C0)
            && IsOnCurve(point);
    }

    /// <summary>Writes 128 bytes.</summary>
    public static void Write(in AffinePoint<Fq2> point, Span<byte> bytes)
    {
        point.X.C1.WriteBigEndian(bytes[..32]);
        point.X.C0.WriteBigEndian(bytes.Slice(32, 32));
        point.Y.C1.WriteBigEndian(bytes.Slice(64, 32));
        point.Y.C0.WriteBigEndian(bytes.Slice(96, 32));
    }

    /// <summary>Whether a point of the twist has an order that divides r.</summary>
    /// <remarks>
    /// With psi the p-th power carried over to the twist, [x+1] P + psi([x] P) + psi^2([x] P) = psi^3([2x] P) holds
    /// in the subgroup, and only there, because the resultant of x + 1 + x X + x X^2 - 2 x X^3 and psi's polynomial
    /// X^2 - t X + p is coprime to the cofactor (El Housni, Guillevic, Piellard, eprint 2022/348, section 3). x has 63
    /// bits, r 254.
    /// </remarks>
    public static bool IsInSubgroup(in AffinePoint<Fq2> point)
    {
        if (point.IsInfinity)
        {
            return true;
        }

        Multiply(point, CurveParameter, out var xp);
        Psi(xp, out var psi1);
        Psi(psi1, out var psi2);
        Psi(psi2, out var right);
        JacobianPoint<Fq2>.Double(right, out right);
        JacobianPoint<Fq2>.Add(xp, point, out var left);
        JacobianPoint<Fq2>.Add(left, psi1, out left);
        JacobianPoint<Fq2>.Add(left, psi2, out left);
        return left.Equals(right);
    }

    /// <summary>scalar * point, for any point of the twist. Not for secrets: the time depends on the scalar.</summary>
    public static void Multiply(in AffinePoint<Fq2> point, in UInt256 scalar, out JacobianPoint<Fq2> result)
    {
        result = default;
        if (point.IsInfinity)
        {
            return;
        }

        Span<JacobianPoint<Fq2>> table = stackalloc JacobianPoint<Fq2>[TableSize];
        table[0] = new JacobianPoint<Fq2>(point);
        JacobianPoint<Fq2>.Double(table[0], out var twice);
        for (var i = 1; i < table.Length; i++)
        {
            JacobianPoint<Fq2>.Add(table[i - 1], twice, out table[i]);
        }

        Span<sbyte> digits = stackalloc sbyte[SignedDigits.MaxLength];
        for (var i = SignedDigits.Write(scalar, Window, digits) - 1; i >= 0; i--)
        {
            JacobianPoint<Fq2>.Double(result, out result);
            if (digits[i] > 0)
            {
                JacobianPoint<Fq2>.Add(result, table[digits[i] >> 1], out result);
            }
            else if (digits[i] < 0)
            {
                JacobianPoint<Fq2>.Negate(table[-digits[i] >> 1], out var negative);
                JacobianPoint<Fq2>.Add(result, negative, out result);
            }
        }
    }

    /// <summary>psi: the p-th power of the untwisted coordinates, twisted back.</summary>
    internal static void Psi(in AffinePoint<Fq2> point, out AffinePoint<Fq2> result)
    {
        Unsafe.SkipInit(out result);
        Fq2.Conjugate(point.X, out result.X);
        Fq2.Multiply(result.X, Fq12.FrobeniusFactor(2), out result.X);
        Fq2.Conjugate(point.Y, out result.Y);
        Fq2.Multiply(result.Y, Fq12.FrobeniusFactor(3), out result.Y);
    }

    private static void Psi(in JacobianPoint<Fq2> point, out JacobianPoint<Fq2> result)
    {
        Unsafe.SkipInit(out result);
        Fq2.Conjugate(point.X, out result.X);
        Fq2.Multiply(result.X, Fq12.FrobeniusFactor(2), out result.X);
        Fq2.Conjugate(point.Y, out result.Y);
        Fq2.Multiply(result.Y, Fq12.FrobeniusFactor(3), out result.Y);
        Fq2.Conjugate(point.Z, out result.Z);
    }

    private static Fq2 MakeCurveB()
    {
        Fq2.Invert(Fq2.Xi, out var inverse);
        Fq2.Multiply(inverse, Fq.FromUInt64(3), out var b);
        return b;
    }

    private static Fq Parse(string number) =>
        Fq.TryCreate(UInt256.Parse(number), out var element) ? element : throw new FormatException(number);
}
