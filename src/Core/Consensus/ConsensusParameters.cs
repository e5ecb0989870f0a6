using SuperVm.Core.Consensus.Leaders;

namespace SuperVm.Core.Consensus;

/// <summary>
/// The limits and times of a chain's consensus. The ones marked "chain" must agree on all validators.
/// </summary>
/// <remarks>Times in milliseconds, sizes in bytes. Each queue and buffer of a replica is bounded by one of
/// these.</remarks>
public sealed record ConsensusParameters
{
    /// <summary>Chain: the chain id, part of everything that is signed.</summary>
    public ulong ChainId { get; init; } = 1337;

    /// <summary>Chain: the pipeline window: sequence numbers above the last attested one that may be ordered.</summary>
    public int Window { get; init; } = 32;

    /// <summary>Chain: the most transactions in a batch.</summary>
    public int BatchTransactions { get; init; } = 1000;

    /// <summary>Chain: the most transaction bytes in a batch; also the size limit of one transaction.</summary>
    public int BatchBytes { get; init; } = 1 << 20;

    /// <summary>Chain: the gas limit that every batch fixes for its block; a batch closes when it is filled.</summary>
    public ulong GasLimit { get; init; } = 30_000_000;

    /// <summary>How long the leader lets a batch that is not full grow, from its first transaction.</summary>
    public int BatchAgeMs { get; init; } = 20;

    /// <summary>Chain: how far a batch's time may lie ahead of a validator's clock.</summary>
    public int TimestampAheadMs { get; init; } = 2000;

    /// <summary>Chain: sequence numbers that one leader proposes before the next one's turn; 0 = no rotation.</summary>
    public ulong TurnLength { get; init; } = 64;

    /// <summary>Chain: sequence numbers for which a leader that failed is passed over.</summary>
    public ulong SkipSpan { get; init; } = 512;

    /// <summary>Chain: sequence numbers in an epoch; 0 = the first validator set stays for ever.</summary>
    public ulong EpochLength { get; init; }

    /// <summary>Chain: how the leaders of an epoch follow from its set.</summary>
    public ConsensusKind Kind { get; init; }

    /// <summary>Chain: leading zero bits of a proposal's proof of work, where the kind asks for one.</summary>
    public int WorkBits { get; init; }

    /// <summary>The first time-out of a leader; doubled with every view that brings no progress.</summary>
    public int ProgressTimeoutMs { get; init; } = 2000;

    /// <summary>
    /// A leader that was left on its last turn and committed nothing since has this part of the first time-out on its
    /// next one.
    /// </summary>
    public int SuspectHaste { get; init; } = 4;

    /// <summary>Where the doubling ends.</summary>
    public int MaximumTimeoutMs { get; init; } = 60_000;

    /// <summary>
    /// How long a transaction may wait while batches with room pass it by, before the leader is suspected.
    /// </summary>
    public int CensorTimeoutMs { get; init; } = 8000;

    /// <summary>The period of status messages and retransmission while work is pending.</summary>
    public int StatusPeriodMs { get; init; } = 500;

    /// <summary>How long a replica waits for bodies that are on their way before it asks for them.</summary>
    public int FetchDelayMs { get; init; } = 20;

    /// <summary>Pending transactions kept.</summary>
    public int PoolTransactions { get; init; } = 65_536;

    /// <summary>Bytes of pending transactions kept.</summary>
    public long PoolBytes { get; init; } = 64L << 20;

    /// <summary>Pending transactions that one peer may hold in the pool.</summary>
    public int PoolPerPeer { get; init; } = 32_768;

    /// <summary>
    /// Pending transactions of this validator's own clients; further ones are refused. Below the others'
    /// <see cref="PoolPerPeer"/>, so that what they are told finds room: what they drop they have to ask for again.
    /// </summary>
    public int PoolOwn { get; init; } = int.MaxValue;

    /// <summary>Hashes of ordered transactions that are remembered so that late copies are dropped.</summary>
    public int RecentTransactions { get; init; } = 131_072;

    /// <summary>Certified batches sent in answer to one fetch.</summary>
    public int FetchCount { get; init; } = 16;

    /// <summary>Messages of views or sequences that are not reached yet, kept for each peer.</summary>
    public int DeferredPerPeer { get; init; } = 128;
}
