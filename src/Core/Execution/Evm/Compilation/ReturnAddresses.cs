using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>
/// Places that code pushes the address of without jumping there at once: where internal calls come back.
/// </summary>
internal static class ReturnAddresses
{
    internal static List<int> Of(Code code, CodeAnalysis analysis)
    {
        var found = new List<int>();
        var bytes = code.Padded;
        for (var pc = 0; pc < code.Length; pc++)
        {
            var length = bytes[pc] - (int)Opcode.Push1 + 1;
            if (length is < 1 or > 32)
            {
                continue;
            }

            var next = (Opcode)bytes[pc + length + 1];
            if (length <= 2 && next is not (Opcode.Jump or Opcode.JumpI))
            {
                var target = length == 1 ? bytes[pc + 1] : (bytes[pc + 1] << 8) | bytes[pc + 2];
                if (target < code.Length && analysis.IsJumpDestination(target))
                {
                    found.Add(target);
                }
            }

            pc += length;
        }

        return found;
    }
}
