using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>Keccak-256 with the original padding (0x01), as Ethereum uses it; not SHA3-256.</summary>
/// <remarks>
/// Source: The Keccak reference, version 3.0; rate 1088 bits, capacity 512 bits, 24 rounds. The permutation is written
/// once and compiled for one state in general or 128-bit registers and for four or eight states side by side
/// (<see cref="HashMany(ReadOnlySpan{byte}, int, Span{Hash256})"/>).
/// </remarks>
public static partial class Keccak256
{
    /// <summary>Bytes absorbed a permutation.</summary>
    public const int Rate = 136;

    internal const int StateLanes = 25;

    private const int RateLanes = Rate / 8;

    private const ulong PadEnd = 0x80UL << 56;

    /// <summary>The digest of no bytes: the code hash of an account without code.</summary>
    public static Hash256 OfEmpty { get; } =
        Hash256.Parse("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

    [SkipLocalsInit]
    public static Hash256 Hash(ReadOnlySpan<byte> input)
    {
        Span<ulong> state = stackalloc ulong[StateLanes];
        Sponge(input, state);
        return new Hash256(MemoryMarshal.AsBytes(state)[..Hash256.Size]);
    }

    /// <summary>Writes the 32-byte digest.</summary>
    [SkipLocalsInit]
    public static void Hash(ReadOnlySpan<byte> input, Span<byte> digest)
    {
        Span<ulong> state = stackalloc ulong[StateLanes];
        Sponge(input, state);
        MemoryMarshal.AsBytes(state)[..Hash256.Size].CopyTo(digest);
    }

    /// <summary>Keccak-f[1600] on 25 lanes.</summary>
    internal static void Permute(Span<ulong> state)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(state.Length, StateLanes);
        ref var first = ref MemoryMarshal.GetReference(state);
        if (KeccakLane128.IsSupported)
        {
            Permute<KeccakLane128>(ref first);
        }
        else
        {
            Permute<KeccakLaneScalar>(ref first);
        }
    }

    /// <summary>Absorbs the whole input with its padding; the digest is then the first four lanes.</summary>
    private static void Sponge(ReadOnlySpan<byte> input, Span<ulong> state)
    {
        // Lanes are little-endian words, and so is every machine this runs on: bytes are copied, not converted.
        state.Clear();
        var bytes = MemoryMarshal.AsBytes(state);
        if (input.Length >= Rate)
        {
            input = AbsorbFullBlocks(input, state);
        }

        if (input.Length == 32)
        {
            // The shape of storage keys and tree paths: four lanes and the padding.
            ref var words = ref MemoryMarshal.GetReference(input);
            state[0] ^= Unsafe.ReadUnaligned<ulong>(ref words);
            state[1] ^= Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref words, 8));
            state[2] ^= Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref words, 16));
            state[3] ^= Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref words, 24));
            state[4] ^= 0x01;
        }
        else
        {
            XorInto(bytes, input);
            bytes[input.Length] ^= 0x01;
        }

        state[RateLanes - 1] ^= PadEnd;
        Permute(state);
    }

    private static ReadOnlySpan<byte> AbsorbFullBlocks(ReadOnlySpan<byte> input, Span<ulong> state)
    {
        var bytes = MemoryMarshal.AsBytes(state);
        do
        {
            XorInto(bytes, input[..Rate]);
            Permute(state);
            input = input[Rate..];
        }
        while (input.Length >= Rate);

        return input;
    }

    /// <summary>state ^= block, for a block no longer than the rate.</summary>
    private static void XorInto(Span<byte> state, ReadOnlySpan<byte> block)
    {
        var i = 0;
        for (; i + 8 <= block.Length; i += 8)
        {
            var lane = MemoryMarshal.Read<ulong>(state[i..]) ^ MemoryMarshal.Read<ulong>(block[i..]);
            MemoryMarshal.Write(state[i..], lane);
        }

        for (; i < block.Length; i++)
        {
            state[i] ^= block[i];
        }
    }
}
