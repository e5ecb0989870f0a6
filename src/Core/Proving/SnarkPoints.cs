using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving;

/// <summary>Points and numbers as snarkjs' binary files hold them.</summary>
/// <remarks>
/// Little-endian; coordinates as a 2^256 modulo p; G2's as c0, c1; a point at infinity is all zero.
/// </remarks>
public static class SnarkPoints
{
    /// <summary>A little-endian number of 32 bytes.</summary>
    public static UInt256 ReadNumber(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes[..32]);
        return new UInt256(words[0], words[1], words[2], words[3]);
    }

    public static void WriteNumber(in UInt256 value, Span<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes[..32]);
        (words[0], words[1], words[2], words[3]) = (value.U0, value.U1, value.U2, value.U3);
    }

    /// <summary>One point of 64 bytes; false where a coordinate is not below p or the point not on the curve.</summary>
    public static bool TryReadG1(ReadOnlySpan<byte> bytes, out AffinePoint<Fq> point)
    {
        point = default;
        return Fq.TryCreateFromMontgomery256(ReadNumber(bytes), out point.X)
            && Fq.TryCreateFromMontgomery256(ReadNumber(bytes[32..]), out point.Y)
            && G1.IsOnCurve(point);
    }

    /// <summary>One point of 128 bytes on the curve, which may lie outside of the subgroup.</summary>
    public static bool TryReadG2(ReadOnlySpan<byte> bytes, out AffinePoint<Fq2> point)
    {
        point = default;
        return Fq.TryCreateFromMontgomery256(ReadNumber(bytes), out point.X.C0)
            && Fq.TryCreateFromMontgomery256(ReadNumber(bytes[32..]), out point.X.C1)
            && Fq.TryCreateFromMontgomery256(ReadNumber(bytes[64..]), out point.Y.C0)
            && Fq.TryCreateFromMontgomery256(ReadNumber(bytes[96..]), out point.Y.C1)
            && G2.IsOnCurve(point);
    }

    public static void Write(in AffinePoint<Fq> point, Span<byte> bytes)
    {
        WriteNumber(point.X.ToMontgomery256(), bytes);
        WriteNumber(point.Y.ToMontgomery256(), bytes[32..]);
    }

    public static void Write(in AffinePoint<Fq2> point, Span<byte> bytes)
    {
        WriteNumber(point.X.C0.ToMontgomery256(), bytes);
        WriteNumber(point.X.C1.ToMontgomery256(), bytes[32..]);
        WriteNumber(point.Y.C0.ToMontgomery256(), bytes[64..]);
        WriteNumber(point.Y.C1.ToMontgomery256(), bytes[96..]);
    }

    /// <summary>Numbers one after another, 32 bytes each.</summary>
    public static byte[] ToBytes(ReadOnlySpan<UInt256> numbers)
    {
        var bytes = new byte[numbers.Length * PointSum.ScalarSize];
        for (var i = 0; i < numbers.Length; i++)
        {
            WriteNumber(numbers[i], bytes.AsSpan(i * PointSum.ScalarSize));
        }

        return bytes;
    }

    /// <summary>Points one after another, 64 bytes each.</summary>
    public static byte[] ToBytes(ReadOnlySpan<AffinePoint<Fq>> points)
    {
        var bytes = new byte[points.Length * PointSum.G1Size];
        for (var i = 0; i < points.Length; i++)
        {
            Write(points[i], bytes.AsSpan(i * PointSum.G1Size));
        }

        return bytes;
    }

    /// <summary>Points one after another, 128 bytes each.</summary>
    public static byte[] ToBytes(ReadOnlySpan<AffinePoint<Fq2>> points)
    {
        var bytes = new byte[points.Length * PointSum.G2Size];
        for (var i = 0; i < points.Length; i++)
        {
            Write(points[i], bytes.AsSpan(i * PointSum.G2Size));
        }

        return bytes;
    }

    /// <summary>All points of a section.</summary>
    /// <exception cref="ProofException">One that is not on the curve.</exception>
    public static AffinePoint<Fq>[] ReadG1(ReadOnlySpan<byte> bytes, string name)
    {
        var points = new AffinePoint<Fq>[bytes.Length / PointSum.G1Size];
        for (var i = 0; i < points.Length; i++)
        {
            if (!TryReadG1(bytes[(i * PointSum.G1Size)..], out points[i]))
            {
                throw new ProofException($"{name}: point {i} is not on the curve.");
            }
        }

        return points;
    }

    /// <summary>All points of a section; they may lie outside of the subgroup.</summary>
    /// <exception cref="ProofException">One that is not on the curve.</exception>
    public static AffinePoint<Fq2>[] ReadG2(ReadOnlySpan<byte> bytes, string name)
    {
        var points = new AffinePoint<Fq2>[bytes.Length / PointSum.G2Size];
        for (var i = 0; i < points.Length; i++)
        {
            if (!TryReadG2(bytes[(i * PointSum.G2Size)..], out points[i]))
            {
                throw new ProofException($"{name}: point {i} is not on the curve.");
            }
        }

        return points;
    }
}
