using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Numbers modulo n, the order of the group of secp256k1 (SEC 2, section 2.4.1).</summary>
internal static class SecpScalar
{
    /// <summary>Room for the signed digits of a 128-bit number: one more than its bits.</summary>
    internal const int DigitCount = 130;

    // 2^256 - n = C0 + C1 2^64 + 2^128
    private const ulong C0 = 0x402DA1732FC9BEBF;
    private const ulong C1 = 0x4551231950B75FC4;

    internal static readonly UInt256 Order =
        new(0xBFD25E8CD0364141, 0xBAAEDCE6AF48A03B, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF);

    /// <summary>(n - 1) / 2, the greatest low s.</summary>
    internal static readonly UInt256 HalfOrder =
        new(0xDFE92F46681B20A0, 0x5D576E7357A4501D, 0xFFFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFF);

    // Gallant, Lambert, Vanstone, "Faster point multiplication on elliptic curves with efficient endomorphisms", 2001:
    // lambda P = (beta x, y), and k = k1 + k2 lambda with both halves of at most 128 bits. G1 and G2 are
    // round(2^384 b2 / n) and round(2^384 (-b1) / n) for the short lattice vectors (a1, b1), (a2, b2).
    private static readonly UInt256 G1 =
        new(0xE893209A45DBB031, 0x3DAA8A1471E8CA7F, 0xE86C90E49284EB15, 0x3086D221A7D46BCD);

    private static readonly UInt256 G2 =
        new(0x1571B4AE8AC47F71, 0x221208AC9DF506C6, 0x6F547FA90ABFE4C4, 0xE4437ED6010E8828);

    private static readonly UInt256 MinusB1 = new(0x6F547FA90ABFE4C3, 0xE4437ED6010E8828);

    private static readonly UInt256 MinusB2 =
        new(0xD765CDA83DB1562C, 0x8A280AC50774346D, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF);

    private static readonly UInt256 MinusLambda =
        new(0xE0CFC810B51283CF, 0xA880B9FC8EC739C2, 0x5AD9E3FD77ED9BA4, 0xAC9C52B33FA3CF1F);

    private static readonly ModularInverse Inverter = new([Order.U0, Order.U1, Order.U2, Order.U3]);

    /// <summary>Whether a number is in 1..n-1, as r, s and private keys must be.</summary>
    internal static bool IsInRange(in UInt256 value) => !value.IsZero && value < Order;

    /// <summary>A number below 2^256 brought below n.</summary>
    internal static UInt256 Reduce(in UInt256 value)
    {
        var above = UInt256.SubtractWithBorrow(value, Order, out var difference);
        return Select(difference, value, Limbs.Mask(above ? 1UL : 0));
    }

    internal static UInt256 Add(in UInt256 a, in UInt256 b)
    {
        var carry = UInt256.AddWithCarry(a, b, out var sum);
        var borrow = UInt256.SubtractWithBorrow(sum, Order, out var difference);
        return Select(difference, sum, Limbs.Mask((borrow ? 1UL : 0) & (carry ? 0UL : 1)));
    }

    internal static UInt256 Negate(in UInt256 a) => a.IsZero ? a : Order - a;

    /// <summary>
    /// The product modulo n: the part above 2^256 is multiplied by 2^256 - n and added, until none is left.
    /// </summary>
    [SkipLocalsInit]
    internal static UInt256 Multiply(in UInt256 a, in UInt256 b)
    {
        ulong a0 = a.U0, a1 = a.U1, a2 = a.U2, a3 = a.U3;
        var r0 = Limbs.MultiplyAdd(a0, b.U0, 0, out var c);
        var r1 = Limbs.MultiplyAdd(a0, b.U1, c, out c);
        var r2 = Limbs.MultiplyAdd(a0, b.U2, c, out c);
        var r3 = Limbs.MultiplyAdd(a0, b.U3, c, out var h0);
        r1 = Limbs.MultiplyAdd(a1, b.U0, r1, out c);
        r2 = Limbs.MultiplyAdd(a1, b.U1, r2, c, out c);
        r3 = Limbs.MultiplyAdd(a1, b.U2, r3, c, out c);
        h0 = Limbs.MultiplyAdd(a1, b.U3, h0, c, out var h1);
        r2 = Limbs.MultiplyAdd(a2, b.U0, r2, out c);
        r3 = Limbs.MultiplyAdd(a2, b.U1, r3, c, out c);
        h0 = Limbs.MultiplyAdd(a2, b.U2, h0, c, out c);
        h1 = Limbs.MultiplyAdd(a2, b.U3, h1, c, out var h2);
        r3 = Limbs.MultiplyAdd(a3, b.U0, r3, out c);
        h0 = Limbs.MultiplyAdd(a3, b.U1, h0, c, out c);
        h1 = Limbs.MultiplyAdd(a3, b.U2, h1, c, out c);
        h2 = Limbs.MultiplyAdd(a3, b.U3, h2, c, out var h3);

        // 512 bits become 386, then 260, then one more than 256 at most.
        Fold(ref r0, ref r1, ref r2, ref r3, ref h0, ref h1, ref h2, h3);
        Fold(ref r0, ref r1, ref r2, ref r3, ref h0, ref h1, ref h2, 0);
        Fold(ref r0, ref r1, ref r2, ref r3, ref h0, ref h1, ref h2, 0);
        Fold(ref r0, ref r1, ref r2, ref r3, ref h0, ref h1, ref h2, 0);
        return Reduce(new UInt256(r0, r1, r2, r3));
    }

