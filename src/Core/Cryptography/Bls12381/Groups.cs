using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>Parameters that both groups share: u, the number that spans the curve's family, and the order r.</summary>
internal static class BlsCurve
{
    /// <summary>|u|; u itself is negative.</summary>
    internal const ulong ParameterSize = 0xD201000000010000;

    /// <summary>r = u^4 - u^2 + 1, the order of both groups.</summary>
    internal static readonly UInt256 Order =
        new(0xFFFFFFFF00000001, 0x53BDA402FFFE5BFE, 0x3339D80809A1D805, 0x73EDA753299D7D48);
}

/// <summary>G1: the points of order r over Fq.</summary>
internal static class G1
{
    internal static readonly Affine<Fq> Generator = new(
        Fq.FromHex(
            "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"),
        Fq.FromHex(
            "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"));

    /// <summary>u^2 - 1, by which the endomorphism multiplies the points of G1.</summary>
    internal static readonly UInt256 Eigenvalue = new(0x00000000FFFFFFFF, 0xAC45A4010001A402);

    /// <summary>A cube root of one.</summary>
    private static readonly Fq Beta = Fq.FromHex(
        "1a0111ea397fe699ec02408663d4de85aa0d857d89759ad4897d29650fb85f9b409427eb4f49fffd8bfd00000000aaac");

    /// <summary>(beta x, y).</summary>
    internal static Affine<Fq> Endomorphism(in Affine<Fq> a) => new(a.X * Beta, a.Y);

    /// <summary>
    /// Whether a point of the curve is in G1: it is where the endomorphism is the multiple by u^2 - 1.
    /// </summary>
    /// <remarks>
    /// Scott, "A note on group membership tests for G1, G2 and GT on BLS pairing-friendly curves" (eprint 2021/1130).
    /// </remarks>
    internal static bool Contains(in Affine<Fq> a)
    {
        if (a.IsInfinity)
        {
            return true;
        }

        var once = Jacobian<Fq>.Multiply(Jacobian<Fq>.From(a), BlsCurve.ParameterSize);
        var twice = Jacobian<Fq>.Multiply(once, BlsCurve.ParameterSize);
        var expected = Jacobian<Fq>.Add(Jacobian<Fq>.From(Endomorphism(a)), a);
        return Jacobian<Fq>.AreEqual(twice, expected);
    }

    /// <summary>
    /// The multiple by 1 - u, which brings any point of the curve into G1 (RFC 9380, section 8.8.1).
    /// </summary>
    internal static Jacobian<Fq> ClearCofactor(in Jacobian<Fq> a) =>
        Jacobian<Fq>.Add(Jacobian<Fq>.Multiply(a, BlsCurve.ParameterSize), a);
}

/// <summary>G2: the points of order r of the twist over Fq2.</summary>
internal static class G2
{
    internal static readonly Affine<Fq2> Generator = new(
        new Fq2(
            Fq.FromHex(
                "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"),
            Fq.FromHex(
                "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e")),
        new Fq2(
            Fq.FromHex(
                "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"),
            Fq.FromHex(
                "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be")));

    private static readonly Fq2 FactorX = Fq2.Invert(Fq12.FrobeniusFactor(2));
    private static readonly Fq2 FactorY = Fq2.Invert(Fq12.FrobeniusFactor(3));

    /// <summary>psi: to the curve over Fq12, there to the p-th power, and back. In G2 it multiplies by u.</summary>
    internal static Affine<Fq2> Endomorphism(in Affine<Fq2> a) =>
        new(Fq2.Conjugate(a.X) * FactorX, Fq2.Conjugate(a.Y) * FactorY);

    internal static Jacobian<Fq2> Endomorphism(in Jacobian<Fq2> a) =>
        new(Fq2.Conjugate(a.X) * FactorX, Fq2.Conjugate(a.Y) * FactorY, Fq2.Conjugate(a.Z));

    /// <summary>
    /// Whether a point of the twist is in G2: it is where psi is the multiple by u (eprint 2021/1130).
    /// </summary>
    internal static bool Contains(in Affine<Fq2> a)
    {
        if (a.IsInfinity)
        {
            return true;
        }

        var multiple = Jacobian<Fq2>.Multiply(Jacobian<Fq2>.From(a), BlsCurve.ParameterSize);
        return Jacobian<Fq2>.AreEqual(-multiple, Jacobian<Fq2>.From(Endomorphism(a)));
    }

    /// <summary>
    /// The multiple by h_eff (RFC 9380, section 8.8.2), as (u^2 - u - 1) P + (u - 1) psi(P) + psi^2(2P).
    /// </summary>
    /// <remarks>Budroni, Pintore, "Efficient hash maps to G2 on BLS curves" (eprint 2017/419).</remarks>
    internal static Jacobian<Fq2> ClearCofactor(in Jacobian<Fq2> a)
    {
        var timesU = -Jacobian<Fq2>.Multiply(a, BlsCurve.ParameterSize);
        var psi = Endomorphism(a);

        // u (u P + psi(P)) - u P - psi(P) - P + psi^2(2P)
        var sum = Jacobian<Fq2>.Add(timesU, psi);
        var result = -Jacobian<Fq2>.Multiply(sum, BlsCurve.ParameterSize);
        result = Jacobian<Fq2>.Add(result, -sum);
        result = Jacobian<Fq2>.Add(result, -a);
        return Jacobian<Fq2>.Add(result, Endomorphism(Endomorphism(Jacobian<Fq2>.Double(a))));
    }
}
