namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>Machine code made of a contract's hot ways, for one set of fork rules.</summary>
/// <param name="table">The rules it was made for.</param>
/// <param name="body">(frame, entry) → how it ended.</param>
/// <param name="entries">For each code byte the number of the entry there, or -1.</param>
internal sealed class CompiledCode(InstructionTable table, CompiledBody body, short[] entries)
{
    internal InstructionTable Table => table;

    /// <summary>For each code byte the number of the entry there, or -1.</summary>
    internal short[] Entries => entries;

    /// <summary>How often a frame stood where there is no entry.</summary>
    internal int Misses { get; set; }

    internal bool HasEntry(int pc) => entries[pc] >= 0;

    internal FrameExit Run(Frame frame) => (FrameExit)body(frame, entries[frame.Pc]);
}

/// <summary>The compiled method; the answer is a <see cref="FrameExit"/>.</summary>
internal delegate int CompiledBody(Frame frame, int entry);
