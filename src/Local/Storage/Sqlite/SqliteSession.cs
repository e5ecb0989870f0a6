using SQLitePCL;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Sqlite;

/// <summary>One connection with its prepared statements. One thread at a time.</summary>
/// <remarks>
/// It speaks SQLite's C API through SQLitePCL rather than ADO.NET: spans go in and out without a copy, which is what
/// the cursor promises.
/// </remarks>
internal sealed class SqliteSession : IDisposable
{
    /// <summary>Marks the file as this program's ("SVM1").</summary>
    private const int ApplicationId = 0x53564D31;

    /// <summary>How long a connection waits for another's lock, which is held for the length of one commit.</summary>
    private const int BusyTimeout_ms = 30_000;

    /// <summary>Pages of the log after which it is carried over into the file, and its size kept afterwards.</summary>
    private const int LogPages = 4096, LogBytes = 64 * 1024 * 1024;

    /// <summary>Page cache of a connection.</summary>
    private const int CacheKiB = 16 * 1024;

    private readonly sqlite3 _database;
    private readonly string _path;
    private readonly Dictionary<string, sqlite3_stmt> _statements = [];

    private readonly sqlite3_stmt?[] _lookups = new sqlite3_stmt?[Enum.GetValues<Column>().Length];

    private SqliteSession(sqlite3 database, string path) => (_database, _path) = (database, path);

    /// <summary>Opens the file; with <paramref name="create"/> also makes it and its tables.</summary>
    /// <exception cref="StoreException">The file is absent, damaged or another program's.</exception>
    internal static SqliteSession Open(string path, bool create)
    {
        Batteries_V2.Init();
        var flags = raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX | (create ? raw.SQLITE_OPEN_CREATE : 0);
        var status = raw.sqlite3_open_v2(path, out var database, flags, null);
        var session = new SqliteSession(database, path);
        try
        {
            session.Check(status);
            session.Configure(create);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    internal static string TableOf(Column column) => $"\"{column.ToString().ToLowerInvariant()}\"";

    /// <summary>
    /// Without row ids a row lies in the index itself, which is one search; rows of a kilobyte would leave so few to a
    /// page that the search takes more steps than it saves.
    /// </summary>
    private static string DefinitionOf(Column column)
    {
        var large = column is Column.Code or Column.Blocks or Column.Receipts or Column.History or Column.Consensus;
        return $"CREATE TABLE IF NOT EXISTS {TableOf(column)} (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL)"
            + (large ? ";" : " WITHOUT ROWID;");
    }

    internal void Execute(string sql) => Check(raw.sqlite3_exec(_database, sql));

    /// <summary>A statement that stays prepared for the life of the session.</summary>
    internal sqlite3_stmt Cached(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            _statements.Add(sql, statement = Prepare(sql));
        }

        return statement;
    }

    internal sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out var statement));
        return statement;
    }

    internal void Bind(sqlite3_stmt statement, int index, ReadOnlySpan<byte> value) => Check(value.IsEmpty
        ? raw.sqlite3_bind_zeroblob(statement, index, 0)
        : raw.sqlite3_bind_blob(statement, index, value));

    /// <summary>True where there is a row to look at, false at the end.</summary>
    internal bool Step(sqlite3_stmt statement)
    {
        var status = raw.sqlite3_step(statement);
        if (status is raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return status == raw.SQLITE_ROW;
        }

        var failure = Failure(status);
        raw.sqlite3_reset(statement);
        throw failure;
    }

    /// <summary>Runs a statement that answers no rows.</summary>
    internal void Run(sqlite3_stmt statement)
    {
        Step(statement);
        raw.sqlite3_reset(statement);
    }

    /// <summary>The value, or null where the key is absent.</summary>
    internal byte[]? Find(Column column, ReadOnlySpan<byte> key)
    {
        var statement = Seek(column, key, out var found);
        try
        {
            return found ? ValueOf(key, raw.sqlite3_column_blob(statement, 0)).ToArray() : null;
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>As <see cref="IKeyValueReader.Read"/>.</summary>
    internal int Find(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var statement = Seek(column, key, out var found);
        try
        {
            if (!found)
            {
                return -1;
            }

            var value = ValueOf(key, raw.sqlite3_column_blob(statement, 0));
            if (value.Length <= destination.Length)
            {
                value.CopyTo(destination);
            }

            return value.Length;
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }

    /// <summary>The value of a stored pair.</summary>
    /// <exception cref="StoreException">The pair is damaged.</exception>
    internal ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored)
        => SqliteRow.TryOpen(key, stored, out var value) ? value : throw Damaged();

    internal StoreException Damaged() => new($"SQLite in {_path}: a pair is damaged; restore a checkpoint.");

    internal long Number(string sql)
    {
        using var statement = Prepare(sql);
        return Step(statement) ? raw.sqlite3_column_int64(statement, 0) : 0;
    }

    /// <summary>Writes a consistent copy of the database to a new file.</summary>
    internal void CopyTo(string file)
    {
        using var statement = Prepare("VACUUM INTO ?1");
        Check(raw.sqlite3_bind_text(statement, 1, file));
        Step(statement);
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        _database.Dispose();
    }

    private void Configure(bool create)
    {
        Check(raw.sqlite3_busy_timeout(_database, BusyTimeout_ms));
        Execute($"""
            PRAGMA trusted_schema = OFF;
            PRAGMA cell_size_check = ON;
            PRAGMA synchronous = NORMAL;
            PRAGMA cache_size = -{CacheKiB};
            PRAGMA wal_autocheckpoint = {LogPages};
            PRAGMA journal_size_limit = {LogBytes};
            """);
        if (create)
        {
            // One transaction: an interrupted creation leaves nothing.
            Execute("PRAGMA journal_mode = WAL");
            var tables = string.Concat(Enum.GetValues<Column>().Select(DefinitionOf));
            Execute($"BEGIN IMMEDIATE; PRAGMA application_id = {ApplicationId}; {tables} COMMIT;");
        }
        else if (Number("PRAGMA application_id") != ApplicationId)
        {
            throw new StoreException($"{_path} is damaged or not a store of this program.");
        }
        else
        {
            Execute("PRAGMA journal_mode = WAL"); // a restored checkpoint is not in this mode yet
        }
    }

    private sqlite3_stmt Seek(Column column, ReadOnlySpan<byte> key, out bool found)
    {
        var statement = _lookups[(int)column] ??= Cached($"SELECT value FROM {TableOf(column)} WHERE key = ?1");
        Bind(statement, 1, key);
        found = Step(statement);
        return statement;
    }

    private void Check(int status)
    {
        if (status != raw.SQLITE_OK)
        {
            throw Failure(status);
        }
    }

    private StoreException Failure(int status)
        => new($"SQLite in {_path}: {raw.sqlite3_errmsg(_database).utf8_to_string()} (code {status})");
}
