namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>f^((p^12 - 1) / r), as far as it is needed to compare it with one.</summary>
/// <remarks>
/// The easy part, (p^6 - 1)(p^2 + 1), brings f into the cyclotomic subgroup, where the inverse is the conjugate. The
/// hard part is three times (p^4 - p^2 + 1) / r, and three does not divide r:
/// <code>
///   3 (p^4 - p^2 + 1) / r = (u - 1)^2 (u + p) (u^2 + p^2 - 1) + 3
/// </code>
/// Hayashida, Hayasaka, Teruya, "Efficient final exponentiation via cyclotomic structure for pairings over families of
/// elliptic curves" (eprint 2020/875).
/// </remarks>
internal static class FinalExponentiation
{
    /// <summary>Whether the power is one.</summary>
    internal static bool IsOne(in Fq12 f)
    {
        var inverse = Fq12.Invert(f);
        var easy = Fq12.Conjugate(f) * inverse;
        easy = Fq12.FrobeniusTwice(easy) * easy;

        var t = PowerOfU(easy) * Fq12.Conjugate(easy);
        t = PowerOfU(t) * Fq12.Conjugate(t);
        t = PowerOfU(t) * Fq12.Frobenius(t);
        t = PowerOfU(PowerOfU(t)) * Fq12.FrobeniusTwice(t) * Fq12.Conjugate(t);
        return (t * Fq12.SquareCyclotomic(easy) * easy).IsOne;
    }

    /// <summary>a^u for a in the cyclotomic subgroup; u is negative.</summary>
    private static Fq12 PowerOfU(in Fq12 a)
    {
        var result = a;
        for (var bit = 62; bit >= 0; bit--)
        {
            result = Fq12.SquareCyclotomic(result);
            if (((BlsCurve.ParameterSize >> bit) & 1) != 0)
            {
                result *= a;
            }
        }

        return Fq12.Conjugate(result);
    }
}
