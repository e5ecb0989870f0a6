using System.Globalization;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>What is final, for peers that fell behind and for light verification, in blobs that never change.</summary>
/// <remarks>
/// <code>
///   committed/&lt;sequence&gt;   [digest, certificate, header]      the batch itself: batches/&lt;digest&gt;
///   tails/&lt;sequence&gt;       headers up to the place, where a state was taken over above it
///   attested/&lt;sequence&gt;    certificate of the block
///   epochs/&lt;border&gt;       step to the epoch that begins after the block
///   evidence/&lt;keccak&gt;      proof of a validator's fault
/// </code>
/// </remarks>
internal sealed class CommittedArchive(IBlobStore blobs, BatchArchive batches)
{
    /// <summary>Bytes of transactions that one answer carries (one batch is always carried).</summary>
    private const int MostServedBytes = 1 << 20;

    /// <summary>Headers that are read at once.</summary>
    private const ulong MostReads = 32;

    internal async Task PutAsync(Effect effect, CancellationToken cancellation)
    {
        switch (effect)
        {
            case BatchCommitted e:
                await batches.PutAsync(e.Batch, cancellation);
                await blobs.PutAsync(Name("committed", e.Batch.Sequence), Written(writer =>
                {
                    var list = writer.BeginList();
                    writer.WriteHash256(e.Batch.Digest);
                    e.Certificate.Write(writer);
                    e.Batch.Header.Write(writer);
                    writer.EndList(list);
                }), cancellation);
                break;
            case BlockFinalized e:
                await blobs.PutAsync(
                    Name("attested", e.Certificate.Statement.Sequence), Written(e.Certificate.Write), cancellation);
                if (e.Border is { } border)
                {
                    await PutStepAsync(border, cancellation);
                }

                break;
            case SnapshotAdopted e:
                foreach (var proof in e.Snapshot.Epochs)
                {
                    await PutStepAsync(proof, cancellation);
                }

                await PutTailAsync(e.Snapshot, cancellation);

                break;
            default:
                break;
        }
    }

    /// <summary>The batches from a place on with their certificates; null where the first is not there.</summary>
    internal async Task<Blocks?> ServeAsync(ulong from, int count, CancellationToken cancellation)
    {
        var found = new List<CertifiedBatch>();
        var bytes = 0L;
        for (var sequence = from; found.Count < count; sequence++)
        {
            if (await GetAsync(sequence, cancellation) is not { } batch)
            {
                break;
            }

            bytes += batch.Batch.Transactions.Sum(transaction => (long)transaction.Length + 40);
            if (found.Count > 0 && bytes > MostServedBytes)
            {
                break;
            }

            found.Add(batch);
        }

        return found.Count == 0 ? null : new Blocks(found);
    }

    /// <summary>The headers that end at a place, in rising order, as many as there are.</summary>
    internal async Task<IReadOnlyList<BatchHeader>> HeadersAsync(
        ulong last, ulong count, CancellationToken cancellation)
    {
        var headers = new List<BatchHeader>();
        while (last > 0 && (ulong)headers.Count < count)
        {
            var group = await Task.WhenAll(Enumerable.Range(0, (int)Math.Min(last, MostReads))
                .Select(below => HeaderAsync(last - (ulong)below, cancellation)));
            foreach (var header in group.TakeWhile(header => header is not null))
            {
                headers.Add(header!);
                last--;
            }

            if (group.Contains(null))
            {
                headers.AddRange(await TailAsync(last, cancellation));
                break;
            }
        }

        headers.Reverse();
        return headers.Count > (int)count ? headers[^(int)count..] : headers;
    }

    /// <summary>The steps between epochs whose borders lie below a place, from the first on.</summary>
    internal async Task<IReadOnlyList<EpochProof>> StepsAsync(
        ulong below, ulong epochLength, CancellationToken cancellation)
    {
        var steps = new List<EpochProof>();
        for (var border = epochLength; border > 0 && border < below; border += epochLength)
        {
            steps.Add(await StepAsync(border, cancellation)
                ?? throw new StoreException($"The step to the epoch after block {border} is missing."));
        }

        return steps;
    }

