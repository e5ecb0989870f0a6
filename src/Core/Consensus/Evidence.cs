using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;

namespace SuperVm.Core.Consensus;

/// <summary>What an evidence proves.</summary>
public enum EvidenceKind : byte
{
    /// <summary>Two votes of one validator, phase, view and sequence for different batches.</summary>
    ConflictingVotes = 1,

    /// <summary>Two attestations of one validator and sequence for different blocks.</summary>
    ConflictingCheckpoints = 2,

    /// <summary>
    /// A validator's attestation that differs from a quorum's: its execution or its honesty is broken.
    /// </summary>
    DivergentBlock = 3,
}

/// <summary>
/// A proof of a validator's fault that anyone can check with the epoch's set: two signed statements that an honest
/// validator never signs both, or an attestation against a quorum's.
/// </summary>
/// <remarks>Only the first two are slashable; a divergent block may come from a broken machine.</remarks>
public sealed record Evidence(
    EvidenceKind Kind, ulong Epoch, ConsensusMessage First, ConsensusMessage? Second, CheckpointCertificate? Quorum)
{
    /// <summary>Whether the proof is a reason to take stake.</summary>
    public bool IsSlashable => Kind != EvidenceKind.DivergentBlock;

    /// <summary>The index of the faulty validator in the epoch's set.</summary>
    public int Validator => First switch
    {
        Vote vote => vote.Validator,
        Checkpoint checkpoint => checkpoint.Validator,
        _ => -1,
    };

    /// <summary>Checks the signatures and the contradiction.</summary>
    public bool Verify(ulong chainId, Epoch epoch, ISignatureVerifier verifier)
    {
        if (epoch.Number != Epoch || Validator < 0 || Validator >= epoch.Validators.Count)
        {
            return false;
        }

        return (Kind, First, Second) switch
        {
            (EvidenceKind.ConflictingVotes, Vote a, Vote b) =>
                a.Validator == b.Validator && a.Phase == b.Phase && a.View == b.View && a.Sequence == b.Sequence
                && a.Digest != b.Digest && ViewLabel.EpochOf(a.View) == Epoch
                && Signed(a.Statement(chainId), a.Signature) && Signed(b.Statement(chainId), b.Signature),
            (EvidenceKind.ConflictingCheckpoints, Checkpoint a, Checkpoint b) =>
                a.Validator == b.Validator && a.Statement.Sequence == b.Statement.Sequence
                && a.Statement != b.Statement && epoch.Contains(a.Statement.Sequence)
                && Signed(a.Digest(chainId), a.Signature) && Signed(b.Digest(chainId), b.Signature),
            (EvidenceKind.DivergentBlock, Checkpoint a, null) =>
                Quorum is not null && Quorum.Statement.Sequence == a.Statement.Sequence
                && Quorum.Statement != a.Statement && Quorum.Verify(chainId, epoch, verifier)
                && Signed(a.Digest(chainId), a.Signature),
            _ => false,
        };

        bool Signed(in Primitives.Hash256 digest, byte[] signature) =>
            verifier.Verify(epoch.Validators[Validator].Address, digest, signature);
    }

    /// <summary>What the first statement's signature signs, and the signature.</summary>
    public (Primitives.Hash256 Digest, byte[] Signature) SignedFirst(ulong chainId) => First switch
    {
        Vote vote => (vote.Statement(chainId), vote.Signature),
        Checkpoint checkpoint => (checkpoint.Digest(chainId), checkpoint.Signature),
        _ => (default, []),
    };

    public byte[] Encode()
    {
        var writer = new RlpWriter(512);
        var list = writer.BeginList();
        writer.WriteUInt64((ulong)Kind);
        writer.WriteUInt64(Epoch);
        writer.WriteBytes(MessageCodec.Encode(First));
        writer.WriteBytes(Second is null ? [] : MessageCodec.Encode(Second));
        MessageCodec.WriteOptional(writer, Quorum);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <exception cref="RlpException">Bytes that <see cref="Encode"/> did not write.</exception>
    public static Evidence Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        var kind = (EvidenceKind)list.ReadUInt64();
        var epoch = list.ReadUInt64();
        var first = ReadMessage(list.ReadBytes()) ?? throw new RlpException("Evidence has no statement.");
        return new Evidence(kind, epoch, first, ReadMessage(list.ReadBytes()), MessageCodec.ReadOptional(ref list));
    }

    private static ConsensusMessage? ReadMessage(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return null;
        }

        return MessageCodec.TryDecode(bytes, out var message)
            ? message
            : throw new RlpException("Evidence holds a malformed message.");
    }
}
