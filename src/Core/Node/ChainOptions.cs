using SuperVm.Core.Execution;
using SuperVm.Core.State;

namespace SuperVm.Core.Node;

/// <summary>How a chain works and what it keeps.</summary>
public sealed record ChainOptions
{
    public StateOptions State { get; init; } = new();

    /// <summary>Executes blocks; null for an own one with the EVM. One chain at a time may use it.</summary>
    public BlockProcessor? Processor { get; init; }

    /// <summary>
    /// Whether a block must be on the disk before it counts, so that it survives a power failure too.
    /// </summary>
    public bool SyncWrites { get; init; }

    /// <summary>Blocks beside the canonical chain that are kept; the oldest are dropped first.</summary>
    public int MaximumSideBlocks { get; init; } = 256;

    /// <summary>Blocks without a known parent that are kept; the oldest are dropped first.</summary>
    public int MaximumOrphans { get; init; } = 64;

    /// <summary>Bytes of RLP that those blocks may have together.</summary>
    public long MaximumOrphanBytes { get; init; } = 32L << 20;

    /// <summary>Canonical blocks and receipts that are kept in memory, in bytes of their stored form.</summary>
    public long BlockCacheBytes { get; init; } = 32L << 20;
}
