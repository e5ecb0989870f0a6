namespace SuperVm.Local.Storage.Sqlite;

/// <summary>Connections for readers: one a reader at a time, kept for the next.</summary>
/// <remarks>After <see cref="Dispose"/> nobody gets one any more; the last to come back lets the store close.</remarks>
internal sealed class SqlitePool(string path, Action emptied) : IDisposable
{
    /// <summary>Idle connections that are kept, each with its page cache.</summary>
    private const int MostIdle = 8;

    private readonly Lock _lock = new();
    private readonly Stack<SqliteSession> _idle = new();
    private int _rented;
    private bool _disposed;

    internal SqliteSession Rent()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(SqliteKeyValueStore));
            _rented++;
            if (_idle.TryPop(out var session))
            {
                return session;
            }
        }

        try
        {
            return SqliteSession.Open(path, create: false);
        }
        catch
        {
            Return(null);
            throw;
        }
    }

    /// <param name="session">Null where the connection broke.</param>
    internal void Return(SqliteSession? session)
    {
        bool last;
        lock (_lock)
        {
            _rented--;
            if (session is not null && !_disposed && _idle.Count < MostIdle)
            {
                _idle.Push(session);
                session = null;
            }

            last = _disposed && _rented == 0;
        }

        session?.Dispose();
        if (last)
        {
            emptied();
        }
    }

    public void Dispose()
    {
        bool last;
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            while (_idle.TryPop(out var session))
            {
                session.Dispose();
            }

            last = _rented == 0;
        }

        if (last)
        {
            emptied();
        }
    }
}
