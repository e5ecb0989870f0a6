namespace SuperVm.Core.State.Paged;

/// <summary>How state lies in documents, what is kept of it in memory, and how far back it can be read.</summary>
public sealed record PagedOptions
{
    /// <summary>The least of <see cref="HistoryBlocks"/>: readers may lag behind so far.</summary>
    public const ulong FewestHistoryBlocks = 32;

    /// <summary>The document container of the pages.</summary>
    public string Container { get; init; } = "pages";

    /// <summary>States of so many blocks before the head stay readable.</summary>
    public ulong HistoryBlocks { get; init; } = 10_000;

    /// <summary>Bytes of values above which a page is split in two.</summary>
    /// <remarks>48 KiB hold about 1,200 accounts: a hundred thousand lie on 128 pages.</remarks>
    public int PageBytes { get; init; } = 48 << 10;

    /// <summary>Bytes of overwritten values that a page's document keeps; what is older goes to a blob.</summary>
    public int LogBytes { get; init; } = 16 << 10;

    /// <summary>Bytes of pages that are kept in memory.</summary>
    public long PageCacheBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of trie nodes that are kept in memory.</summary>
    public long NodeCacheBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of contract code that are kept in memory, with what engines worked out about it.</summary>
    public long CodeCacheBytes { get; init; } = 32L << 20;

    /// <summary>Bytes of spilled history that are kept in memory.</summary>
    public long HistoryCacheBytes { get; init; } = 16L << 20;

    /// <summary>Changes from which on a trie is worked on by several threads.</summary>
    public int ParallelChanges { get; init; } = 128;

    internal void Require()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(HistoryBlocks, FewestHistoryBlocks);
        ArgumentOutOfRangeException.ThrowIfLessThan(PageBytes, 256);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(PageBytes, Storage.DocumentLimits.MostBodyBytes / 4);
        ArgumentOutOfRangeException.ThrowIfLessThan(LogBytes, 256);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(LogBytes, Storage.DocumentLimits.MostBodyBytes / 4);
    }
}
