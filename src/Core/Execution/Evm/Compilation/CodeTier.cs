namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>When hot code is compiled.</summary>
public enum CompilationMode : byte
{
    /// <summary>Never: everything is interpreted.</summary>
    Off,

    /// <summary>On a thread of the pool, while the interpreter goes on.</summary>
    Background,

    /// <summary>At once, on the thread that found the code hot.</summary>
    Immediate,

    /// <summary>At once and after a few jumps already: slow, for tests that want everything compiled.</summary>
    Eager,
}

/// <summary>How far a piece of code has come on its way to machine code; shared by all threads that run it.</summary>
/// <remarks>
/// <code>
///   Cold ──jumps──▶ Watched ──jumps──▶ Compiling ──▶ Compiled ──misses──▶ Watched (a few times)
///                                          └──▶ GivenUp
/// </code>
/// Counters are raced over by threads on purpose; the step to Compiling is taken by exactly one of them.
/// </remarks>
internal sealed class CodeTier(State.Code code)
{
    /// <summary>Jumps over all runs before code is watched, and then before it is compiled.</summary>
    internal const int ColdJumps = 4_000;
    internal const int WatchedJumps = 2_000;

    /// <summary>Interpreted stretches of compiled code before it is compiled again with a new profile.</summary>
    private const int MissesBeforeAgain = 2_000;

    private const int MaxCompilations = 5;

    /// <summary>What takes the place of these numbers in eager mode.</summary>
    private const int EagerJumps = 3;

    private int _jumpsLeft = ColdJumps;
    private int _compilations;
    private int _isCompiling;

    /// <summary>How often the code was compiled.</summary>
    internal int Compilations => _compilations;

    internal CodeProfile? Profile { get; private set; }

    internal CompiledCode? Compiled { get; private set; }

    /// <summary>Jumps that the interpreter may take before it asks again.</summary>
    internal int JumpsLeft(CompilationMode mode) => mode == CompilationMode.Eager
        ? Math.Min(_jumpsLeft, EagerJumps)
        : _jumpsLeft;

    /// <summary>The interpreter ran; the profile, where there is one, has grown.</summary>
    internal void Spend(int jumps) => _jumpsLeft -= Math.Min(jumps, _jumpsLeft);

    /// <summary>The allowance of jumps is used up: takes the next step.</summary>
    internal void Heat(InstructionTable table, int pc, CompilationMode mode)
    {
        if (mode == CompilationMode.Off || _compilations >= MaxCompilations)
        {
            Profile = null;
            _jumpsLeft = int.MaxValue;
            return;
        }

        if (Profile is not { } profile)
        {
            Profile = new CodeProfile(code.Length);
            _jumpsLeft = WatchedFor(mode);
            return;
        }

        _jumpsLeft = WatchedFor(mode);
        if (Interlocked.CompareExchange(ref _isCompiling, 1, 0) != 0)
        {
            return;
        }

        if (mode is CompilationMode.Immediate or CompilationMode.Eager)
        {
            Compile(table, profile, pc);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static work => work.Tier.CompileAside(work.Table, work.Profile, work.Pc),
                (Tier: this, Table: table, Profile: profile, Pc: pc), preferLocal: false);
        }
    }

    /// <summary>A frame left compiled code, or found no entry into it.</summary>
    internal void Miss(CompiledCode compiled, CompilationMode mode)
    {
        var limit = mode == CompilationMode.Eager ? EagerJumps : MissesBeforeAgain;
        if (++compiled.Misses == limit && Compiled == compiled && _compilations < MaxCompilations)
        {
            // The interpreter runs it again for a while, watched, beginning with what is known.
            Compiled = null;
            _jumpsLeft = WatchedFor(mode);
            Profile ??= new CodeProfile(code.Length);
        }
    }

    /// <summary>On a pool thread: what goes wrong there costs the compiled form, never the process.</summary>
    private void CompileAside(InstructionTable table, CodeProfile profile, int pc)
    {
        try
        {
            Compile(table, profile, pc);
        }
        catch (Exception error) when (error is InvalidProgramException or InvalidOperationException)
        {
            _compilations = MaxCompilations;
            Volatile.Write(ref _isCompiling, 0);
        }
    }

    private static int WatchedFor(CompilationMode mode) => mode == CompilationMode.Eager ? EagerJumps : WatchedJumps;

    private void Compile(InstructionTable table, CodeProfile profile, int pc)
    {
        _compilations++;
        Compiled = CodeCompiler.Compile(code, table, profile, pc);
        if (Compiled is null)
        {
            _compilations = MaxCompilations;
        }

        Volatile.Write(ref _isCompiling, 0);
    }
}
