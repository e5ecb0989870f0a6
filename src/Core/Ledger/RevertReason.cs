using SuperVm.Core.Encoding.Abi;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Why a contract reverted, in words, from its output (Solidity: Error(string) and Panic(uint256)).</summary>
public static class RevertReason
{
    private static readonly AbiFunction Error = AbiFunction.Parse("Error(string)");
    private static readonly AbiFunction Panic = AbiFunction.Parse("Panic(uint256)");

    /// <summary>The reason, or null where the output is neither of the two.</summary>
    public static string? Of(ReadOnlySpan<byte> output)
    {
        if (Error.DecodeCall(output).Value is [string reason])
        {
            return reason;
        }

        return Panic.DecodeCall(output).Value is [UInt256 code]
            ? $"panic: {Meaning(code)} ({code.ToQuantity()})"
            : null;
    }

    /// <summary>The output of a contract that reverts with a reason.</summary>
    public static byte[] Encode(string reason) => Error.EncodeCall(reason);

    private static string Meaning(in UInt256 code) => code.ToUInt64Saturating() switch
    {
        0x01 => "assertion failed",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum value out of range",
        0x22 => "storage byte array wrongly encoded",
        0x31 => "pop of an empty array",
        0x32 => "array index out of bounds",
        0x41 => "too much memory allocated or array too large",
        0x51 => "call of a function pointer without value",
        _ => "unknown code",
    };
}
