using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Messages;

/// <summary>The kinds of messages on the wire; the numbers are part of the format.</summary>
public enum MessageKind : byte
{
    Request = 1,
    PrePrepare = 2,
    Vote = 3,
    Checkpoint = 4,
    ViewChange = 5,
    NewView = 6,
    Status = 7,
    FetchTransactions = 8,
    Transactions = 9,
    FetchBatch = 10,
    BatchBody = 11,
    FetchBlocks = 12,
    Blocks = 13,
    Snapshot = 14,
    FetchState = 15,
    StateChunk = 16,
}

/// <summary>What a part of a snapshot holds.</summary>
public enum StatePart : byte
{
    /// <summary>Blocks with receipts, downwards from the snapshot's.</summary>
    Blocks = 0,

    /// <summary>Nodes of the state's tries.</summary>
    Nodes = 1,

    /// <summary>Contract code.</summary>
    Code = 2,

    /// <summary>Committed batches.</summary>
    Batches = 3,
}

/// <summary>
/// A message between validators. Immutable; votes carry their own signatures and may be relayed by anyone.
/// </summary>
public abstract record ConsensusMessage
{
    public abstract MessageKind Kind { get; }
}

/// <summary>Keeps the digest that one message signs; a changed copy (with) does not take it over.</summary>
/// <remarks>
/// Safe for concurrent use: what is kept is one object, put in place by one write, so a reader on another thread finds
/// all of it or nothing. Whoever finds nothing works the same digest out again.
/// </remarks>
internal sealed class DigestCache : IEquatable<DigestCache>
{
    private Known? _known;

    // Two messages are equal by what they say, not by what was computed of them.
    public bool Equals(DigestCache? other) => other is not null;

    public override bool Equals(object? obj) => obj is DigestCache;

    public override int GetHashCode() => 0;

    internal Hash256? Find(object owner, ulong chainId) =>
        Volatile.Read(ref _known) is { } known && ReferenceEquals(known.Owner, owner) && known.ChainId == chainId
            ? known.Digest
            : null;

    internal Hash256 Keep(object owner, ulong chainId, in Hash256 digest)
    {
        Volatile.Write(ref _known, new Known(owner, chainId, digest));
        return digest;
    }

    private sealed class Known(object owner, ulong chainId, in Hash256 digest)
    {
        internal readonly object Owner = owner;
        internal readonly ulong ChainId = chainId;
        internal readonly Hash256 Digest = digest;
    }
}

/// <summary>Transactions for the leader to order.</summary>
public sealed record Request(IReadOnlyList<byte[]> Transactions) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.Request;
}

/// <summary>
/// The leader's proposal: header and transaction hashes; bodies follow on demand. The signature is the leader's
/// prepare vote, so that a prepared certificate is a quorum of equal statements.
/// </summary>
public sealed record PrePrepare(ulong View, BatchHeader Header, Hash256[] Hashes, byte[] Signature)
    : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.PrePrepare;
}

/// <summary>A prepare or commit vote.</summary>
public sealed record Vote(
    VotePhase Phase, ulong View, ulong Sequence, Hash256 Digest, int Validator, byte[] Signature) : ConsensusMessage
{
    private readonly DigestCache _cache = new();

    public override MessageKind Kind => MessageKind.Vote;

    internal Hash256 Statement(ulong chainId) =>
        _cache.Find(this, chainId) ?? _cache.Keep(
            this, chainId, Statements.Vote(chainId, Phase, View, Sequence, Digest));
}

/// <summary>A validator's attestation of an executed block.</summary>
public sealed record Checkpoint(CheckpointStatement Statement, int Validator, byte[] Signature) : ConsensusMessage
{
    private readonly DigestCache _cache = new();

    public override MessageKind Kind => MessageKind.Checkpoint;

    internal Hash256 Digest(ulong chainId) =>
        _cache.Find(this, chainId) ?? _cache.Keep(this, chainId, Statements.Checkpoint(chainId, Statement));
}

/// <summary>A batch that its sender saw prepared (or committed), with the certificate.</summary>
public sealed record PreparedProof(BatchHeader Header, QuorumCertificate Certificate)
{
    internal void Write(RlpWriter writer)
    {
        Header.Write(writer);
        Certificate.Write(writer);
    }
}

