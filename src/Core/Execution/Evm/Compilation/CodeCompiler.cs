using System.Reflection.Emit;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>
/// Compiles the ways that a profile shows to be hot into one method (a dynamic method that the GC can collect).
/// </summary>
/// <remarks>
/// A trace begins at a root and follows jumps and branches in the direction that was taken most, through internal calls
/// of the contract too, until it comes to a root, to a jump it cannot resolve, to a call or to the end:
/// <code>
///   root: is the stack high enough, is the gas of the whole trace there? no ──▶ interpreter, at the root
///         take the gas; words of the operand stack become locals; constants are folded
///         a branch leaves ──▶ write words back, give back the gas of what was not run, go to the root there
///   end:  write words back, go to the root there
/// </code>
/// What the trace does not hold (ways never taken, faults, too little gas) is left to the interpreter at the very
/// instruction, with stack and gas as they must be there: so results are equal, out-of-gas included. An operation
/// whose price depends on state runs with the true gas, and the trace ends where the rest cannot be paid any more.
/// </remarks>
internal sealed class CodeCompiler
{
    /// <summary>
    /// The JIT gives optimization up at 8,000 references to locals, 20,000 instructions and 60,000 bytes of IL. No
    /// trace is begun beyond these sizes; what the last one may add stays within the JIT's.
    /// </summary>
    private const int MaxReferences = 4_800;
    private const int MaxIlBytes = 36_000;

    private const int MaxRoots = 250;

    private readonly Dictionary<int, Label> _roots = [];
    private readonly Queue<int> _pending = [];
    private readonly List<Action> _stubs = [];

    private CodeCompiler(Code code, InstructionTable table, CodeProfile profile)
    {
        Code = code;
        Table = table;
        Profile = profile;
        Analysis = CodeAnalysis.Of(code);
        Method = new DynamicMethod(
            "evm:" + code.Hash, typeof(int), [typeof(Frame), typeof(int)], typeof(CodeCompiler).Module, true)
        {
            InitLocals = false,
        };
        Writer = new IlWriter(Method.GetILGenerator(4_096));
        Gas = Writer.NewLocal(typeof(long));
        StackPointer = Writer.NewLocal(typeof(nint));
        StackBase = Writer.NewLocal(typeof(nint));
        Address = Writer.NewLocal(typeof(nint));
        ExitPc = Writer.NewLocal(typeof(int));
        Interpret = Writer.NewLabel();
        Elsewhere = Writer.NewLabel();
        Fault = Writer.NewLabel();
    }

    internal Code Code { get; }

    internal InstructionTable Table { get; }

    internal CodeProfile Profile { get; }

    internal CodeAnalysis Analysis { get; }

    internal IlWriter Writer { get; }

    /// <summary>
    /// Locals of the method: gas left, one past the top operand at the trace's root, the stack's first word.
    /// </summary>
    internal LocalBuilder Gas { get; }

    internal LocalBuilder StackPointer { get; }

    internal LocalBuilder StackBase { get; }

    internal LocalBuilder Address { get; }

    internal LocalBuilder ExitPc { get; }

    /// <summary>Leaves to the interpreter at <see cref="ExitPc"/>, the stack pointer and gas being right.</summary>
    internal Label Interpret { get; }

    /// <summary>As <see cref="Interpret"/>, but to another unit where one begins at that place.</summary>
    internal Label Elsewhere { get; }

    /// <summary>Ends the frame with the fault that an operation has noted.</summary>
    internal Label Fault { get; }

    /// <summary>
    /// Places that a dynamic jump may go to, once a trace has met one; their numbers are those of entries.
    /// </summary>
    internal bool HasDynamicJump { get; private set; }

    private DynamicMethod Method { get; }

    internal static CompiledCode? Compile(Code code, InstructionTable table, CodeProfile profile, int hotPc)
    {
        var compiler = new CodeCompiler(code, table, profile);
        compiler.AddRoot(hotPc);
        return compiler.Run();
    }

    internal HashSet<int> RootsNow() => [.. _roots.Keys];

    /// <summary>
    /// The label of a root, made where there is room for one more; false: leave to the interpreter there.
    /// </summary>
    internal bool TryRoot(int pc, out Label label)
    {
        if (_roots.TryGetValue(pc, out label))
        {
            return true;
        }

        if (_roots.Count >= MaxRoots)
        {
            return false;
        }

        AddRoot(pc);
        label = _roots[pc];
        return true;
    }

    /// <summary>Code that is off the hot way, written behind all traces.</summary>
    internal void AddStub(Action stub) => _stubs.Add(stub);

    /// <summary>
    /// A jump to a place known only at run time: every arrival that its address was pushed for becomes a root.
    /// </summary>
    internal void NoteDynamicJump()
    {
        if (HasDynamicJump)
        {
            return;
        }

        HasDynamicJump = true;
        foreach (var pc in ReturnAddresses.Of(Code, Analysis))
        {
            if (Profile.Of(pc) > 0)
            {
                TryRoot(pc, out _);
            }
        }
    }

