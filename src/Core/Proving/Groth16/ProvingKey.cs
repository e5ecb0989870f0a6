using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>A Groth16 proving key: snarkjs' .zkey file.</summary>
/// <remarks>
/// <code>
///   1 protocol   2 header: p, r, variables, publics, domain, alpha1 beta1 beta2 gamma2 delta1 delta2
///   3 IC         4 coefficients { matrix, constraint, signal: u32, value 2^512 mod r }
///   5 A   6 B in G1   7 B in G2   8 C (private variables)   9 H (domain, on the coset)   10 ceremony
/// </code>
/// The header and its points are checked when the file is opened, sizes of all sections too; the points of sections 5
/// to 9 when they are used: on the curve always, in the subgroup (which for G2 is not the whole curve) by
/// <see cref="KeyCheck"/>, which takes longer than a proof.
/// </remarks>
public sealed class ProvingKey
{
    /// <summary>Variables and constraints that are read: sections stay below 2 GiB.</summary>
    public const int MostVariables = 1 << 23, MostDomain = 1 << 23;

    /// <summary>Bytes of a coefficient.</summary>
    public const int CoefficientSize = 12 + Fr.Size;

    /// <summary>A section of the project's own that names a key made with known secrets.</summary>
    public const uint DevelopmentSection = 0x5344;

    private const int Groth16Protocol = 1;
    private const int HeaderSize = (2 * 36) + 12 + (3 * PointSum.G1Size) + (3 * PointSum.G2Size);

    private readonly SectionedFile _file;

    /// <summary>Reads and checks the header.</summary>
    /// <param name="source">The file, which must stay as long as this object; it is not disposed of here.</param>
    /// <exception cref="ProofException">Whatever is wrong with it.</exception>
    public ProvingKey(ByteSource source)
    {
        _file = new SectionedFile(source, "zkey", 1);
        var protocol = BinaryPrimitives.ReadUInt32LittleEndian(_file.Section(1, 4, "protocol").Span);
        if (protocol != Groth16Protocol)
        {
            throw _file.Fault($"protocol {protocol}; only Groth16 (1) is known");
        }

        var header = new HeaderReader(_file.Section(2, HeaderSize, "header").Span, _file);
        header.Prime(Fq.Modulus, "p");
        header.Prime(Fr.Modulus, "r");
        Variables = header.Count("variables", MostVariables);
        Publics = header.Count("public variables", Variables - 1);
        DomainSize = header.Count("constraints", MostDomain);
        if (!BitOperationsIsPow2(DomainSize))
        {
            throw _file.Fault($"the domain of {DomainSize} is no power of two");
        }

        Alpha1 = header.G1("alpha1");
        Beta1 = header.G1("beta1");
        var beta2 = header.G2("beta2");
        var gamma2 = header.G2("gamma2");
        Delta1 = header.G1("delta1");
        var delta2 = header.G2("delta2");
        var ic = SnarkPoints.ReadG1(
            _file.Section(3, (Publics + 1L) * PointSum.G1Size, "IC").Span, "zkey, section 3 (IC)");
        VerificationKey = new VerificationKey(Alpha1, beta2, gamma2, delta2, ic);
        var coefficients = _file.Section(4);
        if (coefficients.Length < 4)
        {
            throw _file.Fault("section 4 (coefficients) is empty");
        }

        CoefficientCount = BinaryPrimitives.ReadUInt32LittleEndian(coefficients.Span);
        _ = _file.Section(4, 4 + ((long)CoefficientCount * CoefficientSize), "coefficients");
        A = Points(5, Variables, CurveGroup.G1, "A");
        B1 = Points(6, Variables, CurveGroup.G1, "B in G1");
        B2 = Points(7, Variables, CurveGroup.G2, "B in G2");
        C = Points(8, Variables - Publics - 1, CurveGroup.G1, "C");
        H = Points(9, DomainSize, CurveGroup.G1, "H");
        DevelopmentNote = _file.Has(DevelopmentSection)
            ? System.Text.Encoding.ASCII.GetString(_file.Section(DevelopmentSection).Span)
            : null;
    }

    /// <summary>Variables, the constant one included.</summary>
    public int Variables { get; }

    /// <summary>Public variables, the constant one not included.</summary>
    public int Publics { get; }

    /// <summary>Constraints, rounded up to a power of two.</summary>
    public int DomainSize { get; }

    public uint CoefficientCount { get; }

    public AffinePoint<Fq> Alpha1 { get; }

    public AffinePoint<Fq> Beta1 { get; }

    public AffinePoint<Fq> Delta1 { get; }

    public VerificationKey VerificationKey { get; }

    /// <summary>What a key of <see cref="DevelopmentSetup"/> says of itself; null for all others.</summary>
    public string? DevelopmentNote { get; }

    /// <summary>Points of the sections: 64 bytes each, B2 128.</summary>
    public ReadOnlyMemory<byte> A { get; }

    public ReadOnlyMemory<byte> B1 { get; }

    public ReadOnlyMemory<byte> B2 { get; }

    public ReadOnlyMemory<byte> C { get; }

    public ReadOnlyMemory<byte> H { get; }

    /// <summary>The coefficients of the matrices A and B, <see cref="CoefficientSize"/> bytes each.</summary>
    public ReadOnlyMemory<byte> Coefficients => _file.Section(4)[4..];

    private static bool BitOperationsIsPow2(int value) => System.Numerics.BitOperations.IsPow2(value);

    private ReadOnlyMemory<byte> Points(uint type, long count, CurveGroup group, string name) => _file.Section(
        type, count * (group == CurveGroup.G1 ? PointSum.G1Size : PointSum.G2Size), $"points of {name}");

    /// <summary>Reads the header from front to back.</summary>
    private ref struct HeaderReader(ReadOnlySpan<byte> bytes, SectionedFile file)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        internal void Prime(in UInt256 expected, string name)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
            if (size != Fr.Size || SnarkPoints.ReadNumber(Take(Fr.Size)) != expected)
            {
                throw file.Fault($"the prime {name} is not that of BN254: a key of another curve");
            }
        }

        internal int Count(string name, int most)
        {
            var count = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
            return count <= most ? (int)count : throw file.Fault($"{count} {name}; at most {most} are possible");
        }

        internal AffinePoint<Fq> G1(string name) =>
            SnarkPoints.TryReadG1(Take(PointSum.G1Size), out var point) && !point.IsInfinity
                ? point
                : throw file.Fault($"{name} is not a point of G1");

        internal AffinePoint<Fq2> G2(string name) =>
            SnarkPoints.TryReadG2(Take(PointSum.G2Size), out var point) && !point.IsInfinity
                && Cryptography.Bn254.G2.IsInSubgroup(point)
                ? point
                : throw file.Fault($"{name} is not a point of G2");

        private ReadOnlySpan<byte> Take(int size)
        {
            var part = _rest[..size];
            _rest = _rest[size..];
            return part;
        }
    }
}
