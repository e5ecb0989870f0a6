using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>How a proof fared.</summary>
public enum Verdict
{
    Valid,

    /// <summary>The equation does not hold: another proof, other public values or another key.</summary>
    Invalid,

    /// <summary>Not as many public values as the key has.</summary>
    WrongCount,

    /// <summary>A public value is not below r: it would stand for another one as well.</summary>
    NotBelowModulus,

    /// <summary>A point of the proof is not on its curve or outside of the subgroup.</summary>
    NotInGroup,
}

/// <summary>Groth16's verification.</summary>
/// <remarks>
/// Groth, "On the size of pairing-based non-interactive arguments" (2016):
/// <code>
///   e(A, B) = e(alpha, beta) e(IC[0] + sum of x[i] IC[i+1], gamma) e(C, delta)
/// </code>
/// A batch takes the sum of all equations with random weights of 128 bits, so that n proofs of a key need n + 3
/// pairings instead of 4 n; a wrong one passes with probability 2^-128.
/// </remarks>
public static class Verifier
{
    /// <summary>Proofs that one batch can have.</summary>
    public const int MostInBatch = 1 << 16;

    private const int WeightBytes = 16;

    /// <summary>Checks one proof.</summary>
    public static Verdict Verify(VerificationKey key, Proof proof, ReadOnlySpan<UInt256> publics)
    {
        var verdict = CheckForm(key, proof, publics);
        if (verdict != Verdict.Valid)
        {
            return verdict;
        }

        Combine(key, publics, out var input);
        return Pairing.IsProductOne(
        [
            new(-proof.A, proof.B), new(key.Alpha1, key.Beta2), new(input.ToAffine(), key.Gamma2),
            new(proof.C, key.Delta2),
        ])
            ? Verdict.Valid
            : Verdict.Invalid;
    }

    /// <summary>
    /// Checks many proofs of one key at once: Valid only if every one is. Which one is not, <see cref="Verify"/> tells.
    /// </summary>
    /// <exception cref="ArgumentException">Not a list of public values for each proof, or too many proofs.</exception>
    public static Verdict VerifyBatch(
        VerificationKey key, IReadOnlyList<Proof> proofs, IReadOnlyList<UInt256[]> publics, IRandomSource random)
    {
        if (proofs.Count != publics.Count || proofs.Count > MostInBatch)
        {
            throw new ArgumentException($"Every proof needs its public values; at most {MostInBatch} fit a batch.");
        }

        for (var i = 0; i < proofs.Count; i++)
        {
            var verdict = CheckForm(key, proofs[i], publics[i]);
            if (verdict != Verdict.Valid)
            {
                return verdict;
            }
        }

        return IsSumOne(key, proofs, publics, random) ? Verdict.Valid : Verdict.Invalid;
    }

    private static bool IsSumOne(
        VerificationKey key, IReadOnlyList<Proof> proofs, IReadOnlyList<UInt256[]> publics, IRandomSource random)
    {
        var pairs = new PointPair[proofs.Count + 3];
        var sums = new Fr[key.Ic.Count];
        var ofC = JacobianPoint<Fq>.Infinity;
        Span<byte> bytes = stackalloc byte[WeightBytes];
        for (var i = 0; i < proofs.Count; i++)
        {
            random.Fill(bytes);
            var weight = UInt256.FromBigEndian(bytes);
            var factor = Fr.Reduce(weight);
            sums[0] += factor;
            for (var j = 0; j < publics[i].Length; j++)
            {
                sums[j + 1] += factor * Fr.Reduce(publics[i][j]);
            }

            G1.Multiply(proofs[i].C, weight, out var c);
            JacobianPoint<Fq>.Add(ofC, c, out ofC);
            G1.Multiply(-proofs[i].A, weight, out var a);
            pairs[i] = new PointPair(a.ToAffine(), proofs[i].B);
        }

        var input = JacobianPoint<Fq>.Infinity;
        for (var j = 0; j < sums.Length; j++)
        {
            G1.Multiply(key.Ic[j], sums[j].ToUInt256(), out var term);
            JacobianPoint<Fq>.Add(input, term, out input);
        }

        G1.Multiply(key.Alpha1, sums[0].ToUInt256(), out var alpha);
        pairs[^3] = new PointPair(alpha.ToAffine(), key.Beta2);
        pairs[^2] = new PointPair(input.ToAffine(), key.Gamma2);
        pairs[^1] = new PointPair(ofC.ToAffine(), key.Delta2);
        return Pairing.IsProductOne(pairs);
    }

    private static Verdict CheckForm(VerificationKey key, Proof proof, ReadOnlySpan<UInt256> publics)
    {
        if (publics.Length != key.Publics)
        {
            return Verdict.WrongCount;
        }

        foreach (ref readonly var value in publics)
        {
            if (value >= Fr.Modulus)
            {
                return Verdict.NotBelowModulus;
            }
        }

        return G1.IsOnCurve(proof.A) && G1.IsOnCurve(proof.C) && G2.IsOnCurve(proof.B) && G2.IsInSubgroup(proof.B)
            ? Verdict.Valid
            : Verdict.NotInGroup;
    }

    /// <summary>IC[0] + sum of x[i] IC[i+1].</summary>
    private static void Combine(VerificationKey key, ReadOnlySpan<UInt256> publics, out JacobianPoint<Fq> input)
    {
        input = new JacobianPoint<Fq>(key.Ic[0]);
        for (var i = 0; i < publics.Length; i++)
        {
            G1.Multiply(key.Ic[i + 1], publics[i], out var term);
            JacobianPoint<Fq>.Add(input, term, out input);
        }
    }
}
