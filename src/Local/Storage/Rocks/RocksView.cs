using System.Buffers;
using System.Runtime.InteropServices;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Rocks;

/// <summary>Reads of a database: of its present, or of a snapshot.</summary>
internal sealed unsafe class RocksView : SafeHandle, IKeyValueSnapshot
{
    /// <summary>Keys of one native call; more are read in several.</summary>
    private const int BulkKeys = 256;

    private readonly RocksDatabase _database;
    private readonly LatencyHistogram _reads;
    private readonly nint _snapshot;

    /// <param name="reads">Takes the time of every point read.</param>
    internal RocksView(RocksDatabase database, bool snapshot, LatencyHistogram reads)
        : base(0, ownsHandle: true)
    {
        _database = database;
        _reads = reads;
        var taken = false;
        database.DangerousAddRef(ref taken);
        SetHandle(RocksNative.CreateReadOptions());
        if (snapshot)
        {
            _snapshot = RocksNative.CreateSnapshot(database.Pointer);
            RocksNative.SetSnapshot(handle, _snapshot);
        }
    }

    public override bool IsInvalid => handle == 0;

    public byte[]? Get(Column column, ReadOnlySpan<byte> key)
    {
        var started = LatencyHistogram.Now;
        var slice = Find(column, key);
        if (slice == 0)
        {
            _reads.RecordSince(started);
            return null;
        }

        nuint length;
        var value = new ReadOnlySpan<byte>(RocksNative.SliceValue(slice, &length), checked((int)length)).ToArray();
        RocksNative.DestroySlice(slice);
        _reads.RecordSince(started);
        return value;
    }

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        var started = LatencyHistogram.Now;
        var slice = Find(column, key);
        if (slice == 0)
        {
            _reads.RecordSince(started);
            return -1;
        }

        nuint length;
        var value = new ReadOnlySpan<byte>(RocksNative.SliceValue(slice, &length), checked((int)length));
        if (value.Length <= destination.Length)
        {
            value.CopyTo(destination);
        }

        RocksNative.DestroySlice(slice);
        _reads.RecordSince(started);
        return checked((int)length);
    }

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys)
    {
        var values = new byte[]?[keys.Count];
        using var lease = new Lease(this);
        for (var first = 0; first < values.Length; first += BulkKeys)
        {
            GetBulk(column, keys, first, values.AsSpan(first, Math.Min(BulkKeys, values.Length - first)));
        }

        return values;
    }

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false)
    {
        using var lease = new Lease(this);
        return new RocksCursor(_database, _snapshot, column, KeyRange.Of(prefix.Span, start, reverse), reverse);
    }

    protected override bool ReleaseHandle()
    {
        RocksNative.DestroyReadOptions(handle);
        if (_snapshot != 0)
        {
            RocksNative.ReleaseSnapshot(_database.Pointer, _snapshot);
        }

        _database.DangerousRelease();
        return true;
    }

    /// <summary>A pinned slice that the caller destroys; 0 where the key is absent.</summary>
    private nint Find(Column column, ReadOnlySpan<byte> key)
    {
        using var lease = new Lease(this);
        byte* error = null;
        nint slice;
        fixed (byte* k = &MemoryMarshal.GetReference(RocksNative.Pinnable(key)))
        {
            slice = RocksNative.GetPinned(
                _database.Pointer, handle, _database.ColumnHandle(column), k, (nuint)key.Length, &error);
        }

        _database.ThrowIf(error);
        return slice;
    }

    private void GetBulk(Column column, IReadOnlyList<byte[]> keys, int first, Span<byte[]?> values)
    {
        var total = 0;
        for (var i = 0; i < values.Length; i++)
        {
            total += keys[first + i].Length;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(total + 1);
        var pointers = stackalloc byte*[BulkKeys];
        var lengths = stackalloc nuint[BulkKeys];
        var slices = stackalloc nint[BulkKeys];
        var errors = stackalloc byte*[BulkKeys];
        fixed (byte* start = buffer)
        {
            var at = 0;
            for (var i = 0; i < values.Length; i++)
            {
                var key = keys[first + i];
                key.CopyTo(buffer.AsSpan(at));
                pointers[i] = start + at;
                lengths[i] = (nuint)key.Length;
                at += key.Length;
            }

            RocksNative.GetManyPinned(
                _database.Pointer,
                handle,
                _database.ColumnHandle(column),
                (nuint)values.Length,
                pointers,
                lengths,
                slices,
                errors,
                sorted: 0);
        }

        ArrayPool<byte>.Shared.Return(buffer);
        TakeAll(slices, errors, values);
    }

    private void TakeAll(nint* slices, byte** errors, Span<byte[]?> values)
    {
        string? failure = null;
        for (var i = 0; i < values.Length; i++)
        {
            if (errors[i] != null)
            {
                failure = RocksNative.TakeMessage(errors[i]);
            }
            else if (slices[i] != 0)
            {
                nuint length;
                var value = RocksNative.SliceValue(slices[i], &length);
                values[i] = new ReadOnlySpan<byte>(value, checked((int)length)).ToArray();
                RocksNative.DestroySlice(slices[i]);
            }
        }

        if (failure is not null)
        {
            throw new StoreException($"RocksDB in {_database.Directory}: {failure}");
        }
    }

    /// <summary>Keeps the view, and with it the database, alive for the length of a call.</summary>
    private readonly ref struct Lease
    {
        private readonly RocksView _view;

        internal Lease(RocksView view)
        {
            var taken = false;
            view.DangerousAddRef(ref taken);
            _view = view;
        }

        public void Dispose() => _view.DangerousRelease();
    }
}
