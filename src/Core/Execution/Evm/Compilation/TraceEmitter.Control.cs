using System.Reflection.Emit;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>Jumps, ends and calls.</summary>
internal sealed unsafe partial class TraceEmitter
{
    /// <summary>
    /// Handles an instruction that moves the program counter or ends the trace; false for all others.
    /// </summary>
    private bool TranslateControl(Opcode op)
    {
        var gas = _compiler.Table.Checks[(int)op].Gas;
        switch (op)
        {
            case Opcode.Jump:
                TranslateJump(gas);
                return true;
            case Opcode.JumpI:
                TranslateBranch(gas);
                return true;
            case Opcode.Stop:
                _writer.LoadFrame();
                _writer.Constant(0);
                _writer.Emit(OpCodes.Stfld, CompiledSupport.OutputLengthField);
                Halt(ExecutionStatus.Success);
                return true;
            case Opcode.Return or Opcode.Revert or Opcode.SelfDestruct:
                _spent += gas;
                WriteOperands(_compiler.Table.Operands(op).Taken);
                EmitOperationCall(op);
                _writer.Store(_compiler.Gas);
                _writer.Load(_compiler.Gas);
                _writer.Constant(0L);
                _writer.Branch(OpCodes.Blt, FaultLabel());
                Halt(op == Opcode.Revert ? ExecutionStatus.Revert : ExecutionStatus.Success);
                return true;
            case Opcode.Create or Opcode.Create2 or Opcode.Call or Opcode.CallCode or Opcode.DelegateCall
                or Opcode.StaticCall:
                _spent += gas;
                TranslateCall(op);
                return true;
            default:
                return false;
        }
    }

    private Label FaultLabel()
    {
        if (!_isRehearsal)
        {
            return _compiler.Fault;
        }

        var unused = _writer.NewLabel();
        _writer.Mark(unused);
        return unused;
    }

    private void Halt(ExecutionStatus status)
    {
        _isOver = true;
        if (_isRehearsal)
        {
            return;
        }

        _compiler.SaveGas();
        _writer.LoadFrame();
        _writer.Constant((int)status);
        _writer.Emit(OpCodes.Stfld, CompiledSupport.FaultField);
        _writer.Constant((int)FrameExit.Halted);
        _writer.Emit(OpCodes.Ret);
    }

    /// <summary>Begins a call; where it put a frame on top the method ends, else it goes on behind the call.</summary>
    private void TranslateCall(Opcode op)
    {
        _isOver = true;
        if (_isRehearsal)
        {
            _ = _stack.At(_stack.Height - _compiler.Table.Operands(op).Taken);
            return;
        }

        var (taken, left) = _compiler.Table.Operands(op);
        WriteOperands(taken);
        EmitOperationCall(op);
        _writer.Store(_compiler.Gas);
        _stack.Drop(taken);
        for (var i = 0; i < left; i++)
        {
            _stack.PushFromMemory();
        }

        _writer.Load(_compiler.Gas);
        _writer.Constant(0L);
        _writer.Branch(OpCodes.Blt, _compiler.Fault);
        WriteBack(_stack.Pending());
        MoveStackPointer(_stack.Height);
        var noChild = _writer.NewLabel();
        _writer.LoadField(CompiledSupport.HasChildField);
        _writer.Branch(OpCodes.Brfalse, noChild);
        _compiler.SaveGas();
        _compiler.SaveHeight();
        _writer.LoadFrame();
        _writer.Constant(_pc + 1);
        _writer.Emit(OpCodes.Stfld, CompiledSupport.PcField);
        _writer.Constant((int)FrameExit.Child);
        _writer.Emit(OpCodes.Ret);
        _writer.Mark(noChild);
        JumpToRoot(_pc + 1);
    }

    private bool IsDestination(in UInt256 target) => target.IsUInt64 && target.U0 < (ulong)_compiler.Code.Length
        && _compiler.Analysis.IsJumpDestination((int)target.U0);

    private void TranslateJump(int gas)
    {
        var target = _stack.At(_stack.Height - 1);
        if (!target.IsConstant(out var known))
        {
            TranslateDynamicJump(gas);
            return;
        }

        if (!IsDestination(known))
        {
            LeaveHere(_compiler.Interpret);
            return;
        }

        _spent += gas;
        _stack.Drop(1);
        _pc = (int)known.U0;
    }

    /// <summary>
    /// Looks the target up among the entries; what is no entry is left to the interpreter, jump included.
    /// </summary>
    private void TranslateDynamicJump(int gas)
    {
        _isOver = true;
        var target = Limbs(_stack.At(_stack.Height - 1));
        if (_isRehearsal)
        {
            _spent += gas;
            return;
        }

        _compiler.NoteDynamicJump();
        var leave = _writer.NewLabel();
        AddLeavingStub(leave, _pc, Rest, _compiler.Interpret);
        LoadStopped();
        _writer.Branch(OpCodes.Brtrue, leave);
        _spent += gas;
        var upper = _writer.Or(target[1], _writer.Or(target[2], target[3]));
        _writer.Load(upper);
        _writer.Branch(OpCodes.Brtrue, leave);
        _writer.Load(target[0]);
        _writer.Constant((long)_compiler.Code.Length);
        _writer.Branch(OpCodes.Bge_Un, leave);
        _writer.LoadField(CompiledSupport.EntriesField);
        _writer.Load(target[0]);
        _writer.Emit(OpCodes.Conv_U);
        _writer.Emit(OpCodes.Ldelem_I2);
        _writer.Store(_compiler.ExitPc);
        _writer.Load(_compiler.ExitPc);
        _writer.Constant(0);
        _writer.Branch(OpCodes.Blt, leave);
        _stack.Drop(1);
        WriteBack(_stack.Pending());
        MoveStackPointer(_stack.Height);
        _writer.Branch(OpCodes.Br, _compiler.DynamicDispatch);
    }

    private void TranslateBranch(int gas)
    {
        var profile = _compiler.Profile;
        var (taken, passed) = (profile.Of(_pc), profile.PassedOf(_pc));
        if (!_stack.At(_stack.Height - 1).IsConstant(out var target) || !IsDestination(target))
        {
            LeaveHere(_compiler.Interpret);
            return;
        }

        if (taken + passed == 0)
        {
            LeaveHere(_pc == _root ? _compiler.Interpret : _compiler.Elsewhere);
            return;
        }

        var (here, there) = (_pc + 1, (int)target.U0);
        _spent += gas;
        _stack.Drop(1);
        var condition = Pop();
        var any = _words.AnyBit(condition);
        var followsJump = taken > passed;
        if (any.IsConstant)
        {
            _pc = any.IsZero ? here : there;
            return;
        }

        var (other, seen) = followsJump ? (here, passed) : (there, taken);
        var exit = _writer.NewLabel();
        _writer.Load(any);
        _writer.Branch(followsJump ? OpCodes.Brfalse : OpCodes.Brtrue, exit);
        AddBranchStub(exit, other, seen > 0);
        _pc = followsJump ? there : here;
    }

    private void AddBranchStub(Label exit, int pc, bool wasSeen)
    {
        if (!wasSeen || _isRehearsal)
        {
            AddLeavingStub(exit, pc, Rest, _compiler.Elsewhere);
            return;
        }

        var (pending, height, rest) = (PendingOfStub(), _stack.Height, Rest);
        _compiler.AddStub(() =>
        {
            _writer.Mark(exit);
            WriteBack(pending);
            MoveStackPointer(height);
            AddGas(rest);
            JumpToRoot(pc);
        });
    }
}
