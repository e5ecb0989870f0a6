using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm;

/// <summary>Keccak-256 of 64 bytes, as mappings take it of key and slot, remembered for inputs of late.</summary>
/// <remarks>
/// Contracts hash the same few keys again and again (its own balance, the sender's), at 200 ns each. Direct mapped;
/// belongs to an engine, so to one thread. Forced collisions cost the hash that they would have cost anyway.
/// </remarks>
internal sealed unsafe class PairHashCache
{
    internal const int InputBytes = 64;

    private const int Entries = 1024;

    private readonly Entry[] _entries = new Entry[Entries];

    /// <summary>Writes the digest of 64 bytes as a word.</summary>
    [SkipLocalsInit]
    internal void Hash(byte* input, UInt256* word)
    {
        var limbs = (ulong*)input;
        var mixed = (limbs[0] ^ limbs[1] ^ limbs[2] ^ limbs[4] ^ limbs[5] ^ limbs[6])
            + (limbs[3] * 0x9E3779B97F4A7C15UL) + (limbs[7] * 0xD6E8FEB86659FD93UL);
        mixed ^= mixed >> 32;
        ref var entry = ref _entries[(int)((mixed * 0x9E3779B97F4A7C15UL) >> 54)];
        var difference = (limbs[0] ^ entry.K0) | (limbs[1] ^ entry.K1) | (limbs[2] ^ entry.K2) | (limbs[3] ^ entry.K3)
            | (limbs[4] ^ entry.K4) | (limbs[5] ^ entry.K5) | (limbs[6] ^ entry.K6) | (limbs[7] ^ entry.K7);
        if (difference != 0 || !entry.IsFilled)
        {
            Hash256 digest;
            Keccak256.Hash(new ReadOnlySpan<byte>(input, InputBytes), new Span<byte>(&digest, Hash256.Size));
            UInt256 result;
            Words.StoreReversed(&result, Words.LoadBytes((byte*)&digest));
            entry = new Entry
            {
                K0 = limbs[0], K1 = limbs[1], K2 = limbs[2], K3 = limbs[3],
                K4 = limbs[4], K5 = limbs[5], K6 = limbs[6], K7 = limbs[7],
                Word = result, IsFilled = true,
            };
        }

        *word = entry.Word;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        internal ulong K0, K1, K2, K3, K4, K5, K6, K7;
        internal UInt256 Word;
        internal bool IsFilled;
    }
}