/// <summary>
/// "I leave every view below <paramref name="View"/>", with the sender's last attested checkpoint (null at the
/// epoch's start) and its prepared batches above it, without gaps.
/// </summary>
public sealed record ViewChange(
    ulong View, ulong StableSequence, CheckpointCertificate? Stable, IReadOnlyList<PreparedProof> Prepared,
    int Validator, byte[] Signature) : ConsensusMessage
{
    private readonly DigestCache _cache = new();

    public override MessageKind Kind => MessageKind.ViewChange;

    /// <summary>What the signature signs.</summary>
    internal Hash256 Digest(ulong chainId)
    {
        if (_cache.Find(this, chainId) is { } known)
        {
            return known;
        }

        var writer = new RlpWriter(1024);
        MessageCodec.WriteViewChange(writer, this, signed: false);
        return _cache.Keep(this, chainId, Statements.Message(chainId, 4, writer.Written));
    }
}

/// <summary>A quorum's view changes; what the view begins with follows from them alone.</summary>
public sealed record NewView(ulong View, IReadOnlyList<ViewChange> Changes, int Validator, byte[] Signature)
    : ConsensusMessage
{
    private readonly DigestCache _cache = new();

    public override MessageKind Kind => MessageKind.NewView;

    /// <summary>What the signature signs.</summary>
    internal Hash256 Digest(ulong chainId)
    {
        if (_cache.Find(this, chainId) is { } known)
        {
            return known;
        }

        var writer = new RlpWriter(4096);
        MessageCodec.WriteNewView(writer, this, signed: false);
        return _cache.Keep(this, chainId, Statements.Message(chainId, 5, writer.Written));
    }
}

/// <summary>Where the sender stands, so that others send what it misses. Not signed: it only asks for help.</summary>
/// <param name="View">The view that the sender is in or waits for.</param>
/// <param name="Active">Whether the view has begun for the sender.</param>
/// <param name="Committed">Every batch up to here is committed at the sender.</param>
/// <param name="Stable">The last block whose attestation the sender has.</param>
/// <param name="Attestation">That attestation, where the receiver was seen to miss it.</param>
/// <param name="IsAnswer">An answer is not answered.</param>
public sealed record Status(
    ulong View, bool Active, ulong Committed, ulong Stable, CheckpointCertificate? Attestation, bool IsAnswer)
    : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.Status;
}

/// <summary>Asks for the bodies of some of a proposal's transactions.</summary>
public sealed record FetchTransactions(Hash256 Digest, Hash256[] Hashes) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.FetchTransactions;
}

/// <summary>Bodies of transactions, in answer to a fetch.</summary>
public sealed record Transactions(IReadOnlyList<byte[]> Bodies) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.Transactions;
}

/// <summary>Asks for a whole batch by its digest (after a view change).</summary>
public sealed record FetchBatch(ulong Sequence, Hash256 Digest) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.FetchBatch;
}

/// <summary>A whole batch, in answer to a fetch.</summary>
public sealed record BatchBody(Batch Batch) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.BatchBody;
}

/// <summary>Asks for committed batches from a sequence number on.</summary>
public sealed record FetchBlocks(ulong From, int Count) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.FetchBlocks;
}

/// <summary>A committed batch with its certificate and, where known, its block's attestation.</summary>
public sealed record CertifiedBatch(Batch Batch, QuorumCertificate Certificate, CheckpointCertificate? Attestation);

/// <summary>Committed batches in order.</summary>
public sealed record Blocks(IReadOnlyList<CertifiedBatch> Batches) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.Blocks;
}

/// <summary>
/// The place of a snapshot whose state the execution side can fetch: epochs up to it, the attestation, and the headers
/// that end at it (from which the skipped leaders are derived).
/// </summary>
public sealed record Snapshot(
    CheckpointCertificate Attestation, IReadOnlyList<BatchHeader> Headers, IReadOnlyList<EpochProof> Epochs)
    : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.Snapshot;
}

/// <summary>
/// Asks for a part of the state at a snapshot's place; for the execution side, the replica takes no part in it.
/// </summary>
/// <param name="Sequence">The snapshot's block.</param>
/// <param name="Part">What of it.</param>
/// <param name="Query">Which: RLP by the part.</param>
public sealed record FetchState(ulong Sequence, StatePart Part, byte[] Query) : ConsensusMessage
{
    public override MessageKind Kind => MessageKind.FetchState;
}

/// <summary>A part of a snapshot, in answer to a fetch; empty where the sender no longer has it.</summary>
public sealed record StateChunk(ulong Sequence, StatePart Part, byte[] Content) : ConsensusMessage
{
    /// <summary>What a chunk holds at most, but for a block that is larger by itself.</summary>
    public const int TargetBytes = 1 << 20;

    public override MessageKind Kind => MessageKind.StateChunk;
}
