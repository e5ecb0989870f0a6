using System.Reflection.Emit;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>MLOAD, MSTORE and MSTORE8 where memory already reaches; its growth is a call off the hot way.</summary>
internal sealed unsafe partial class TraceEmitter
{
    private void TranslateMemory(Opcode op)
    {
        var length = op == Opcode.MStore8 ? 1 : 32;
        var offset = Limbs(_stack.At(_stack.Height - 1));
        if (op != Opcode.MLoad)
        {
            Limbs(_stack.At(_stack.Height - 2));
        }

        EmitReach(op, offset, length);
        _stack.Drop(1);
        _writer.LoadField(CompiledSupport.MemoryField);
        _writer.Load(offset[0]);
        _writer.Emit(OpCodes.Conv_U);
        _writer.Emit(OpCodes.Add);
        _writer.Store(_compiler.Address);
        switch (op)
        {
            case Opcode.MLoad:
                var limbs = new Limb[4];
                for (var i = 0; i < 4; i++)
                {
                    LoadAddress(i);
                    _writer.Emit(OpCodes.Ldind_I8);
                    _writer.Call(CompiledSupport.ReverseMethod);
                    limbs[3 - i] = _writer.StoreLimb();
                }

                _stack.Push(new Word(limbs));
                break;
            case Opcode.MStore:
                var value = Pop();
                for (var i = 0; i < 4; i++)
                {
                    LoadAddress(i);
                    _writer.LoadReversed(value[3 - i]);
                    _writer.Emit(OpCodes.Stind_I8);
                }

                break;
            default:
                value = Pop();
                LoadAddress(0);
                _writer.Load(value[0]);
                _writer.Emit(OpCodes.Stind_I1);
                break;
        }
    }

    /// <summary>Checks that memory reaches offset + length, and else has it grown for true gas.</summary>
    private void EmitReach(Opcode op, Limb[] offset, int length)
    {
        var grow = _writer.NewLabel();
        var reached = _writer.NewLabel();
        var upper = _writer.Or(offset[1], _writer.Or(offset[2], offset[3]));
        if (upper.IsConstant ? upper.Value != 0 : true)
        {
            _writer.Load(upper);
            _writer.Branch(OpCodes.Brtrue, grow);
        }

        if (!offset[0].IsConstant || offset[0].Value > FrameSlabs.MemoryLimit)
        {
            _writer.Load(offset[0]);
            _writer.Constant((long)FrameSlabs.MemoryLimit);
            _writer.Branch(OpCodes.Bgt_Un, grow);
        }

        _writer.Load(_writer.Add(offset[0], Limb.Of((ulong)length)));
        _writer.LoadField(CompiledSupport.MemorySizeField);
        _writer.Emit(OpCodes.Conv_U8);
        _writer.Branch(OpCodes.Bgt_Un, grow);
        _writer.Mark(reached);
        var (pending, height, rest, pc) = (PendingOfStub(), _stack.Height, Rest, _pc);
        if (_isRehearsal)
        {
            _writer.Mark(grow);
            return;
        }

        var price = _compiler.Table.Checks[(int)op].Gas;
        _compiler.AddStub(() =>
        {
            _writer.Mark(grow);
            _writer.LoadFrame();
            _writer.Load(_compiler.Gas);
            _writer.Constant(rest);
            _writer.Emit(OpCodes.Add);
            _writer.Load(offset[0]);
            _writer.Load(upper);
            _writer.Constant(length);
            _writer.Call(CompiledSupport.ExpandMethod);
            _writer.Store(_compiler.Gas);
            _writer.Load(_compiler.Gas);
            _writer.Constant(0L);
            _writer.Branch(OpCodes.Blt, _compiler.Fault);
            AddGas(-rest);
            _writer.Load(_compiler.Gas);
            _writer.Constant(0L);
            _writer.Branch(OpCodes.Bge, reached);

            // Memory has grown and is paid; the interpreter runs the instruction again, at its fixed price.
            AddGas(rest + price);
            WriteBack(pending);
            MoveStackPointer(height);
            LeaveAt(pc, _compiler.Interpret);
        });
    }

    private void LoadAddress(int limb)
    {
        _writer.Load(_compiler.Address);
        if (limb > 0)
        {
            _writer.Constant(limb * sizeof(ulong));
            _writer.Emit(OpCodes.Conv_I);
            _writer.Emit(OpCodes.Add);
        }
    }
}
