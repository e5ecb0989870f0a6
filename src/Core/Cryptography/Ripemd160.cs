using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography;

/// <summary>RIPEMD-160, the hash of the EVM's precompile at address 3.</summary>
/// <remarks>
/// Source: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996). Two lines of eighty
/// steps run over the same block of sixteen little-endian words and are added crosswise.
/// </remarks>
public static class Ripemd160
{
    /// <summary>Bytes of a digest.</summary>
    public const int Size = 20;

    private const int BlockSize = 64;

    private static ReadOnlySpan<byte> LeftWords =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
        3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
        1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
        4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
    ];

    private static ReadOnlySpan<byte> RightWords =>
    [
        5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
        6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
        15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
        8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
        12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
    ];

    private static ReadOnlySpan<byte> LeftShifts =>
    [
        11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
        7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
        11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
        11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
        9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
    ];

    private static ReadOnlySpan<byte> RightShifts =>
    [
        8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
        9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
        9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
        15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
        8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
    ];

    /// <summary>Writes the 20-byte digest.</summary>
    /// <exception cref="ArgumentException">Less than 20 bytes of room.</exception>
    public static void Hash(ReadOnlySpan<byte> input, Span<byte> digest)
    {
        if (digest.Length < Size)
        {
            throw new ArgumentException("A RIPEMD-160 digest has 20 bytes.");
        }

        Span<uint> state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0];
        var bits = (ulong)input.Length * 8;
        for (; input.Length >= BlockSize; input = input[BlockSize..])
        {
            Compress(state, input);
        }

        Span<byte> last = stackalloc byte[2 * BlockSize];
        last.Clear();
        input.CopyTo(last);
        last[input.Length] = 0x80;
        last = last[..(input.Length < BlockSize - 8 ? BlockSize : 2 * BlockSize)];
        BinaryPrimitives.WriteUInt64LittleEndian(last[^8..], bits);
        for (; !last.IsEmpty; last = last[BlockSize..])
        {
            Compress(state, last);
        }

        for (var i = 0; i < state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(digest[(4 * i)..], state[i]);
        }
    }

    [SkipLocalsInit]
    private static void Compress(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> x = stackalloc uint[16];
        for (var i = 0; i < x.Length; i++)
        {
            x[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * i)..]);
        }

        var left = new Line(state);
        left.Round<Parity>(x, LeftWords[..16], LeftShifts[..16], 0);
        left.Round<Choose>(x, LeftWords[16..32], LeftShifts[16..32], 0x5A827999);
        left.Round<OrNotFirst>(x, LeftWords[32..48], LeftShifts[32..48], 0x6ED9EBA1);
        left.Round<ChooseByLast>(x, LeftWords[48..64], LeftShifts[48..64], 0x8F1BBCDC);
        left.Round<OrNotLast>(x, LeftWords[64..], LeftShifts[64..], 0xA953FD4E);

        var right = new Line(state);
        right.Round<OrNotLast>(x, RightWords[..16], RightShifts[..16], 0x50A28BE6);
        right.Round<ChooseByLast>(x, RightWords[16..32], RightShifts[16..32], 0x5C4DD124);
        right.Round<OrNotFirst>(x, RightWords[32..48], RightShifts[32..48], 0x6D703EF3);
        right.Round<Choose>(x, RightWords[48..64], RightShifts[48..64], 0x7A6D76E9);
        right.Round<Parity>(x, RightWords[64..], RightShifts[64..], 0);

        var first = state[1] + left.C + right.D;
        state[1] = state[2] + left.D + right.E;
        state[2] = state[3] + left.E + right.A;
        state[3] = state[4] + left.A + right.B;
        state[4] = state[0] + left.B + right.C;
        state[0] = first;
    }

    /// <summary>The five chaining words of one of the two lines.</summary>
    private struct Line(ReadOnlySpan<uint> state)
    {
        public uint A = state[0], B = state[1], C = state[2], D = state[3], E = state[4];

        /// <summary>Sixteen steps with one Boolean function.</summary>
        public void Round<T>(
            ReadOnlySpan<uint> x, ReadOnlySpan<byte> words, ReadOnlySpan<byte> shifts, uint constant)
            where T : struct, IBooleanFunction
        {
            var (a, b, c, d, e) = (A, B, C, D, E);
            for (var i = 0; i < words.Length; i++)
            {
                var sum = a + T.Apply(b, c, d) + x[words[i]] + constant;
                var next = BitOperations.RotateLeft(sum, shifts[i]) + e;
                (a, e, d, c, b) = (e, d, BitOperations.RotateLeft(c, 10), b, next);
            }

            (A, B, C, D, E) = (a, b, c, d, e);
        }
    }

    private interface IBooleanFunction
    {
        static abstract uint Apply(uint x, uint y, uint z);
    }

    private readonly struct Parity : IBooleanFunction
    {
        public static uint Apply(uint x, uint y, uint z) => x ^ y ^ z;
    }

    private readonly struct Choose : IBooleanFunction
    {
        public static uint Apply(uint x, uint y, uint z) => (x & y) | (~x & z);
    }

    private readonly struct OrNotFirst : IBooleanFunction
    {
        public static uint Apply(uint x, uint y, uint z) => (x | ~y) ^ z;
    }

    private readonly struct ChooseByLast : IBooleanFunction
    {
        public static uint Apply(uint x, uint y, uint z) => (x & z) | (y & ~z);
    }

    private readonly struct OrNotLast : IBooleanFunction
    {
        public static uint Apply(uint x, uint y, uint z) => x ^ (y | ~z);
    }
}
