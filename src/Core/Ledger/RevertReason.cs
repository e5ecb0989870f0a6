using System.Buffers.Binary;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>
/// Why a contract reverted, in geth's words, from its output (Solidity: Error(string) and Panic(uint256)).
/// </summary>
public static class RevertReason
{
    private const uint ErrorSelector = 0x08c379a0;
    private const uint PanicSelector = 0x4e487b71;
    private const int MaximumLength = 4_096;

    /// <summary>The reason; null where the output is neither of the two, or longer than 4,096 bytes.</summary>
    public static string? Of(ReadOnlySpan<byte> output)
    {
        if (output.Length < 4 + 32)
        {
            return null;
        }

        var selector = BinaryPrimitives.ReadUInt32BigEndian(output);
        var words = output[4..];
        if (selector == PanicSelector)
        {
            return Meaning(UInt256.FromBigEndian(words[..32]));
        }

        if (selector != ErrorSelector || words.Length < 64)
        {
            return null;
        }

        var offset = UInt256.FromBigEndian(words[..32]).ToUInt64Saturating();
        if (offset > (ulong)words.Length - 32)
        {
            return null;
        }

        var length = UInt256.FromBigEndian(words.Slice((int)offset, 32)).ToUInt64Saturating();
        var text = words[((int)offset + 32)..];
        return length > (ulong)text.Length || length > MaximumLength
            ? null
            : System.Text.Encoding.UTF8.GetString(text[..(int)length]);
    }

    /// <summary>The panic codes of Solidity's documentation.</summary>
    private static string Meaning(in UInt256 code) => code.ToUInt64Saturating() switch
    {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        _ => $"unknown panic code: {code.ToQuantity()}",
    };
}
