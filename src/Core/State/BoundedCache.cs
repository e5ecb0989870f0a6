namespace SuperVm.Core.State;

/// <summary>A cache for many threads that never holds more than its limit.</summary>
/// <remarks>
/// Two generations a stripe: what is used moves into the young one; once that has half of the limit it becomes the old
/// one, and what was left in the old one is dropped. So an entry lives as long as it is used now and then, without a
/// list to maintain. A stripe's dictionaries come into being with its first entry.
/// </remarks>
/// <param name="limit">The sum of costs that is never exceeded.</param>
/// <param name="stripes">
/// Parts with a lock of their own. An entry that costs more than half a part's share is not kept, so a cache of few
/// large entries has one.
/// </param>
internal sealed class BoundedCache<TKey, TValue>(long limit, int stripes = 8)
    where TKey : notnull
{
    private readonly Stripe[] _stripes = Enumerable.Range(0, stripes).Select(_ => new Stripe()).ToArray();
    private readonly long _generationLimit = limit / stripes / 2;
    private long _hits;
    private long _misses;

    internal long Hits => Volatile.Read(ref _hits);

    internal long Misses => Volatile.Read(ref _misses);

    /// <summary>The sum of the costs of all entries.</summary>
    internal long Cost
        => _stripes.Sum(stripe => Volatile.Read(ref stripe.YoungCost) + Volatile.Read(ref stripe.OldCost));

    internal bool TryGet(in TKey key, out TValue value)
    {
        var stripe = StripeOf(key);
        lock (stripe)
        {
            if (stripe.Young is { } young && young.TryGetValue(key, out var entry))
            {
                _hits++;
                value = entry.Value;
                return true;
            }

            if (stripe.Old is { } old && old.Remove(key, out entry))
            {
                _hits++;
                value = entry.Value;
                stripe.OldCost -= entry.Cost;
                Add(stripe, key, entry);
                return true;
            }
        }

        _misses++;
        value = default!;
        return false;
    }

    /// <summary>Puts an entry in, in place of one with the same key.</summary>
    internal void Set(in TKey key, TValue value, int cost = 1)
    {
        var stripe = StripeOf(key);
        lock (stripe)
        {
            Remove(stripe, key);
            Add(stripe, key, new Entry(value, cost));
        }
    }

    /// <summary>
    /// As <see cref="Set"/>, but only while the version still is what it was before the value was read: a writer
    /// raises it before it writes, so no old value comes in behind it.
    /// </summary>
    internal void SetIfUnchanged(in TKey key, TValue value, ref long version, long expected, int cost = 1)
    {
        var stripe = StripeOf(key);
        lock (stripe)
        {
            if (Volatile.Read(ref version) == expected)
            {
                Remove(stripe, key);
                Add(stripe, key, new Entry(value, cost));
            }
        }
    }

    internal void Clear()
    {
        foreach (var stripe in _stripes)
        {
            lock (stripe)
            {
                stripe.Young = stripe.Old = null;
                stripe.YoungCost = stripe.OldCost = 0;
            }
        }
    }

    private static void Remove(Stripe stripe, in TKey key)
    {
        if (stripe.Young is { } young && young.Remove(key, out var entry))
        {
            stripe.YoungCost -= entry.Cost;
        }
        else if (stripe.Old is { } old && old.Remove(key, out entry))
        {
            stripe.OldCost -= entry.Cost;
        }
    }

    private void Add(Stripe stripe, in TKey key, in Entry entry)
    {
        if (entry.Cost > _generationLimit)
        {
            return;
        }

        if (stripe.YoungCost + entry.Cost > _generationLimit)
        {
            (stripe.Young, stripe.Old) = (stripe.Old, stripe.Young);
            stripe.OldCost = stripe.YoungCost;
            stripe.YoungCost = 0;
            stripe.Young?.Clear();
        }

        (stripe.Young ??= [])[key] = entry;
        stripe.YoungCost += entry.Cost;
    }

    private Stripe StripeOf(in TKey key) => _stripes[(key.GetHashCode() >>> 7) % _stripes.Length];

    private readonly record struct Entry(TValue Value, int Cost);

    private sealed class Stripe
    {
        internal Dictionary<TKey, Entry>? Young, Old;
        internal long YoungCost, OldCost;
    }
}
