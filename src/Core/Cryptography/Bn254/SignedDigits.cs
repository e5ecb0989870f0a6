using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>Width-w non-adjacent forms: odd signed digits, at most one in w neighbouring places.</summary>
/// <remarks>Hankerson, Menezes, Vanstone, "Guide to Elliptic Curve Cryptography", algorithm 3.35.</remarks>
internal static class SignedDigits
{
    /// <summary>Places that a 256-bit number can need.</summary>
    internal const int MaxLength = 257;

    /// <summary>Writes the digits, least significant first, and returns how many places they take.</summary>
    /// <param name="value">The number.</param>
    /// <param name="width">w, 2 to 7: digits lie between -2^(w-1) and 2^(w-1).</param>
    /// <param name="digits">Room for <see cref="MaxLength"/> places.</param>
    internal static int Write(in UInt256 value, int width, Span<sbyte> digits)
    {
        digits.Clear();
        ReadOnlySpan<ulong> words = [value.U0, value.U1, value.U2, value.U3, 0, 0];
        var (bit, carry, length) = (0, 0, 0);
        while (bit < MaxLength)
        {
            // The window of w bits at the place, plus what the last digit borrowed.
            var (word, shift) = (bit / 64, bit % 64);
            var window = words[word] >> shift;
            if (shift + width > 64)
            {
                window |= words[word + 1] << (64 - shift);
            }

            if (((int)(window & 1) ^ carry) == 0)
            {
                bit++;
                continue;
            }

            var digit = (int)(window & ((1UL << width) - 1)) + carry;
            carry = digit >> (width - 1);
            digits[bit] = (sbyte)(digit - (carry << width));
            length = bit + 1;
            bit += width;
        }

        return length;
    }
}
