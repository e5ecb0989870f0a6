using System.Reflection.Emit;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>
/// Writes one trace: twice, first into the void to learn what gas and stack it needs, then in earnest.
/// </summary>
internal sealed unsafe partial class TraceEmitter
{
    /// <summary>Instructions of a trace; longer ways are cut, and go on in a trace of their own.</summary>
    private const int MaxInstructions = 320;

    /// <summary>References to locals of a trace with its stubs, so that a method never has too many of them.</summary>
    private const int MaxReferences = 2_200;

    /// <summary>References that a stub has beside those that write words back, and those of a word.</summary>
    private const int StubReferences = 16;
    private const int WordReferences = 8;

    private readonly CodeCompiler _compiler;
    private readonly IlWriter _writer;
    private readonly WordEmitter _words;
    private readonly OperandModel _stack = new();
    private readonly HashSet<int> _rootsBefore;
    private readonly HashSet<int> _visited = [];
    private readonly int _root;
    private readonly bool _isRehearsal;

    /// <summary>
    /// Gas of the whole trace, and of its instructions up to now; the first is known after the rehearsal.
    /// </summary>
    private readonly long _total;
    private long _spent;
    private int _pc;

    /// <summary>References of the writer when the trace began, and those that its stubs will have.</summary>
    private int _referencesBefore;
    private int _stubReferences;

    private bool _isOver;

    private TraceEmitter(CodeCompiler compiler, IlWriter writer, int root, long total, bool isRehearsal)
    {
        _compiler = compiler;
        _writer = writer;
        _words = new WordEmitter(writer);
        _root = root;
        _total = total;
        _isRehearsal = isRehearsal;
        _rootsBefore = compiler.RootsNow();
    }

    /// <summary>Gas taken in advance for instructions that have not run yet.</summary>
    private long Rest => _isRehearsal ? 0 : _total - _spent;

    /// <summary>Writes the trace at its root's label; false where it could never run.</summary>
    internal static bool TryEmit(CodeCompiler compiler, int root, Label label)
    {
        var rehearsal = new TraceEmitter(compiler, new IlWriter(null), root, 0, true);
        rehearsal.Follow();
        var need = -rehearsal._stack.Lowest;
        var growth = rehearsal._stack.Highest;
        if (rehearsal._spent == 0 || need + growth > FrameSlabs.StackLimit)
        {
            return false;
        }

        compiler.Writer.ReleaseLimbs();
        var trace = new TraceEmitter(compiler, compiler.Writer, root, rehearsal._spent, false);
        compiler.Writer.Mark(label);
        trace.EmitChecks(need, growth);
        trace.Follow();
        return trace._spent == rehearsal._spent && trace._stack.Lowest == rehearsal._stack.Lowest
            && trace._stack.Highest == rehearsal._stack.Highest
            ? true
            : throw new InvalidOperationException("A trace differs from its rehearsal.");
    }

    /// <summary>
    /// Enough operands, room for more, and gas for all of it: else the interpreter runs from the root.
    /// </summary>
    private void EmitChecks(int need, int growth)
    {
        var tooLittle = _writer.NewLabel();
        var giveBack = _writer.NewLabel();
        if (need + growth > 0)
        {
            var room = (FrameSlabs.StackLimit - growth - need) * sizeof(UInt256);
            _writer.Load(_compiler.StackPointer);
            _writer.Load(_compiler.StackBase);
            _writer.Emit(OpCodes.Sub);
            _writer.Emit(OpCodes.Conv_I4);
            _writer.Constant(need * sizeof(UInt256));
            _writer.Emit(OpCodes.Sub);
            _writer.Constant(room);
            _writer.Branch(OpCodes.Bgt_Un, tooLittle);
        }

        _writer.Load(_compiler.Gas);
        _writer.Constant(_total);
        _writer.Emit(OpCodes.Sub);
        _writer.Store(_compiler.Gas);
        _writer.Load(_compiler.Gas);
        _writer.Constant(0L);
        _writer.Branch(OpCodes.Blt, giveBack);
        _compiler.AddStub(() =>
        {
            _writer.Mark(giveBack);
            AddGas(_total);
            _writer.Mark(tooLittle);
            LeaveAt(_root, _compiler.Interpret);
        });
    }

    private void Follow()
    {
        _pc = _root;
        _referencesBefore = _writer.References;
        var count = 0;
        while (!_isOver)
        {
            var op = (Opcode)_compiler.Code.Padded[_pc];
            if (op == Opcode.JumpDest && _pc != _root && (_rootsBefore.Contains(_pc) || _visited.Contains(_pc)))
            {
                GoTo(_pc);
                return;
            }

            if (op == Opcode.JumpDest && !_visited.Add(_pc))
            {
                GoTo(_pc);
                return;
            }

            if (++count > MaxInstructions
                || _writer.References - _referencesBefore + _stubReferences > MaxReferences)
            {
                GoTo(_pc);
                return;
            }

            Translate(op);
        }
    }

