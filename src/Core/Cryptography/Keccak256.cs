using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Keccak-256 with the original padding (0x01), as Ethereum uses it; not SHA3-256.</summary>
/// <remarks>Source: The Keccak reference, version 3.0; rate 1088 bits, capacity 512 bits, 24 rounds.</remarks>
public static class Keccak256
{
    /// <summary>Bytes absorbed a permutation.</summary>
    public const int Rate = 136;

    private static readonly ulong[] RoundConstants =
    [
        0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000,
        0x000000000000808B, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
        0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
        0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003,
        0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
        0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    ];

    /// <summary>The digest of no bytes: the code hash of an account without code.</summary>
    public static Hash256 OfEmpty { get; } =
        Hash256.Parse("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

    public static Hash256 Hash(ReadOnlySpan<byte> input)
    {
        Span<byte> digest = stackalloc byte[32];
        Hash(input, digest);
        return new Hash256(digest);
    }

    /// <summary>Writes the 32-byte digest.</summary>
    [SkipLocalsInit]
    public static void Hash(ReadOnlySpan<byte> input, Span<byte> digest)
    {
        Span<ulong> state = stackalloc ulong[25];
        state.Clear();
        while (input.Length >= Rate)
        {
            Absorb(state, input);
            Permute(state);
            input = input[Rate..];
        }

        Span<byte> last = stackalloc byte[Rate];
        last.Clear();
        input.CopyTo(last);
        last[input.Length] = 0x01;
        last[Rate - 1] |= 0x80;
        Absorb(state, last);
        Permute(state);
        MemoryMarshal.AsBytes(state)[..32].CopyTo(digest);
    }

    private static void Absorb(Span<ulong> state, ReadOnlySpan<byte> block)
    {
        for (var i = 0; i < Rate / 8; i++)
        {
            state[i] ^= BinaryPrimitives.ReadUInt64LittleEndian(block[(8 * i)..]);
        }
    }

    /// <summary>Keccak-f[1600] on 25 lanes.</summary>
    internal static void Permute(Span<ulong> s)
    {
        Span<ulong> b = stackalloc ulong[25];
        foreach (var constant in RoundConstants)
        {
            for (var x = 0; x < 5; x++)
            {
                b[x] = s[x] ^ s[x + 5] ^ s[x + 10] ^ s[x + 15] ^ s[x + 20];
            }

            var (c0, c1, c2, c3, c4) = (b[0], b[1], b[2], b[3], b[4]);
            Span<ulong> d =
            [
                c4 ^ BitOperations.RotateLeft(c1, 1), c0 ^ BitOperations.RotateLeft(c2, 1),
                c1 ^ BitOperations.RotateLeft(c3, 1), c2 ^ BitOperations.RotateLeft(c4, 1),
                c3 ^ BitOperations.RotateLeft(c0, 1),
            ];
            for (var i = 0; i < 25; i++)
            {
                s[i] ^= d[i % 5];
            }

            for (var i = 0; i < 25; i++)
            {
                var (x, y) = (i % 5, i / 5);
                b[y + (5 * (((2 * x) + (3 * y)) % 5))] = BitOperations.RotateLeft(s[i], Rotations[i]);
            }

            for (var i = 0; i < 25; i++)
            {
                var row = i - (i % 5);
                s[i] = b[i] ^ (~b[row + ((i + 1) % 5)] & b[row + ((i + 2) % 5)]);
            }

            s[0] ^= constant;
        }
    }

    private static ReadOnlySpan<int> Rotations =>
    [
        0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
    ];
}
