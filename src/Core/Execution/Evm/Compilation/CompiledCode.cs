namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>Machine code made of hot ways through a contract: one method with several entries.</summary>
/// <param name="body">(frame, entry) → how it ended.</param>
/// <param name="entries">For each code byte the number of the entry there, or -1.</param>
internal sealed class CompiledCode(CompiledBody body, short[] entries)
{
    /// <summary>For each code byte the number of the entry there, or -1.</summary>
    internal short[] Entries => entries;

    /// <summary>Machine code is memory that the collector does not count: its number is limited by hand.</summary>
    ~CompiledCode() => HotCode.Shared.GiveUnitBack();

    internal FrameExit Run(Frame frame)
    {
        frame.Entries = entries;
        return (FrameExit)body(frame, entries[frame.Pc]);
    }
}

/// <summary>The compiled method; the answer is a <see cref="FrameExit"/>.</summary>
internal delegate int CompiledBody(Frame frame, int entry);

/// <summary>
/// All compiled units of a contract under one set of fork rules; never changed, replaced by a larger one.
/// </summary>
internal sealed class CompiledUnits
{
    private const byte None = byte.MaxValue;

    private readonly CompiledCode[] _units;
    private readonly byte[] _unitOf;

    private CompiledUnits(InstructionTable table, CompiledCode[] units, byte[] unitOf)
    {
        Table = table;
        _units = units;
        _unitOf = unitOf;
    }

    internal InstructionTable Table { get; }

    internal int Count => _units.Length;

    internal static CompiledUnits Empty(InstructionTable table, int paddedLength)
    {
        var unitOf = new byte[paddedLength];
        Array.Fill(unitOf, None);
        return new CompiledUnits(table, [], unitOf);
    }

    /// <summary>The unit with an entry at a place, if there is one.</summary>
    internal CompiledCode? At(int pc)
    {
        var unit = _unitOf[pc];
        return unit == None ? null : _units[unit];
    }

    /// <summary>These units and one more, whose entries come first.</summary>
    internal CompiledUnits With(CompiledCode unit)
    {
        var unitOf = (byte[])_unitOf.Clone();
        for (var pc = 0; pc < unitOf.Length; pc++)
        {
            if (unit.Entries[pc] >= 0)
            {
                unitOf[pc] = (byte)_units.Length;
            }
        }

        return new CompiledUnits(Table, [.. _units, unit], unitOf);
    }
}
