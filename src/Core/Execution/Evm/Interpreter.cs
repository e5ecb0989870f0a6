using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SuperVm.Core.Execution.Evm.Compilation;
using SuperVm.Core.Execution.Evm.Operations;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm;

/// <summary>How a run of a frame ended.</summary>
internal enum FrameExit : byte
{
    /// <summary>The frame is over: success, revert or fault, as its status says.</summary>
    Halted,

    /// <summary>A call or a creation began a new frame; this one goes on when that one is over.</summary>
    Child,

    /// <summary>
    /// As many jumps as allowed were taken; the frame stands at the target of the last (Compilation).
    /// </summary>
    Hot,

    /// <summary>Compiled code cannot run the instruction at the frame's place; the interpreter must.</summary>
    Interpret,

    /// <summary>Compiled code reached what it does not hold; another unit may, else the interpreter goes on.</summary>
    Elsewhere,
}

/// <summary>
/// The interpreter loop: one instruction after the other, checked by table, the frequent ones done in place.
/// </summary>
/// <remarks>
/// Unsafe: instruction pointer, stack and memory are raw pointers. They stay in bounds because every instruction's
/// stack needs are checked before it runs, the stack has room for 1,024 words, code is followed by
/// <see cref="State.Code.Padding"/> zero bytes (STOP) and memory is only reached below the frame's size.
/// </remarks>
internal static unsafe class Interpreter
{
    /// <param name="frame">The frame that runs.</param>
    /// <param name="jumps">Jumps to take before the exit <see cref="FrameExit.Hot"/>.</param>
    /// <param name="profile">Counts ways through the code where given.</param>
    internal static FrameExit Run(Frame frame, int jumps, CodeProfile? profile = null) =>
        frame.Engine.Tracer is not null ? Loop<Tracing>(frame, jumps, null)
        : profile is null ? Loop<Plain>(frame, jumps, null)
        : Loop<Profiling>(frame, jumps, profile);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static FrameExit Loop<TMode>(Frame frame, int jumps, CodeProfile? profile)
        where TMode : struct, ILoopMode
    {
        fixed (byte* code = frame.Code.Padded)
        fixed (ulong* destinations = frame.Analysis.JumpDestinations)
        {
            var checks = frame.Table.Checks;
            var stack = frame.Stack;
            var ip = code + frame.Pc;
            var sp = stack + frame.StackHeight;
            var gas = frame.Gas;
            while (true)
            {
                var op = *ip;
                var check = checks + op;
                gas -= check->Gas;
                if (gas < 0)
                {
                    if (TMode.Traces)
                    {
                        frame.Engine.Tracer!.OnRefused(
                            StepOf(frame, (int)(ip - code), gas, sp), ExecutionStatus.OutOfGas);
                    }

                    goto Fault;
                }

                if ((uint)((int)((byte*)sp - (byte*)stack) - check->MinHeight) > check->Room)
                {
                    goto StackFault;
                }

                if (TMode.Traces)
                {
                    Step(frame, (int)(ip - code), gas, sp);
                }

                switch ((Opcode)op)
                {
                    case Opcode.Stop:
                        frame.OutputLength = 0;
                        goto Success;
                    case Opcode.Add:
                        Words.Add(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Sub:
                        Words.Subtract(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Mul:
                        Words.Multiply(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Div:
                        Words.Divide(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Mod:
                        Words.Modulo(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Lt:
                        Words.Set(sp - 2, Words.Less(sp - 1, sp - 2));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Gt:
                        Words.Set(sp - 2, Words.Less(sp - 2, sp - 1));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.SLt:
                        Words.Set(sp - 2, Words.SignedLess(sp - 1, sp - 2));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.SGt:
                        Words.Set(sp - 2, Words.SignedLess(sp - 2, sp - 1));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Eq:
                        Words.Set(sp - 2, Words.Load(sp - 1) == Words.Load(sp - 2));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.IsZero:
                        Words.Set(sp - 1, Words.Load(sp - 1) == Vector256<ulong>.Zero);
                        ip++;
                        continue;
                    case Opcode.And:
                        Words.Store(sp - 2, Words.Load(sp - 1) & Words.Load(sp - 2));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Or:
                        Words.Store(sp - 2, Words.Load(sp - 1) | Words.Load(sp - 2));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Xor:
                        Words.Store(sp - 2, Words.Load(sp - 1) ^ Words.Load(sp - 2));
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Not:
                        Words.Store(sp - 1, ~Words.Load(sp - 1));
                        ip++;
                        continue;
                    case Opcode.Byte:
                        Words.Byte(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Shl:
                        Words.ShiftLeft(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Shr:
                        Words.ShiftRight(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Sar:
                        Words.ShiftRightSigned(sp - 1, sp - 2);
                        sp--;
                        ip++;
                        continue;
                    case Opcode.Pop:
                        sp--;
                        ip++;
                        continue;
                    case Opcode.MLoad:
                        if (!Words.IsBelow(sp - 1, frame.MemorySize - 31))
                        {
                            gas = MemoryOperations.Expand(frame, gas, sp - 1, 32);
                            if (gas < 0)
                            {
                                goto Fault;
                            }
                        }

                        Words.StoreReversed(sp - 1, Words.LoadBytes(frame.Memory + (sp - 1)->U0));
                        ip++;
                        continue;
                    case Opcode.MStore:
                        if (!Words.IsBelow(sp - 1, frame.MemorySize - 31))
                        {
                            gas = MemoryOperations.Expand(frame, gas, sp - 1, 32);
                            if (gas < 0)
                            {
                                goto Fault;
                            }
                        }

                        Words.StoreBytesReversed(frame.Memory + (sp - 1)->U0, Words.Load(sp - 2));
                        sp -= 2;
                        ip++;
                        continue;
                    case Opcode.MStore8:
                        gas = MemoryOperations.Expand(frame, gas, sp - 1, 1);
                        if (gas < 0)
                        {
                            goto Fault;
                        }

                        frame.Memory[(sp - 1)->U0] = (byte)(sp - 2)->U0;
                        sp -= 2;
                        ip++;
                        continue;
                    case Opcode.JumpI:
                        if (Words.Load(sp - 2) == Vector256<ulong>.Zero)
                        {
                            if (TMode.Profiles)
                            {
                                profile!.CountPassed((int)(ip - code));
                            }

                            sp -= 2;
                            ip++;
                            continue;
                        }

                        if (!Words.IsBelow(sp - 1, frame.Code.Length) || !IsMarked(destinations, (sp - 1)->U0))
                        {
                            goto BadJump;
                        }

                        if (TMode.Profiles)
                        {
                            profile!.Count((int)(ip - code));
                        }

                        ip = code + (sp - 1)->U0;
                        sp -= 2;
                        if (--jumps < 0)
                        {
                            goto Hot;
                        }

                        continue;
                    case Opcode.Jump:
                        if (!Words.IsBelow(sp - 1, frame.Code.Length) || !IsMarked(destinations, (sp - 1)->U0))
                        {
                            goto BadJump;
                        }

                        ip = code + (sp - 1)->U0;
                        sp--;
                        if (--jumps < 0)
                        {
                            goto Hot;
                        }

                        continue;
                    case Opcode.Pc:
                        Words.Set(sp++, (ulong)(ip - code));
                        ip++;
                        continue;
                    case Opcode.MSize:
                        Words.Set(sp++, (ulong)frame.MemorySize);
                        ip++;
                        continue;
                    case Opcode.Gas:
                        Words.Set(sp++, (ulong)gas);
                        ip++;
                        continue;
                    case Opcode.JumpDest:
                        if (TMode.Profiles)
                        {
                            profile!.Count((int)(ip - code));
                        }

                        ip++;
                        continue;
                    case Opcode.Push0:
                        Words.Store(sp++, Vector256<ulong>.Zero);
                        ip++;
                        continue;
                    case Opcode.Push1:
                        Words.Set(sp++, ip[1]);
                        ip += 2;
                        continue;
                    case Opcode.Push2:
                        Words.Set(sp++, BinaryPrimitives.ReverseEndianness(*(ushort*)(ip + 1)));
                        ip += 3;
                        continue;
                    case >= Opcode.Push1 + 2 and <= Opcode.Push8:
                        var bytes = op - (byte)Opcode.Push1 + 1;
                        Words.Set(sp++, BinaryPrimitives.ReverseEndianness(*(ulong*)(ip + 1)) >> (64 - (8 * bytes)));
                        ip += bytes + 1;
                        continue;
                    case >= Opcode.Push9 and <= Opcode.Push32:
                        Words.PushLong(sp++, ip + 1, op - (byte)Opcode.Push1 + 1);
                        ip += op - (byte)Opcode.Push1 + 2;
                        continue;
                    case >= Opcode.Dup1 and <= Opcode.Dup16:
                        Words.Store(sp, Words.Load(sp - (op - (byte)Opcode.Dup1 + 1)));
                        sp++;
                        ip++;
                        continue;
                    case >= Opcode.Swap1 and <= Opcode.Swap16:
                        Words.Swap(sp - 1, sp - (op - (byte)Opcode.Swap1 + 2));
                        ip++;
                        continue;
                    case Opcode.Create or Opcode.Create2 or Opcode.Call or Opcode.CallCode or Opcode.DelegateCall
                        or Opcode.StaticCall:
                        gas = frame.Table.Operations[op](frame, sp, gas);
                        if (gas < 0)
                        {
                            goto Fault;
                        }

                        sp = (UInt256*)((byte*)sp + check->Delta);
                        ip++;
                        if (frame.HasChild)
                        {
                            goto Child;
                        }

                        continue;
                    case Opcode.Return or Opcode.Revert or Opcode.SelfDestruct:
                        gas = frame.Table.Operations[op](frame, sp, gas);
                        if (gas < 0)
                        {
                            goto Fault;
                        }

                        frame.Gas = gas;
                        frame.Fault = op == (byte)Opcode.Revert ? ExecutionStatus.Revert : ExecutionStatus.Success;
                        return FrameExit.Halted;
                    default:
                        gas = frame.Table.Operations[op](frame, sp, gas);
                        if (gas < 0)
                        {
                            goto Fault;
                        }

                        sp = (UInt256*)((byte*)sp + check->Delta);
                        ip++;
                        continue;
                }
            }

        Success:
            frame.Gas = gas;
            frame.Fault = ExecutionStatus.Success;
            return FrameExit.Halted;
        Hot:
            frame.Gas = gas;
            frame.Pc = (int)(ip - code);
            frame.StackHeight = (int)(sp - stack);
            return FrameExit.Hot;
        Child:
            frame.Gas = gas;
            frame.Pc = (int)(ip - code);
            frame.StackHeight = (int)(sp - stack);
            return FrameExit.Child;
        BadJump:
            frame.Fault = ExecutionStatus.InvalidJump;
            return FrameExit.Halted;
        StackFault:
            frame.Fault = checks[*ip].MinHeight == InstructionTable.Undefined ? ExecutionStatus.InvalidOpcode
                : (byte*)sp - (byte*)stack < checks[*ip].MinHeight ? ExecutionStatus.StackUnderflow
                : ExecutionStatus.StackOverflow;
            if (TMode.Traces)
            {
                frame.Engine.Tracer!.OnRefused(StepOf(frame, (int)(ip - code), gas, sp), frame.Fault);
            }

            return FrameExit.Halted;
        Fault:
            return FrameExit.Halted;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsMarked(ulong* bits, ulong index) => ((bits[index >> 6] >> (int)(index & 63)) & 1) != 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Step(Frame frame, int pc, long gas, UInt256* sp) =>
        frame.Engine.Tracer!.OnStep(StepOf(frame, pc, gas, sp));

    private static EvmStep StepOf(Frame frame, int pc, long gas, UInt256* sp)
    {
        var op = frame.Code.Padded[pc];
        var cost = frame.Table.Checks[op].Gas;
        var engine = frame.Engine;
        return new EvmStep
        {
            Pc = pc,
            Opcode = (Opcode)op,
            Gas = gas + cost,
            StaticGas = cost,
            Depth = frame.Depth,
            Stack = new ReadOnlySpan<UInt256>(frame.Stack, (int)(sp - frame.Stack)),
            Memory = new ReadOnlySpan<byte>(frame.Memory, frame.MemorySize),
            ReturnData = engine.ReturnData,
            Contract = frame.Address,
            Refund = engine.State.Refund,
        };
    }
}
