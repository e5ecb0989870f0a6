using System.Security.Cryptography;
using SuperVm.Core.Cryptography;

namespace SuperVm.Core.Execution.Precompiles;

/// <summary>SHA-256, RIPEMD-160 and the BLAKE2 compression function.</summary>
internal static class HashPrecompiles
{
    /// <summary>Rounds, state, message block, counters and final flag (EIP-152).</summary>
    internal const int Blake2fBytes = 213;

    internal static byte[] Sha256(ReadOnlySpan<byte> input) => SHA256.HashData(input);

    /// <summary>The 20-byte digest as a word.</summary>
    internal static byte[] Ripemd(ReadOnlySpan<byte> input)
    {
        var output = new byte[32];
        Ripemd160.Hash(input, output.AsSpan(12));
        return output;
    }

    internal static byte[]? Blake2f(ReadOnlySpan<byte> input)
    {
        var output = new byte[64];
        return input.Length == Blake2fBytes && Cryptography.Blake2f.TryCompress(input, output) ? output : null;
    }
}
