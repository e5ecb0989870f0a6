using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>Where a <see cref="DocumentChain"/> keeps everything; shared by any number of processes.</summary>
/// <param name="Documents">The head and the pages of state.</param>
/// <param name="Blobs">Blocks with receipts, older headers, code, older history.</param>
/// <param name="Rows">Places of transactions and blocks by hash.</param>
/// <param name="Clock">Says how old the head is that a reader knows.</param>
public sealed record DocumentChainPorts(
    IDocumentStore Documents, IBlobStore Blobs, IRowStore Rows, TimeProvider Clock);

/// <summary>How such a chain works and what it keeps.</summary>
public sealed record DocumentChainOptions
{
    public PagedOptions State { get; init; } = new();

    /// <summary>The document container of the head.</summary>
    public string HeadContainer { get; init; } = "head";

    /// <summary>Executes blocks; null for an own one: the EVM under Block-STM with two workers.</summary>
    public BlockProcessor? Processor { get; init; }

    /// <summary>Blocks and receipts that are kept in memory, in bytes of their stored form.</summary>
    public long BlockCacheBytes { get; init; } = 32L << 20;
}

/// <summary>How <see cref="DocumentChain.ProduceAsync"/> ended.</summary>
public enum ProduceStatus : byte
{
    /// <summary>The block is made and is the head.</summary>
    Made,

    /// <summary>There is a block of this number already, made by whomever; nothing was executed.</summary>
    AlreadyThere,

    /// <summary>The number is not the one after the head: blocks before it are missing.</summary>
    Gap,

    /// <summary>Others moved the head again and again; call again.</summary>
    HeadMoved,
}

/// <summary>A block that was made, or found.</summary>
/// <param name="Status">Which.</param>
/// <param name="Block">The block with the number; null where there is none.</param>
/// <param name="Made">What executing gave; null unless it was made here and now.</param>
public sealed record ProduceResult(ProduceStatus Status, ChainBlock? Block, ProducedBlock? Made);

/// <summary>What became of a transaction.</summary>
/// <param name="Place">Where it stands; null where it was dropped.</param>
/// <param name="DropReason">Why it will never stand anywhere; null where it does.</param>
public sealed record TransactionFate(TransactionLocation? Place, string? DropReason);

/// <summary>A header with what is kept beside it.</summary>
/// <param name="Header">The header and its hash.</param>
/// <param name="TotalDifficulty">The difficulties of all blocks up to this one.</param>
/// <param name="Size">Bytes of the block's RLP.</param>
internal sealed record HeaderEntry(ChainHeader Header, UInt256 TotalDifficulty, int Size)
{
    internal ulong Number => Header.Number;

    internal static HeaderEntry Of(ChainBlock block) =>
        new(new ChainHeader(block.Header, block.Hash), block.TotalDifficulty, block.Size);
}
