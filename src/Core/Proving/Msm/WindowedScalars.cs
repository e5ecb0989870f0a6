using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SuperVm.Core.Proving.Msm;

/// <summary>Scalars below r, cut into signed digits of a fixed width.</summary>
/// <remarks>
/// To each scalar 2^(bits-1) is added at every window but the highest, once; then any window's digit is its bits minus
/// 2^(bits-1), between -2^(bits-1) and 2^(bits-1) - 1, and windows need not be taken in order. The highest digit is not
/// signed: windows reach one bit beyond the scalars' 254, so that it is at most 2^(bits-1).
/// </remarks>
internal sealed unsafe class WindowedScalars : IDisposable
{
    internal const int ScalarBits = 254;
    internal const int ScalarSize = 32;

    private readonly AlignedMemory _words;

    /// <param name="scalars">Little-endian numbers of 32 bytes, each below r; copied.</param>
    /// <param name="bits">Width of a digit, 2 to 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal WindowedScalars(ReadOnlySpan<byte> scalars, int bits)
    {
        Bits = bits;
        Count = scalars.Length / ScalarSize;
        Windows = WindowsOf(bits);
        _words = new AlignedMemory(scalars.Length + sizeof(ulong), secret: true);
        var (k0, k1, k2, k3) = Offset(bits);
        var words = MemoryMarshal.Cast<byte, ulong>(scalars);
        var to = _words.Words;
        for (var i = 0; i < words.Length; i += 4)
        {
            var sum = (UInt128)words[i] + k0;
            to[i] = (ulong)sum;
            sum = (sum >> 64) + words[i + 1] + k1;
            to[i + 1] = (ulong)sum;
            sum = (sum >> 64) + words[i + 2] + k2;
            to[i + 2] = (ulong)sum;
            to[i + 3] = (ulong)(sum >> 64) + words[i + 3] + k3;
        }
    }

    internal int Bits { get; }

    internal int Count { get; }

    internal int Windows { get; }

    /// <summary>How many windows cover a scalar.</summary>
    internal static int WindowsOf(int bits) => (ScalarBits + bits) / bits;

    public void Dispose() => _words.Dispose();

    /// <summary>Writes a window's digit of every scalar.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Digits(int window, Span<int> digits)
    {
        var (word, shift) = (window * Bits / 64, window * Bits % 64);
        var crosses = shift + Bits > 64 && word < 3;
        var mask = (1UL << Bits) - 1;
        var centre = window == Windows - 1 ? 0 : 1 << (Bits - 1);
        var at = _words.Words + word;
        for (var i = 0; i < Count; i++, at += 4)
        {
            var digit = at[0] >> shift;
            if (crosses)
            {
                digit |= at[1] << (64 - shift);
            }

            digits[i] = (int)(digit & mask) - centre;
        }
    }

    private static (ulong, ulong, ulong, ulong) Offset(int bits)
    {
        Span<ulong> words = stackalloc ulong[4];
        words.Clear();
        for (var window = 0; window < WindowsOf(bits) - 1; window++)
        {
            var bit = (window * bits) + bits - 1;
            words[bit / 64] |= 1UL << (bit % 64);
        }

        return (words[0], words[1], words[2], words[3]);
    }
}
