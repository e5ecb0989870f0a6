using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>ECDSA verification on P-256 (secp256r1), the precompile of EIP-7951 (RIP-7212).</summary>
/// <remarks>
/// u1 G + u2 Q by Strauss's method: two strings of signed digits share 256 doublings, the odd multiples of G are held
/// ready and those of Q are made for each signature. All inputs are public, so the time may depend on them.
/// </remarks>
public static class P256
{
    /// <summary>Bytes of an input: digest, r, s, x and y of the key, 32 each, big-endian.</summary>
    public const int InputSize = 160;

    private const int GeneratorWidth = 10;
    private const int KeyWidth = 5;

    private static readonly UInt256 Order =
        new(0xF3B9CAC2FC632551, 0xBCE6FAADA7179E84, 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF00000000);

    private static readonly ModularInverse OrderInverter = new([Order.U0, Order.U1, Order.U2, Order.U3]);

    private static readonly P256Affine[] GeneratorMultiples = CreateGeneratorMultiples();

    /// <summary>
    /// Whether the signature is the key's. False too for another length, r or s out of 1..n-1, coordinates from p on
    /// and a key that is not on the curve; never throws.
    /// </summary>
    public static bool Verify(ReadOnlySpan<byte> input160)
    {
        if (input160.Length != InputSize)
        {
            return false;
        }

        var digest = UInt256.FromBigEndian(input160[..32]);
        var r = UInt256.FromBigEndian(input160[32..64]);
        var s = UInt256.FromBigEndian(input160[64..96]);
        var x = UInt256.FromBigEndian(input160[96..128]);
        var y = UInt256.FromBigEndian(input160[128..]);
        if (r.IsZero || r >= Order || s.IsZero || s >= Order || !P256Affine.TryCreate(x, y, out var key))
        {
            return false;
        }

        Span<ulong> inverse = [s.U0, s.U1, s.U2, s.U3];
        OrderInverter.Invert(inverse, inverse);
        var w = new UInt256(inverse[0], inverse[1], inverse[2], inverse[3]);
        var sum = Sum(UInt256.MulMod(digest, w, Order), UInt256.MulMod(r, w, Order), key);
        return !sum.IsInfinity && HasX(sum, r);
    }

    /// <summary>Whether the point's x, modulo n, is r: x is r or, as p is above n, perhaps r + n.</summary>
    private static bool HasX(in P256Jacobian point, in UInt256 r)
    {
        var zz = P256Field.Square(point.Z);
        if (P256Field.AreEqual(P256Field.From(r) * zz, point.X))
        {
            return true;
        }

        return !UInt256.AddWithCarry(r, Order, out var other) && other < P256Field.Modulus
            && P256Field.AreEqual(P256Field.From(other) * zz, point.X);
    }

    private static P256Jacobian Sum(in UInt256 u1, in UInt256 u2, in P256Affine key)
    {
        Span<P256Affine> keyMultiples = stackalloc P256Affine[1 << (KeyWidth - 2)];
        P256Jacobian.WriteOddMultiples(key, keyMultiples);
        Span<short> digits1 = stackalloc short[SignedDigits.Count];
        Span<short> digits2 = stackalloc short[SignedDigits.Count];
        var length = Math.Max(
            SignedDigits.Write(u1, GeneratorWidth, digits1), SignedDigits.Write(u2, KeyWidth, digits2));
        var sum = P256Jacobian.Infinity;
        for (var i = length - 1; i >= 0; i--)
        {
            sum = P256Jacobian.Double(sum);
            if (digits1[i] != 0)
            {
                sum = P256Jacobian.Add(sum, Pick(GeneratorMultiples, digits1[i]));
            }

            if (digits2[i] != 0)
            {
                sum = P256Jacobian.Add(sum, Pick(keyMultiples, digits2[i]));
            }
        }

        return sum;
    }

    /// <summary>The table's entry for an odd digit: entry i is the (2i + 1)-fold.</summary>
    private static P256Affine Pick(ReadOnlySpan<P256Affine> table, int digit) =>
        digit > 0 ? table[digit >> 1] : -table[-digit >> 1];

    private static P256Affine[] CreateGeneratorMultiples()
    {
        var table = new P256Affine[1 << (GeneratorWidth - 2)];
        P256Jacobian.WriteOddMultiples(P256Affine.Generator, table);
        return table;
    }
}
