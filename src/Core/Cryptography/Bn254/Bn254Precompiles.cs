namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>The computations of the EVM's precompiles 6 (EIP-196 addition), 7 (multiplication) and 8 (EIP-197
/// pairing).</summary>
/// <remarks>Gas is the caller's. Nothing here throws on any input.</remarks>
public static class Bn254Precompiles
{
    /// <summary>Bytes of a pair of points: G1's, then G2's.</summary>
    public const int PairSize = G1.EncodedSize + G2.EncodedSize;

    private const int AddInputSize = 2 * G1.EncodedSize;
    private const int MultiplyInputSize = G1.EncodedSize + 32;
    private const int PairingOutputSize = 32;

    /// <summary>Pairs that are decoded before their Miller loops run.</summary>
    private const int PairsAtOnce = 16;

    /// <summary>The sum of two points of G1.</summary>
    /// <param name="input">Two points; what is missing of 128 bytes is zero, what is more is ignored.</param>
    /// <param name="output">64 bytes, written on success only.</param>
    /// <returns>False for a coordinate not below p, a point off the curve or too short an output.</returns>
    public static bool Add(ReadOnlySpan<byte> input, Span<byte> output)
    {
        Span<byte> padded = stackalloc byte[AddInputSize];
        Pad(input, padded);
        if (output.Length < G1.EncodedSize || !G1.TryRead(padded[..G1.EncodedSize], out var a)
            || !G1.TryRead(padded[G1.EncodedSize..], out var b))
        {
            return false;
        }

        JacobianPoint<Fq>.Add(new JacobianPoint<Fq>(a), b, out var sum);
        G1.Write(sum.ToAffine(), output);
        return true;
    }

    /// <summary>A point of G1 times any 256-bit number.</summary>
    /// <param name="input">Point and scalar; what is missing of 96 bytes is zero, what is more is ignored.</param>
    /// <param name="output">64 bytes, written on success only.</param>
    /// <returns>False for a coordinate not below p, a point off the curve or too short an output.</returns>
    public static bool Multiply(ReadOnlySpan<byte> input, Span<byte> output)
    {
        Span<byte> padded = stackalloc byte[MultiplyInputSize];
        Pad(input, padded);
        if (output.Length < G1.EncodedSize || !G1.TryRead(padded[..G1.EncodedSize], out var point))
        {
            return false;
        }

        var scalar = Primitives.UInt256.FromBigEndian(padded[G1.EncodedSize..]);
        G1.Multiply(point, scalar, out var product);
        G1.Write(product.ToAffine(), output);
        return true;
    }

    /// <summary>Whether the product of the pairings of all given pairs is one; it is for no pairs.</summary>
    /// <param name="input">Any number of pairs of 192 bytes.</param>
    /// <param name="output">32 bytes, written on success only: the number 1 or 0.</param>
    /// <returns>
    /// False for another input length, a coordinate not below p, a point off its curve, a point of the twist outside
    /// the subgroup of order r, or too short an output.
    /// </returns>
    public static bool PairingCheck(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length % PairSize != 0 || output.Length < PairingOutputSize)
        {
            return false;
        }

        Span<PointPair> pairs = stackalloc PointPair[PairsAtOnce];
        var product = Fq12.One;
        while (!input.IsEmpty)
        {
            var count = 0;
            for (; count < pairs.Length && !input.IsEmpty; input = input[PairSize..])
            {
                if (!G1.TryRead(input, out var p) || !G2.TryReadTwist(input[G1.EncodedSize..], out var q)
                    || (p.IsInfinity && !G2.IsInSubgroup(q)))
                {
                    return false;
                }

                pairs[count++] = new PointPair(p, q);
            }

            // The loop itself finds out whether the points of the twist are in the subgroup.
            if (!Pairing.TryMillerLoop(pairs[..count], out var factor))
            {
                return false;
            }

            Fq12.Multiply(product, factor, out product);
        }

        Pairing.FinalPower(product, out product);
        output[..PairingOutputSize].Clear();
        output[PairingOutputSize - 1] = product.IsOne ? (byte)1 : (byte)0;
        return true;
    }

    private static void Pad(ReadOnlySpan<byte> input, Span<byte> padded)
    {
        padded.Clear();
        input[..Math.Min(input.Length, padded.Length)].CopyTo(padded);
    }
}