    /// <summary>The inverse a^(n-2); the time does not depend on the value.</summary>
    internal static UInt256 Invert(in UInt256 a)
    {
        var exponent = Order - 2;
        var result = UInt256.One;
        for (var bit = 255; bit >= 0; bit--)
        {
            result = Multiply(result, result);
            if (((exponent >> bit).U0 & 1) != 0)
            {
                result = Multiply(result, a);
            }
        }

        return result;
    }

    /// <summary>The inverse of a value that is no secret.</summary>
    internal static UInt256 InvertFast(in UInt256 a)
    {
        Span<ulong> words = [a.U0, a.U1, a.U2, a.U3];
        Inverter.Invert(words, words);
        return new UInt256(words[0], words[1], words[2], words[3]);
    }

    /// <summary>One half of a scalar: its size and its sign.</summary>
    internal readonly record struct Half(UInt128 Size, bool IsNegative);

    /// <summary>Splits k into k1 + k2 lambda with halves of at most 128 bits.</summary>
    internal static void Split(in UInt256 k, out Half k1, out Half k2)
    {
        var c1 = MultiplyShift384(k, G1);
        var c2 = MultiplyShift384(k, G2);
        var second = Add(Multiply(c1, MinusB1), Multiply(c2, MinusB2));
        var first = Add(k, Multiply(second, MinusLambda));
        k1 = ToHalf(first);
        k2 = ToHalf(second);
    }

    /// <summary>
    /// Writes the digits of a width-w non-adjacent form: each is zero or odd and below 2^(w-1) in size, and of any w
    /// in a row one at most is not zero. Answers how many places they take.
    /// </summary>
    internal static int WriteDigits(UInt128 k, bool negative, int width, Span<short> digits)
    {
        digits.Clear();
        var (position, length, top) = (0, 0, 1 << (width - 1));
        while (k != 0)
        {
            var zeros = (int)UInt128.TrailingZeroCount(k);
            k >>= zeros;
            position += zeros;
            var digit = (int)((ulong)k & ((1UL << width) - 1));
            k >>= width;
            if (digit >= top)
            {
                digit -= 2 * top;
                k++;
            }

            digits[position] = (short)(negative ? -digit : digit);
            length = position + 1;
            position += width;
        }

        return length;
    }

    /// <summary>a where the mask is zero, b where it is all ones.</summary>
    internal static UInt256 Select(in UInt256 a, in UInt256 b, ulong mask) => new(
        a.U0 ^ (mask & (a.U0 ^ b.U0)), a.U1 ^ (mask & (a.U1 ^ b.U1)),
        a.U2 ^ (mask & (a.U2 ^ b.U2)), a.U3 ^ (mask & (a.U3 ^ b.U3)));

    private static Half ToHalf(in UInt256 value)
    {
        var negative = value > HalfOrder;
        var size = negative ? Order - value : value;
        return new Half(new UInt128(size.U1, size.U0), negative);
    }

    private static UInt256 MultiplyShift384(in UInt256 a, in UInt256 b)
    {
        var high = UInt256.BigMul(a, b, out _);
        return new UInt256(high.U2, high.U3) + (high.U1 >> 63);
    }

    /// <summary>r = r + h (C0 + C1 2^64 + 2^128), what is above 2^256 becoming the new h of three limbs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold(
        ref ulong r0, ref ulong r1, ref ulong r2, ref ulong r3, ref ulong h0, ref ulong h1, ref ulong h2, ulong h3)
    {
        r0 = Limbs.MultiplyAdd(h0, C0, r0, out var c);
        r1 = Limbs.MultiplyAdd(h1, C0, r1, c, out c);
        r2 = Limbs.MultiplyAdd(h2, C0, r2, c, out c);
        r3 = Limbs.MultiplyAdd(h3, C0, r3, c, out var top);
        r1 = Limbs.MultiplyAdd(h0, C1, r1, out c);
        r2 = Limbs.MultiplyAdd(h1, C1, r2, c, out c);
        r3 = Limbs.MultiplyAdd(h2, C1, r3, c, out c);
        top = Limbs.MultiplyAdd(h3, C1, top, c, out var over);
        ulong carry = 0;
        r2 = Limbs.Add(r2, h0, ref carry);
        r3 = Limbs.Add(r3, h1, ref carry);
        h0 = Limbs.Add(top, h2, ref carry);
        h1 = Limbs.Add(over, h3, ref carry);
        h2 = carry;
    }
}
