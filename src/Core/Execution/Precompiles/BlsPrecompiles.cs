using SuperVm.Core.Cryptography;

namespace SuperVm.Core.Execution.Precompiles;

/// <summary>BLS12-381 (EIP-2537): lengths are checked here, encodings and groups by the curve.</summary>
internal static class BlsPrecompiles
{
    private const int G1Bytes = 128;
    private const int G2Bytes = 256;
    private const int ScalarBytes = 32;

    internal const int G1MsmBytes = G1Bytes + ScalarBytes;
    internal const int G2MsmBytes = G2Bytes + ScalarBytes;
    internal const int PairBytes = G1Bytes + G2Bytes;

    internal static byte[]? G1Add(ReadOnlySpan<byte> input) => input.Length != 2 * G1Bytes
        ? null
        : CurvePrecompiles.Finish(
            new byte[G1Bytes], input, static (bytes, output) => Bls12381Precompiles.G1Add(bytes, output));

    internal static byte[]? G1Msm(ReadOnlySpan<byte> input) => input.Length == 0 || input.Length % G1MsmBytes != 0
        ? null
        : CurvePrecompiles.Finish(
            new byte[G1Bytes], input, static (bytes, output) => Bls12381Precompiles.G1Msm(bytes, output));

    internal static byte[]? G2Add(ReadOnlySpan<byte> input) => input.Length != 2 * G2Bytes
        ? null
        : CurvePrecompiles.Finish(
            new byte[G2Bytes], input, static (bytes, output) => Bls12381Precompiles.G2Add(bytes, output));

    internal static byte[]? G2Msm(ReadOnlySpan<byte> input) => input.Length == 0 || input.Length % G2MsmBytes != 0
        ? null
        : CurvePrecompiles.Finish(
            new byte[G2Bytes], input, static (bytes, output) => Bls12381Precompiles.G2Msm(bytes, output));

    internal static byte[]? Pairing(ReadOnlySpan<byte> input) => input.Length == 0 || input.Length % PairBytes != 0
        ? null
        : CurvePrecompiles.Finish(
            new byte[32], input, static (bytes, output) => Bls12381Precompiles.PairingCheck(bytes, output));

    internal static byte[]? MapToG1(ReadOnlySpan<byte> input) => input.Length != 64
        ? null
        : CurvePrecompiles.Finish(
            new byte[G1Bytes], input, static (bytes, output) => Bls12381Precompiles.MapFpToG1(bytes, output));

    internal static byte[]? MapToG2(ReadOnlySpan<byte> input) => input.Length != 128
        ? null
        : CurvePrecompiles.Finish(
            new byte[G2Bytes], input, static (bytes, output) => Bls12381Precompiles.MapFp2ToG2(bytes, output));
}
