using SuperVm.Core.Execution.Evm.Compilation;

namespace SuperVm.Core.Execution.Evm;

/// <summary>Runs a frame interpreted or compiled, whichever there is, and changes between the two.</summary>
public sealed unsafe partial class EvmEngine
{
    /// <summary>Whether code that runs often is compiled to machine code; results are the same in every mode.</summary>
    public CompilationMode Compilation { get; set; } = CompilationMode.Background;

    /// <summary>What a run counts that ended before its jumps were used up; it is not worth counting them.</summary>
    private const int JumpsOfShortRun = 8;

    private FrameExit RunFrame(Frame frame)
    {
        if (Tracer is not null)
        {
            return Interpreter.Run(frame, int.MaxValue);
        }

        var tier = frame.Analysis.Tier;
        while (true)
        {
            FrameExit exit;
            if (tier.Compiled is { } compiled && ReferenceEquals(compiled.Table, frame.Table)
                && Compilation != CompilationMode.Off)
            {
                exit = FrameExit.Interpret;
                if (compiled.HasEntry(frame.Pc))
                {
                    frame.Entries = compiled.Entries;
                    exit = compiled.Run(frame);
                }

                if (exit == FrameExit.Interpret)
                {
                    // Up to the next jump, where there may be an entry again.
                    tier.Miss(compiled, Compilation);
                    exit = Interpreter.Run(frame, 0);
                }
            }
            else
            {
                var jumps = tier.JumpsLeft(Compilation);
                exit = Interpreter.Run(frame, jumps, tier.Profile);
                tier.Spend(exit == FrameExit.Hot ? jumps : JumpsOfShortRun);
                if (exit == FrameExit.Hot)
                {
                    tier.Heat(frame.Table, frame.Pc, Compilation);
                }
            }

            if (exit is FrameExit.Halted or FrameExit.Child)
            {
                return exit;
            }
        }
    }
}
