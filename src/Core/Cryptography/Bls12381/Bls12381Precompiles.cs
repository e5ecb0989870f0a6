using SuperVm.Core.Cryptography.Bls12381;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>The operations of EIP-2537 without their gas: bytes in, bytes out.</summary>
/// <remarks>
/// Each answers false, and leaves the output undefined, for an input of another length, a field element that is not
/// below p or has bytes above its 48, a point off its curve and, where products and pairings need it, a point outside
/// its group. Nothing throws for any input; an output shorter than stated does.
/// </remarks>
public static class Bls12381Precompiles
{
    /// <summary>Bytes of a point of G1: x and y.</summary>
    public const int G1Size = BlsEncoding.G1Size;

    /// <summary>Bytes of a point of G2: x and y, the part without u first.</summary>
    public const int G2Size = BlsEncoding.G2Size;

    /// <summary>Bytes of a point of G1 with its scalar.</summary>
    public const int G1MsmItemSize = G1Size + BlsEncoding.ScalarSize;

    /// <summary>Bytes of a point of G2 with its scalar.</summary>
    public const int G2MsmItemSize = G2Size + BlsEncoding.ScalarSize;

    /// <summary>Bytes of a pair of points for the pairing.</summary>
    public const int PairSize = G1Size + G2Size;

    /// <summary>Bytes of the pairing's answer: the number 1 or 0.</summary>
    public const int PairingOutputSize = 32;

    /// <summary>Two points of 128 bytes; their sum, 128 bytes. Points need not be in G1.</summary>
    public static bool G1Add(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != 2 * G1Size
            || !BlsEncoding.TryRead(input, out Affine<Fq> a)
            || !BlsEncoding.TryRead(input[G1Size..], out Affine<Fq> b))
        {
            return false;
        }

        BlsEncoding.Write(Jacobian<Fq>.Add(Jacobian<Fq>.From(a), b).ToAffine(), output);
        return true;
    }

    /// <summary>Two points of 256 bytes; their sum, 256 bytes. Points need not be in G2.</summary>
    public static bool G2Add(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != 2 * G2Size
            || !BlsEncoding.TryRead(input, out Affine<Fq2> a)
            || !BlsEncoding.TryRead(input[G2Size..], out Affine<Fq2> b))
        {
            return false;
        }

        BlsEncoding.Write(Jacobian<Fq2>.Add(Jacobian<Fq2>.From(a), b).ToAffine(), output);
        return true;
    }

    /// <summary>
    /// One or more times a point of G1 and a scalar of 32 bytes, any number; the sum of the multiples, 128 bytes.
    /// </summary>
    public static bool G1Msm(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty || input.Length % G1MsmItemSize != 0)
        {
            return false;
        }

        var count = input.Length / G1MsmItemSize;
        var points = new Affine<Fq>[count];
        var scalars = new UInt256[count];
        for (var i = 0; i < count; i++)
        {
            var item = input.Slice(i * G1MsmItemSize, G1MsmItemSize);
            if (!BlsEncoding.TryRead(item, out points[i]) || !G1.Contains(points[i]))
            {
                return false;
            }

            scalars[i] = UInt256.FromBigEndian(item[G1Size..]);
        }

        BlsEncoding.Write(MultiScalar.SumG1(points, scalars).ToAffine(), output);
        return true;
    }

    /// <summary>
    /// One or more times a point of G2 and a scalar of 32 bytes, any number; the sum of the multiples, 256 bytes.
    /// </summary>
    public static bool G2Msm(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty || input.Length % G2MsmItemSize != 0)
        {
            return false;
        }

        var count = input.Length / G2MsmItemSize;
        var points = new Affine<Fq2>[count];
        var scalars = new UInt256[count];
        for (var i = 0; i < count; i++)
        {
            var item = input.Slice(i * G2MsmItemSize, G2MsmItemSize);
            if (!BlsEncoding.TryRead(item, out points[i]) || !G2.Contains(points[i]))
            {
                return false;
            }

            scalars[i] = UInt256.FromBigEndian(item[G2Size..]);
        }

        BlsEncoding.Write(MultiScalar.SumG2(points, scalars).ToAffine(), output);
        return true;
    }

    /// <summary>
    /// One or more pairs of a point of G1 and one of G2; 32 bytes: 1 where the pairings' product is one, else 0.
    /// </summary>
    public static bool PairingCheck(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty || input.Length % PairSize != 0)
        {
            return false;
        }

        var count = input.Length / PairSize;
        var g1 = new Affine<Fq>[count];
        var g2 = new Affine<Fq2>[count];
        for (var i = 0; i < count; i++)
        {
            var pair = input.Slice(i * PairSize, PairSize);
            if (!BlsEncoding.TryRead(pair, out g1[i]) || !BlsEncoding.TryRead(pair[G1Size..], out g2[i])
                || !G1.Contains(g1[i]) || !G2.Contains(g2[i]))
            {
                return false;
            }
        }

        output[..PairingOutputSize].Clear();
        output[PairingOutputSize - 1] = Pairing.IsProductOne(g1, g2) ? (byte)1 : (byte)0;
        return true;
    }

    /// <summary>A field element of 64 bytes; a point of G1, 128 bytes.</summary>
    public static bool MapFpToG1(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != BlsEncoding.FieldSize || !BlsEncoding.TryRead(input, out Fq u))
        {
            return false;
        }

        BlsEncoding.Write(MapToCurve.ToG1(u), output);
        return true;
    }

    /// <summary>An element of Fq2, 128 bytes; a point of G2, 256 bytes.</summary>
    public static bool MapFp2ToG2(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != 2 * BlsEncoding.FieldSize || !BlsEncoding.TryRead(input, out Fq2 u))
        {
            return false;
        }

        BlsEncoding.Write(MapToCurve.ToG2(u), output);
        return true;
    }
}
