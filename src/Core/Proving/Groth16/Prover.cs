using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>What a proof's making is at.</summary>
public enum ProofStage
{
    /// <summary>The constraints' values from coefficients and witness.</summary>
    Constraints,

    /// <summary>The quotient polynomial: six transforms.</summary>
    Quotient,

    /// <summary>Five multi-scalar multiplications.</summary>
    Sums,

    /// <summary>The proof is checked with the key.</summary>
    Check,
}

/// <summary>Makes Groth16 proofs as snarkjs does, from its keys and witnesses.</summary>
/// <remarks>
/// <code>
///   A = alpha + sum w[i] A[i] + r delta             B = beta + sum w[i] B[i] + s delta       (in G1 and G2)
///   C = sum w[i] C[i] + sum h[i] H[i] + s A + r B - r s delta
/// </code>
/// with random r and s. h holds values of the quotient's numerator on a coset, see <see cref="Ntt.Quotient"/>. Every
/// proof is checked before it is given out: one from a witness that does not satisfy the circuit, or a damaged key,
/// does not leave. Copies of secrets (values, scalars, r and s) are overwritten when done; what the time betrays is not
/// hidden.
/// </remarks>
public sealed class Prover(IProofBackend backend, IRandomSource random)
{
    /// <summary>Tasks that share the coefficients, a core.</summary>
    private const int MostShares = 64;

    /// <summary>Makes a proof.</summary>
    /// <param name="key">The circuit's key.</param>
    /// <param name="witness">Its variables' values.</param>
    /// <param name="progress">Told stage and part done, 0 to 1; null where nobody listens.</param>
    /// <param name="cancellation">Ends it with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ProofException">
    /// Key and witness do not fit each other, a part of the key is damaged, or the witness does not satisfy the
    /// circuit.
    /// </exception>
    public Proof Prove(
        ProvingKey key, Witness witness, Action<ProofStage, double>? progress = null,
        CancellationToken cancellation = default)
    {
        if (witness.Count != key.Variables)
        {
            throw new ProofException(
                $"The witness has {witness.Count} values, the circuit {key.Variables}: not of one circuit.");
        }

        var proof = Make(key, witness, progress, cancellation);
        progress?.Invoke(ProofStage.Check, 0);
        if (Verifier.Verify(key.VerificationKey, proof, PublicsOf(key, witness)) != Verdict.Valid)
        {
            throw new ProofException(
                "The proof made is not valid: the witness does not satisfy the circuit, or the key is damaged.");
        }

        return proof;
    }

    /// <summary>The public values of a witness.</summary>
    public static UInt256[] PublicsOf(ProvingKey key, Witness witness)
    {
        var publics = new UInt256[key.Publics];
        for (var i = 0; i < publics.Length; i++)
        {
            publics[i] = witness[i + 1];
        }

        return publics;
    }

    private Proof Make(
        ProvingKey key, Witness witness, Action<ProofStage, double>? progress, CancellationToken cancellation)
    {
        progress?.Invoke(ProofStage.Constraints, 0);
        var quotient = new byte[key.DomainSize * Fr.Size];
        try
        {
            Quotient(key, witness, quotient, progress, cancellation);
            var values = witness.Values;
            PointSum ofA = new("zkey, section 5 (A)", CurveGroup.G1, key.A, values);
            PointSum ofB1 = new("zkey, section 6 (B in G1)", CurveGroup.G1, key.B1, values);
            PointSum ofB2 = new("zkey, section 7 (B in G2)", CurveGroup.G2, key.B2, values);
            PointSum ofC = new(
                "zkey, section 8 (C)", CurveGroup.G1, key.C, values[((key.Publics + 1) * Fr.Size)..]);
            PointSum ofH = new("zkey, section 9 (H)", CurveGroup.G1, key.H, quotient);
            progress?.Invoke(ProofStage.Sums, 0);
            backend.Sum(
                [ofB2, ofA, ofB1, ofC, ofH], progress is null ? null : part => progress(ProofStage.Sums, part),
                cancellation);
            return Blind(key, ofA.InG1, ofB1.InG1, ofB2.InG2, ofC.InG1, ofH.InG1);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(quotient);
        }
    }

