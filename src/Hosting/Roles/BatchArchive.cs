using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>Every ordered batch by its digest: blob <c>batches/&lt;digest&gt;</c>.</summary>
/// <remarks>
/// The digest is the batch's, so a body can be stored before its place is decided, and again, and never be wrong.
/// </remarks>
public sealed class BatchArchive(IBlobStore blobs, ITransactionInspector inspector)
{
    private const string Folder = "batches";

    public Task PutAsync(Batch batch, CancellationToken cancellation) =>
        blobs.PutAsync(NameOf(batch.Digest), BatchCodec.Encode(batch), cancellation);

    /// <summary>The batch; null where it is not there (yet).</summary>
    /// <exception cref="StoreException">The archive fails, or what lies there is not the batch.</exception>
    public async Task<Batch?> GetAsync(Hash256 digest, CancellationToken cancellation)
    {
        if (await blobs.GetAsync(NameOf(digest), cancellation) is not { } bytes)
        {
            return null;
        }

        return BatchCodec.TryDecode(bytes.Span, inspector, out var batch) && batch.Digest == digest
            ? batch
            : throw new StoreException($"{NameOf(digest)} is not the batch of that digest.");
    }

    /// <summary>Nobody needs the body any more.</summary>
    internal Task DeleteAsync(Hash256 digest, CancellationToken cancellation) =>
        blobs.DeleteAsync(NameOf(digest), cancellation);

    private static string NameOf(in Hash256 digest) => $"{Folder}/{Convert.ToHexStringLower(digest.Bytes)}";
}
