using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>What the last incarnation of a transaction read and wrote.</summary>
/// <remarks>Written by the worker that executes the transaction; the scheduler hands it over with a release.</remarks>
internal sealed class TransactionRecord<TKey, TValue>
    where TKey : notnull
    where TValue : struct, IAddable<TValue>, IEquatable<TValue>
{
    /// <summary>In place of a version's transaction: the value was summed up, so values are compared.</summary>
    internal const int ByValue = -2;

    private ReadEntry[] _reads = new ReadEntry[4];
    private WriteEntry[] _writes = new WriteEntry[4];
    private WriteEntry[] _earlier = new WriteEntry[4];
    private int _readCount, _writeCount, _earlierCount;
    private ulong _readSignature, _writeSignature;

    internal int Incarnation;

    /// <summary>Whether the last incarnation wrote exactly what the one before had written.</summary>
    internal bool RepeatedItself { get; private set; }

    /// <summary>Where the write log stood before the first read.</summary>
    internal long LogPosition;

    internal void BeginPublish()
    {
        (_writes, _earlier) = (_earlier, _writes);
        _earlierCount = Incarnation > 1 ? _writeCount : 0;
        _writeCount = 0;
        _readCount = 0;
        _readSignature = 0;
    }

    internal void AddRead(MvccLocation<TKey, TValue> location, int transaction, int incarnation, in TValue value)
    {
        if (_readCount == _reads.Length)
        {
            Array.Resize(ref _reads, _reads.Length * 2);
        }

        _reads[_readCount++] = new ReadEntry(location, transaction, incarnation, value);
        _readSignature |= WriteLog.SignatureOf(location);
    }

    internal void AddWrite(
        MvccLocation<TKey, TValue> location, VersionChain<TValue>.Version version, in TValue value)
    {
        if (_writeCount == _writes.Length)
        {
            Array.Resize(ref _writes, _writes.Length * 2);
        }

        _writes[_writeCount++] = new WriteEntry(location, version, value);
    }

    /// <summary>
    /// Takes back what an earlier incarnation wrote and this one did not; answers what may have changed.
    /// </summary>
    internal ulong EndPublish()
    {
        var signature = 0UL;
        for (var i = 0; i < _writeCount; i++)
        {
            signature |= WriteLog.SignatureOf(_writes[i].Location);
        }

        RepeatedItself = Incarnation > 1 && HasRepeatedItself();
        var changed = signature | (_earlierCount > 0 ? _writeSignature : 0);
        _writeSignature = signature;
        for (var i = 0; i < _earlierCount; i++)
        {
            if (!Writes(_earlier[i].Version))
            {
                _earlier[i].Version.SetKind(VersionKind.Removed);
            }
        }

        return changed;
    }

    private bool HasRepeatedItself()
    {
        var same = _writeCount == _earlierCount;
        for (var i = 0; i < _writeCount && same; i++)
        {
            same = ReferenceEquals(_writes[i].Version, _earlier[i].Version)
                && _writes[i].Value.Equals(_earlier[i].Value);
        }

        return same;
    }

    private bool Writes(VersionChain<TValue>.Version version)
    {
        for (var i = 0; i < _writeCount; i++)
        {
            if (ReferenceEquals(_writes[i].Version, version))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>First phase: no signature since the execution began shares a bit with what was read.</summary>
    internal bool IsUntouchedSince(WriteLog? log) => log is not null && log.IsDisjoint(LogPosition, _readSignature);

    /// <summary>Second phase: every read would be answered the same now.</summary>
    internal bool Revalidate(int transaction)
    {
        for (var i = 0; i < _readCount; i++)
        {
            ref var read = ref _reads[i];
            read.Location.Chain.Resolve(transaction, out var now);
            if (now.Status == ResolveStatus.Estimate)
            {
                return false;
            }

            if (!now.HasSum && now.Transaction == read.Transaction && now.Incarnation == read.Incarnation)
            {
                continue;
            }

            var value = now.Status == ResolveStatus.Written ? now.Value
                : now.HasSum ? TValue.Add(read.Location.Current, now.Sum) : read.Location.Current;
            if (!value.Equals(read.Value))
            {
                return false;
            }
        }

        return true;
    }

    internal void MarkEstimates()
    {
        for (var i = 0; i < _writeCount; i++)
        {
            _writes[i].Version.SetKind(VersionKind.Estimate);
        }
    }

    /// <summary>
    /// Everything below is final: additions become values, so that readers above need not sum them again.
    /// </summary>
    internal void Finish(int transaction)
    {
        for (var i = 0; i < _writeCount; i++)
        {
            ref var write = ref _writes[i];
            if (write.Version.Kind != VersionKind.Delta)
            {
                continue;
            }

            write.Location.Chain.Resolve(transaction + 1, out var resolved);
            write.Version.Fold(resolved.Status == ResolveStatus.Written
                ? resolved.Value
                : TValue.Add(write.Location.Current, resolved.Sum));
        }

        Incarnation = 0;
    }

    private readonly record struct ReadEntry(
        MvccLocation<TKey, TValue> Location, int Transaction, int Incarnation, TValue Value);

    private readonly record struct WriteEntry(
        MvccLocation<TKey, TValue> Location, VersionChain<TValue>.Version Version, TValue Value);
}

/// <summary>
/// Signatures of finished writes in the order in which they were finished: the Bloom filter of validation.
/// </summary>
/// <remarks>
/// A signature has one bit of 64 a location. An entry is appended after the writes are visible, so a commit check, made
/// when all lower transactions have finished, finds every write that came after its reads; see BlockStm's remarks.
/// </remarks>
internal sealed class WriteLog
{
    private const int Capacity = 1 << 12;
    private readonly ulong[] _signatures = new ulong[Capacity];
    private long _position;

    internal long Position => Volatile.Read(ref _position);

    internal static ulong SignatureOf(object location) =>
        1UL << (System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(location) & 63);

    internal void Append(ulong signature)
    {
        var place = Interlocked.Increment(ref _position) - 1;
        Volatile.Write(ref _signatures[place & (Capacity - 1)], signature);
    }

    /// <summary>
    /// Whether nothing that was appended from a position on shares a bit; false where that is not known.
    /// </summary>
    internal bool IsDisjoint(long from, ulong signature)
    {
        var to = Position;
        if (to - from >= Capacity / 2)
        {
            return false;
        }

        var union = 0UL;
        for (var i = from; i < to; i++)
        {
            union |= Volatile.Read(ref _signatures[i & (Capacity - 1)]);
        }

        return (union & signature) == 0;
    }
}
