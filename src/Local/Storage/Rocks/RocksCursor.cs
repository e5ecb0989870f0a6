using System.Runtime.InteropServices;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage.Rocks;

/// <summary>A walk over one column with RocksDB's iterator, bounded on both sides.</summary>
/// <remarks>
/// The iterator pins the database's state at its creation, and outlives the snapshot that it was opened from. The spans
/// point into RocksDB's blocks, and stay valid until the iterator moves.
/// </remarks>
internal sealed unsafe class RocksCursor : SafeHandle, IKeyValueCursor
{
    private readonly RocksDatabase _database;
    private readonly nint _readOptions;
    private readonly byte* _bounds;
    private readonly bool _reverse;
    private bool _started;
    private bool _ended;
    private byte* _key;
    private byte* _value;
    private nuint _keyLength;
    private nuint _valueLength;

    internal RocksCursor(RocksDatabase database, nint snapshot, Column column, KeyRange range, bool reverse)
        : base(0, ownsHandle: true)
    {
        _database = database;
        _reverse = reverse;
        _ended = range.IsEmpty;
        var taken = false;
        database.DangerousAddRef(ref taken);
        _readOptions = RocksNative.CreateReadOptions();
        if (snapshot != 0)
        {
            RocksNative.SetSnapshot(_readOptions, snapshot);
        }

        // RocksDB keeps pointers to the bounds: they live as long as the cursor, outside the managed heap.
        var (from, to) = range;
        _bounds = (byte*)NativeMemory.Alloc((nuint)(from.Length + (to?.Length ?? 0) + 1));
        from.CopyTo(new Span<byte>(_bounds, from.Length));
        RocksNative.SetLowerBound(_readOptions, _bounds, (nuint)from.Length);
        if (to is not null && !range.IsEmpty)
        {
            to.CopyTo(new Span<byte>(_bounds + from.Length, to.Length));
            RocksNative.SetUpperBound(_readOptions, _bounds + from.Length, (nuint)to.Length);
        }

        SetHandle(RocksNative.CreateIterator(database.Pointer, _readOptions, database.ColumnHandle(column)));
    }

    public override bool IsInvalid => handle == 0;

    public ReadOnlySpan<byte> Key => new(_key, (int)_keyLength);

    public ReadOnlySpan<byte> Value => new(_value, (int)_valueLength);

    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(IsClosed, typeof(IKeyValueCursor));
        if (_ended)
        {
            return false;
        }

        Step();
        if (RocksNative.IsValid(handle) == 0)
        {
            End();
            return false;
        }

        nuint keyLength, valueLength;
        _key = RocksNative.IteratorKey(handle, &keyLength);
        _value = RocksNative.IteratorValue(handle, &valueLength);
        (_keyLength, _valueLength) = (checked((nuint)(int)keyLength), checked((nuint)(int)valueLength));
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        // The spans must not outlive the iterator.
        Forget();
        base.Dispose(disposing);
    }

    protected override bool ReleaseHandle()
    {
        RocksNative.DestroyIterator(handle);
        RocksNative.DestroyReadOptions(_readOptions);
        NativeMemory.Free(_bounds);
        _database.DangerousRelease();
        return true;
    }

    private void Step()
    {
        switch (_started, _reverse)
        {
            case (false, false):
                RocksNative.SeekToFirst(handle);
                break;
            case (false, true):
                RocksNative.SeekToLast(handle);
                break;
            case (true, false):
                RocksNative.Next(handle);
                break;
            default:
                RocksNative.Previous(handle);
                break;
        }

        _started = true;
    }

    private void End()
    {
        _ended = true;
        Forget();
        byte* error = null;
        RocksNative.IteratorError(handle, &error);
        _database.ThrowIf(error);
    }

    private void Forget()
    {
        _key = null;
        _value = null;
        (_keyLength, _valueLength) = (0, 0);
    }
}
