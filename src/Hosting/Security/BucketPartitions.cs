namespace SuperVm.Hosting.Security;

/// <summary>A token bucket for each key, and never more than a fixed number of them.</summary>
/// <remarks>
/// A bucket that is full again says nothing and is forgotten first. Where all places are taken by buckets in use, new
/// keys share one bucket of the same rate: a flood of made-up keys slows itself down and takes no memory.
/// </remarks>
internal sealed class BucketPartitions<TKey>(BucketRate rate, int mostKeys, TimeProvider clock)
    where TKey : notnull
{
    /// <summary>Buckets that one newcomer looks at for a place.</summary>
    private const int MostLooks = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, ClockedTokenBucket> _buckets = [];
    private readonly Queue<TKey> _order = [];
    private readonly ClockedTokenBucket _shared = new(rate, clock);

    /// <summary>Keys that have a bucket of their own now.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _buckets.Count;
            }
        }
    }

    internal ClockedTokenBucket Of(TKey key)
    {
        lock (_gate)
        {
            if (_buckets.TryGetValue(key, out var bucket))
            {
                return bucket;
            }

            if (_buckets.Count >= mostKeys && !MakeRoom())
            {
                return _shared;
            }

            bucket = new ClockedTokenBucket(rate, clock);
            _buckets.Add(key, bucket);
            _order.Enqueue(key);
            return bucket;
        }
    }

    private bool MakeRoom()
    {
        for (var looks = Math.Min(MostLooks, _order.Count); looks > 0; looks--)
        {
            var key = _order.Dequeue();
            if (_buckets[key].IsFull)
            {
                _buckets.Remove(key);
                return true;
            }

            _order.Enqueue(key);
        }

        return false;
    }
}
