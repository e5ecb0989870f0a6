using System.Collections.Concurrent;

namespace SuperVm.Core.Parallel;

/// <summary>Committed values by height: one writer, any number of readers, each at a height of its own.</summary>
/// <remarks>
/// <code>
///   key ─▶ [height 9 | value] ─▶ [height 4 | value] ─▶ [height 1 | value]
///                                 └ at watermark 5 this is the oldest that anybody can see; what follows is cut off
/// </code>
/// Reading takes no lock. Collection is incremental: each commit cuts off at most twice as many histories as it
/// lengthened, so that it keeps up and never stops the writer for long.
/// </remarks>
public sealed class MvccStore<TKey, TValue>
    where TKey : notnull
    where TValue : struct
{
    private readonly ConcurrentDictionary<TKey, History> _histories = new();
    private readonly Queue<(History History, long Height)> _superseded = new();
    private readonly SortedDictionary<long, int> _pins = [];
    private readonly long _retainedHeights;
    private readonly TimeProvider? _clock;
    private long _head;
    private int _lengthened;

    /// <param name="retainedHeights">Heights below the head that stay readable without a pin.</param>
    /// <param name="clock">Measures how long collection takes; null: not measured.</param>
    public MvccStore(long retainedHeights = 0, TimeProvider? clock = null)
    {
        _clock = clock;
        ArgumentOutOfRangeException.ThrowIfNegative(retainedHeights);
        _retainedHeights = retainedHeights;
    }

    /// <summary>The newest committed height; 0 while nothing was committed.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>Versions that collection cut off, since the beginning.</summary>
    public long CollectedVersions { get; private set; }

    /// <summary>What collection took since the beginning; zero where no clock was given.</summary>
    public TimeSpan CollectionTime { get; private set; }

    /// <summary>The oldest height that is readable.</summary>
    public long Watermark
    {
        get
        {
            lock (_pins)
            {
                var oldest = Math.Max(0, Head - _retainedHeights);
                foreach (var pinned in _pins.Keys)
                {
                    return Math.Min(oldest, pinned);
                }

                return oldest;
            }
        }
    }

    /// <summary>The newest committed value; default where there is none.</summary>
    public TValue Read(TKey key) => ReadAt(key, long.MaxValue);

    /// <summary>Sets a value as part of height 0, before the first commit.</summary>
    public void Seed(TKey key, in TValue value) => Put(0, key, value);

    /// <summary>
    /// A view of one height that commits do not change; null where the height is above the head or collected.
    /// </summary>
    public MvccSnapshot<TKey, TValue>? Snapshot(long height)
    {
        lock (_pins)
        {
            if (height > Head || height < Watermark)
            {
                return null;
            }

            _pins[height] = _pins.GetValueOrDefault(height) + 1;
            return new MvccSnapshot<TKey, TValue>(this, height);
        }
    }

    /// <summary>Starts the next height; only one commit at a time.</summary>
    internal long BeginCommit()
    {
        _lengthened = 0;
        return _head + 1;
    }

    internal void Put(long height, TKey key, in TValue value)
    {
        var history = _histories.GetOrAdd(key, static _ => new History());
        var newest = history.Newest;
        Volatile.Write(ref history.Newest, new Version(height, value) { Older = newest });
        if (newest is not null)
        {
            _superseded.Enqueue((history, height));
            _lengthened++;
        }
    }

    /// <summary>Makes the height visible as a whole and collects a little.</summary>
    internal void EndCommit(long height)
    {
        Volatile.Write(ref _head, height);
        var started = _clock?.GetTimestamp() ?? 0;
        Collect();
        CollectionTime += _clock?.GetElapsedTime(started) ?? TimeSpan.Zero;
    }

    private void Collect()
    {
        var watermark = Watermark;
        for (var budget = (2 * _lengthened) + 1; budget > 0 && _superseded.Count > 0; budget--)
        {
            if (_superseded.Peek().Height > watermark)
            {
                return;
            }

            CollectedVersions += _superseded.Dequeue().History.CutBelow(watermark);
        }
    }

    internal TValue ReadAt(TKey key, long height)
    {
        if (_histories.TryGetValue(key, out var history))
        {
            for (var version = Volatile.Read(ref history.Newest); version is not null; version = version.Older)
            {
                if (version.Height <= height)
                {
                    return version.Value;
                }
            }
        }

        return default;
    }

    internal void Release(long height)
    {
        lock (_pins)
        {
            if (--_pins[height] == 0)
            {
                _pins.Remove(height);
            }
        }
    }

    private sealed class History
    {
        internal Version? Newest;

        /// <summary>Cuts off what is older than the version that the watermark sees; answers how many.</summary>
        internal int CutBelow(long watermark)
        {
            var seen = Newest;
            while (seen is not null && seen.Height > watermark)
            {
                seen = seen.Older;
            }

            var count = 0;
            for (var cut = seen?.Older; cut is not null; cut = cut.Older)
            {
                count++;
            }

            if (seen is not null)
            {
                seen.Older = null;
            }

            return count;
        }
    }

    private sealed class Version(long height, TValue value)
    {
        internal readonly long Height = height;
        internal readonly TValue Value = value;
        internal volatile Version? Older;
    }
}

/// <summary>
/// A consistent view of a <see cref="MvccStore{TKey,TValue}"/> at one height; holds it back from collection.
/// </summary>
public sealed class MvccSnapshot<TKey, TValue> : IDisposable
    where TKey : notnull
    where TValue : struct
{
    private readonly MvccStore<TKey, TValue> _store;
    private int _disposed;

    internal MvccSnapshot(MvccStore<TKey, TValue> store, long height)
    {
        _store = store;
        Height = height;
    }

    public long Height { get; }

    /// <summary>The value at this height; default where there was none.</summary>
    /// <exception cref="ObjectDisposedException">The snapshot was given back.</exception>
    public TValue Read(TKey key)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return _store.ReadAt(key, Height);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _store.Release(Height);
        }
    }
}
