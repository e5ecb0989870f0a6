using System.Globalization;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Rocks;

/// <summary>The key-value port over RocksDB: a log-structured merge tree with a write-ahead log.</summary>
/// <remarks>
/// A write is in the log, handed to the operating system, before the call returns: it survives the process. A synced
/// write is on the disk. After a crash RocksDB replays the log up to its last whole batch.
/// </remarks>
internal sealed unsafe class RocksKeyValueStore : IKeyValueStore
{
    /// <summary>Above this, closing writes the buffers out, so that the next start has little log to replay.</summary>
    private const ulong FlushOnCloseBytes = 16 * 1024 * 1024;

    /// <summary>
    /// A checkpoint copies a log up to this size; above it, the buffers are flushed to files and linked.
    /// </summary>
    private const ulong CopiedLogBytes = 32 * 1024 * 1024;

    private readonly RocksDatabase _database;
    private readonly RocksView _present;
    private readonly LatencyHistogram _reads = new();
    private readonly LatencyHistogram _writes = new();
    private bool _disposed;

    private RocksKeyValueStore(RocksDatabase database)
    {
        _database = database;
        _present = new(database, snapshot: false, _reads);
    }

    public string Kind => "rocksdb";

    /// <param name="root">The store's directory, see <see cref="StoreLayout"/>.</param>
    /// <param name="closed">Called once when the files are closed.</param>
    /// <exception cref="StoreException">The store cannot be opened.</exception>
    internal static RocksKeyValueStore Open(string root, bool createIfMissing, Action closed)
        => new(RocksDatabase.Open(StoreLayout.DataPath(root, StoreKind.RocksDb), createIfMissing, closed));

    public byte[]? Get(Column column, ReadOnlySpan<byte> key) => _present.Get(column, key);

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
        => _present.Read(column, key, destination);

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => _present.GetMany(column, keys);

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false)
        => _present.OpenCursor(column, prefix, start, reverse);

    public IKeyValueSnapshot Snapshot()
    {
        using var lease = Borrow();
        return new RocksView(_database, snapshot: true, _reads);
    }

    public IWriteBatch CreateBatch()
    {
        using var lease = Borrow();
        return new RocksBatch(_database);
    }

    public void Write(IWriteBatch batch, bool sync = false)
    {
        using var lease = Borrow();
        if (batch is not RocksBatch native || !native.BelongsTo(_database))
        {
            throw new ArgumentException("The batch was made by another store.", nameof(batch));
        }

        var started = LatencyHistogram.Now;
        byte* error = null;
        RocksNative.Write(_database.Pointer, _database.WriteOptions(sync), native.Pointer, &error);
        GC.KeepAlive(native);
        _database.ThrowIf(error);
        _writes.RecordSince(started);
    }

    public void CreateCheckpoint(string directory)
    {
        using var lease = Borrow();
        StoreLayout.BuildCheckpoint(directory, StoreKind.RocksDb, data =>
        {
            byte* error = null;
            var checkpoint = RocksNative.CreateCheckpointObject(_database.Pointer, &error);
            _database.ThrowIf(error);
            RocksNative.CreateCheckpoint(checkpoint, data, CopiedLogBytes, &error);
            RocksNative.DestroyCheckpointObject(checkpoint);
            _database.ThrowIf(error);
        });
    }

    public IReadOnlyDictionary<string, double> Statistics()
    {
        using var lease = Borrow();
        var statistics = new Dictionary<string, double>
        {
            ["keys"] = Sum("rocksdb.estimate-num-keys"),
            ["live_bytes"] = Sum("rocksdb.estimate-live-data-size"),
            ["file_bytes"] = Sum("rocksdb.total-sst-files-size"),
            ["write_buffer_bytes"] = Sum("rocksdb.cur-size-all-mem-tables"),
            ["cache_bytes"] = RocksNative.CacheUsage(_database.Cache),
            ["compression_ratio"] = CompressionRatio(),
        };
        _reads.AddTo(statistics, "read");
        _writes.AddTo(statistics, "write");
        return statistics;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        FlushWhereMuchIsBuffered();
        _present.Dispose();
        _database.Dispose();
    }

    /// <summary>
    /// Snapshots, cursors and batches may keep the database open after the store: it takes no calls then.
    /// </summary>
    private RocksDatabase.Lease Borrow()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), typeof(RocksKeyValueStore));
        return _database.Borrow();
    }

    private double Sum(string property)
    {
        double sum = 0;
        foreach (var column in Enum.GetValues<Column>())
        {
            ulong value;
            if (RocksNative.NumericProperty(_database.Pointer, _database.ColumnHandle(column), property, &value) == 0)
            {
                sum += value;
            }
        }

        return sum;
    }

    /// <summary>Bytes of keys and values over the bytes of the data blocks that hold them; 1 without files.</summary>
    private double CompressionRatio()
    {
        double raw = 0, stored = 0;
        foreach (var column in Enum.GetValues<Column>())
        {
            var text = RocksNative.Property(
                _database.Pointer, _database.ColumnHandle(column), "rocksdb.aggregated-table-properties");
            if (text != null)
            {
                var properties = RocksNative.TakeMessage(text);
                raw += NumberAfter(properties, "raw key size=") + NumberAfter(properties, "raw value size=");
                stored += NumberAfter(properties, "data block size=");
            }
        }

        return stored == 0 ? 1 : raw / stored;
    }

    private static double NumberAfter(string text, string label)
    {
        var start = text.IndexOf(label, StringComparison.Ordinal);
        if (start < 0)
        {
            return 0;
        }

        var rest = text.AsSpan(start + label.Length);
        var end = rest.IndexOfAnyExceptInRange('0', '9');
        return double.TryParse(end < 0 ? rest : rest[..end], CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    private void FlushWhereMuchIsBuffered()
    {
        if (Sum("rocksdb.cur-size-all-mem-tables") < FlushOnCloseBytes)
        {
            return;
        }

        var options = RocksNative.CreateFlushOptions();
        foreach (var column in Enum.GetValues<Column>())
        {
            byte* error = null;
            RocksNative.Flush(_database.Pointer, options, _database.ColumnHandle(column), &error);
            if (error != null)
            {
                RocksNative.TakeMessage(error); // the log has it all: the next start replays it
            }
        }

        RocksNative.DestroyFlushOptions(options);
    }
}
