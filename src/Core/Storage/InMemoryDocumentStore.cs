using System.Collections.Concurrent;
using System.Globalization;

namespace SuperVm.Core.Storage;

/// <summary>The document store of one process; what is in it dies with the process.</summary>
/// <remarks>A version is one immutable object, so a compare-and-swap is one of the dictionary's.</remarks>
public sealed class InMemoryDocumentStore : IDocumentStore
{
    private readonly ConcurrentDictionary<DocumentKey, Document> _documents = new();
    private long _versions;

    public Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(_documents.GetValueOrDefault(key));
    }

    public Task<DocumentWrite> CreateAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key, body.Length);
        var next = Next(body);
        return Answer(_documents.TryAdd(key, next) ? Done(next) : new(DocumentStatus.Exists));
    }

    public Task<DocumentWrite> ReplaceAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key, body.Length);
        var next = Next(body);
        if (!_documents.TryGetValue(key, out var last))
        {
            return Answer(new(DocumentStatus.Missing));
        }

        return Answer(last.ETag == etag && _documents.TryUpdate(key, next, last)
            ? Done(next)
            : new(DocumentStatus.Changed));
    }

    public Task<DocumentWrite> UpsertAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key, body.Length);
        var next = Next(body);
        _documents[key] = next;
        return Answer(Done(next));
    }

    public Task<DocumentWrite> DeleteAsync(
        DocumentKey key, string? etag = null, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key);
        while (_documents.TryGetValue(key, out var last))
        {
            if (etag is not null && last.ETag != etag)
            {
                return Answer(new(DocumentStatus.Changed));
            }

            if (_documents.TryRemove(new(key, last)))
            {
                return Answer(new(DocumentStatus.Done));
            }
        }

        return Answer(new(DocumentStatus.Missing));
    }

    private static DocumentWrite Done(Document document) => new(DocumentStatus.Done, document.ETag);

    private static Task<DocumentWrite> Answer(DocumentWrite end) => Task.FromResult(end);

    private Document Next(ReadOnlyMemory<byte> body) => new(
        body.ToArray(), Interlocked.Increment(ref _versions).ToString(CultureInfo.InvariantCulture));
}