    private void AddRoot(int pc)
    {
        if (_roots.TryAdd(pc, Writer.NewLabel()))
        {
            _pending.Enqueue(pc);
        }
    }

    private CompiledCode? Run()
    {
        // The dispatch is written last: only then all entries are known.
        var dispatch = Writer.NewLabel();
        EmitPrologue(dispatch);
        var made = new List<int>();
        var left = new List<int>();
        while (_pending.TryDequeue(out var pc))
        {
            if (Writer.References >= MaxReferences || Writer.Length >= MaxIlBytes)
            {
                left.Add(pc);
                continue;
            }

            if (!TraceEmitter.TryEmit(this, pc, _roots[pc]))
            {
                left.Add(pc);
                continue;
            }

            made.Add(pc);
            foreach (var stub in _stubs)
            {
                stub();
            }

            _stubs.Clear();
        }

        if (made.Count == 0)
        {
            return null;
        }

        EmitLeftRoots(left);
        EmitDispatch(dispatch, made);
        EmitExits();
        var entries = new short[Code.Padded.Length];
        Array.Fill(entries, (short)-1);
        for (var i = 0; i < made.Count; i++)
        {
            entries[made[i]] = (short)i;
        }

        // Called once without an entry, so that the machine code is there before a frame waits for it.
        var body = Method.CreateDelegate<CompiledBody>();
        body(new Frame(null!), -1);
        return new CompiledCode(body, entries);
    }

    private void EmitPrologue(Label dispatch)
    {
        Writer.LoadField(CompiledSupport.GasField);
        Writer.Store(Gas);
        Writer.LoadField(CompiledSupport.StackField);
        Writer.Emit(OpCodes.Conv_U);
        Writer.Store(StackBase);
        Writer.Load(StackBase);
        Writer.LoadField(CompiledSupport.StackHeightField);
        Writer.Emit(OpCodes.Conv_I);
        Writer.Constant(5);
        Writer.Emit(OpCodes.Shl);
        Writer.Emit(OpCodes.Add);
        Writer.Store(StackPointer);
        Writer.Branch(OpCodes.Br, dispatch);
    }

    /// <summary>Roots that were named but not made: the interpreter goes on there.</summary>
    private void EmitLeftRoots(List<int> left)
    {
        foreach (var pc in left)
        {
            Writer.Mark(_roots[pc]);
            Writer.Constant(pc);
            Writer.Store(ExitPc);
            Writer.Branch(OpCodes.Br, Elsewhere);
        }
    }

    private void EmitDispatch(Label dispatch, List<int> made)
    {
        Writer.Mark(dispatch);
        Writer.Emit(OpCodes.Ldarg_1);
        Writer.Switch(made.Select(pc => _roots[pc]).ToArray());
        Writer.LoadField(CompiledSupport.PcField);
        Writer.Store(ExitPc);
        Writer.Branch(OpCodes.Br, Interpret);
        if (!HasDynamicJump)
        {
            return;
        }

        Writer.Mark(DynamicDispatch);
        Writer.Load(ExitPc);
        Writer.Switch(made.Select(pc => _roots[pc]).ToArray());
        Writer.Branch(OpCodes.Br, Fault);
    }

    private void EmitExits()
    {
        EmitExit(Interpret, FrameExit.Interpret);
        EmitExit(Elsewhere, FrameExit.Elsewhere);
        Writer.Mark(Fault);
        Writer.Constant((int)FrameExit.Halted);
        Writer.Emit(OpCodes.Ret);
    }

    private void EmitExit(Label label, FrameExit exit)
    {
        Writer.Mark(label);
        SaveGas();
        Writer.LoadFrame();
        Writer.Load(ExitPc);
        Writer.Emit(OpCodes.Stfld, CompiledSupport.PcField);
        SaveHeight();
        Writer.Constant((int)exit);
        Writer.Emit(OpCodes.Ret);
    }

    internal void SaveGas()
    {
        Writer.LoadFrame();
        Writer.Load(Gas);
        Writer.Emit(OpCodes.Stfld, CompiledSupport.GasField);
    }

    internal void SaveHeight()
    {
        Writer.LoadFrame();
        Writer.Load(StackPointer);
        Writer.Load(StackBase);
        Writer.Emit(OpCodes.Sub);
        Writer.Constant(5);
        Writer.Emit(OpCodes.Shr);
        Writer.Emit(OpCodes.Conv_I4);
        Writer.Emit(OpCodes.Stfld, CompiledSupport.StackHeightField);
    }

    /// <summary>Goes to the entry whose number <see cref="ExitPc"/> holds.</summary>
    internal Label DynamicDispatch => _dynamicDispatch ??= Writer.NewLabel();

    private Label? _dynamicDispatch;
}
