using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>
/// What a transaction of <see cref="MvccEngine{TKey,TValue}"/> sees: its own writes, else those below it.
/// </summary>
/// <remarks>Belongs to one worker; valid within the transaction only.</remarks>
public sealed class MvccView<TKey, TValue>
    where TKey : notnull
    where TValue : struct, IAddable<TValue>, IEquatable<TValue>
{
    private readonly MvccEngine<TKey, TValue> _engine;
    private readonly List<Undo> _undo = [];
    private Access[] _accesses = new Access[8];
    private int _count;
    private int _transaction;
    private bool _isSerial;

    internal MvccView(MvccEngine<TKey, TValue> engine) => _engine = engine;

    internal VersionChain<TValue>.VersionArena Arena { get; } = new();

    /// <summary>The transaction whose estimate was met, or −1.</summary>
    internal int BlockedOn { get; private set; }

    /// <summary>The value as this transaction sees it; default where the key was never written.</summary>
    public TValue Read(TKey key)
    {
        ref var access = ref Open(key);
        if (access.Has(AccessFlags.Written))
        {
            return access.Value;
        }

        if (!access.Has(AccessFlags.Read))
        {
            ReadThrough(ref access);
        }

        if (access.Has(AccessFlags.Added))
        {
            Remember(ref access);
            access.Value = TValue.Add(access.ReadValue, access.Value);
            access.Flags = (access.Flags & ~AccessFlags.Added) | AccessFlags.Written;
            return access.Value;
        }

        return access.ReadValue;
    }

    public void Write(TKey key, in TValue value)
    {
        ref var access = ref Open(key);
        Remember(ref access);
        access.Value = value;
        access.Flags = (access.Flags & ~AccessFlags.Added) | AccessFlags.Written;
    }

    /// <summary>Adds without reading, so that additions of different transactions do not conflict.</summary>
    public void Add(TKey key, in TValue amount)
    {
        ref var access = ref Open(key);
        if (_isSerial && !access.Has(AccessFlags.Read))
        {
            ReadThrough(ref access);
        }

        Remember(ref access);
        if (access.Has(AccessFlags.Written | AccessFlags.Added))
        {
            access.Value = TValue.Add(access.Value, amount);
        }
        else if (access.Has(AccessFlags.Read))
        {
            access.Value = TValue.Add(access.ReadValue, amount);
            access.Flags |= AccessFlags.Written;
        }
        else
        {
            access.Value = amount;
            access.Flags |= AccessFlags.Added;
        }
    }

    /// <summary>A place to which <see cref="RollBack"/> can return; savepoints nest.</summary>
    public int Savepoint() => _undo.Count;

    /// <summary>Undoes the writes since the savepoint; what was read stays read.</summary>
    public void RollBack(int savepoint)
    {
        for (var i = _undo.Count - 1; i >= savepoint; i--)
        {
            var undo = _undo[i];
            ref var access = ref _accesses[undo.Index];
            access.Value = undo.Value;
            access.Flags = (access.Flags & AccessFlags.Read) | (undo.Flags & ~AccessFlags.Read);
            if (access.Has(AccessFlags.Added) && access.Has(AccessFlags.Read))
            {
                access.Value = TValue.Add(access.ReadValue, access.Value);
                access.Flags = (access.Flags & ~AccessFlags.Added) | AccessFlags.Written;
            }
        }

        _undo.RemoveRange(savepoint, _undo.Count - savepoint);
    }

    internal void Begin(int transaction)
    {
        _transaction = transaction;
        _isSerial = false;
        _count = 0;
        _undo.Clear();
        BlockedOn = -1;
    }

    internal void BeginSerial()
    {
        Begin(0);
        _isSerial = true;
    }

    internal void EndSerial()
    {
        for (var i = 0; i < _count; i++)
        {
            ref var access = ref _accesses[i];
            if (access.Has(AccessFlags.Written))
            {
                access.Location.Current = access.Value;
                access.Location.IsDirty = true;
            }
        }
    }

    /// <summary>Puts reads and writes where others see them; answers the signature of all that changed.</summary>
    internal ulong Publish(TransactionRecord<TKey, TValue> record)
    {
        var incarnation = ++record.Incarnation;
        record.BeginPublish();
        for (var i = 0; i < _count; i++)
        {
            ref var access = ref _accesses[i];
            if (access.Has(AccessFlags.Read))
            {
                record.AddRead(access.Location, access.ReadTransaction, access.ReadIncarnation, access.ReadValue);
            }

            if (access.Has(AccessFlags.Written | AccessFlags.Added))
            {
                var kind = access.Has(AccessFlags.Written) ? VersionKind.Value : VersionKind.Delta;
                var version = access.Location.Chain.Write(_transaction, incarnation, kind, access.Value, Arena);
                record.AddWrite(access.Location, version, access.Value);
            }
        }

        return record.EndPublish();
    }

    private void Remember(ref Access access) =>
        _undo.Add(new Undo((int)(Unsafe.ByteOffset(ref _accesses[0], ref access) / Unsafe.SizeOf<Access>()),
            access.Flags, access.Value));

    private void ReadThrough(ref Access access)
    {
        access.Flags |= AccessFlags.Read;
        var location = access.Location;
        if (_isSerial)
        {
            access.ReadValue = location.Current;
            return;
        }

        location.Chain.Resolve(_transaction, out var resolved);
        switch (resolved.Status)
        {
            case ResolveStatus.Written:
                access.ReadValue = resolved.Value;
                break;
            case ResolveStatus.Base:
                access.ReadValue = resolved.HasSum ? TValue.Add(location.Current, resolved.Sum) : location.Current;
                break;
            default:
                BlockedOn = BlockedOn < 0 ? resolved.Transaction : BlockedOn;
                access.ReadValue = location.Current;
                break;
        }

        access.ReadTransaction = resolved.HasSum ? TransactionRecord<TKey, TValue>.ByValue : resolved.Transaction;
        access.ReadIncarnation = resolved.Incarnation;
    }

    private ref Access Open(TKey key)
    {
        for (var i = 0; i < _count; i++)
        {
            if (EqualityComparer<TKey>.Default.Equals(_accesses[i].Key, key))
            {
                return ref _accesses[i];
            }
        }

        if (_count == _accesses.Length)
        {
            Array.Resize(ref _accesses, _accesses.Length * 2);
        }

        ref var access = ref _accesses[_count++];
        access.Key = key;
        access.Location = _engine.Locate(key);
        access.Flags = AccessFlags.None;
        return ref access;
    }

    [Flags]
    private enum AccessFlags : byte
    {
        None = 0,
        Read = 1,
        Written = 2,
        Added = 4,
    }

    private struct Access
    {
        public TKey Key;
        public MvccLocation<TKey, TValue> Location;
        public TValue ReadValue, Value;
        public int ReadTransaction, ReadIncarnation;
        public AccessFlags Flags;

        public readonly bool Has(AccessFlags any) => (Flags & any) != 0;
    }

    private readonly record struct Undo(int Index, AccessFlags Flags, TValue Value);
}