    internal async Task<CertifiedBatch?> GetAsync(ulong sequence, CancellationToken cancellation)
    {
        if (await blobs.GetAsync(Name("committed", sequence), cancellation) is not { } committed)
        {
            return null;
        }

        var (digest, certificate, _) = ReadCommitted(committed.Span);
        if (await batches.GetAsync(digest, cancellation) is not { } batch)
        {
            return null;
        }

        return new(batch, certificate, await AttestationAsync(sequence, cancellation));
    }

    /// <summary>The certificate of the batch at a place; null where there is none yet.</summary>
    internal async Task<QuorumCertificate?> CommitAsync(ulong sequence, CancellationToken cancellation) =>
        await blobs.GetAsync(Name("committed", sequence), cancellation) is { } bytes
            ? ReadCommitted(bytes.Span).Certificate
            : null;

    /// <summary>The attestation of a block; null where only a later block's vouches for it.</summary>
    internal async Task<CheckpointCertificate?> AttestationAsync(ulong sequence, CancellationToken cancellation) =>
        await blobs.GetAsync(Name("attested", sequence), cancellation) is { } bytes
            ? ReadAttested(bytes.Span)
            : null;

    /// <summary>The step to the epoch after a border block; null where there is none.</summary>
    internal async Task<EpochProof?> StepAsync(ulong border, CancellationToken cancellation) =>
        await blobs.GetAsync(Name("epochs", border), cancellation) is { } bytes ? ReadStep(bytes.Span) : null;

    private Task PutStepAsync(EpochProof proof, CancellationToken cancellation) => blobs.PutAsync(
        Name("epochs", proof.Border.Statement.Sequence), Written(proof.Write), cancellation);

    private static EpochProof ReadStep(ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        return EpochProof.Read(ref reader);
    }

    /// <summary>Deletes a batch's body, and what its block left out; that it is committed stays known.</summary>
    internal async Task DeleteBodyAsync(ulong sequence, CancellationToken cancellation)
    {
        if (await blobs.GetAsync(Name("committed", sequence), cancellation) is { } committed)
        {
            await batches.DeleteAsync(ReadCommitted(committed.Span).Digest, cancellation);
            await new DeferredArchive(blobs).DeleteAsync(sequence, cancellation);
        }
    }

    private async Task<BatchHeader?> HeaderAsync(ulong sequence, CancellationToken cancellation)
    {
        if (await blobs.GetAsync(Name("committed", sequence), cancellation) is not { } committed)
        {
            return null;
        }

        var (digest, _, header) = ReadCommitted(committed.Span);
        return header ?? (await batches.GetAsync(digest, cancellation))?.Header;
    }

    /// <summary>The headers below the batches that came with a state.</summary>
    private Task PutTailAsync(Snapshot snapshot, CancellationToken cancellation)
    {
        var last = snapshot.Headers[^1].Sequence;
        var older = snapshot.Headers.Where(header => header.Sequence + DeferredTransactions.Span <= last).ToList();
        return older.Count == 0
            ? Task.CompletedTask
            : blobs.PutAsync(Name("tails", older[^1].Sequence), Written(writer =>
            {
                var list = writer.BeginList();
                foreach (var header in older)
                {
                    header.Write(writer);
                }

                writer.EndList(list);
            }), cancellation);
    }

    /// <summary>The headers that end at a place, newest first; none where no state was taken over above
    /// it.</summary>
    private async Task<IReadOnlyList<BatchHeader>> TailAsync(ulong last, CancellationToken cancellation)
    {
        if (await blobs.GetAsync(Name("tails", last), cancellation) is not { } bytes)
        {
            return [];
        }

        var headers = new List<BatchHeader>();
        for (var list = new RlpReader(bytes.Span).ReadList(); !list.AtEnd;)
        {
            headers.Add(BatchHeader.Read(ref list));
        }

        headers.Reverse();
        return headers;
    }

    private static (Hash256 Digest, QuorumCertificate Certificate, BatchHeader? Header) ReadCommitted(
        ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        return (
            list.ReadHash256(), QuorumCertificate.Read(ref list), list.AtEnd ? null : BatchHeader.Read(ref list));
    }

    private static CheckpointCertificate ReadAttested(ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        return CheckpointCertificate.Read(ref reader);
    }

    private static byte[] Written(Action<RlpWriter> write)
    {
        var writer = new RlpWriter(512);
        write(writer);
        return writer.ToArray();
    }

    private static string Name(string folder, ulong sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{folder}/{sequence}");
}
