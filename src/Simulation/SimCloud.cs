using SuperVm.Core.Storage;

namespace SuperVm.Simulation;

/// <summary>
/// The documents and blobs of one machine's function app. At any write the app may die, before it or after it, and
/// another instance may come in between.
/// </summary>
internal sealed class SimCloud : IDocumentStore, IBlobStore
{
    private readonly InMemoryDocumentStore _documents = new();
    private readonly InMemoryBlobStore _blobs = new();
    private Action? _interrupt;
    private int _interruptIn;

    internal long Writes { get; private set; }

    /// <summary>Writes until the app dies, and whether that one took effect; null while nothing is planned.</summary>
    internal (int Left, bool AfterIt)? Death { get; set; }

    /// <summary>Something that happens before one of the next writes.</summary>
    internal void Interrupt(int writes, Action? action) => (_interruptIn, _interrupt) = (writes, action);

    /// <summary>A write to anything that outlives the app.</summary>
    internal void Write(Action write) => Write(() =>
    {
        write();
        return true;
    });

    public Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default) =>
        _documents.GetAsync(key, cancellation);

    public Task<DocumentWrite> CreateAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
        Write(() => _documents.CreateAsync(key, body, cancellation));

    public Task<DocumentWrite> ReplaceAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default) =>
        Write(() => _documents.ReplaceAsync(key, body, etag, cancellation));

    public Task<DocumentWrite> UpsertAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
        Write(() => _documents.UpsertAsync(key, body, cancellation));

    public Task<DocumentWrite> DeleteAsync(
        DocumentKey key, string? etag = null, CancellationToken cancellation = default) =>
        Write(() => _documents.DeleteAsync(key, etag, cancellation));

    public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default) =>
        Write(() => _blobs.PutAsync(name, body, cancellation));

    public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default) =>
        _blobs.GetAsync(name, cancellation);

    public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
        Write(() => _blobs.DeleteAsync(name, cancellation));

    private T Write<T>(Func<T> write)
    {
        if (_interrupt is { } interrupt && _interruptIn-- == 0)
        {
            _interrupt = null;
            interrupt();
        }

        var isLast = Death is { Left: 0 };
        if (isLast && !Death!.Value.AfterIt)
        {
            throw new SimCrashException();
        }

        Death = Death is { } death ? death with { Left = death.Left - 1 } : null;
        Writes++;
        var result = write();
        return isLast ? throw new SimCrashException() : result;
    }
}
