using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>What a version says about its location.</summary>
internal enum VersionKind : byte
{
    /// <summary>The transaction's last incarnation did not write here after all.</summary>
    Removed,

    /// <summary>The location holds the value.</summary>
    Value,

    /// <summary>The value is to be added to what the location held before.</summary>
    Delta,

    /// <summary>The incarnation that wrote here was thrown away; the next one will probably write here too.</summary>
    Estimate,
}

/// <summary>How a location is answered to a transaction.</summary>
internal enum ResolveStatus : byte
{
    /// <summary>By what a lower transaction wrote.</summary>
    Written,

    /// <summary>No lower transaction wrote a value: the base value and <see cref="Resolved{T}.Sum"/> count.</summary>
    Base,

    /// <summary>A lower transaction is about to write.</summary>
    Estimate,
}

/// <summary>The answer of <see cref="VersionChain{T}.Resolve"/>.</summary>
internal struct Resolved<TValue>
{
    public ResolveStatus Status;

    /// <summary>Whether additions were summed up on the way; a version number then does not name the value.</summary>
    public bool HasSum;

    /// <summary>The transaction that wrote the value or the estimate; −1 for the base.</summary>
    public int Transaction;

    public int Incarnation;

    /// <summary>The value where written.</summary>
    public TValue Value;

    /// <summary>What is to be added to the base value.</summary>
    public TValue Sum;
}

/// <summary>The versions of one location, newest transaction first.</summary>
/// <remarks>
/// <code>
///   head ─▶ [tx 9 | value] ─▶ [tx 4 | delta] ─▶ [tx 1 | estimate] ─▶ null
/// </code>
/// Readers take no lock: links are only ever added (one compare-and-swap), and a version's content changes under a
/// sequence number that is odd meanwhile (a seqlock), by its own transaction's worker alone. A reader starts at the
/// newest, which is near: workers execute in rising order. A mutable struct: it lives in a field of its location.
/// </remarks>
internal struct VersionChain<TValue>
    where TValue : struct, IAddable<TValue>, IEquatable<TValue>
{
    private Version? _head;

    /// <summary>Whether any transaction wrote here.</summary>
    internal bool IsEmpty => Volatile.Read(ref _head) is null;

    /// <summary>What a transaction reads: the newest value below it and the additions above that.</summary>
    internal void Resolve(int transaction, out Resolved<TValue> result)
    {
        result = default;
        for (var version = Volatile.Read(ref _head); version is not null; version = version.Next)
        {
            if (version.Transaction >= transaction)
            {
                continue;
            }

            var kind = version.Read(out var value, out var incarnation);
            switch (kind)
            {
                case VersionKind.Value:
                    result.Status = ResolveStatus.Written;
                    result.Transaction = version.Transaction;
                    result.Incarnation = incarnation;
                    result.Value = result.HasSum ? TValue.Add(value, result.Sum) : value;
                    return;
                case VersionKind.Delta:
                    result.Sum = result.HasSum ? TValue.Add(value, result.Sum) : value;
                    result.HasSum = true;
                    break;
                case VersionKind.Estimate:
                    result.Status = ResolveStatus.Estimate;
                    result.Transaction = version.Transaction;
                    return;
            }
        }

        result.Status = ResolveStatus.Base;
        result.Transaction = -1;
    }

    /// <summary>Writes the transaction's version, a new one or the one from before.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    internal Version Write(int transaction, int incarnation, VersionKind kind, in TValue value, VersionArena arena)
    {
        Version? created = null;
        while (true)
        {
            ref var link = ref _head;
            var next = Volatile.Read(ref link);
            while (next is not null && next.Transaction > transaction)
            {
                link = ref next.Next;
                next = Volatile.Read(ref link);
            }

            if (next is not null && next.Transaction == transaction)
            {
                next.Set(incarnation, kind, value);
                return next;
            }

            created ??= arena.Take();
            created.Initialize(transaction, incarnation, kind, value, next);
            if (Interlocked.CompareExchange(ref link, created, next) == next)
            {
                return created;
            }
        }
    }

    internal void Clear() => _head = null;

    /// <summary>One transaction's word on one location.</summary>
    internal sealed class Version
    {
        internal Version? Next;
        private int _sequence;
        private int _incarnation;
        private VersionKind _kind;
        private TValue _value;

        internal int Transaction { get; private set; }

        internal VersionKind Kind => _kind;

        internal void Initialize(int transaction, int incarnation, VersionKind kind, in TValue value, Version? next)
        {
            Transaction = transaction;
            _incarnation = incarnation;
            _kind = kind;
            _value = value;
            _sequence = 0;
            Next = next;
        }

        internal void Set(int incarnation, VersionKind kind, in TValue value)
        {
            Volatile.Write(ref _sequence, _sequence + 1);
            Volatile.WriteBarrier();
            _incarnation = incarnation;
            _kind = kind;
            _value = value;
            Volatile.Write(ref _sequence, _sequence + 1);
        }

        internal void SetKind(VersionKind kind) => Set(_incarnation, kind, _value);

        /// <summary>Makes an addition a value, once everything below is final.</summary>
        internal void Fold(in TValue value) => Set(_incarnation, VersionKind.Value, value);

        internal VersionKind Read(out TValue value, out int incarnation)
        {
            var spinner = default(SpinWait);
            while (true)
            {
                var before = Volatile.Read(ref _sequence);
                if ((before & 1) == 0)
                {
                    value = _value;
                    incarnation = _incarnation;
                    var kind = _kind;
                    Volatile.ReadBarrier();
                    if (_sequence == before)
                    {
                        return kind;
                    }
                }

                spinner.SpinOnce(sleep1Threshold: -1);
            }
        }
    }

    /// <summary>
    /// A worker's versions, taken again in every block; only their owner takes, nobody gives back singly.
    /// </summary>
    internal sealed class VersionArena
    {
        private readonly List<Version> _versions = [];
        private int _used;

        internal Version Take()
        {
            if (_used == _versions.Count)
            {
                _versions.Add(new Version());
            }

            return _versions[_used++];
        }

        /// <summary>Frees all; no chain may hold any of them any more.</summary>
        internal void Reset() => _used = 0;
    }
}
