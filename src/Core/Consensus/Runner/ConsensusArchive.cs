using System.Buffers.Binary;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>
/// What is final, kept for others and for light verification: committed batches with certificates, attestations, epoch
/// steps, headers, evidence. In <see cref="Column.Consensus"/>, one prefix byte each.
/// </summary>
public sealed class ConsensusArchive(IKeyValueStore store)
{
    private const byte BatchPrefix = (byte)'B';
    private const byte HeaderPrefix = (byte)'H';
    private const byte AttestationPrefix = (byte)'A';
    private const byte EpochPrefix = (byte)'E';
    private const byte EvidencePrefix = (byte)'V';

    /// <summary>Half of a message: batches served at once stay below it (one batch is always served).</summary>
    private const int ServedBytes = Limits.MessageBytes / 4;

    /// <summary>
    /// The committed batch at a place with its certificate and, where known, its block's attestation.
    /// </summary>
    public CertifiedBatch? Batch(ulong sequence)
    {
        if (store.Get(Column.Consensus, Key(BatchPrefix, sequence)) is not { } bytes)
        {
            return null;
        }

        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        var batch = Consensus.Batch.Read(ref list);
        return new CertifiedBatch(batch, QuorumCertificate.Read(ref list), Attestation(sequence));
    }

    /// <summary>A committed batch's header; kept where the batch itself is pruned.</summary>
    public BatchHeader? Header(ulong sequence)
    {
        if (store.Get(Column.Consensus, Key(HeaderPrefix, sequence)) is not { } bytes)
        {
            return null;
        }

        var reader = new RlpReader(bytes);
        return BatchHeader.Read(ref reader);
    }

    /// <summary>The attestation of a block. A later block's attestation vouches for those before it too.</summary>
    public CheckpointCertificate? Attestation(ulong sequence)
    {
        if (store.Get(Column.Consensus, Key(AttestationPrefix, sequence)) is not { } bytes)
        {
            return null;
        }

        var reader = new RlpReader(bytes);
        return CheckpointCertificate.Read(ref reader);
    }

    /// <summary>The last attested block's certificate, or null.</summary>
    public CheckpointCertificate? LastAttestation()
    {
        foreach (var (_, value) in store.Scan(Column.Consensus, new[] { AttestationPrefix }, reverse: true))
        {
            var reader = new RlpReader(value);
            return CheckpointCertificate.Read(ref reader);
        }

        return null;
    }

    /// <summary>The steps from epoch 0 on, in order.</summary>
    /// <param name="below">Only those whose border lies below it.</param>
    public IReadOnlyList<EpochProof> Epochs(ulong below = ulong.MaxValue)
    {
        var proofs = new List<EpochProof>();
        foreach (var (_, value) in store.Scan(Column.Consensus, new[] { EpochPrefix }))
        {
            var reader = new RlpReader(value);
            var proof = EpochProof.Read(ref reader);
            if (proof.Border.Statement.Sequence >= below)
            {
                break;
            }

            proofs.Add(proof);
        }

        return proofs;
    }

    /// <summary>The step to the epoch that begins after a border block; null where there is none.</summary>
    public EpochProof? EpochStep(ulong border)
    {
        if (store.Get(Column.Consensus, Key(EpochPrefix, border)) is not { } bytes)
        {
            return null;
        }

        var reader = new RlpReader(bytes);
        return EpochProof.Read(ref reader);
    }

    /// <summary>All proofs of faults.</summary>
    public IEnumerable<Evidence> Evidence()
    {
        foreach (var (_, value) in store.Scan(Column.Consensus, new[] { EvidencePrefix }))
        {
            yield return Consensus.Evidence.Decode(value);
        }
    }

    /// <summary>
    /// The answer to a fetch: batches from a place on, a snapshot's place where they are pruned, or null.
    /// </summary>
    public ConsensusMessage? Serve(ulong from, int count, ConsensusParameters parameters)
    {
        var batches = new List<CertifiedBatch>();
        long bytes = 0;
        for (var sequence = from; batches.Count < count && Batch(sequence) is { } found; sequence++)
        {
            bytes += found.Batch.Transactions.Sum(transaction => (long)transaction.Length + 40);
            if (bytes > ServedBytes && batches.Count > 0)
            {
                break;
            }

            batches.Add(found);
        }

        return batches.Count > 0 ? new Blocks(batches) : SnapshotAbove(from, parameters);
    }

