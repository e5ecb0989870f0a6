namespace SuperVm.Core.Mempool;

/// <summary>The pool's limits.</summary>
public sealed record MempoolOptions
{
    /// <summary>Transactions of all senders.</summary>
    public int MaximumCount { get; init; } = 100_000;

    /// <summary>Bytes of all transactions, as <see cref="PooledTransaction.Size"/> counts them.</summary>
    public long MaximumBytes { get; init; } = 256L << 20;

    /// <summary>Transactions of one sender, pending and queued.</summary>
    public int MaximumPerSender { get; init; } = 16_384;

    /// <summary>Transactions of one sender that wait behind a gap in its nonces.</summary>
    public int MaximumQueuedPerSender { get; init; } = 1_024;

    /// <summary>Percent by which both fees must rise where a transaction takes the place of another.</summary>
    public uint ReplacementPercent { get; init; } = 10;

    /// <summary>The same where the old transaction carries blobs (EIP-4844, mempool considerations).</summary>
    public uint BlobReplacementPercent { get; init; } = 100;

    /// <summary>How long a transaction waits behind a gap.</summary>
    public TimeSpan QueuedLifetime { get; init; } = TimeSpan.FromHours(3);

    /// <summary>Dropped transactions whose reason is remembered.</summary>
    public int MaximumDropRecords { get; init; } = 10_000;

    /// <summary>How long the reason of a drop is remembered.</summary>
    public TimeSpan DropRecordLifetime { get; init; } = TimeSpan.FromHours(1);
}
