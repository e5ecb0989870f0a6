using System.Numerics;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Recoding of public scalars into few signed digits.</summary>
internal static class SignedDigits
{
    /// <summary>Room for the digits of a 256-bit number: one more than its bits.</summary>
    internal const int Count = 257;

    /// <summary>
    /// Writes the digits of a width-w non-adjacent form: each is zero or odd and below 2^(w-1) in size, and of any w
    /// in a row one at most is not zero. Answers how many places they take.
    /// </summary>
    internal static int Write(UInt256 k, int width, Span<short> digits)
    {
        digits.Clear();
        var (position, length, top) = (0, 0, 1 << (width - 1));
        while (!k.IsZero)
        {
            if (k.U0 == 0)
            {
                k >>= 64;
                position += 64;
                continue;
            }

            var zeros = BitOperations.TrailingZeroCount(k.U0);
            k >>= zeros;
            position += zeros;
            var digit = (int)(k.U0 & ((1UL << width) - 1));
            k >>= width;
            if (digit >= top)
            {
                digit -= 2 * top;
                k += UInt256.One;
            }

            digits[position] = (short)digit;
            length = position + 1;
            position += width;
        }

        return length;
    }
}
