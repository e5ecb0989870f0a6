using System.Security.Cryptography;
using SuperVm.Core.Cryptography.Bls12381;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>The point evaluation of EIP-4844: a proof that the polynomial behind a commitment is y at z.</summary>
/// <remarks>
/// With the commitment C = [p(s)] and the proof Q = [(p(s) - y) / (s - z)], both in G1, for the secret s of the
/// ceremony:
/// <code>
///   C - y = Q (s - z)     so     e(C - y G1 + z Q, -G2) e(Q, [s] G2) = 1
/// </code>
/// Of the trusted setup only [s] G2 is needed; the lines of both points of G2 are made once.
/// </remarks>
public static class KzgPointEvaluation
{
    /// <summary>Bytes of an input: versioned hash, z, y (32 each), commitment and proof (48 each).</summary>
    public const int InputSize = 192;

    /// <summary>Bytes of the output: the number of field elements in a blob and the modulus of the field.</summary>
    public const int OutputSize = 64;

    /// <summary>FIELD_ELEMENTS_PER_BLOB of EIP-4844.</summary>
    public const int FieldElementsPerBlob = 4096;

    /// <summary>VERSIONED_HASH_VERSION_KZG of EIP-4844, the first byte of a versioned hash.</summary>
    public const byte VersionedHashVersion = 0x01;

    /// <summary>
    /// [s] G2: the second of the powers in G2 of the KZG ceremony of 2023, trusted_setup.txt of the specification.
    /// </summary>
    private static readonly Affine<Fq2> SecretG2 = new(
        new Fq2(
            Fq.FromHex(
                "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"),
            Fq.FromHex(
                "15bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72")),
        new Fq2(
            Fq.FromHex(
                "014353bdb96b626dd7d5ee8599d1fca2131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99"),
            Fq.FromHex(
                "1666c54b0a32529503432fcae0181b4bef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f")));

    private static readonly Pairing.Line[][] Lines =
        [Pairing.Prepare(-G2.Generator), Pairing.Prepare(SecretG2)];

    /// <summary>
    /// The precompile: false for another length, a hash that is not the commitment's, numbers from the modulus on,
    /// points that are none, and a proof that does not hold; never throws for an input. The output, 64 bytes, is then
    /// undefined.
    /// </summary>
    public static bool Verify(ReadOnlySpan<byte> input192, Span<byte> output64)
    {
        if (input192.Length != InputSize)
        {
            return false;
        }

        var commitment = input192.Slice(96, G1Compression.Size);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(commitment, hash);
        hash[0] = VersionedHashVersion;
        if (!hash.SequenceEqual(input192[..32])
            || !VerifyProof(commitment, input192[32..64], input192[64..96], input192[144..]))
        {
            return false;
        }

        new UInt256(FieldElementsPerBlob).WriteBigEndian(output64);
        BlsCurve.Order.WriteBigEndian(output64[32..]);
        return true;
    }

    /// <summary>
    /// verify_kzg_proof of the specification: false, too, for inputs of other lengths or that are not canonical.
    /// </summary>
    public static bool VerifyProof(
        ReadOnlySpan<byte> commitment48, ReadOnlySpan<byte> z32, ReadOnlySpan<byte> y32, ReadOnlySpan<byte> proof48)
    {
        if (z32.Length != 32 || y32.Length != 32)
        {
            return false;
        }

        var z = UInt256.FromBigEndian(z32);
        var y = UInt256.FromBigEndian(y32);
        if (z >= BlsCurve.Order || y >= BlsCurve.Order
            || !G1Compression.TryRead(commitment48, out var commitment)
            || !G1Compression.TryRead(proof48, out var proof))
        {
            return false;
        }

        var sum = MultiScalar.SumG1([G1.Generator, proof], [BlsCurve.Order - y, z]);
        var left = Jacobian<Fq>.Add(sum, commitment).ToAffine();
        return Pairing.IsProductOne([left, proof], Lines);
    }
}
