using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>A scalar k of G1 as k1 + k2 lambda with two halves of at most 127 bits.</summary>
/// <remarks>
/// Gallant, Lambert, Vanstone, "Faster point multiplication on elliptic curves with efficient endomorphisms" (2001):
/// (x, y) -> (beta x, y) multiplies a point of G1 by lambda. (S, -N1) and (N2, S) span the lattice of all (a, b) with
/// a + b lambda = 0 modulo r; the lattice point next to (k, 0) is taken away from it.
/// </remarks>
public readonly record struct SplitScalar(UInt256 First, bool FirstNegative, UInt256 Second, bool SecondNegative)
{
    /// <summary>Bits that a half can have.</summary>
    public const int MaxBits = 127;

    private static readonly UInt256 S = 9931322734385697763;

    private static readonly UInt256 N1 = UInt256.Parse("147946756881789319000765030803803410728");

    private static readonly UInt256 N2 = N1 + S;

    /// <summary>floor(2^256 S / r) and floor(2^256 N1 / r).</summary>
    private static readonly UInt256 G1 = UInt256.Parse("52538187511802934231"),
        G2 = UInt256.Parse("782660544089080853078787955015628534157");

    private static readonly Fq BetaElement = ParseBeta();

    /// <summary>The cube root of one in Fq that belongs to lambda.</summary>
    public static ref readonly Fq Beta => ref BetaElement;

    /// <summary>Splits a scalar below r.</summary>
    public static SplitScalar Of(in UInt256 scalar)
    {
        // k S / r and k N1 / r, one too small at most: the halves stay within their bits.
        var c1 = HighProduct(scalar, G1);
        var c2 = HighProduct(scalar, G2);
        var first = scalar - (c1 * S) - (c2 * N2);
        var second = (c1 * N1) - (c2 * S);
        return new SplitScalar(
            first.IsNegative ? -first : first, first.IsNegative,
            second.IsNegative ? -second : second, second.IsNegative);
    }

    /// <summary>floor(a b / 2^256).</summary>
    private static UInt256 HighProduct(in UInt256 a, in UInt256 b)
    {
        ReadOnlySpan<ulong> x = [a.U0, a.U1, a.U2, a.U3];
        ReadOnlySpan<ulong> y = [b.U0, b.U1, b.U2, b.U3];
        Span<ulong> product = stackalloc ulong[8];
        product.Clear();
        for (var i = 0; i < x.Length; i++)
        {
            ulong carry = 0;
            for (var j = 0; j < y.Length; j++)
            {
                product[i + j] = Limbs.MultiplyAdd(x[i], y[j], product[i + j], carry, out carry);
            }

            product[i + y.Length] = carry;
        }

        return new UInt256(product[4], product[5], product[6], product[7]);
    }

    private static Fq ParseBeta()
    {
        Fq.TryCreate(
            UInt256.Parse("0x59E26BCEA0D48BACD4F263F1ACDB5C4F5763473177FFFFFE"), out var beta);
        return beta;
    }
}
