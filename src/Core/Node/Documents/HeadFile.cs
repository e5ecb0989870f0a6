using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>The head document: read, and swapped for another by compare-and-swap.</summary>
internal sealed class HeadFile(IDocumentStore documents, string container)
{
    private const string Name = "head";

    private readonly DocumentKey _key = new(container, Name, Name);

    /// <summary>The document and its version; null where there is none.</summary>
    internal async Task<(HeadDocument Document, string ETag)?> ReadAsync(CancellationToken cancellation)
    {
        var found = await documents.GetAsync(_key, cancellation);
        return found is null ? null : (HeadDocument.Decode(found.Body.Span), found.ETag);
    }

    /// <summary>
    /// Writes over the version named (null: makes the document); answers the new version, or null where another was
    /// first.
    /// </summary>
    internal async Task<string?> TrySwapAsync(HeadDocument next, string? etag, CancellationToken cancellation)
    {
        var body = next.Encode();
        var end = etag is null
            ? await documents.CreateAsync(_key, body, cancellation)
            : await documents.ReplaceAsync(_key, body, etag, cancellation);
        return end.IsDone ? end.ETag : null;
    }
}
