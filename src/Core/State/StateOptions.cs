namespace SuperVm.Core.State;

/// <summary>What a state store keeps, and how much of it in memory.</summary>
public sealed record StateOptions
{
    /// <summary>States of so many blocks before the head stay readable.</summary>
    public ulong HistoryBlocks { get; init; } = 10_000;

    /// <summary>Accounts whose record is kept in memory.</summary>
    public int AccountCacheEntries { get; init; } = 200_000;

    /// <summary>Slots whose value is kept in memory.</summary>
    public int SlotCacheEntries { get; init; } = 500_000;

    /// <summary>Bytes of trie nodes that are kept in memory.</summary>
    public long TrieCacheBytes { get; init; } = 128L << 20;

    /// <summary>Bytes of contract code that are kept in memory, with what engines worked out about it.</summary>
    public long CodeCacheBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of new trie nodes that gather before they are written to the store.</summary>
    public long TrieBufferBytes { get; init; } = 32L << 20;

    /// <summary>Blocks whose trie nodes gather before they are written; worked out anew after a crash.</summary>
    public int TrieBufferBlocks { get; init; } = 128;

    /// <summary>Changes from which on a trie is worked on by several threads.</summary>
    public int ParallelChanges { get; init; } = 512;
}
