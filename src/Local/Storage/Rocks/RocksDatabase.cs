using System.Runtime.InteropServices;
using System.Text;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Rocks;

/// <summary>
/// An open database with its columns; closes when the last reader, cursor and writer has let go of it.
/// </summary>
/// <remarks>
/// Each of those holds a reference of the handle, so that disposing the store beside a running read is an
/// <see cref="ObjectDisposedException"/> for later calls and never a use of freed memory.
/// </remarks>
internal sealed unsafe class RocksDatabase : SafeHandle
{
    private readonly RocksOptions _options;
    private readonly nint[] _columns;
    private readonly Action _closed;

    private RocksDatabase(nint database, nint[] columns, RocksOptions options, string directory, Action closed)
        : base(0, ownsHandle: true)
    {
        SetHandle(database);
        _columns = columns;
        _options = options;
        _closed = closed;
        Directory = directory;
    }

    public override bool IsInvalid => handle == 0;

    internal string Directory { get; }

    internal nint Pointer => handle;

    internal nint Cache => _options.Cache;

    /// <param name="closed">Called once, when the database has really closed.</param>
    /// <exception cref="StoreException">What RocksDB answered.</exception>
    internal static RocksDatabase Open(string directory, bool createIfMissing, Action closed)
    {
        var options = new RocksOptions(createIfMissing);
        try
        {
            // RocksDB insists on a column of this name; the rest is named after the port's.
            var names = Enum.GetNames<Column>().Select(name => name.ToLowerInvariant()).Prepend("default").ToArray();
            var handles = OpenColumns(directory, names, options, out var database);
            return new(database, handles, options, directory, closed);
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    internal nint ColumnHandle(Column column) => _columns[(int)column + 1];

    internal nint WriteOptions(bool sync) => sync ? _options.SyncedWrite : _options.Write;

    internal Lease Borrow() => new(this);

    /// <exception cref="StoreException">Where <paramref name="error"/> is set.</exception>
    internal void ThrowIf(byte* error)
    {
        if (error != null)
        {
            throw new StoreException($"RocksDB in {Directory}: {RocksNative.TakeMessage(error)}");
        }
    }

    protected override bool ReleaseHandle()
    {
        foreach (var column in _columns)
        {
            RocksNative.DestroyColumn(column);
        }

        RocksNative.Close(handle);
        _options.Dispose();
        _closed();
        return true;
    }

    private static nint[] OpenColumns(string directory, string[] names, RocksOptions options, out nint database)
    {
        var handles = new nint[names.Length];
        var nativeNames = names.Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        var nativeOptions = Enumerable.Repeat(options.Handle, names.Length).ToArray();
        try
        {
            byte* error = null;
            fixed (nint* n = nativeNames, o = nativeOptions, h = handles)
            {
                database = RocksNative.Open(options.Handle, directory, names.Length, n, o, h, &error);
            }

            if (error != null)
            {
                throw new StoreException($"RocksDB cannot open {directory}: {RocksNative.TakeMessage(error)}");
            }

            return handles;
        }
        finally
        {
            Array.ForEach(nativeNames, Marshal.FreeCoTaskMem);
        }
    }

    /// <summary>Keeps the database open for the length of a call.</summary>
    internal readonly ref struct Lease
    {
        private readonly RocksDatabase _database;

        internal Lease(RocksDatabase database)
        {
            var taken = false;
            database.DangerousAddRef(ref taken);
            _database = database;
        }

        public void Dispose() => _database.DangerousRelease();
    }
}
