using System.Numerics;

namespace SuperVm.Core.Cryptography;

/// <summary>A multiplication of vectors of limbs, of whatever residues.</summary>
internal interface ILimbProduct
{
    /// <summary>result = a * b; the result may be one of the factors.</summary>
    void Multiply(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, Span<ulong> result);
}

/// <summary>Left-to-right sliding windows (Handbook of Applied Cryptography, 14.85).</summary>
internal static class PowerWindow
{
    /// <summary>Odd powers that an exponent's window needs, plus their common factor, the square.</summary>
    internal static int TableSize(ReadOnlySpan<byte> exponent) => (1 << (Width(exponent) - 1)) + 1;

    /// <summary>power^exponent for an exponent without leading zero bytes, not zero.</summary>
    internal static void Power<T>(
        T product, ReadOnlySpan<ulong> power, ReadOnlySpan<byte> exponent, Span<ulong> result, ref LimbArena arena)
        where T : ILimbProduct, allows ref struct
    {
        var (n, width) = (power.Length, Width(exponent));
        var table = arena.Take(n << (width - 1));
        power.CopyTo(table);
        if (width > 1)
        {
            var square = arena.Take(n);
            product.Multiply(power, power, square);
            for (var i = n; i < table.Length; i += n)
            {
                product.Multiply(table.Slice(i - n, n), square, table.Slice(i, n));
            }
        }

        var started = false;
        for (var bit = BitLength(exponent) - 1; bit >= 0;)
        {
            if (Bit(exponent, bit) == 0)
            {
                product.Multiply(result, result, result);
                bit--;
                continue;
            }

            // The longest window from here that ends in a one: its digit is odd.
            var end = Math.Max(bit - width + 1, 0);
            while (Bit(exponent, end) == 0)
            {
                end++;
            }

            var digit = 0;
            for (; bit >= end; bit--)
            {
                digit = (digit << 1) | Bit(exponent, bit);
                if (started)
                {
                    product.Multiply(result, result, result);
                }
            }

            var factor = table.Slice((digit >> 1) * n, n);
            if (started)
            {
                product.Multiply(result, factor, result);
            }
            else
            {
                factor.CopyTo(result);
                started = true;
            }
        }
    }

    /// <summary>The width for which table and multiplications together are fewest.</summary>
    private static int Width(ReadOnlySpan<byte> exponent) => BitLength(exponent) switch
    {
        <= 18 => 1,
        <= 70 => 3,
        <= 200 => 4,
        <= 700 => 5,
        _ => 6,
    };

    private static int BitLength(ReadOnlySpan<byte> number) =>
        number.IsEmpty ? 0 : (8 * number.Length) - BitOperations.LeadingZeroCount((uint)number[0]) + 24;

    private static int Bit(ReadOnlySpan<byte> number, int bit) => (number[^((bit >> 3) + 1)] >> (bit & 7)) & 1;
}

/// <summary>Products modulo 2^(64 n), for n limbs.</summary>
/// <param name="scratch">n limbs.</param>
internal readonly ref struct TruncatedProduct(Span<ulong> scratch) : ILimbProduct
{
    private readonly Span<ulong> _scratch = scratch;

    public void Multiply(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, Span<ulong> result)
    {
        _scratch.Clear();
        LimbVector.AddProduct(_scratch, a, b);
        _scratch.CopyTo(result);
    }

    /// <summary>1 / value modulo 2^(64 n), for an odd value of any length: Newton's iteration doubles the right
    /// limbs.</summary>
    internal void InvertOdd(ReadOnlySpan<ulong> value, Span<ulong> inverse, Span<ulong> correction)
    {
        inverse.Clear();
        inverse[0] = 0 - MontgomeryConstant.Of(value[0]);
        for (var right = 1; right < inverse.Length;)
        {
            right = Math.Min(2 * right, inverse.Length);
            var step = new TruncatedProduct(_scratch[..right]);
            var x = inverse[..right];
            var c = correction[..right];

            // inverse *= 2 - value * inverse
            step.Multiply(value[..Math.Min(value.Length, right)], x, c);
            for (var i = 0; i < c.Length; i++)
            {
                c[i] = ~c[i];
            }

            // ~y is -y - 1: three more give 2 - y.
            ulong carry = 3;
            for (var i = 0; i < c.Length && carry != 0; i++)
            {
                c[i] += carry;
                carry = c[i] < carry ? 1UL : 0;
            }

            step.Multiply(x, c, x);
        }
    }
}