    /// <summary>Deletes batches below a place; headers, attestations and epochs stay.</summary>
    public static void Prune(IWriteBatch write, ulong below) =>
        write.DeleteRange(Column.Consensus, Key(BatchPrefix, 0), Key(BatchPrefix, below));

    internal static void Put(IWriteBatch write, Effect effect)
    {
        switch (effect)
        {
            case BatchCommitted e:
                write.Put(Column.Consensus, Key(BatchPrefix, e.Batch.Sequence), Written(writer =>
                {
                    var list = writer.BeginList();
                    e.Batch.Write(writer);
                    e.Certificate.Write(writer);
                    writer.EndList(list);
                }));
                write.Put(
                    Column.Consensus, Key(HeaderPrefix, e.Batch.Sequence), Written(e.Batch.Header.Write));
                break;
            case BlockFinalized e:
                PutAttestation(write, e.Certificate);
                if (e.Border is { } border)
                {
                    PutEpoch(write, border);
                }

                break;
            case EvidenceFound e:
                var encoded = e.Evidence.Encode();
                write.Put(Column.Consensus, [EvidencePrefix, .. Cryptography.Keccak256.Hash(encoded).Bytes], encoded);
                break;
            case SnapshotAdopted e:
                foreach (var header in e.Snapshot.Headers)
                {
                    write.Put(Column.Consensus, Key(HeaderPrefix, header.Sequence), Written(header.Write));
                }

                foreach (var proof in e.Snapshot.Epochs)
                {
                    PutEpoch(write, proof);
                }

                break;
            default:
                break;
        }
    }

    /// <summary>
    /// The block whose state is held ready for others, or null; asking may make one ready. Where it is not set, any
    /// attested block is offered.
    /// </summary>
    public Func<ulong?>? HeldState { get; set; }

    /// <summary>Keeps a certified batch that came with a snapshot.</summary>
    public static void Keep(IWriteBatch write, Batch batch, QuorumCertificate certificate) =>
        Put(write, new BatchCommitted(batch, certificate));

    private Snapshot? SnapshotAbove(ulong from, ConsensusParameters parameters)
    {
        if (HeldState is { } held)
        {
            return held() is { } place && place >= from && Attestation(place) is { } found
                && !IsBorder(place, parameters)
                ? new Snapshot(found, History(place, parameters), Epochs(place))
                : null;
        }

        foreach (var (_, value) in store.Scan(Column.Consensus, new[] { AttestationPrefix }, reverse: true))
        {
            var reader = new RlpReader(value);
            var attestation = CheckpointCertificate.Read(ref reader);
            var sequence = attestation.Statement.Sequence;
            if (sequence < from)
            {
                return null;
            }

            if (!IsBorder(sequence, parameters))
            {
                return new Snapshot(attestation, History(sequence, parameters), Epochs(sequence));
            }
        }

        return null;
    }

    private static bool IsBorder(ulong sequence, ConsensusParameters parameters) =>
        parameters.EpochLength != 0 && sequence % parameters.EpochLength == 0;

    private List<BatchHeader> History(ulong last, ConsensusParameters parameters)
    {
        var length = parameters.SkipSpan + (2 * (ulong)parameters.Window) + 4;
        var headers = new List<BatchHeader>();
        for (var sequence = last; sequence > 0 && (ulong)headers.Count < length; sequence--)
        {
            if (Header(sequence) is not { } header)
            {
                break;
            }

            headers.Add(header);
        }

        headers.Reverse();
        return headers;
    }

    private static void PutAttestation(IWriteBatch write, CheckpointCertificate certificate) =>
        write.Put(
            Column.Consensus, Key(AttestationPrefix, certificate.Statement.Sequence), Written(certificate.Write));

    private static void PutEpoch(IWriteBatch write, EpochProof proof) =>
        write.Put(Column.Consensus, Key(EpochPrefix, proof.Border.Statement.Sequence), Written(proof.Write));

    private static byte[] Written(Action<RlpWriter> write)
    {
        var writer = new RlpWriter(512);
        write(writer);
        return writer.ToArray();
    }

    private static byte[] Key(byte prefix, ulong sequence)
    {
        var key = new byte[9];
        key[0] = prefix;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), sequence);
        return key;
    }
}
