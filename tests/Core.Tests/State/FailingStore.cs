using SuperVm.Core.Storage;

namespace SuperVm.Core.Tests.State;

/// <summary>Keeps what it is told in memory, until it is told to fail.</summary>
internal sealed class FailingStore : IKeyValueStore
{
    private readonly MemoryKeyValueStore _store = new();

    internal bool Failing { get; set; }

    public string Kind => "failing";

    public byte[]? Get(Column column, ReadOnlySpan<byte> key) => _store.Get(column, key);

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination) =>
        _store.Read(column, key, destination);

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => _store.GetMany(column, keys);

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false) =>
        _store.OpenCursor(column, prefix, start, reverse);

    public IWriteBatch CreateBatch() => _store.CreateBatch();

    public void Write(IWriteBatch batch, bool sync = false)
    {
        if (Failing)
        {
            throw new StoreException("The disk is full.");
        }

        _store.Write(batch, sync);
    }

    public IKeyValueSnapshot Snapshot() => _store.Snapshot();

    public void CreateCheckpoint(string directory) => _store.CreateCheckpoint(directory);

    public IReadOnlyDictionary<string, double> Statistics() => _store.Statistics();

    public void Dispose() => _store.Dispose();
}