    private void Quotient(
        ProvingKey key, Witness witness, byte[] result, Action<ProofStage, double>? progress,
        CancellationToken cancellation)
    {
        var a = new Fr[key.DomainSize];
        var b = new Fr[key.DomainSize];
        try
        {
            Evaluate(key, witness, a, b);
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(ProofStage.Quotient, 0);
            backend.Quotient(a, b, result);
            cancellation.ThrowIfCancellationRequested();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(a.AsSpan()));
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(b.AsSpan()));
        }
    }

    /// <summary>The rows of the matrices A and B times the witness.</summary>
    /// <remarks>
    /// A coefficient is v 2^512, so that its product with a plain value over 2^256 is in the usual form. Each task
    /// reads all coefficients and takes the rows that are its own, whatever their order.
    /// </remarks>
    private static void Evaluate(ProvingKey key, Witness witness, Fr[] a, Fr[] b)
    {
        var shares = Math.Clamp(Environment.ProcessorCount, 1, MostShares);
        var rows = (key.DomainSize + shares - 1) / shares;
        string? fault = null;
        System.Threading.Tasks.Parallel.For(0, shares, share =>
        {
            var found = EvaluateRows(key, witness, a, b, share * rows, Math.Min(key.DomainSize, (share + 1) * rows));
            if (found is not null)
            {
                Volatile.Write(ref fault, found);
            }
        });
        if (fault is not null)
        {
            throw new ProofException(fault);
        }
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static string? EvaluateRows(ProvingKey key, Witness witness, Fr[] a, Fr[] b, int from, int to)
    {
        var coefficients = key.Coefficients.Span;
        var values = MemoryMarshal.Cast<byte, Fr>(witness.Values.Span);
        for (var at = 0; at < coefficients.Length; at += ProvingKey.CoefficientSize)
        {
            var place = MemoryMarshal.Cast<byte, uint>(coefficients.Slice(at, 12));
            var (matrix, constraint, signal) = (place[0], place[1], place[2]);
            if (constraint < (uint)from || constraint >= (uint)to)
            {
                if (constraint >= (uint)a.Length)
                {
                    return $"zkey, section 4: a coefficient of constraint {constraint}, of {a.Length}.";
                }

                continue;
            }

            var raw = SnarkPoints.ReadNumber(coefficients[(at + 12)..]);
            if (matrix > 1 || signal >= (uint)values.Length
                || !Fr.TryCreateFromMontgomery256(raw, out var coefficient))
            {
                return $"zkey, section 4: coefficient {at / ProvingKey.CoefficientSize} is out of range.";
            }

            Fr.Multiply(values[(int)signal], coefficient, out var term);
            ref var row = ref (matrix == 0 ? ref a[constraint] : ref b[constraint]);
            Fr.Add(row, term, out row);
        }

        return null;
    }

    private Proof Blind(
        ProvingKey key, in JacobianPoint<Fq> ofA, in JacobianPoint<Fq> ofB1, in JacobianPoint<Fq2> ofB2,
        in JacobianPoint<Fq> ofC, in JacobianPoint<Fq> ofH)
    {
        Span<Fr> secrets = [RandomScalar(), RandomScalar()];
        var (r, s) = (secrets[0].ToUInt256(), secrets[1].ToUInt256());
        try
        {
            G1.Multiply(key.Delta1, r, out var a);
            JacobianPoint<Fq>.Add(a, key.Alpha1, out a);
            JacobianPoint<Fq>.Add(a, ofA, out a);
            G1.Multiply(key.Delta1, s, out var b1);
            JacobianPoint<Fq>.Add(b1, key.Beta1, out b1);
            JacobianPoint<Fq>.Add(b1, ofB1, out b1);
            G2.Multiply(key.VerificationKey.Delta2, s, out var b2);
            JacobianPoint<Fq2>.Add(b2, key.VerificationKey.Beta2, out b2);
            JacobianPoint<Fq2>.Add(b2, ofB2, out b2);

            var affineA = a.ToAffine();
            JacobianPoint<Fq>.Add(ofC, ofH, out var c);
            G1.Multiply(affineA, s, out var term);
            JacobianPoint<Fq>.Add(c, term, out c);
            G1.Multiply(b1.ToAffine(), r, out term);
            JacobianPoint<Fq>.Add(c, term, out c);
            G1.Multiply(-key.Delta1, (secrets[0] * secrets[1]).ToUInt256(), out term);
            JacobianPoint<Fq>.Add(c, term, out c);
            return new Proof(affineA, b2.ToAffine(), c.ToAffine());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(secrets));
            (r, s) = (default, default);
        }
    }

    /// <summary>A scalar that any value is equally likely for, to 2^-128: 384 random bits modulo r.</summary>
    private Fr RandomScalar()
    {
        Span<byte> bytes = stackalloc byte[48];
        random.Fill(bytes);
        var high = Fr.Reduce(UInt256.FromBigEndian(bytes[..24]));
        var low = Fr.Reduce(UInt256.FromBigEndian(bytes[24..]));
        CryptographicOperations.ZeroMemory(bytes);
        return (high * Fr.Reduce(UInt256.One << 192)) + low;
    }
}
