using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>What a proof is checked with. IC has a point for the constant one and each public value.</summary>
public sealed class VerificationKey
{
    /// <summary>Public values that a key can have.</summary>
    public const int MostPublics = 1 << 16;

    /// <param name="alpha1">In G1, as IC's points are.</param>
    /// <param name="beta2">In the subgroup G2, as gamma2 and delta2 are.</param>
    /// <param name="gamma2">In G2.</param>
    /// <param name="delta2">In G2.</param>
    /// <param name="ic">One point more than there are public values.</param>
    /// <exception cref="ProofException">No point in IC, or too many.</exception>
    public VerificationKey(
        in AffinePoint<Fq> alpha1, in AffinePoint<Fq2> beta2, in AffinePoint<Fq2> gamma2,
        in AffinePoint<Fq2> delta2, IReadOnlyList<AffinePoint<Fq>> ic)
    {
        if (ic.Count is 0 or > MostPublics + 1)
        {
            throw new ProofException(
                $"verification key: {ic.Count} points in IC; 1 to {MostPublics + 1} are possible.");
        }

        (Alpha1, Beta2, Gamma2, Delta2, Ic) = (alpha1, beta2, gamma2, delta2, ic);
    }

    public AffinePoint<Fq> Alpha1 { get; }

    public AffinePoint<Fq2> Beta2 { get; }

    public AffinePoint<Fq2> Gamma2 { get; }

    public AffinePoint<Fq2> Delta2 { get; }

    public IReadOnlyList<AffinePoint<Fq>> Ic { get; }

    /// <summary>How many public values a proof has.</summary>
    public int Publics => Ic.Count - 1;
}

/// <summary>A Groth16 proof: A and C in G1, B in G2.</summary>
public sealed record Proof(AffinePoint<Fq> A, AffinePoint<Fq2> B, AffinePoint<Fq> C);
