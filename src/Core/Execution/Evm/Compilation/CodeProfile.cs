namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>How often the ways through a piece of code were taken while it was watched.</summary>
/// <remarks>Written by several threads without order: a lost count only makes a compiled form less good.</remarks>
internal sealed class CodeProfile(int codeLength)
{
    private readonly uint[] _counts = new uint[codeLength];
    private readonly uint[] _passed = new uint[codeLength];

    /// <summary>Arrivals at a JUMPDEST, jumps taken by a JUMPI.</summary>
    internal long Of(int pc) => (uint)pc < (uint)_counts.Length ? _counts[pc] : 0;

    /// <summary>Jumps that a JUMPI did not take.</summary>
    internal long PassedOf(int pc) => (uint)pc < (uint)_passed.Length ? _passed[pc] : 0;

    internal void Count(int pc) => _counts[pc]++;

    internal void CountPassed(int pc) => _passed[pc]++;
}
