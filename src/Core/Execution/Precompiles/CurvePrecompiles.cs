using SuperVm.Core.Cryptography;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Precompiles;

/// <summary>secp256k1, bn254, KZG and P-256: inputs and outputs as the EVM has them.</summary>
internal static class CurvePrecompiles
{
    /// <summary>A G1 and a G2 point of bn254 (EIP-197).</summary>
    internal const int Bn254PairBytes = 192;

    /// <summary>(hash, v, r, s) to the signer as a word; no output where there is none.</summary>
    internal static byte[] EcRecover(ReadOnlySpan<byte> input)
    {
        Span<byte> padded = stackalloc byte[128];
        padded.Clear();
        input[..Math.Min(input.Length, padded.Length)].CopyTo(padded);
        var v = UInt256.FromBigEndian(padded.Slice(32, 32));
        var r = UInt256.FromBigEndian(padded.Slice(64, 32));
        var s = UInt256.FromBigEndian(padded[96..]);
        if (!v.IsUInt64 || v.U0 is not (27 or 28)
            || !Secp256k1.TryRecover(new Hash256(padded[..32]), r, s, (byte)(v.U0 - 27), out var signer))
        {
            return [];
        }

        var output = new byte[32];
        signer.CopyTo(output.AsSpan(12));
        return output;
    }

    internal static byte[]? Bn254Add(ReadOnlySpan<byte> input) => Finish(
        new byte[64], input, static (bytes, output) => Bn254Precompiles.Add(bytes, output));

    internal static byte[]? Bn254Multiply(ReadOnlySpan<byte> input) => Finish(
        new byte[64], input, static (bytes, output) => Bn254Precompiles.Multiply(bytes, output));

    internal static byte[]? Bn254Pairing(ReadOnlySpan<byte> input) => Finish(
        new byte[32], input, static (bytes, output) => Bn254Precompiles.PairingCheck(bytes, output));

    /// <summary>EIP-4844: 192 bytes of input, 64 of output.</summary>
    internal static byte[]? PointEvaluation(ReadOnlySpan<byte> input) => input.Length != 192
        ? null
        : Finish(new byte[64], input, static (bytes, output) => KzgPointEvaluation.Verify(bytes, output));

    /// <summary>EIP-7951: the word 1 for a valid signature, else nothing; it never fails.</summary>
    internal static byte[] P256Verify(ReadOnlySpan<byte> input)
    {
        if (input.Length != 160 || !P256.Verify(input))
        {
            return [];
        }

        var output = new byte[32];
        output[31] = 1;
        return output;
    }

    internal delegate bool SpanFunction(ReadOnlySpan<byte> input, Span<byte> output);

    internal static byte[]? Finish(byte[] output, ReadOnlySpan<byte> input, SpanFunction function) =>
        function(input, output) ? output : null;
}
