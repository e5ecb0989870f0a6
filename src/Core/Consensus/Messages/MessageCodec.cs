using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Messages;

/// <summary>
/// The wire format: one byte of version, one byte of kind, then the message's fields as one canonical RLP list. A
/// message has exactly one encoding; anything else is refused.
/// </summary>
public static class MessageCodec
{
    /// <summary>The version of the format; others are refused.</summary>
    public const byte Version = 1;

    public static byte[] Encode(ConsensusMessage message)
    {
        var writer = new RlpWriter(256);
        writer.WriteRaw([Version, (byte)message.Kind]);
        switch (message)
        {
            case ViewChange change:
                WriteViewChange(writer, change, signed: true);
                break;
            case NewView view:
                WriteNewView(writer, view, signed: true);
                break;
            default:
                var list = writer.BeginList();
                WriteFields(writer, message);
                writer.EndList(list);
                break;
        }

        return writer.ToArray();
    }

    /// <summary>False for bytes of another version, too many bytes, or anything but a message's one encoding.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ConsensusMessage? message)
    {
        message = null;
        if (bytes.Length is < 3 or > Limits.MessageBytes || bytes[0] != Version)
        {
            return false;
        }

        try
        {
            var reader = new RlpReader(bytes[2..]);
            var list = reader.ReadList();
            reader.RequireEnd();
            message = Read((MessageKind)bytes[1], ref list);
            list.RequireEnd();
            return true;
        }
        catch (RlpException)
        {
            message = null;
            return false;
        }
    }

    internal static void WriteViewChange(RlpWriter writer, ViewChange change, bool signed)
    {
        var list = writer.BeginList();
        writer.WriteUInt64(change.View);
        writer.WriteUInt64(change.StableSequence);
        WriteOptional(writer, change.Stable);
        var proofs = writer.BeginList();
        foreach (var proof in change.Prepared)
        {
            proof.Write(writer);
        }

        writer.EndList(proofs);
        writer.WriteUInt64((ulong)change.Validator);
        writer.WriteBytes(signed ? change.Signature : []);
        writer.EndList(list);
    }

    internal static void WriteNewView(RlpWriter writer, NewView view, bool signed)
    {
        var list = writer.BeginList();
        writer.WriteUInt64(view.View);
        var changes = writer.BeginList();
        foreach (var change in view.Changes)
        {
            WriteViewChange(writer, change, signed: true);
        }

        writer.EndList(changes);
        writer.WriteUInt64((ulong)view.Validator);
        writer.WriteBytes(signed ? view.Signature : []);
        writer.EndList(list);
    }

    internal static void WriteOptional(RlpWriter writer, CheckpointCertificate? certificate)
    {
        if (certificate is null)
        {
            writer.WriteEmptyList();
            return;
        }

        certificate.Write(writer);
    }

    internal static CheckpointCertificate? ReadOptional(ref RlpReader reader)
    {
        var item = reader.ReadItem();
        if (item.Length == 1 && item[0] == 0xC0)
        {
            return null;
        }

        var inner = new RlpReader(item);
        return CheckpointCertificate.Read(ref inner);
    }

    private static void WriteFields(RlpWriter writer, ConsensusMessage message)
    {
        switch (message)
        {
            case Request m:
                Rlp.WriteBlobs(writer, m.Transactions);
                break;
            case PrePrepare m:
                writer.WriteUInt64(m.View);
                m.Header.Write(writer);
                Rlp.WriteHashes(writer, m.Hashes);
                writer.WriteBytes(m.Signature);
                break;
            case Vote m:
                writer.WriteUInt64((ulong)m.Phase);
                writer.WriteUInt64(m.View);
                writer.WriteUInt64(m.Sequence);
                writer.WriteHash256(m.Digest);
                writer.WriteUInt64((ulong)m.Validator);
                writer.WriteBytes(m.Signature);
                break;
            case Checkpoint m:
                m.Statement.Write(writer);
                writer.WriteUInt64((ulong)m.Validator);
                writer.WriteBytes(m.Signature);
                break;
            case Status m:
                writer.WriteUInt64(m.View);
                Rlp.WriteFlag(writer, m.Active);
                writer.WriteUInt64(m.Committed);
                writer.WriteUInt64(m.Stable);
                WriteOptional(writer, m.Attestation);
                Rlp.WriteFlag(writer, m.IsAnswer);
                break;
            default:
                WriteTransfer(writer, message);
                break;
        }
    }

