using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Evm;

/// <summary>
/// Programs drawn by seed: blocks of any instructions that jump among one another, mostly with sane operands.
/// </summary>
internal sealed class RandomPrograms(int seed)
{
    private const int MaxBlocks = 8;
    private const int MaxInstructions = 24;

    private static readonly Opcode[] Computations =
    [
        Opcode.Add, Opcode.Mul, Opcode.Sub, Opcode.Div, Opcode.SDiv, Opcode.Mod, Opcode.SMod, Opcode.AddMod,
        Opcode.MulMod, Opcode.Exp, Opcode.SignExtend, Opcode.Lt, Opcode.Gt, Opcode.SLt, Opcode.SGt, Opcode.Eq,
        Opcode.IsZero, Opcode.And, Opcode.Or, Opcode.Xor, Opcode.Not, Opcode.Byte, Opcode.Shl, Opcode.Shr, Opcode.Sar,
        Opcode.Clz,
    ];

    private static readonly Opcode[] Others =
    [
        Opcode.Keccak256, Opcode.Address, Opcode.Balance, Opcode.Caller, Opcode.CallDataLoad, Opcode.CallDataSize,
        Opcode.CodeSize, Opcode.ReturnDataSize, Opcode.MLoad, Opcode.MStore, Opcode.MStore8, Opcode.SLoad,
        Opcode.SStore,
        Opcode.Pc, Opcode.MSize, Opcode.Gas, Opcode.TLoad, Opcode.TStore, Opcode.MCopy, Opcode.Log1,
        Opcode.CallDataCopy,
        Opcode.ExtCodeSize, Opcode.SelfBalance, Opcode.StaticCall, Opcode.Call, Opcode.Create, Opcode.Create2,
        Opcode.ReturnDataCopy, Opcode.Invalid, Opcode.Return, Opcode.Revert, Opcode.Stop, Opcode.BlockHash,
    ];

    private readonly Random _random = new(seed);

    internal byte[] Next()
    {
        var blocks = _random.Next(2, MaxBlocks);
        var program = new Assembler();
        for (var i = _random.Next(3, 12); i > 0; i--)
        {
            PushAny(program);
        }

        for (var block = 0; block < blocks; block++)
        {
            program.Label($"b{block}");
            for (var i = _random.Next(MaxInstructions); i > 0; i--)
            {
                Instruction(program);
            }

            var target = $"b{_random.Next(blocks)}";
            switch (_random.Next(6))
            {
                case 0:
                    program.Jump(target);
                    break;
                case 1:
                    // A jump whose target comes out of arithmetic, and so is not known beforehand.
                    program.PushLabel(target).Op(Opcode.Gas, Opcode.Dup1, Opcode.Xor, Opcode.Add, Opcode.Jump);
                    break;
                case 2:
                    // Back on a condition that depends on gas, so that loops are left again.
                    program.Op(Opcode.Gas).Push((ulong)_random.Next(1, 64)).Op(Opcode.Swap1, Opcode.Mod)
                        .JumpIf(target);
                    break;
                case 3:
                    program.JumpIf(target);
                    break;
                case 4:
                    // A call within the contract: the place to return to lies under what is called.
                    program.PushLabel($"b{_random.Next(blocks)}").Swap(1).Jump(target);
                    break;
            }
        }

        return program.ToCode();
    }

    private void Instruction(Assembler program)
    {
        switch (_random.Next(12))
        {
            case 0 or 1 or 2:
                PushAny(program);
                break;
            case 3 or 4:
                program.Dup(_random.Next(1, 6));
                break;
            case 5:
                program.Swap(_random.Next(1, 5));
                break;
            case 6:
                program.Op(Opcode.Pop);
                break;
            case 7:
                // Memory and storage at small places, with a value that is there.
                program.Push((ulong)_random.Next(200))
                    .Op(_random.Next(2) == 0 ? Opcode.MStore : Opcode.MLoad);
                break;
            case 8 when _random.Next(3) == 0:
                for (var i = 0; i < 6; i++)
                {
                    program.Push((ulong)_random.Next(70));
                }

                program.Op(Others[_random.Next(Others.Length)]);
                break;
            default:
                program.Op(Computations[_random.Next(Computations.Length)]);
                break;
        }
    }

    private void PushAny(Assembler program)
    {
        Span<byte> bytes = stackalloc byte[_random.Next(1, 33)];
        _random.NextBytes(bytes);
        switch (_random.Next(5))
        {
            case 0:
                program.PushBytes(bytes);
                break;
            case 1:
                program.Push(UInt256.One << _random.Next(256));
                break;
            case 2:
                program.Push(UInt256.MaxValue >> _random.Next(256));
                break;
            default:
                program.Push((ulong)_random.Next(300));
                break;
        }
    }
}
