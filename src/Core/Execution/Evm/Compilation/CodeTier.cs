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
///   Cold ──jumps──▶ Watched (profile) ──jumps──▶ first unit ──misses──▶ second unit … up to MaxUnits
/// </code>
/// A unit holds the hot ways from a place that was hot without being compiled. Counters are raced over by threads on
/// purpose; compilation is done by one thread at a time.
/// </remarks>
internal sealed class CodeTier(CodeAnalysis analysis)
{
    /// <summary>Jumps over all runs before code is watched, and then before it is compiled.</summary>
    private const int ColdJumps = 10_000;
    private const int WatchedJumps = 4_000;

    /// <summary>Times that frames stood where nothing is compiled, before that place is.</summary>
    private const int MissesBeforeUnit = 1_000;

    private const int MaxUnits = 12;

    /// <summary>What takes the place of these numbers in eager mode.</summary>
    private const int EagerCount = 3;

    /// <summary>Jumps between two looks at code of which no more is compiled.</summary>
    private const int JumpsWhenDone = 64;

    /// <summary>At most one compilation at a time, so that code made to be compiled cannot take all cores.</summary>
    private static readonly SemaphoreSlim Compiler = new(1);

    private CompiledUnits? _units;
    private int _jumpsLeft = ColdJumps;
    private int _misses;
    private int _isCompiling;

    internal CodeProfile? Profile { get; private set; }

    /// <summary>How many units were made for the rules of late.</summary>
    internal int UnitCount => Volatile.Read(ref _units)?.Count ?? 0;

    /// <summary>The machine code to run from the frame's place on, if there is any.</summary>
    internal CompiledCode? At(Frame frame)
    {
        var units = Volatile.Read(ref _units);
        return units is not null && ReferenceEquals(units.Table, frame.Table) ? units.At(frame.Pc) : null;
    }

    /// <summary>Jumps that the interpreter may take in a frame before it asks again.</summary>
    internal int JumpsFor(Frame frame, CompilationMode mode)
    {
        var units = Volatile.Read(ref _units);
        if (units is not null && ReferenceEquals(units.Table, frame.Table))
        {
            return units.Count < MaxUnits ? 0 : JumpsWhenDone;
        }

        return mode == CompilationMode.Eager ? Math.Min(_jumpsLeft, EagerCount) : _jumpsLeft;
    }

    /// <summary>A frame stood where nothing is compiled: notes that and, where it was often, compiles.</summary>
    /// <param name="frame">The frame, where it is now.</param>
    /// <param name="missed">Where it stood.</param>
    /// <param name="jumps">Jumps that it took interpreted since the last time.</param>
    /// <param name="mode">How to compile.</param>
    internal void NoteMiss(Frame frame, int missed, int jumps, CompilationMode mode)
    {
        var units = Volatile.Read(ref _units);
        if (units is not null && ReferenceEquals(units.Table, frame.Table))
        {
            if (++_misses >= (mode == CompilationMode.Eager ? EagerCount : MissesBeforeUnit) && units.Count < MaxUnits)
            {
                _misses = 0;
                Compile(frame.Table, missed, mode);
            }

            return;
        }

        _jumpsLeft -= jumps;
        if (mode == CompilationMode.Off)
        {
            _jumpsLeft = int.MaxValue;
        }
        else if (_jumpsLeft <= 0 || mode == CompilationMode.Eager)
        {
            Heat(frame, mode);
        }
    }

    private void Heat(Frame frame, CompilationMode mode)
    {
        _jumpsLeft = WatchedJumps;
        if (Profile is null)
        {
            Profile = new CodeProfile(analysis.Code.Length);
        }
        else
        {
            Compile(frame.Table, frame.Pc, mode);
        }
    }

    private void Compile(InstructionTable table, int pc, CompilationMode mode)
    {
        if (Interlocked.CompareExchange(ref _isCompiling, 1, 0) != 0)
        {
            return;
        }

        Profile ??= new CodeProfile(analysis.Code.Length);
        if (mode == CompilationMode.Background)
        {
            if (!Compiler.Wait(0))
            {
                // Asked again when it is as hot once more.
                Volatile.Write(ref _isCompiling, 0);
                return;
            }

            ThreadPool.UnsafeQueueUserWorkItem(
                static work => work.Tier.CompileAside(work.Table, work.Pc),
                (Tier: this, Table: table, Pc: pc), preferLocal: false);
            return;
        }

        AddUnit(table, pc);
        Volatile.Write(ref _isCompiling, 0);
    }

    /// <summary>On a pool thread: what goes wrong there costs the compiled form, never the process.</summary>
    private void CompileAside(InstructionTable table, int pc)
    {
        try
        {
            AddUnit(table, pc);
            Volatile.Write(ref _isCompiling, 0);
        }
        catch (Exception error) when (error is InvalidProgramException or InvalidOperationException)
        {
            // Left as compiling: this code stays as it is from here on.
            Profile = null;
        }
        finally
        {
            Compiler.Release();
        }
    }

    private void AddUnit(InstructionTable table, int pc)
    {
        var units = Volatile.Read(ref _units);
        if (units is null || !ReferenceEquals(units.Table, table))
        {
            units = CompiledUnits.Empty(table, analysis.Code.Padded.Length);
        }

        if (!HotCode.Shared.TryTakeUnit())
        {
            return;
        }

        if (CodeCompiler.Compile(analysis.Code, table, Profile!, pc) is not { } unit)
        {
            HotCode.Shared.GiveUnitBack();
        }
        else
        {
            Volatile.Write(ref _units, units.With(unit));
            HotCode.Shared.Keep(analysis);
        }
    }
}
