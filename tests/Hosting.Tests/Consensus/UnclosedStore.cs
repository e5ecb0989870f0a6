using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Tests.Consensus;

/// <summary>A store that outlives its user: what a validator that starts again finds.</summary>
internal sealed class UnclosedStore(IKeyValueStore inner) : IKeyValueStore
{
    public string Kind => inner.Kind;

    public byte[]? Get(Column column, ReadOnlySpan<byte> key) => inner.Get(column, key);

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination) =>
        inner.Read(column, key, destination);

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => inner.GetMany(column, keys);

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false) =>
        inner.OpenCursor(column, prefix, start, reverse);

    public IWriteBatch CreateBatch() => inner.CreateBatch();

    public void Write(IWriteBatch batch, bool sync = false) => inner.Write(batch, sync);

    public IKeyValueSnapshot Snapshot() => inner.Snapshot();

    public void CreateCheckpoint(string directory) => inner.CreateCheckpoint(directory);

    public IReadOnlyDictionary<string, double> Statistics() => inner.Statistics();

    public void Dispose()
    {
        // The test goes on with it.
    }
}
