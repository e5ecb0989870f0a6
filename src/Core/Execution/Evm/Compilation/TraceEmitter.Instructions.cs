using System.Reflection.Emit;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>Instruction by instruction: computed on limbs, or handed to the interpreter's own operation.</summary>
internal sealed unsafe partial class TraceEmitter
{
    private static readonly System.Reflection.MethodInfo MultiplyMethod =
        CompiledSupport.WordMethod(nameof(Words.Multiply));

    private static readonly System.Reflection.MethodInfo DivideMethod =
        CompiledSupport.WordMethod(nameof(Words.Divide));

    private static readonly System.Reflection.MethodInfo ModuloMethod =
        CompiledSupport.WordMethod(nameof(Words.Modulo));

    private static readonly System.Reflection.MethodInfo ByteMethod = CompiledSupport.WordMethod(nameof(Words.Byte));

    private static readonly System.Reflection.MethodInfo ShiftLeftMethod =
        CompiledSupport.WordMethod(nameof(Words.ShiftLeft));

    private static readonly System.Reflection.MethodInfo ShiftRightMethod =
        CompiledSupport.WordMethod(nameof(Words.ShiftRight));

    private static readonly System.Reflection.MethodInfo ShiftRightSignedMethod =
        CompiledSupport.WordMethod(nameof(Words.ShiftRightSigned));

    private void Translate(Opcode op)
    {
        if (!_compiler.Table.Has(op))
        {
            LeaveHere(_compiler.Interpret);
            return;
        }

        if (TranslateControl(op))
        {
            return;
        }

        _spent += _compiler.Table.Checks[(int)op].Gas;
        if (TranslateStack(op))
        {
            return;
        }

        if (!TranslateComputation(op))
        {
            CallOperation(op);
        }

        _pc++;
    }

    /// <summary>PUSH, DUP, SWAP and POP cost nothing but the knowledge of what lies where.</summary>
    private bool TranslateStack(Opcode op)
    {
        switch (op)
        {
            case Opcode.Push0:
                _stack.Push(Word.Of(UInt256.Zero));
                _pc++;
                return true;
            case >= Opcode.Push1 and <= Opcode.Push32:
                var length = op - Opcode.Push1 + 1;
                _stack.Push(Word.Of(UInt256.FromBigEndian(_compiler.Code.Padded.AsSpan(_pc + 1, length))));
                _pc += length + 1;
                return true;
            case >= Opcode.Dup1 and <= Opcode.Dup16:
                var copied = _stack.At(_stack.Height - 1 - (op - Opcode.Dup1));
                Limbs(copied);
                _stack.Push(copied);
                _pc++;
                return true;
            case >= Opcode.Swap1 and <= Opcode.Swap16:
                var (top, below) = (_stack.Height - 1, _stack.Height - 2 - (op - Opcode.Swap1));
                var (upper, lower) = (_stack.At(top), _stack.At(below));
                Limbs(upper);
                Limbs(lower);
                _stack.Set(top, lower);
                _stack.Set(below, upper);
                _pc++;
                return true;
            case Opcode.Pop:
                _stack.Drop(1);
                _pc++;
                return true;
            default:
                return false;
        }
    }

    private bool TranslateComputation(Opcode op)
    {
        switch (op)
        {
            case Opcode.JumpDest:
                return true;
            case Opcode.Add:
                return Push(_words.Add(Pop(), Pop()));
            case Opcode.Sub:
                return Push(_words.Subtract(Pop(), Pop()));
            case Opcode.Lt:
                return Push(_words.Less(Pop(), Pop(), signed: false));
            case Opcode.Gt:
                var right = Pop();
                return Push(_words.Less(Pop(), right, signed: false));
            case Opcode.SLt:
                return Push(_words.Less(Pop(), Pop(), signed: true));
            case Opcode.SGt:
                right = Pop();
                return Push(_words.Less(Pop(), right, signed: true));
            case Opcode.Eq:
                return Push(_words.AreEqual(Pop(), Pop()));
            case Opcode.IsZero:
                return Push(_words.IsZero(Pop()));
            case Opcode.And:
                return Push(_words.And(Pop(), Pop()));
            case Opcode.Or:
                return Push(_words.Or(Pop(), Pop()));
            case Opcode.Xor:
                return Push(_words.Xor(Pop(), Pop()));
            case Opcode.Not:
                return Push(_words.Not(Pop()));
            case Opcode.Mul:
                return TranslateMultiply();
            case Opcode.Div:
                return CallOnWords(DivideMethod);
            case Opcode.Mod:
                return CallOnWords(ModuloMethod);
            case Opcode.Byte:
                return TranslateShift(op, 32, ByteMethod);
            case Opcode.Shl:
                return TranslateShift(op, 256, ShiftLeftMethod);
            case Opcode.Shr:
                return TranslateShift(op, 256, ShiftRightMethod);
            case Opcode.Sar:
                return CallOnWords(ShiftRightSignedMethod);
            case Opcode.MLoad or Opcode.MStore or Opcode.MStore8:
                TranslateMemory(op);
                return true;
            case Opcode.Pc:
                return Push(Word.Of((ulong)_pc));
            case Opcode.CodeSize:
                return Push(Word.Of((ulong)_compiler.Code.Length));
            case Opcode.MSize:
                _writer.LoadField(CompiledSupport.MemorySizeField);
                _writer.Emit(OpCodes.Conv_U8);
                return Push(new Word(_writer.StoreLimb()));
            case Opcode.Gas:
                _writer.Load(_compiler.Gas);
                _writer.Constant(Rest);
                _writer.Emit(OpCodes.Add);
                return Push(new Word(_writer.StoreLimb()));
            default:
                return false;
        }
    }

