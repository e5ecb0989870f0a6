namespace SuperVm.Core.Proving.Scheduling;

/// <summary>What processors and accelerators share.</summary>
public enum WorkKind : byte
{
    /// <summary>A zero-knowledge proof.</summary>
    Proof = 0,

    /// <summary>Signatures or proofs to check or recover.</summary>
    BatchVerify = 1,

    /// <summary>Inputs to hash.</summary>
    BatchHash = 2,

    /// <summary>A Merkle tree over leaves.</summary>
    MerkleTree = 3,

    /// <summary>Transactions to execute.</summary>
    Transactions = 4,
}

/// <summary>Who may do the work that both could do.</summary>
public enum SchedulingPolicy : byte
{
    /// <summary>Whoever is expected to finish it first, from what such work has cost; both where that helps.</summary>
    Auto = 0,

    /// <summary>Processors alone.</summary>
    CpuOnly = 1,

    /// <summary>Accelerators alone, as long as there is one that works.</summary>
    GpuOnly = 2,

    /// <summary>Both, each taking slices as fast as it can.</summary>
    LoadBalance = 3,
}

/// <summary>How an accelerator answers a slice.</summary>
public enum AcceleratorAnswer : byte
{
    Done = 0,

    /// <summary>Not this one (too large, out of memory): processors do it.</summary>
    Refused = 1,

    /// <summary>The device is gone: it gets nothing any more.</summary>
    Lost = 2,
}

/// <summary>Something to do, in elements that can be done in slices by anybody in any order.</summary>
public sealed record Work
{
    public required WorkKind Kind { get; init; }

    /// <summary>Elements: signatures, inputs, leaves, constraints. At least 1.</summary>
    public required int Size { get; init; }

    /// <summary>The smallest slice that is worth a turn; <see cref="Size"/> for work that cannot be divided.</summary>
    public required int LeastSlice { get; init; }

    /// <summary>Does the elements from a start, so many of them, on the calling thread.</summary>
    public required Action<int, int> OnCpu { get; init; }

    /// <summary>Does them on an accelerator, given by number; null where none can.</summary>
    public Func<int, int, int, AcceleratorAnswer>? OnAccelerator { get; init; }
}

/// <summary>How a scheduler is made.</summary>
public sealed record HybridOptions
{
    public SchedulingPolicy Policy { get; init; } = SchedulingPolicy.Auto;

    /// <summary>Threads that do work on processors.</summary>
    public int CpuLanes { get; init; } = 1;

    /// <summary>Accelerators, a thread each.</summary>
    public int Accelerators { get; init; }

    /// <summary>What a processor's slice should take, so that other kinds get their turn.</summary>
    public TimeSpan CpuSlice { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>What an accelerator's slice should take; longer, as each has its fixed cost.</summary>
    public TimeSpan AcceleratorSlice { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Works of a kind that may wait; more are refused.</summary>
    public int MostWaiting { get; init; } = 4096;
}

/// <summary>What became of a kind of work so far.</summary>
/// <param name="Works">Ended works.</param>
/// <param name="Waiting">Works that have not ended.</param>
/// <param name="CpuElements">Elements that processors did.</param>
/// <param name="AcceleratorElements">Elements that accelerators did.</param>
/// <param name="CpuSeconds">Time of processors' lanes.</param>
/// <param name="AcceleratorSeconds">Time of accelerators' lanes.</param>
/// <param name="AcceleratorFailures">Slices that went back to the processors.</param>
/// <param name="LongestWaitSeconds">From a work's coming to its first slice, at most.</param>
public readonly record struct WorkStatistics(
    long Works, int Waiting, long CpuElements, long AcceleratorElements, double CpuSeconds, double AcceleratorSeconds,
    long AcceleratorFailures, double LongestWaitSeconds);
