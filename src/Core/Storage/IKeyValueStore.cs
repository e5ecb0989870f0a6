namespace SuperVm.Core.Storage;

/// <summary>The column families of a node's store; each is its own ordered key space.</summary>
public enum Column
{
    /// <summary>Schema version, head pointers, configuration.</summary>
    Meta = 0,

    /// <summary>Flat accounts: address → account record.</summary>
    Accounts = 1,

    /// <summary>Flat storage: address ‖ slot → value without leading zeros.</summary>
    Slots = 2,

    /// <summary>Contract code: code hash → code.</summary>
    Code = 3,

    /// <summary>Merkle Patricia trie nodes by path.</summary>
    Trie = 4,

    /// <summary>Block headers and bodies.</summary>
    Blocks = 5,

    /// <summary>Receipts by block.</summary>
    Receipts = 6,

    /// <summary>Lookups: transaction hash, block hash → place.</summary>
    Index = 7,

    /// <summary>Reverse diffs: block number → what the block overwrote.</summary>
    History = 8,

    /// <summary>Durable state machines: consensus replicas, journals.</summary>
    Consensus = 9,
}

/// <summary>Point and range reads of one consistent view of a store.</summary>
/// <remarks>Keys are compared as unsigned bytes, a prefix before its extensions. Empty keys and values are
/// allowed.</remarks>
public interface IKeyValueReader
{
    /// <summary>The value, or null where the key is absent. The array belongs to the caller.</summary>
    byte[]? Get(Column column, ReadOnlySpan<byte> key);

    /// <summary>
    /// Copies the value into <paramref name="destination"/> and answers its length in bytes; -1 where the key is
    /// absent. Where the value is longer than the destination, nothing is copied: the caller comes again with a larger
    /// one.
    /// </summary>
    int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination);

    /// <summary>Values of many keys at once, in order; null where absent.</summary>
    byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys);

    /// <summary>
    /// A cursor over the pairs whose key begins with <paramref name="prefix"/>, in byte order from
    /// <paramref name="start"/> (inclusive; null or empty = the prefix itself), or downwards from it where
    /// <paramref name="reverse"/> is set (null or empty = the prefix's end). A start before the range, seen in the
    /// direction of the walk, begins at its beginning; one beyond it finds nothing.
    /// </summary>
    /// <remarks>It sees the store as it was when it was opened. One thread at a time; dispose it.</remarks>
    IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false);
}

/// <summary>A walk over pairs without copies: the spans are valid until the next call on the cursor.</summary>
public interface IKeyValueCursor : IDisposable
{
    ReadOnlySpan<byte> Key { get; }

    ReadOnlySpan<byte> Value { get; }

    /// <summary>Steps to the first or next pair; false at the end, from then on.</summary>
    bool MoveNext();
}

/// <summary>A view that later writes do not change; dispose it to let the store reclaim.</summary>
public interface IKeyValueSnapshot : IKeyValueReader, IDisposable;

/// <summary>Writes that take effect together or not at all. Not thread-safe. Dispose after use.</summary>
public interface IWriteBatch : IDisposable
{
    /// <summary>The number of operations collected.</summary>
    int Count { get; }

    void Put(Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    void Delete(Column column, ReadOnlySpan<byte> key);

    /// <summary>Deletes every key in [from, to).</summary>
    void DeleteRange(Column column, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);

    void Clear();
}

/// <summary>The key-value port: ordered byte keys in columns, atomic batches, snapshots, checkpoints.</summary>
/// <remarks>
/// Reads and writes may run on any thread; a batch is written by one call. Survives kill -9. Every member may throw
/// <see cref="StoreException"/> where the disk or its content fails, never after a half-applied batch.
/// </remarks>
public interface IKeyValueStore : IKeyValueReader, IDisposable
{
    /// <summary>What the store is, for logs and metrics: "rocksdb", "sqlite", "memory".</summary>
    string Kind { get; }

    IWriteBatch CreateBatch();

    /// <summary>
    /// Applies the batch atomically. With <paramref name="sync"/> it is on the disk before the call returns; without,
    /// it survives the process's death but not the machine's.
    /// </summary>
    void Write(IWriteBatch batch, bool sync = false);

    IKeyValueSnapshot Snapshot();

    /// <summary>
    /// Makes a consistent copy that can be opened as a store, in a new directory (hard links where it can).
    /// </summary>
    /// <exception cref="NotSupportedException">The in-memory store has none.</exception>
    void CreateCheckpoint(string directory);

    /// <summary>Named counters and gauges (sizes, compression ratio, latencies in microseconds) for metrics.</summary>
    IReadOnlyDictionary<string, double> Statistics();
}

/// <summary>A store that cannot be opened, read or written, with the reason in words for the operator.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