    private bool Push(Word word)
    {
        _stack.Push(word);
        return true;
    }

    private bool TranslateMultiply()
    {
        var (x, y) = (_stack.At(_stack.Height - 1), _stack.At(_stack.Height - 2));
        Limbs(x);
        Limbs(y);
        if (x.Width * y.Width > 4)
        {
            return CallOnWords(MultiplyMethod);
        }

        _stack.Drop(2);
        return Push(_words.Multiply(x.Limbs!, x.Width, y.Limbs!, y.Width));
    }

    /// <summary>Shifts and BYTE by a known count below a limit on limbs, others by call.</summary>
    private bool TranslateShift(Opcode op, ulong limit, System.Reflection.MethodInfo method)
    {
        if (!_stack.At(_stack.Height - 1).IsConstant(out var count))
        {
            return CallOnWords(method);
        }

        _stack.Drop(1);
        var value = Pop();
        if (!count.IsUInt64 || count.U0 >= limit)
        {
            return Push(Word.Of(UInt256.Zero));
        }

        return Push(op switch
        {
            Opcode.Shl => _words.ShiftLeft(value, (int)count.U0),
            Opcode.Shr => _words.ShiftRight(value, (int)count.U0),
            _ => _words.ByteAt(value, (int)count.U0),
        });
    }

    /// <summary>
    /// Writes two operands to their places and calls a function that leaves its result in the second's.
    /// </summary>
    private bool CallOnWords(System.Reflection.MethodInfo method)
    {
        WriteOperands(2);
        LoadSlotAddress(_stack.Height - 1, 0);
        LoadSlotAddress(_stack.Height - 2, 0);
        _writer.Call(method);
        _stack.Drop(2);
        _stack.PushFromMemory();
        return true;
    }

    /// <summary>Runs the interpreter's operation on operands in their places.</summary>
    private void CallOperation(Opcode op)
    {
        var (taken, left) = _compiler.Table.Operands(op);
        WriteOperands(taken);
        EmitOperationCall(op);
        _stack.Drop(taken);
        for (var i = 0; i < left; i++)
        {
            _stack.PushFromMemory();
        }

        if (HasFixedPrice(op))
        {
            _writer.Emit(OpCodes.Pop);
            return;
        }

        TakeGasBack(_pc + 1);
    }

    /// <summary>(frame, one past the top operand, true gas) → gas left, on the evaluation stack.</summary>
    private void EmitOperationCall(Opcode op)
    {
        _writer.LoadFrame();
        LoadSlotAddress(_stack.Height, 0);
        _writer.Load(_compiler.Gas);
        if (Rest != 0)
        {
            _writer.Constant(Rest);
            _writer.Emit(OpCodes.Add);
        }

        _writer.Constant((long)(nint)_compiler.Table.Operations[(int)op]);
        _writer.Emit(OpCodes.Conv_I);
        _writer.CallPointer(typeof(long), typeof(Frame), typeof(UInt256*), typeof(long));
    }

    /// <summary>
    /// Takes true gas as an operation left it; ends in its fault, or where the rest cannot be paid any more.
    /// </summary>
    private void TakeGasBack(int next)
    {
        var trouble = _writer.NewLabel();
        if (Rest != 0)
        {
            _writer.Constant(Rest);
            _writer.Emit(OpCodes.Sub);
        }

        _writer.Store(_compiler.Gas);
        _writer.Load(_compiler.Gas);
        _writer.Constant(0L);
        _writer.Branch(OpCodes.Blt, trouble);
        var (pending, height, rest) = (PendingOfStub(), _stack.Height, Rest);
        if (_isRehearsal)
        {
            _writer.Mark(trouble);
            return;
        }

        _compiler.AddStub(() =>
        {
            _writer.Mark(trouble);
            AddGas(rest);
            _writer.Load(_compiler.Gas);
            _writer.Constant(0L);
            _writer.Branch(OpCodes.Blt, _compiler.Fault);
            WriteBack(pending);
            MoveStackPointer(height);
            LeaveAt(next, _compiler.Elsewhere);
        });
    }

    /// <summary>Puts the topmost words into their places, where operations look for them.</summary>
    private void WriteOperands(int count)
    {
        for (var slot = _stack.Height - count; slot < _stack.Height; slot++)
        {
            var word = _stack.At(slot);
            if (!_stack.IsInMemory(slot))
            {
                WriteWord(slot, word);
                _stack.NoteWritten(slot);
            }
        }
    }

    /// <summary>Operations that can neither fail nor take gas beyond their fixed price.</summary>
    private static bool HasFixedPrice(Opcode op) => op is Opcode.SDiv or Opcode.SMod or Opcode.AddMod or Opcode.MulMod
        or Opcode.SignExtend or Opcode.Clz or (>= Opcode.Address and not Opcode.Balance and <= Opcode.CallDataSize)
        or Opcode.GasPrice or Opcode.ReturnDataSize or (>= Opcode.BlockHash and <= Opcode.BlobBaseFee)
        or Opcode.TLoad;
}
