using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>The timers a replica may have running, at most one of each.</summary>
public enum TimerKind : byte
{
    /// <summary>Closes a batch that is not full.</summary>
    Batch = 0,

    /// <summary>Suspects the leader.</summary>
    Progress = 1,

    /// <summary>Says where the replica stands and sends again what may be lost.</summary>
    Status = 2,

    /// <summary>Asks for bodies that a proposal needs.</summary>
    Fetch = 3,
}

/// <summary>
/// All that may happen to a replica. The clock comes with it: milliseconds since 1970 on the local clock.
/// </summary>
public abstract record ReplicaEvent(long NowMs);

/// <summary>The process began, or began again: timers are gone, and effects may not have been carried out.</summary>
public sealed record Started(long NowMs) : ReplicaEvent(NowMs);

/// <summary>A message from an authenticated peer.</summary>
public sealed record MessageArrived(long NowMs, Address From, ConsensusMessage Message) : ReplicaEvent(NowMs);

/// <summary>Transactions that clients gave to this validator.</summary>
public sealed record RequestsSubmitted(long NowMs, IReadOnlyList<byte[]> Transactions) : ReplicaEvent(NowMs);

/// <summary>A timer ran out. The generation tells an old one from a new one.</summary>
public sealed record TimerExpired(long NowMs, TimerKind Timer, ulong Generation) : ReplicaEvent(NowMs);

/// <summary>The execution side finished a batch; answers <see cref="ExecuteBatch"/>, in order.</summary>
/// <param name="NowMs">The clock.</param>
/// <param name="Sequence">The batch.</param>
/// <param name="BlockHash">Its block's hash.</param>
/// <param name="NextValidators">At an epoch's last block the set of the next one; ignored elsewhere.</param>
public sealed record BatchExecuted(long NowMs, ulong Sequence, Hash256 BlockHash, ValidatorSet? NextValidators)
    : ReplicaEvent(NowMs);

/// <summary>
/// The execution side holds the state of the snapshot's block; answers <see cref="InstallSnapshot"/>.
/// </summary>
public sealed record SnapshotInstalled(long NowMs, ulong Sequence, bool Success) : ReplicaEvent(NowMs);

/// <summary>What a replica wants done. Carried out after its state is saved, in order.</summary>
public abstract record Effect;

/// <summary>Send to one peer.</summary>
public sealed record Send(Address To, ConsensusMessage Message) : Effect;

/// <summary>Send to every peer (<see cref="Replica.Peers"/>).</summary>
public sealed record Broadcast(ConsensusMessage Message) : Effect;

/// <summary>Start (or restart) a timer of <paramref name="DelayMs"/> plus a random share of the jitter.</summary>
public sealed record SetTimer(TimerKind Timer, ulong Generation, int DelayMs, int JitterMs) : Effect;

/// <summary>A client's transaction was not taken: it is no transaction of this chain, or the pool is full.</summary>
public sealed record RequestRefused(byte[] Transaction, bool IsInvalid) : Effect;

/// <summary>Execute the batch; must be idempotent: a batch already executed answers with its block's hash.</summary>
public sealed record ExecuteBatch(Batch Batch) : Effect;

/// <summary>The batch and its place are final. To be archived with the state, in one write.</summary>
public sealed record BatchCommitted(Batch Batch, QuorumCertificate Certificate) : Effect;

/// <summary>The block is attested by a quorum. At an epoch's border with the step to the next epoch.</summary>
public sealed record BlockFinalized(CheckpointCertificate Certificate, EpochProof? Border) : Effect;

/// <summary>A proof of a fault, to be stored.</summary>
public sealed record EvidenceFound(Evidence Evidence) : Effect;

/// <summary>Send committed batches from the archive, or the snapshot's place where they are pruned.</summary>
public sealed record ServeBlocks(Address To, ulong From, int Count) : Effect;

/// <summary>Fetch the state of this block from a peer and check it against the hash.</summary>
/// <param name="Sequence">The block.</param>
/// <param name="BlockHash">Its hash, which a quorum attests.</param>
/// <param name="From">Who offers it.</param>
/// <param name="Offer">The offer, checked: epochs, headers and the attestation.</param>
public sealed record InstallSnapshot(ulong Sequence, Hash256 BlockHash, Address From, Snapshot Offer) : Effect;

/// <summary>The replica goes on from the snapshot; what it came with is to be archived with the state.</summary>
public sealed record SnapshotAdopted(Snapshot Snapshot) : Effect;

/// <summary>
/// The replica stopped for good: its own block differs from a quorum's, or agreement itself is broken.
/// </summary>
public sealed record ReplicaHalted(string Reason, Evidence? Evidence) : Effect;

/// <summary>A message was dropped.</summary>
public sealed record MessageDropped(Address From, MessageKind Kind, DropReason Reason) : Effect;
