using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>The filters that clients have installed; one that is not asked for a while is gone.</summary>
internal sealed class FilterTable(RpcLimits limits, TimeProvider clock)
{
    private readonly ConcurrentDictionary<UInt128, Filter> _filters = new();
    private long _sweptAt = clock.GetTimestamp();

    internal int Count => _filters.Count;

    /// <summary>Takes a filter; null where there are too many.</summary>
    internal UInt128? Add(Func<EventReader> open)
    {
        Sweep();
        if (_filters.Count >= limits.MaximumFilters)
        {
            return null;
        }

        var id = NewId();
        _filters[id] = new Filter(open()) { UsedAt = clock.GetTimestamp() };
        return id;
    }

    /// <summary>Works with a filter, one caller at a time; false where there is none with the id.</summary>
    internal bool TryUse(UInt128 id, Action<EventReader> use)
    {
        Sweep();
        if (!_filters.TryGetValue(id, out var filter))
        {
            return false;
        }

        lock (filter)
        {
            filter.UsedAt = clock.GetTimestamp();
            use(filter.Reader);
            return true;
        }
    }

    internal bool Remove(UInt128 id)
    {
        if (!_filters.TryRemove(id, out var filter))
        {
            return false;
        }

        filter.Reader.Dispose();
        return true;
    }

    /// <summary>An id that nobody can guess, so that nobody takes another's changes away.</summary>
    internal static UInt128 NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private void Sweep()
    {
        var now = clock.GetTimestamp();
        if (clock.GetElapsedTime(Volatile.Read(ref _sweptAt), now) < limits.FilterLifetime / 8)
        {
            return;
        }

        Volatile.Write(ref _sweptAt, now);
        foreach (var (id, filter) in _filters)
        {
            if (clock.GetElapsedTime(filter.UsedAt, now) > limits.FilterLifetime)
            {
                Remove(id);
            }
        }
    }

    private sealed class Filter(EventReader reader)
    {
        private long _usedAt;

        internal EventReader Reader => reader;

        internal long UsedAt
        {
            get => Volatile.Read(ref _usedAt);
            set => Volatile.Write(ref _usedAt, value);
        }
    }
}
