using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving;

/// <summary>The two heavy operations of a proof, for a processor or an accelerator to implement.</summary>
/// <remarks>
/// Everything crosses this border in the form of snarkjs' files, little-endian: points of 64 (G1) and 128 (G2) bytes
/// with coordinates a 2^256 modulo p, zero at infinity; scalars of 32 bytes, plain and below r.
/// </remarks>
public interface IProofBackend
{
    /// <summary>What it runs on, for people.</summary>
    string Name { get; }

    /// <summary>
    /// Values of a b - c on the coset from values of a and b (c is their product) on the domain, which are overwritten;
    /// the result takes 32 bytes a value, plain. The coset's shift is the root of unity of twice the size.
    /// </summary>
    void Quotient(Span<Fr> a, Span<Fr> b, Span<byte> result);

    /// <summary>Does all sums, in whatever order fits, and writes each result.</summary>
    /// <param name="sums">What is to be done.</param>
    /// <param name="progress">Told the part done, 0 to 1; null where nobody listens.</param>
    /// <param name="cancellation">Ends it with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="ProofException">A point that is not on its curve.</exception>
    void Sum(IReadOnlyList<PointSum> sums, Action<double>? progress, CancellationToken cancellation);
}

/// <summary>The groups of the curve.</summary>
public enum CurveGroup
{
    G1,
    G2,
}

/// <summary>A multi-scalar multiplication: the sum of scalar times point.</summary>
/// <param name="Name">What its points are, for messages.</param>
/// <param name="Group">The points' group, which says which result is written.</param>
/// <param name="Points">64 or 128 bytes a point.</param>
/// <param name="Scalars">32 bytes a scalar, as many as points.</param>
public sealed record PointSum(
    string Name, CurveGroup Group, ReadOnlyMemory<byte> Points, ReadOnlyMemory<byte> Scalars)
{
    public const int G1Size = 64, G2Size = 128, ScalarSize = 32;

    /// <summary>How many points.</summary>
    public int Count => Scalars.Length / ScalarSize;

    /// <summary>The sum of points of G1.</summary>
    public JacobianPoint<Fq> InG1 { get; set; }

    /// <summary>The sum of points of G2.</summary>
    public JacobianPoint<Fq2> InG2 { get; set; }

    /// <summary>Throws where points and scalars are not as many.</summary>
    public void RequireSameCount()
    {
        if (Points.Length != (long)Count * (Group == CurveGroup.G1 ? G1Size : G2Size)
            || Scalars.Length % ScalarSize != 0)
        {
            throw new ArgumentException($"{Name}: every point needs one scalar.");
        }
    }
}
