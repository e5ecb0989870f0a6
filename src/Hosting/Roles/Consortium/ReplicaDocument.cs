using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>The replica's state as one document; a large one lies in a blob that the document names.</summary>
/// <remarks>
/// <code>
///   01 state     or     02 name of a blob replica/&lt;keccak-256&gt;
/// </code>
/// What was read or written last stays in memory: its ETag guards it, so that a lone worker reads once.
/// </remarks>
internal sealed class ReplicaDocument(IDocumentStore documents, IBlobStore blobs, DocumentKey key) : IReplicaDocument
{
    /// <summary>Bytes of a state that the document itself holds; above it a blob costs less.</summary>
    private const int MostInline = 64 * 1024;

    private const byte Inline = 1;
    private const byte Named = 2;

    private (byte[] Content, string Tag, string? Blob)? _last;

    public async Task<(byte[] Content, string Tag)?> LoadAsync(CancellationToken cancellation)
    {
        _last ??= await ReadAsync(cancellation);
        return _last is { } last ? (last.Content, last.Tag) : null;
    }

    public async Task<bool> TrySaveAsync(byte[] content, string? tag, CancellationToken cancellation)
    {
        var old = _last?.Blob;
        var name = content.Length <= MostInline
            ? null
            : $"replica/{Convert.ToHexStringLower(Keccak256.Hash(content).Bytes)}";
        if (name is not null)
        {
            await blobs.PutAsync(name, content, cancellation);
        }

        byte[] body = name is null ? [Inline, .. content] : [Named, .. System.Text.Encoding.ASCII.GetBytes(name)];
        _last = null; // a write that ends in an unknown way is looked at again
        var write = tag is null
            ? await documents.CreateAsync(key, body, cancellation)
            : await documents.ReplaceAsync(key, body, tag, cancellation);
        if (!write.IsDone)
        {
            return false;
        }

        _last = (content, write.ETag!, name);
        if (old is not null && old != name)
        {
            await blobs.DeleteAsync(old, cancellation);
        }

        return true;
    }

    private async Task<(byte[] Content, string Tag, string? Blob)?> ReadAsync(CancellationToken cancellation)
    {
        if (await documents.GetAsync(key, cancellation) is not { } document)
        {
            return null;
        }

        var body = document.Body;
        if (body.Length > 0 && body.Span[0] == Inline)
        {
            return (body[1..].ToArray(), document.ETag, null);
        }

        var name = body.Length > 1 ? System.Text.Encoding.ASCII.GetString(body.Span[1..]) : string.Empty;
        // Another worker may have written since, and deleted what this version named: then it is read again.
        var state = BlobLimits.IsName(name) ? await blobs.GetAsync(name, cancellation) : null;
        return state is { } bytes
            ? (bytes.ToArray(), document.ETag, name)
            : throw new StoreException($"{key} names the blob '{name}', which is not there.");
    }
}
