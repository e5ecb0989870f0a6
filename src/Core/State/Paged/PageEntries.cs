using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State.Paged;

/// <summary>A new value of an entry; of no bytes: the entry goes.</summary>
internal readonly record struct PageChange(Hash256 Place, byte[] Key, ReadOnlyMemory<byte> Value);

/// <summary>Pairs in the order of their places, encoded side by side; immutable.</summary>
/// <remarks>
/// <code>
///   entry   key (PageKey) ‖ length of the value, 2 bytes ‖ value
/// </code>
/// In a page's values no value is empty; in what a block overwrote an empty one says that there was none.
/// </remarks>
internal sealed class PageEntries
{
    /// <summary>Bytes of a value at most: a full branch has 532.</summary>
    internal const int MostValueBytes = 4_096;

    private readonly byte[] _data;
    private readonly int[] _starts;
    private readonly Hash256[] _places;

    private PageEntries(byte[] data, int[] starts, Hash256[] places) =>
        (_data, _starts, _places) = (data, starts, places);

    internal static PageEntries Empty { get; } = new([], [0], []);

    internal int Count => _places.Length;

    /// <summary>The encoded pairs.</summary>
    internal ReadOnlySpan<byte> Encoded => _data;

    /// <summary>Bytes in memory, about.</summary>
    internal int Cost => _data.Length + (_places.Length * (Hash256.Size + 4)) + 96;

    internal ReadOnlySpan<Hash256> Places => _places;

    internal ReadOnlyMemory<byte> KeyAt(int index) =>
        _data.AsMemory(_starts[index], PageKey.LengthOf(_data.AsSpan(_starts[index])));

    internal ReadOnlyMemory<byte> ValueAt(int index)
    {
        var start = _starts[index] + PageKey.LengthOf(_data.AsSpan(_starts[index])) + 2;
        return _data.AsMemory(start, _starts[index + 1] - start);
    }

    internal bool TryGet(in Hash256 place, out ReadOnlyMemory<byte> value)
    {
        var index = _places.AsSpan().BinarySearch(place);
        value = index >= 0 ? ValueAt(index) : default;
        return index >= 0;
    }

    /// <summary>The first entry whose place is not below the given one.</summary>
    internal int IndexFrom(in Hash256 place)
    {
        var index = _places.AsSpan().BinarySearch(place);
        return index >= 0 ? index : ~index;
    }

    /// <summary>Reads pairs as <see cref="Encoded"/> has them.</summary>
    /// <exception cref="StoreException">They are damaged.</exception>
    internal static PageEntries Decode(ReadOnlySpan<byte> encoded)
    {
        var starts = new List<int>();
        for (var position = 0; position < encoded.Length;)
        {
            starts.Add(position);
            var key = PageKey.LengthOf(encoded[position..]);
            var value = position + key + 2;
            if (key == 0 || value > encoded.Length)
            {
                throw Damaged();
            }

            position = value + BinaryPrimitives.ReadUInt16BigEndian(encoded[(value - 2)..]);
            if (position > encoded.Length)
            {
                throw Damaged();
            }
        }

        var places = PlacesOf(encoded, starts);
        for (var i = 1; i < places.Length; i++)
        {
            if (places[i - 1].CompareTo(places[i]) >= 0)
            {
                throw Damaged();
            }
        }

        starts.Add(encoded.Length);
        return new PageEntries(encoded.ToArray(), [.. starts], places);
    }

    /// <summary>What changes would overwrite here: the values before, empty ones for none.</summary>
    /// <param name="changes">In the order of their places, each once.</param>
    internal PageEntries Before(ReadOnlySpan<PageChange> changes)
    {
        var builder = new Builder(changes.Length, 0);
        foreach (ref readonly var change in changes)
        {
            TryGet(change.Place, out var old);
            builder.Add(change.Place, change.Key, old.Span);
        }

        return builder.Build();
    }

    /// <summary>The pairs after changes.</summary>
    /// <param name="changes">In the order of their places, each once.</param>
    internal PageEntries With(ReadOnlySpan<PageChange> changes)
    {
        var builder = new Builder(Count + changes.Length, _data.Length);
        var own = 0;
        foreach (ref readonly var change in changes)
        {
            var next = own + IndexIn(own, change.Place);
            builder.AddRange(this, own, next);
            own = next < Count && _places[next] == change.Place ? next + 1 : next;
            if (!change.Value.IsEmpty)
            {
                builder.Add(change.Place, change.Key, change.Value.Span);
            }
        }

        builder.AddRange(this, own, Count);
        return builder.Build();
    }

