using SuperVm.Core.Execution.Evm;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>Instructions by the names that traces have.</summary>
internal static class OpcodeNames
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 256).Select(Make)];

    internal static string Of(Opcode op) => Names[(byte)op];

    private static string Make(int op) => op switch
    {
        // The name from before the merge stayed in traces.
        (int)Opcode.PrevRandao => "DIFFICULTY",
        >= (int)Opcode.Push1 and <= (int)Opcode.Push32 => $"PUSH{op - (int)Opcode.Push1 + 1}",
        >= (int)Opcode.Dup1 and <= (int)Opcode.Dup16 => $"DUP{op - (int)Opcode.Dup1 + 1}",
        >= (int)Opcode.Swap1 and <= (int)Opcode.Swap16 => $"SWAP{op - (int)Opcode.Swap1 + 1}",
        _ => Enum.IsDefined((Opcode)op)
            ? ((Opcode)op).ToString().ToUpperInvariant()
            : $"opcode 0x{op:x} not defined",
    };
}
