using SuperVm.Core.Execution.Evm.Compilation;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm;

/// <summary>What the EVM works out about a piece of code once: where jumps may land, and its compiled form.</summary>
internal sealed class CodeAnalysis
{
    private CodeAnalysis(Code code)
    {
        Code = code;
        JumpDestinations = FindJumpDestinations(code);
        Tier = new CodeTier(this);
    }

    internal Code Code { get; }

    /// <summary>One bit a code byte, set where a JUMPDEST stands that is no PUSH data.</summary>
    internal ulong[] JumpDestinations { get; }

    /// <summary>Whether the code is interpreted or compiled.</summary>
    internal CodeTier Tier { get; }

    internal bool IsJumpDestination(int pc) => ((JumpDestinations[pc >> 6] >> (pc & 63)) & 1) != 0;

    /// <summary>The analysis kept with the code, made at the first use.</summary>
    internal static CodeAnalysis Of(Code code)
    {
        if (code.Analysis is CodeAnalysis known)
        {
            return known;
        }

        var made = HotCode.Shared.Find(code) ?? new CodeAnalysis(code);
        code.Analysis = made;
        return made;
    }

    private static ulong[] FindJumpDestinations(Code code)
    {
        var bytes = code.Bytes;
        var bits = new ulong[(code.Padded.Length >> 6) + 1];
        for (var pc = 0; pc < bytes.Length; pc++)
        {
            var op = bytes[pc];
            if (op == (byte)Opcode.JumpDest)
            {
                bits[pc >> 6] |= 1UL << (pc & 63);
            }
            else if ((sbyte)op >= (sbyte)Opcode.Push1)
            {
                // 0x60 … 0x7F are the only bytes that are at least 0x60 as signed numbers.
                pc += op - (int)Opcode.Push1 + 1;
            }
        }

        return bits;
    }
}
