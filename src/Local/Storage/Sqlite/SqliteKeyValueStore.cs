using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Sqlite;

/// <summary>The key-value port over SQLite: a table a column, for machines without RocksDB.</summary>
/// <remarks>
/// Write-ahead logging, so that readers and the one writer do not wait for each other. Without <c>sync</c> a commit is
/// handed to the operating system only (synchronous = NORMAL): it survives the process, and the machine's death leaves
/// an older whole state.
/// </remarks>
internal sealed class SqliteKeyValueStore : IKeyValueStore
{
    private const string FileName = "store.db";

    /// <summary>By kind of operation and column.</summary>
    private static readonly string[,] Statements = WriteStatements();

    private readonly Lock _writing = new();
    private readonly SqliteSession _writer;
    private readonly SqlitePool _readers;
    private readonly LatencyHistogram _reads = new();
    private readonly LatencyHistogram _writes = new();
    private bool _writesSynced;
    private bool _disposed;

    private SqliteKeyValueStore(string path, SqliteSession writer, Action closed)
    {
        _writer = writer;
        _readers = new(path, () =>
        {
            // The last connection carries the log over into the file.
            writer.Dispose();
            closed();
        });
    }

    public string Kind => "sqlite";

    /// <param name="root">The store's directory, see <see cref="StoreLayout"/>.</param>
    /// <param name="closed">Called once when the files are closed.</param>
    /// <exception cref="StoreException">The store cannot be opened.</exception>
    internal static SqliteKeyValueStore Open(string root, bool create, Action closed)
    {
        var folder = StoreLayout.DataPath(root, StoreKind.Sqlite);
        StoreLayout.Guard(root, () => Directory.CreateDirectory(folder));
        var path = Path.Combine(folder, FileName);
        return new(path, SqliteSession.Open(path, create), closed);
    }

    public byte[]? Get(Column column, ReadOnlySpan<byte> key)
    {
        var started = LatencyHistogram.Now;
        var session = _readers.Rent();
        try
        {
            return session.Find(column, key);
        }
        finally
        {
            _readers.Return(session);
            _reads.RecordSince(started);
        }
    }

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var started = LatencyHistogram.Now;
        var session = _readers.Rent();
        try
        {
            return session.Find(column, key, destination);
        }
        finally
        {
            _readers.Return(session);
            _reads.RecordSince(started);
        }
    }

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys)
    {
        using var view = new SqliteView(_readers, _reads);
        return view.GetMany(column, keys);
    }

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false)
    {
        using var view = new SqliteView(_readers, _reads);
        return view.OpenCursor(column, prefix, start, reverse);
    }

    public IKeyValueSnapshot Snapshot() => new SqliteView(_readers, _reads);

    public IWriteBatch CreateBatch() => new BufferedBatch(this);

    public void Write(IWriteBatch batch, bool sync = false)
    {
        var started = LatencyHistogram.Now;
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteKeyValueStore));
            var operations = BufferedBatch.OperationsOf(batch, this);
            if (sync != _writesSynced)
            {
                _writer.Execute(sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
                _writesSynced = sync;
            }

            _writer.Execute("BEGIN IMMEDIATE");
            try
            {
                foreach (var operation in operations)
                {
                    Apply(operation);
                }

                _writer.Execute("COMMIT");
            }
            catch
            {
                RollBack();
                throw;
            }
        }

        _writes.RecordSince(started);
    }

    public void CreateCheckpoint(string directory) => StoreLayout.BuildCheckpoint(directory, StoreKind.Sqlite, data =>
    {
        var file = Path.Combine(Directory.CreateDirectory(data).FullName, FileName);
        var session = _readers.Rent();
        try
        {
            session.CopyTo(file);
        }
        finally
        {
            _readers.Return(session);
        }

        using var copy = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        copy.Flush(flushToDisk: true);
    });

    public IReadOnlyDictionary<string, double> Statistics()
    {
        var session = _readers.Rent();
        try
        {
            var page = session.Number("PRAGMA page_size");
            var pages = session.Number("PRAGMA page_count");
            var statistics = new Dictionary<string, double>
            {
                ["live_bytes"] = (pages - session.Number("PRAGMA freelist_count")) * page,
                ["file_bytes"] = pages * page,
                ["compression_ratio"] = 1,
            };
            _reads.AddTo(statistics, "read");
            _writes.AddTo(statistics, "write");
            return statistics;
        }
        finally
        {
            _readers.Return(session);
        }
    }

    public void Dispose()
    {
        lock (_writing)
        {
            _disposed = true;
        }

        _readers.Dispose();
    }

    private static string[,] WriteStatements()
    {
        var columns = Enum.GetValues<Column>();
        var statements = new string[Enum.GetValues<WriteKind>().Length, columns.Length];
        foreach (var column in columns)
        {
            var table = SqliteSession.TableOf(column);
            statements[(int)WriteKind.Put, (int)column]
                = $"INSERT OR REPLACE INTO {table} (key, value) VALUES (?1, ?2)";
            statements[(int)WriteKind.Delete, (int)column] = $"DELETE FROM {table} WHERE key = ?1";
            statements[(int)WriteKind.DeleteRange, (int)column] = $"DELETE FROM {table} WHERE key >= ?1 AND key < ?2";
        }

        return statements;
    }

    private void Apply(WriteOperation operation)
    {
        var statement = _writer.Cached(Statements[(int)operation.Kind, (int)operation.Column]);
        _writer.Bind(statement, 1, operation.Key);
        if (operation.Kind == WriteKind.Put)
        {
            _writer.Bind(statement, 2, SqliteRow.Seal(operation.Key, operation.Second));
        }
        else if (operation.Kind == WriteKind.DeleteRange)
        {
            _writer.Bind(statement, 2, operation.Second);
        }

        _writer.Run(statement);
    }

    private void RollBack()
    {
        try
        {
            _writer.Execute("ROLLBACK");
        }
        catch (StoreException)
        {
            // SQLite has rolled back by itself where the failure was of the disk; the first failure is what counts.
        }
    }
}
