using System.Collections.Concurrent;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>Analyses of code that was compiled, by code hash, for instances of the same code that come later.</summary>
/// <remarks>
/// Code comes anew when a cache has dropped it, and with every eth_call that overrides it. One table for the process;
/// it holds nothing but what follows from the code itself, and is emptied when it is full.
/// </remarks>
internal sealed class HotCode
{
    /// <summary>Contracts kept; with code of the greatest size some 40 MB.</summary>
    private const int MaxContracts = 128;

    /// <summary>Units alive at a time, be their code kept here or elsewhere; each is some 50 KB.</summary>
    private const int MaxUnits = 1_000;

    private readonly ConcurrentDictionary<Hash256, CodeAnalysis> _byHash = new();
    private int _units;

    internal static HotCode Shared { get; } = new();

    /// <summary>The analysis of code with the same hash, and the same bytes.</summary>
    internal CodeAnalysis? Find(Code code) =>
        !_byHash.IsEmpty && _byHash.TryGetValue(code.Hash, out var known) && known.Code.Bytes.SequenceEqual(code.Bytes)
            ? known
            : null;

    /// <summary>Room for one unit more; given back when the unit is collected.</summary>
    internal bool TryTakeUnit()
    {
        if (Interlocked.Increment(ref _units) <= MaxUnits)
        {
            return true;
        }

        Interlocked.Decrement(ref _units);
        return false;
    }

    internal void GiveUnitBack() => Interlocked.Decrement(ref _units);

    internal void Keep(CodeAnalysis analysis)
    {
        // Init code has no hash, and is not met again.
        if (analysis.Code.Hash.IsZero)
        {
            return;
        }

        if (_byHash.Count >= MaxContracts)
        {
            _byHash.Clear();
        }

        _byHash[analysis.Code.Hash] = analysis;
    }
}
