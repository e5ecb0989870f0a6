using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>The long check of a proving key: every point on its curve and in its subgroup.</summary>
/// <remarks>
/// G1 is the whole curve. The twist has a cofactor whose smallest prime factor is 10,069: a random sum of points lies
/// in the subgroup by chance with that probability at most if one of them does not, so <see cref="Rounds"/> sums leave
/// 10,069^-10, below 2^-128. That the points are those of a circuit and of an honest ceremony is for
/// <c>snarkjs zkey verify</c> to say.
/// </remarks>
public static class KeyCheck
{
    /// <summary>Random sums of the points of G2.</summary>
    public const int Rounds = 10;

    /// <summary>Throws where a point is wrong.</summary>
    /// <exception cref="ProofException">Which section has it.</exception>
    public static void Run(
        ProvingKey key, IProofBackend backend, IRandomSource random, CancellationToken cancellation = default)
    {
        var scalars = Scalars(Math.Max(key.Variables, key.DomainSize), random);
        ReadOnlyMemory<byte> OfCount(int count) => scalars.AsMemory(0, count * PointSum.ScalarSize);
        backend.Sum(
        [
            new("zkey, section 5 (A)", CurveGroup.G1, key.A, OfCount(key.Variables)),
            new("zkey, section 6 (B in G1)", CurveGroup.G1, key.B1, OfCount(key.Variables)),
            new("zkey, section 8 (C)", CurveGroup.G1, key.C, OfCount(key.Variables - key.Publics - 1)),
            new("zkey, section 9 (H)", CurveGroup.G1, key.H, OfCount(key.DomainSize)),
        ],
            progress: null, cancellation);
        for (var round = 0; round < Rounds; round++)
        {
            var sum = new PointSum(
                "zkey, section 7 (B in G2)", CurveGroup.G2, key.B2, Scalars(key.Variables, random));
            backend.Sum([sum], progress: null, cancellation);
            if (!G2.IsInSubgroup(sum.InG2.ToAffine()))
            {
                throw new ProofException($"{sum.Name}: a point is outside of the subgroup.");
            }
        }
    }

    /// <summary>Random scalars of 64 bits.</summary>
    private static byte[] Scalars(int count, IRandomSource random)
    {
        var scalars = new byte[count * PointSum.ScalarSize];
        for (var i = 0; i < count; i++)
        {
            random.Fill(scalars.AsSpan(i * PointSum.ScalarSize, sizeof(ulong)));
        }

        return scalars;
    }
}
