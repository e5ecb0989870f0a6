using SuperVm.Core.Storage;

namespace SuperVm.Simulation;

/// <summary>The process dies here; nothing after this point happened.</summary>
internal sealed class SimCrashException : Exception;

/// <summary>
/// A replica's disk: the in-memory store, counted, and able to die at a write: before it took effect or after.
/// </summary>
internal sealed class SimStore : IKeyValueStore
{
    private readonly MemoryKeyValueStore _store = new();

    public string Kind => "simulated";

    internal long Writes { get; private set; }

    /// <summary>Set: the next write dies; true after it took effect, false before.</summary>
    internal bool? DieAtWrite { get; set; }

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination) =>
        _store.Read(column, key, destination);

    public byte[]? Get(Column column, ReadOnlySpan<byte> key) => _store.Get(column, key);

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => _store.GetMany(column, keys);

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false) =>
        _store.OpenCursor(column, prefix, start, reverse);

    public IWriteBatch CreateBatch() => _store.CreateBatch();

    public void Write(IWriteBatch batch, bool sync = false)
    {
        if (DieAtWrite == false)
        {
            throw new SimCrashException();
        }

        Writes++;
        _store.Write(batch, sync);
        if (DieAtWrite == true)
        {
            throw new SimCrashException();
        }
    }

    public IKeyValueSnapshot Snapshot() => _store.Snapshot();

    public void CreateCheckpoint(string directory) => _store.CreateCheckpoint(directory);

    public IReadOnlyDictionary<string, double> Statistics() => _store.Statistics();

    public void Dispose() => _store.Dispose();
}
