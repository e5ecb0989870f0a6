using SuperVm.Core.Node;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.Node;

/// <summary>
/// One process's view of shared ports: it dies before or after one of its writes, and writes no more.
/// </summary>
internal sealed class MortalPorts : IDocumentStore, IBlobStore, IRowStore
{
    private readonly DocumentChainPorts _shared;
    private readonly int _deadAt;
    private readonly bool _writesFirst;
    private int _writes;

    /// <param name="shared">What outlives the process.</param>
    /// <param name="deadAt">The write it dies at, from 1; 0 for never.</param>
    /// <param name="writesFirst">Whether that write still takes effect.</param>
    internal MortalPorts(DocumentChainPorts shared, int deadAt = 0, bool writesFirst = false) =>
        (_shared, _deadAt, _writesFirst) = (shared, deadAt, writesFirst);

    internal DocumentChainPorts Ports => new(this, this, this, TimeProvider.System);

    internal int Reads { get; private set; }

    internal int Writes => Volatile.Read(ref _writes);

    internal int DocumentWrites { get; private set; }

    /// <summary>Called before each write of a document, after which others may do something.</summary>
    internal Func<DocumentKey, Task>? BeforeDocumentWrite { get; set; }

    Task<Document?> IDocumentStore.GetAsync(DocumentKey key, CancellationToken cancellation)
    {
        Reads++;
        return _shared.Documents.GetAsync(key, cancellation);
    }

    public Task<DocumentWrite> CreateAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
        WriteAsync(key, () => _shared.Documents.CreateAsync(key, body, cancellation));

    public Task<DocumentWrite> ReplaceAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default) =>
        WriteAsync(key, () => _shared.Documents.ReplaceAsync(key, body, etag, cancellation));

    public Task<DocumentWrite> UpsertAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
        WriteAsync(key, () => _shared.Documents.UpsertAsync(key, body, cancellation));

    public Task<DocumentWrite> DeleteAsync(
        DocumentKey key, string? etag = null, CancellationToken cancellation = default) =>
        WriteAsync(key, () => _shared.Documents.DeleteAsync(key, etag, cancellation));

    public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
        DieAroundAsync(() => _shared.Blobs.PutAsync(name, body, cancellation));

    Task<ReadOnlyMemory<byte>?> IBlobStore.GetAsync(string name, CancellationToken cancellation) =>
        _shared.Blobs.GetAsync(name, cancellation);

    public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
        DieAroundAsync(() => _shared.Blobs.DeleteAsync(name, cancellation));

    Task<ReadOnlyMemory<byte>?> IRowStore.GetAsync(string partition, string key, CancellationToken cancellation) =>
        _shared.Rows.GetAsync(partition, key, cancellation);

    public Task PutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation = default) =>
        DieAroundAsync(async () =>
        {
            await _shared.Rows.PutAsync(rows, cancellation);
            return true;
        });

    private async Task<DocumentWrite> WriteAsync(DocumentKey key, Func<Task<DocumentWrite>> write)
    {
        if (BeforeDocumentWrite is { } before)
        {
            await before(key);
        }

        DocumentWrites++;
        return await DieAroundAsync(write);
    }

    private async Task<T> DieAroundAsync<T>(Func<Task<T>> write)
    {
        var count = Interlocked.Increment(ref _writes);
        if (_deadAt == 0 || count < _deadAt)
        {
            return await write();
        }

        if (count == _deadAt && _writesFirst)
        {
            await write();
        }

        throw new StoreException("The process is dead.");
    }
}
