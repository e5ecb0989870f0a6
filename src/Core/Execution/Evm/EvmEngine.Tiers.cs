using System.Runtime.CompilerServices;
using SuperVm.Core.Execution.Evm.Compilation;

namespace SuperVm.Core.Execution.Evm;

/// <summary>Runs a frame interpreted or compiled, whichever there is, and changes between the two.</summary>
public sealed unsafe partial class EvmEngine
{
    /// <summary>What a run counts that ended before its jumps were used up; it is not worth counting them.</summary>
    private const int JumpsOfShortRun = 8;

    /// <summary>Whether code that runs often is compiled to machine code; results are the same in every mode.</summary>
    public CompilationMode Compilation { get; set; } = RuntimeFeature.IsDynamicCodeCompiled
        ? CompilationMode.Background
        : CompilationMode.Off;

    /// <summary>Jumps that the interpreter takes before it looks whether it should stop.</summary>
    private const int JumpsBetweenLooks = 65_536;

    private const int NotMissed = -1;

    private FrameExit RunFrame(Frame frame)
    {
        if (Tracer is not null || Compilation == CompilationMode.Off)
        {
            return RunInterpreted(frame);
        }

        var tier = frame.Analysis.Tier;
        var mustInterpret = false;
        while (true)
        {
            FrameExit exit;
            if (!mustInterpret && tier.At(frame) is { } compiled)
            {
                exit = compiled.Run(frame);
                mustInterpret = exit == FrameExit.Interpret;
            }
            else
            {
                var missed = mustInterpret ? NotMissed : frame.Pc;
                var jumps = tier.JumpsFor(frame, Compilation);
                mustInterpret = false;
                exit = Interpreter.Run(frame, jumps, tier.Profile);
                if (missed != NotMissed)
                {
                    tier.NoteMiss(frame, missed, exit == FrameExit.Hot ? jumps : JumpsOfShortRun, Compilation);
                }
            }

            if (exit is FrameExit.Halted or FrameExit.Child)
            {
                return exit;
            }

            if (Stopped)
            {
                return Stop(frame);
            }
        }
    }

    private static FrameExit RunInterpreted(Frame frame)
    {
        while (true)
        {
            var exit = Interpreter.Run(frame, JumpsBetweenLooks);
            if (exit != FrameExit.Hot)
            {
                return exit;
            }

            if (frame.Engine.Stopped)
            {
                return Stop(frame);
            }
        }
    }

    private static FrameExit Stop(Frame frame)
    {
        frame.Fault = ExecutionStatus.NotLoaded;
        return FrameExit.Halted;
    }
}