    /// <summary>Ends the trace at a root: its own, one that is there, or a new one.</summary>
    private void GoTo(int pc)
    {
        _isOver = true;
        if (_isRehearsal)
        {
            return;
        }

        WriteBack(_stack.Pending());
        MoveStackPointer(_stack.Height);
        AddGas(Rest);
        JumpToRoot(pc);
    }

    /// <summary>Leaves the trace before the instruction at hand: to the interpreter, or elsewhere.</summary>
    private void LeaveHere(Label exit)
    {
        _isOver = true;
        if (_isRehearsal)
        {
            return;
        }

        WriteBack(_stack.Pending());
        MoveStackPointer(_stack.Height);
        AddGas(Rest);
        LeaveAt(_pc, exit);
    }

    private void JumpToRoot(int pc)
    {
        if (!_compiler.TryRoot(pc, out var label))
        {
            LeaveAt(pc, _compiler.Elsewhere);
            return;
        }

        if (pc > _root)
        {
            _writer.Branch(OpCodes.Br, label);
            return;
        }

        // Every loop jumps back somewhere: there it can be stopped.
        LoadStopped();
        _writer.Branch(OpCodes.Brfalse, label);
        LeaveAt(pc, _compiler.Elsewhere);
    }

    private void LoadStopped()
    {
        _writer.LoadField(CompiledSupport.EngineField);
        _writer.Emit(OpCodes.Ldfld, CompiledSupport.StoppedField);
    }

    private void LeaveAt(int pc, Label exit)
    {
        _writer.Constant(pc);
        _writer.Store(_compiler.ExitPc);
        _writer.Branch(OpCodes.Br, exit);
    }

    /// <summary>A stub that leaves with the stack as it is now and gas on top of what is left.</summary>
    private void AddLeavingStub(Label label, int pc, long gasBack, Label exit)
    {
        var pending = PendingOfStub();
        if (_isRehearsal)
        {
            _writer.Mark(label);
            return;
        }

        var height = _stack.Height;
        _compiler.AddStub(() =>
        {
            _writer.Mark(label);
            WriteBack(pending);
            MoveStackPointer(height);
            AddGas(gasBack);
            LeaveAt(pc, exit);
        });
    }

    /// <summary>What a stub must write back; counted, in the rehearsal too.</summary>
    private List<PendingWord> PendingOfStub()
    {
        var pending = _stack.Pending();
        _stubReferences += StubReferences + (pending.Count * WordReferences);
        return pending;
    }

    private void AddGas(long gas)
    {
        if (gas != 0)
        {
            _writer.Load(_compiler.Gas);
            _writer.Constant(gas);
            _writer.Emit(OpCodes.Add);
            _writer.Store(_compiler.Gas);
        }
    }

    private void MoveStackPointer(int height)
    {
        if (height != 0)
        {
            LoadSlotAddress(height, 0);
            _writer.Store(_compiler.StackPointer);
        }
    }

    private void WriteBack(List<PendingWord> pending)
    {
        foreach (var (slot, word) in pending)
        {
            WriteWord(slot, word);
        }
    }

    private void WriteWord(int slot, Word word)
    {
        for (var i = 0; i < 4; i++)
        {
            LoadSlotAddress(slot, i);
            _writer.Load(word.Limbs![i]);
            _writer.Emit(OpCodes.Stind_I8);
        }
    }

    /// <summary>The address of a limb of a place on the operand stack.</summary>
    private void LoadSlotAddress(int slot, int limb)
    {
        _writer.Load(_compiler.StackPointer);
        var offset = (slot * sizeof(UInt256)) + (limb * sizeof(ulong));
        if (offset != 0)
        {
            _writer.Constant(offset);
            _writer.Emit(OpCodes.Conv_I);
            _writer.Emit(OpCodes.Add);
        }
    }

    /// <summary>A word's limbs, loaded where they are still on the operand stack.</summary>
    private Limb[] Limbs(Word word)
    {
        if (word.Limbs is { } known)
        {
            return known;
        }

        var limbs = new Limb[4];
        for (var i = 0; i < 4; i++)
        {
            LoadSlotAddress(word.Slot, i);
            _writer.Emit(OpCodes.Ldind_I8);
            limbs[i] = _writer.StoreLimb();
        }

        word.Limbs = limbs;
        return limbs;
    }

    private Limb[] Pop() => Limbs(_stack.Pop());
}
