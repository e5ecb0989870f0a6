using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>The votes of one phase for one place in one view: the first of each validator, whatever it names.</summary>
internal sealed class VoteBox(int validators)
{
    private readonly (Hash256 Digest, byte[]? Signature)[] _votes = new (Hash256, byte[]?)[validators];

    internal bool Has(int validator) => _votes[validator].Signature is not null;

    internal (Hash256 Digest, byte[]? Signature) this[int validator] => _votes[validator];

    internal int Count => _votes.Count(vote => vote.Signature is not null);

    internal void Put(int validator, in Hash256 digest, byte[] signature) => _votes[validator] = (digest, signature);

    internal ulong Power(ValidatorSet set, in Hash256 digest, bool anyDigest)
    {
        ulong power = 0;
        for (var i = 0; i < _votes.Length; i++)
        {
            if (_votes[i].Signature is not null && (anyDigest || _votes[i].Digest == digest))
            {
                power += set[i].Power;
            }
        }

        return power;
    }

    internal SignatureShare[] Shares(Hash256 digest, bool anyDigest)
    {
        var shares = new List<SignatureShare>(_votes.Length);
        for (var i = 0; i < _votes.Length; i++)
        {
            if (_votes[i].Signature is { } signature && (anyDigest || _votes[i].Digest == digest))
            {
                shares.Add(new SignatureShare(i, signature));
            }
        }

        return [.. shares];
    }

    internal void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        for (var i = 0; i < _votes.Length; i++)
        {
            if (_votes[i].Signature is { } signature)
            {
                writer.WriteUInt64((ulong)i);
                writer.WriteHash256(_votes[i].Digest);
                writer.WriteBytes(signature);
            }
        }

        writer.EndList(list);
    }

    internal void Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        while (!list.AtEnd)
        {
            Put(Rlp.ReadIndex(ref list), list.ReadHash256(), Rlp.ReadSignature(ref list));
        }
    }
}

/// <summary>
/// One sequence number above the last attested one.
/// <code>
///   empty ──proposal──▶ proposed ──bodies, parent──▶ accepted ──quorum of prepares──▶ prepared
///                          │        (Prepare sent)              (Commit sent, in order)   │
///                          └───────────── quorum of commits, or a certificate ────────────┴──▶ decided
/// </code>
/// A new view empties everything but Prepared and Decided.
/// </summary>
internal sealed class Slot(ulong sequence, ulong view, int validators)
{
    internal ulong Sequence { get; } = sequence;

    /// <summary>The view that proposal and votes belong to.</summary>
    internal ulong View { get; private set; } = view;

    internal BatchHeader? Proposal { get; set; }

    /// <summary>The leader's signature on the proposal; null where a new view made it.</summary>
    internal byte[]? ProposalSignature { get; set; }

    /// <summary>The proposal's transaction hashes; null while unknown.</summary>
    internal Hash256[]? Hashes { get; set; }

    /// <summary>Bodies that are waited for; null where none.</summary>
    internal HashSet<Hash256>? Missing { get; set; }

    /// <summary>Bodies that were fetched and are in no pool.</summary>
    internal Dictionary<Hash256, byte[]>? Fetched { get; set; }

    internal bool Accepted { get; set; }

    internal bool CommitSent { get; set; }

    internal VoteBox Prepares { get; private set; } = new(validators);

    internal VoteBox Commits { get; private set; } = new(validators);

    /// <summary>The proof of the newest view in which this replica saw a batch prepared here.</summary>
    internal PreparedProof? Prepared { get; set; }

    /// <summary>The certificate of the batch that has this place for good.</summary>
    internal PreparedProof? Decided { get; set; }

    internal bool IsPreparedIn(ulong view) => Prepared is not null && Prepared.Certificate.View == view && View == view;

    internal void Reset(ulong view, int count)
    {
        View = view;
        (Proposal, ProposalSignature, Hashes, Missing, Fetched) = (null, null, null, null, null);
        (Accepted, CommitSent) = (false, false);
        (Prepares, Commits) = (new VoteBox(count), new VoteBox(count));
    }

    /// <summary>Writes the slot, without the hashes where the proposal's body is written beside it.</summary>
    internal void Write(RlpWriter writer, bool hasBody)
    {
        var list = writer.BeginList();
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(View);
        var proposal = writer.BeginList();
        Proposal?.Write(writer);
        writer.EndList(proposal);
        writer.WriteBytes(ProposalSignature ?? []);
        var isInBody = hasBody && Hashes is not null;
        Rlp.WriteFlag(writer, isInBody);
        var hashes = writer.BeginList();
        if (Hashes is not null && !isInBody)
        {
            Rlp.WriteHashes(writer, Hashes);
        }

        writer.EndList(hashes);
        Rlp.WriteFlag(writer, Accepted);
        Rlp.WriteFlag(writer, CommitSent);
        Prepares.Write(writer);
        Commits.Write(writer);
        WriteProof(writer, Prepared);
        WriteProof(writer, Decided);
        writer.EndList(list);
    }

    /// <exception cref="RlpException">Not a slot, or one whose body is not there.</exception>
    internal static Slot Read(ref RlpReader reader, int validators, Dictionary<Hash256, Batch> bodies)
    {
        var list = reader.ReadList();
        var slot = new Slot(list.ReadUInt64(), list.ReadUInt64(), validators);
        var proposal = list.ReadList();
        slot.Proposal = proposal.AtEnd ? null : BatchHeader.Read(ref proposal);
        var signature = Rlp.ReadSignature(ref list);
        slot.ProposalSignature = signature.Length == 0 ? null : signature;
        var isInBody = Rlp.ReadFlag(ref list);
        var hashes = list.ReadList();
        slot.Hashes = hashes.AtEnd ? null : Rlp.ReadHashes(ref hashes);
        if (isInBody)
        {
            slot.Hashes = slot.Proposal is not null && bodies.TryGetValue(slot.Proposal.Digest, out var body)
                ? [.. body.Hashes]
                : throw new RlpException("A saved place has lost its batch.");
        }

        slot.Accepted = Rlp.ReadFlag(ref list);
        slot.CommitSent = Rlp.ReadFlag(ref list);
        slot.Prepares.Read(ref list);
        slot.Commits.Read(ref list);
        slot.Prepared = ReadProof(ref list);
        slot.Decided = ReadProof(ref list);
        return slot;
    }

    private static void WriteProof(RlpWriter writer, PreparedProof? proof)
    {
        var list = writer.BeginList();
        proof?.Write(writer);
        writer.EndList(list);
    }

    private static PreparedProof? ReadProof(ref RlpReader reader)
    {
        var list = reader.ReadList();
        return list.AtEnd ? null : new PreparedProof(BatchHeader.Read(ref list), QuorumCertificate.Read(ref list));
    }
}
