using System.Security.Cryptography;

namespace SuperVm.Core.Primitives;

/// <summary>Hash codes for dictionary keys that an attacker may choose (addresses, slots).</summary>
/// <remarks>
/// The multiplier is drawn once a process, so colliding keys cannot be prepared in advance. Nothing that consensus
/// depends on may follow the order of a hash table.
/// </remarks>
internal static class HashMix
{
    private static readonly ulong Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;

    internal static int Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a ^ Seed, b ^ 0x9E3779B97F4A7C15UL ^ (Seed >> 1), out var low);
        var folded = high ^ low ^ (a * 0xD6E8FEB86659FD93UL);
        return (int)(folded ^ (folded >> 32));
    }
}
