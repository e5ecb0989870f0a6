using System.Collections.Concurrent;
using System.Security.Cryptography;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>The filters of one process, in its memory.</summary>
internal sealed class FilterTable(Node node, RpcLimits limits, TimeProvider clock) : IFilterTable
{
    private readonly ConcurrentDictionary<UInt128, Filter> _filters = new();
    private long _sweptAt = clock.GetTimestamp();

    public int Count => _filters.Count;

    public UInt128? Add(EventKind kind, LogFilter? filter)
    {
        Sweep();
        if (_filters.Count >= limits.MaximumFilters)
        {
            return null;
        }

        var id = NewId();
        _filters[id] = new Filter(new EventReader(node, kind, filter)) { UsedAt = clock.GetTimestamp() };
        return id;
    }

    /// <summary>Works with a filter, one caller at a time; false where there is none with the id.</summary>
    public bool TryUse(UInt128 id, Action<IEventReader> use)
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

    public bool Remove(UInt128 id)
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
