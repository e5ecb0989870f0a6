using SQLitePCL;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Sqlite;

/// <summary>
/// A read transaction on a connection of its own: in WAL mode it keeps seeing the state at its beginning.
/// </summary>
/// <remarks>Ends when the snapshot and all cursors opened from it have been disposed.</remarks>
internal sealed class SqliteView : IKeyValueSnapshot
{
    private readonly Lock _lock = new();
    private readonly SqlitePool _pool;
    private readonly SqliteSession _session;
    private readonly LatencyHistogram _reads;
    private int _users = 1;
    private bool _disposed;

    internal SqliteView(SqlitePool pool, LatencyHistogram reads)
    {
        (_pool, _reads) = (pool, reads);
        _session = pool.Rent();
        try
        {
            // The transaction begins with its first read.
            _session.Execute("BEGIN");
            var statement = _session.Cached($"SELECT 1 FROM {SqliteSession.TableOf(Column.Meta)} LIMIT 1");
            _session.Step(statement);
            raw.sqlite3_reset(statement);
        }
        catch
        {
            _session.Dispose();
            pool.Return(null);
            throw;
        }
    }

    public byte[]? Get(Column column, ReadOnlySpan<byte> key)
    {
        var started = LatencyHistogram.Now;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(IKeyValueSnapshot));
            var value = _session.Find(column, key);
            _reads.RecordSince(started);
            return value;
        }
    }

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var started = LatencyHistogram.Now;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(IKeyValueSnapshot));
            var length = _session.Find(column, key, destination);
            _reads.RecordSince(started);
            return length;
        }
    }

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys)
    {
        var values = new byte[]?[keys.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Get(column, keys[i]);
        }

        return values;
    }

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false)
    {
        var range = KeyRange.Of(prefix.Span, start, reverse);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(IKeyValueSnapshot));
            var cursor = new Cursor(this, column, range, reverse);
            _users++;
            return cursor;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        LetGo();
    }

    private void LetGo()
    {
        lock (_lock)
        {
            if (--_users > 0)
            {
                return;
            }
        }

        SqliteSession? usable = _session;
        try
        {
            _session.Execute("COMMIT");
        }
        catch (StoreException)
        {
            _session.Dispose();
            usable = null;
        }

        _pool.Return(usable);
    }

    private sealed class Cursor : IKeyValueCursor
    {
        private readonly SqliteView _view;
        private readonly sqlite3_stmt _statement;
        private readonly int _order;
        private byte[]? _last;
        private bool _onRow;
        private bool _ended;
        private bool _disposed;

        /// <summary>The caller holds the view's lock.</summary>
        internal Cursor(SqliteView view, Column column, KeyRange range, bool reverse)
        {
            _view = view;
            _order = reverse ? -1 : 1;
            var session = view._session;
            var end = range.To is null ? "" : "AND key < ?2";
            var order = reverse ? "DESC" : "ASC";
            _statement = session.Prepare(
                $"SELECT key, value FROM {SqliteSession.TableOf(column)} WHERE key >= ?1 {end} ORDER BY key {order}");
            session.Bind(_statement, 1, range.From);
            if (range.To is not null)
            {
                session.Bind(_statement, 2, range.To);
            }
        }

        public ReadOnlySpan<byte> Key => _onRow ? raw.sqlite3_column_blob(_statement, 0) : default;

        public ReadOnlySpan<byte> Value
            => _onRow ? _view._session.ValueOf(Key, raw.sqlite3_column_blob(_statement, 1)) : default;

        public bool MoveNext()
        {
            lock (_view._lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(IKeyValueCursor));
                _onRow = !_ended && _view._session.Step(_statement);
                _ended = !_onRow;
                CheckOrder();
                return _onRow;
            }
        }

        /// <summary>In a damaged table rows may lie where no search finds them.</summary>
        private void CheckOrder()
        {
            if (_onRow)
            {
                if (_last is not null && Key.SequenceCompareTo(_last) * _order <= 0)
                {
                    throw _view._session.Damaged();
                }

                _last = Key.ToArray();
            }
        }

        public void Dispose()
        {
            lock (_view._lock)
            {
                if (_disposed)
                {
                    return;
                }

                (_disposed, _onRow) = (true, false);
                _statement.Dispose();
            }

            _view.LetGo();
        }
    }
}