    /// <summary>The pairs as they were before what is given was overwritten.</summary>
    internal PageEntries Restored(PageEntries before)
    {
        var changes = new PageChange[before.Count];
        for (var i = 0; i < changes.Length; i++)
        {
            changes[i] = new(before._places[i], before.KeyAt(i).ToArray(), before.ValueAt(i));
        }

        return With(changes);
    }

    /// <summary>The pairs of accounts and slots that a page of the prefix has.</summary>
    internal PageEntries Within(in PageId id)
    {
        var builder = new Builder(Count, _data.Length);
        for (var i = 0; i < Count; i++)
        {
            if (_data[_starts[i]] is PageKey.Account or PageKey.Slot && id.Covers(_places[i]))
            {
                builder.AddRange(this, i, i + 1);
            }
        }

        return builder.Build();
    }

    private int IndexIn(int from, in Hash256 place)
    {
        var index = _places.AsSpan(from).BinarySearch(place);
        return index >= 0 ? index : ~index;
    }

    private static Hash256[] PlacesOf(ReadOnlySpan<byte> encoded, List<int> starts)
    {
        var places = new Hash256[starts.Count];
        HashPlaces(encoded, starts, places, PageKey.Account, Address.Size);
        HashPlaces(encoded, starts, places, PageKey.Slot, 32);
        Span<byte> place = stackalloc byte[Hash256.Size];
        for (var i = 0; i < places.Length; i++)
        {
            var entry = encoded[starts[i]..];
            if (entry[0] == PageKey.Node)
            {
                place.Clear();
                entry[2..PageKey.LengthOf(entry)].CopyTo(place);
                place[^1] = entry[1];
                places[i] = new Hash256(place);
            }
            else if (entry[0] == PageKey.Directory)
            {
                places[i] = PageKey.DirectoryPlace;
            }
        }

        return places;
    }

    private static void HashPlaces(
        ReadOnlySpan<byte> encoded, List<int> starts, Span<Hash256> places, byte kind, int length)
    {
        var found = new List<int>(starts.Count);
        for (var i = 0; i < starts.Count; i++)
        {
            if (encoded[starts[i]] == kind)
            {
                found.Add(i);
            }
        }

        var keys = new byte[found.Count * length];
        var hashes = new Hash256[found.Count];
        for (var i = 0; i < found.Count; i++)
        {
            encoded.Slice(starts[found[i]] + 1, length).CopyTo(keys.AsSpan(i * length));
        }

        Keccak256.HashMany(keys, length, hashes);
        for (var i = 0; i < found.Count; i++)
        {
            places[found[i]] = hashes[i];
        }
    }

    private static StoreException Damaged() => new("The store is damaged: a page's entries cannot be read.");

    /// <summary>Puts pairs side by side, in the order of their places.</summary>
    internal struct Builder(int count, int bytes)
    {
        private readonly List<int> _starts = new(count + 1);
        private readonly List<Hash256> _places = new(count);
        private byte[] _data = new byte[Math.Max(64, bytes + (bytes / 8))];
        private int _length;

        internal void Add(in Hash256 place, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, MostValueBytes);
            Reserve(key.Length + 2 + value.Length);
            _starts.Add(_length);
            _places.Add(place);
            key.CopyTo(_data.AsSpan(_length));
            BinaryPrimitives.WriteUInt16BigEndian(_data.AsSpan(_length + key.Length), (ushort)value.Length);
            value.CopyTo(_data.AsSpan(_length + key.Length + 2));
            _length += key.Length + 2 + value.Length;
        }

        internal void AddRange(PageEntries source, int from, int to)
        {
            if (from == to)
            {
                return;
            }

            var start = source._starts[from];
            var bytes = source._starts[to] - start;
            Reserve(bytes);
            for (var i = from; i < to; i++)
            {
                _starts.Add(_length + source._starts[i] - start);
                _places.Add(source._places[i]);
            }

            source._data.AsSpan(start, bytes).CopyTo(_data.AsSpan(_length));
            _length += bytes;
        }

        internal readonly PageEntries Build() => _places.Count == 0
            ? Empty
            : new PageEntries(_data.AsSpan(0, _length).ToArray(), [.. _starts, _length], [.. _places]);

        private void Reserve(int bytes)
        {
            if (_data.Length - _length < bytes)
            {
                Array.Resize(ref _data, Math.Max(_data.Length * 2, _length + bytes));
            }
        }
    }
}