    private static void WriteTransfer(RlpWriter writer, ConsensusMessage message)
    {
        switch (message)
        {
            case FetchTransactions m:
                writer.WriteHash256(m.Digest);
                Rlp.WriteHashes(writer, m.Hashes);
                break;
            case Transactions m:
                Rlp.WriteBlobs(writer, m.Bodies);
                break;
            case FetchBatch m:
                writer.WriteUInt64(m.Sequence);
                writer.WriteHash256(m.Digest);
                break;
            case BatchBody m:
                m.Batch.Write(writer);
                break;
            case FetchBlocks m:
                writer.WriteUInt64(m.From);
                writer.WriteUInt64((ulong)m.Count);
                break;
            case Blocks m:
                WriteBlocks(writer, m);
                break;
            case Snapshot m:
                WriteSnapshot(writer, m);
                break;
            case FetchState m:
                WriteState(writer, m.Sequence, m.Part, m.Query);
                break;
            case StateChunk m:
                WriteState(writer, m.Sequence, m.Part, m.Content);
                break;
            default:
                throw new InvalidOperationException($"No encoding for {message.Kind}.");
        }
    }

    private static void WriteBlocks(RlpWriter writer, Blocks blocks)
    {
        var batches = writer.BeginList();
        foreach (var (batch, certificate, attestation) in blocks.Batches)
        {
            batch.Write(writer);
            certificate.Write(writer);
            WriteOptional(writer, attestation);
        }

        writer.EndList(batches);
    }

    private static void WriteState(RlpWriter writer, ulong sequence, StatePart part, byte[] content)
    {
        writer.WriteUInt64(sequence);
        writer.WriteUInt64((ulong)part);
        writer.WriteBytes(content);
    }

    private static StatePart ReadPart(ref RlpReader list)
    {
        var part = list.ReadUInt64();
        return part <= (ulong)StatePart.Batches
            ? (StatePart)part
            : throw new RlpException("A part of a snapshot is of an unknown kind.");
    }

    private static void WriteSnapshot(RlpWriter writer, Snapshot snapshot)
    {
        snapshot.Attestation.Write(writer);
        var headers = writer.BeginList();
        foreach (var header in snapshot.Headers)
        {
            header.Write(writer);
        }

        writer.EndList(headers);
        var epochs = writer.BeginList();
        foreach (var proof in snapshot.Epochs)
        {
            proof.Write(writer);
        }

        writer.EndList(epochs);
    }

