using System.Runtime.InteropServices;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Rocks;

/// <summary>RocksDB's own write batch.</summary>
internal sealed unsafe class RocksBatch : SafeHandle, IWriteBatch
{
    private readonly RocksDatabase _database;

    internal RocksBatch(RocksDatabase database)
        : base(0, ownsHandle: true)
    {
        _database = database;
        var taken = false;
        database.DangerousAddRef(ref taken); // the column handles are the database's
        SetHandle(RocksNative.CreateBatch());
    }

    public override bool IsInvalid => handle == 0;

    public int Count { get; private set; }

    /// <exception cref="ObjectDisposedException">The batch has been disposed.</exception>
    internal nint Pointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, typeof(IWriteBatch));
            return handle;
        }
    }

    public void Put(Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* k = &MemoryMarshal.GetReference(RocksNative.Pinnable(key)))
        fixed (byte* v = &MemoryMarshal.GetReference(RocksNative.Pinnable(value)))
        {
            RocksNative.BatchPut(
                Pointer, _database.ColumnHandle(column), k, (nuint)key.Length, v, (nuint)value.Length);
        }

        Count++;
    }

    public void Delete(Column column, ReadOnlySpan<byte> key)
    {
        fixed (byte* k = &MemoryMarshal.GetReference(RocksNative.Pinnable(key)))
        {
            RocksNative.BatchDelete(Pointer, _database.ColumnHandle(column), k, (nuint)key.Length);
        }

        Count++;
    }

    public void DeleteRange(Column column, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        // RocksDB takes a range that ends before it begins for a broken batch; here it is merely empty.
        if (from.SequenceCompareTo(to) < 0)
        {
            fixed (byte* f = &MemoryMarshal.GetReference(RocksNative.Pinnable(from)))
            fixed (byte* t = &MemoryMarshal.GetReference(RocksNative.Pinnable(to)))
            {
                RocksNative.BatchDeleteRange(
                    Pointer, _database.ColumnHandle(column), f, (nuint)from.Length, t, (nuint)to.Length);
            }
        }

        Count++;
    }

    public void Clear()
    {
        RocksNative.ClearBatch(Pointer);
        Count = 0;
    }

    internal bool BelongsTo(RocksDatabase database) => ReferenceEquals(_database, database);

    protected override bool ReleaseHandle()
    {
        RocksNative.DestroyBatch(handle);
        _database.DangerousRelease();
        return true;
    }
}
