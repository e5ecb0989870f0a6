using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Precompiles;

/// <summary>What a modexp input says: three lengths in bytes and the first 32 bytes of the exponent.</summary>
internal readonly record struct ModexpCall(
    UInt256 BaseLength, UInt256 ExponentLength, UInt256 ModulusLength, UInt256 ExponentHead);

/// <summary>base^exponent mod modulus of numbers of any length (EIP-198); missing input bytes are zero.</summary>
internal static class ModexpPrecompile
{
    /// <summary>Bytes each number may have from EIP-7823.</summary>
    private const int BoundedLength = 1024;

    /// <summary>Longer numbers cannot be paid by any gas limit, and are refused should someone try.</summary>
    private const int LengthLimit = 1 << 24;

    private const int HeadLength = 96;

    /// <summary>Reads the lengths and the leading part of the exponent that prices go by.</summary>
    internal static ModexpCall Read(ReadOnlySpan<byte> input)
    {
        Span<byte> word = stackalloc byte[32];
        CopyPadded(input, 0, word);
        var baseLength = UInt256.FromBigEndian(word);
        CopyPadded(input, 32, word);
        var exponentLength = UInt256.FromBigEndian(word);
        CopyPadded(input, 64, word);
        var modulusLength = UInt256.FromBigEndian(word);
        var headLength = (int)Math.Min(exponentLength.ToUInt64Saturating(), 32);
        var head = word[..headLength];
        CopyPadded(input, HeadLength + Math.Min(baseLength.ToUInt64Saturating(), int.MaxValue), head);
        return new ModexpCall(baseLength, exponentLength, modulusLength, UInt256.FromBigEndian(head));
    }

    /// <summary>As <see cref="Run"/>, refusing numbers above 1,024 bytes (EIP-7823).</summary>
    internal static byte[]? RunBounded(ReadOnlySpan<byte> input)
    {
        var call = Read(input);
        UInt256 limit = (ulong)BoundedLength;
        return call.BaseLength > limit || call.ExponentLength > limit || call.ModulusLength > limit
            ? null
            : Run(input);
    }

    internal static byte[]? Run(ReadOnlySpan<byte> input)
    {
        var call = Read(input);
        if (call.ModulusLength.IsZero)
        {
            return [];
        }

        UInt256 limit = (ulong)LengthLimit;
        if (call.BaseLength > limit || call.ExponentLength > limit || call.ModulusLength > limit)
        {
            return null;
        }

        var (baseLength, exponentLength) = ((int)call.BaseLength.U0, (int)call.ExponentLength.U0);
        var output = new byte[(int)call.ModulusLength.U0];
        var numbers = new byte[baseLength + exponentLength + output.Length];
        CopyPadded(input, HeadLength, numbers);
        Modexp.Compute(
            numbers.AsSpan(0, baseLength), numbers.AsSpan(baseLength, exponentLength),
            numbers.AsSpan(baseLength + exponentLength), output);
        return output;
    }

    private static void CopyPadded(ReadOnlySpan<byte> input, ulong start, Span<byte> target)
    {
        var rest = start < (ulong)input.Length ? input[(int)start..] : [];
        var copied = Math.Min(rest.Length, target.Length);
        rest[..copied].CopyTo(target);
        target[copied..].Clear();
    }
}