    private static ConsensusMessage Read(MessageKind kind, ref RlpReader list) => kind switch
    {
        MessageKind.Request => new Request(Rlp.ReadBlobs(ref list)),
        MessageKind.PrePrepare => new PrePrepare(
            list.ReadUInt64(), BatchHeader.Read(ref list), Rlp.ReadHashes(ref list), Rlp.ReadSignature(ref list)),
        MessageKind.Vote => new Vote(
            ReadPhase(ref list), list.ReadUInt64(), list.ReadUInt64(), list.ReadHash256(), Rlp.ReadIndex(ref list),
            Rlp.ReadSignature(ref list)),
        MessageKind.Checkpoint => new Checkpoint(
            CheckpointStatement.Read(ref list), Rlp.ReadIndex(ref list), Rlp.ReadSignature(ref list)),
        MessageKind.ViewChange => ReadViewChangeFields(ref list),
        MessageKind.NewView => ReadNewView(ref list),
        MessageKind.Status => new Status(
            list.ReadUInt64(), Rlp.ReadFlag(ref list), list.ReadUInt64(), list.ReadUInt64(), ReadOptional(ref list),
            Rlp.ReadFlag(ref list)),
        MessageKind.FetchTransactions => new FetchTransactions(list.ReadHash256(), Rlp.ReadHashes(ref list)),
        MessageKind.Transactions => new Transactions(Rlp.ReadBlobs(ref list)),
        MessageKind.FetchBatch => new FetchBatch(list.ReadUInt64(), list.ReadHash256()),
        MessageKind.BatchBody => new BatchBody(Batch.Read(ref list)),
        MessageKind.FetchBlocks => new FetchBlocks(list.ReadUInt64(), Rlp.ReadCount(ref list)),
        MessageKind.Blocks => ReadBlocks(ref list),
        MessageKind.Snapshot => ReadSnapshot(ref list),
        MessageKind.FetchState => new FetchState(
            list.ReadUInt64(), ReadPart(ref list), list.ReadBytes().ToArray()),
        MessageKind.StateChunk => new StateChunk(
            list.ReadUInt64(), ReadPart(ref list), list.ReadBytes().ToArray()),
        _ => throw new RlpException("A message has an unknown kind."),
    };

    private static VotePhase ReadPhase(ref RlpReader list) => list.ReadUInt64() switch
    {
        1 => VotePhase.Prepare,
        2 => VotePhase.Commit,
        _ => throw new RlpException("A vote has an unknown phase."),
    };

    private static ViewChange ReadViewChangeFields(ref RlpReader list)
    {
        var view = list.ReadUInt64();
        var stableSequence = list.ReadUInt64();
        var stable = ReadOptional(ref list);
        var inner = list.ReadList();
        var proofs = new List<PreparedProof>();
        while (!inner.AtEnd)
        {
            Rlp.RequireItems(proofs.Count);
            proofs.Add(new PreparedProof(BatchHeader.Read(ref inner), QuorumCertificate.Read(ref inner)));
        }

        return new ViewChange(
            view, stableSequence, stable, proofs, Rlp.ReadIndex(ref list), Rlp.ReadSignature(ref list));
    }

    private static NewView ReadNewView(ref RlpReader list)
    {
        var view = list.ReadUInt64();
        var inner = list.ReadList();
        var changes = new List<ViewChange>();
        while (!inner.AtEnd)
        {
            if (changes.Count >= ValidatorSet.MaximumValidators)
            {
                throw new RlpException("A new view has too many view changes.");
            }

            var change = inner.ReadList();
            changes.Add(ReadViewChangeFields(ref change));
            change.RequireEnd();
        }

        return new NewView(view, changes, Rlp.ReadIndex(ref list), Rlp.ReadSignature(ref list));
    }

    private static Blocks ReadBlocks(ref RlpReader list)
    {
        var inner = list.ReadList();
        var batches = new List<CertifiedBatch>();
        while (!inner.AtEnd)
        {
            Rlp.RequireItems(batches.Count);
            batches.Add(new CertifiedBatch(
                Batch.Read(ref inner), QuorumCertificate.Read(ref inner), ReadOptional(ref inner)));
        }

        return new Blocks(batches);
    }

    private static Snapshot ReadSnapshot(ref RlpReader list)
    {
        var attestation = CheckpointCertificate.Read(ref list);
        var inner = list.ReadList();
        var headers = new List<BatchHeader>();
        while (!inner.AtEnd)
        {
            Rlp.RequireItems(headers.Count);
            headers.Add(BatchHeader.Read(ref inner));
        }

        var epochList = list.ReadList();
        var epochs = new List<EpochProof>();
        while (!epochList.AtEnd)
        {
            Rlp.RequireItems(epochs.Count);
            epochs.Add(EpochProof.Read(ref epochList));
        }

        return new Snapshot(attestation, headers, epochs);
    }
}
