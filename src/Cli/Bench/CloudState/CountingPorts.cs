using SuperVm.Core.Node;
using SuperVm.Core.Storage;

namespace SuperVm.Cli.Bench.CloudState;

/// <summary>Ports in memory that count what would be requests of the cloud, and may be far away.</summary>
/// <param name="latency">What every request waits; zero for none.</param>
internal sealed class CountingPorts(TimeSpan latency) : IDocumentStore, IBlobStore, IRowStore
{
    private readonly InMemoryDocumentStore _documents = new();
    private readonly InMemoryBlobStore _blobs = new();
    private readonly InMemoryRowStore _rows = new();
    private Counts _counts;

    internal DocumentChainPorts Ports => new(this, this, this, TimeProvider.System);

    internal Counts Counts => _counts;

    /// <summary>Whether requests wait; a state is made without.</summary>
    internal bool IsFar { get; set; }

    public async Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _counts.Reads);
        var read = await FarAsync(_documents.GetAsync(key, cancellation));
        Interlocked.Add(ref _counts.ReadBytes, read?.Body.Length ?? 0);
        return read;
    }

    public Task<DocumentWrite> CreateAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        CountWrite(body);
        return FarAsync(_documents.CreateAsync(key, body, cancellation));
    }

    public Task<DocumentWrite> ReplaceAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default)
    {
        CountWrite(body);
        return FarAsync(_documents.ReplaceAsync(key, body, etag, cancellation));
    }

    public Task<DocumentWrite> UpsertAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        CountWrite(body);
        return FarAsync(_documents.UpsertAsync(key, body, cancellation));
    }

    public Task<DocumentWrite> DeleteAsync(
        DocumentKey key, string? etag = null, CancellationToken cancellation = default)
    {
        CountWrite(default);
        return FarAsync(_documents.DeleteAsync(key, etag, cancellation));
    }

    public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _counts.Blobs);
        return FarAsync(_blobs.PutAsync(name, body, cancellation));
    }

    public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _counts.Blobs);
        return FarAsync(_blobs.GetAsync(name, cancellation));
    }

    public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _counts.Blobs);
        return FarAsync(_blobs.DeleteAsync(name, cancellation));
    }

    public Task<ReadOnlyMemory<byte>?> GetAsync(
        string partition, string key, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _counts.Tables);
        return FarAsync(_rows.GetAsync(partition, key, cancellation));
    }

    public Task PutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation = default)
    {
        Interlocked.Increment(ref _counts.Tables);
        return FarAsync(_rows.PutAsync(rows, cancellation));
    }

    private async Task<T> FarAsync<T>(Task<T> done)
    {
        if (IsFar && latency > TimeSpan.Zero)
        {
            await Task.Delay(latency);
        }

        return await done;
    }

    private Task FarAsync(Task done) => IsFar && latency > TimeSpan.Zero ? Task.Delay(latency) : done;

    private void CountWrite(ReadOnlyMemory<byte> body)
    {
        Interlocked.Increment(ref _counts.Writes);
        Interlocked.Add(ref _counts.WrittenBytes, body.Length);
    }
}

/// <summary>Requests to documents with their bytes, to tables and to blobs.</summary>
internal struct Counts
{
    internal long Reads, Writes, ReadBytes, WrittenBytes, Tables, Blobs;

    public static Counts operator -(in Counts left, in Counts right) => new()
    {
        Reads = left.Reads - right.Reads,
        Writes = left.Writes - right.Writes,
        ReadBytes = left.ReadBytes - right.ReadBytes,
        WrittenBytes = left.WrittenBytes - right.WrittenBytes,
        Tables = left.Tables - right.Tables,
        Blobs = left.Blobs - right.Blobs,
    };
}
