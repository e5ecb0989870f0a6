namespace SuperVm.Hosting.Nodes;

/// <summary>The time of new blocks: the clock's, moved as a developer asks (evm_increaseTime and its kin).</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class DevClock(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private long _offset;
    private ulong? _next;

    /// <summary>Seconds between the clock and the time of blocks.</summary>
    internal long Offset
    {
        get
        {
            lock (_gate)
            {
                return _offset;
            }
        }
    }

    /// <summary>Seconds since 1970 of a block after a parent; at least the parent's.</summary>
    /// <param name="parent">The parent's timestamp.</param>
    /// <param name="least">Seconds that it must be above the parent's.</param>
    internal ulong TimeAfter(ulong parent, ulong least)
    {
        lock (_gate)
        {
            return Math.Max(_next ?? Now(), parent + least);
        }
    }

    /// <summary>Moves the time forward (or back); answers the offset in seconds.</summary>
    internal long Increase(long seconds)
    {
        lock (_gate)
        {
            _offset = Math.Clamp(_offset, long.MinValue / 4, long.MaxValue / 4)
                + Math.Clamp(seconds, long.MinValue / 4, long.MaxValue / 4);
            return _offset;
        }
    }

    /// <summary>The exact timestamp of the next block; time goes on from there.</summary>
    internal void SetNext(ulong timestamp)
    {
        lock (_gate)
        {
            _next = timestamp;
        }
    }

    /// <summary>Makes it the given time now.</summary>
    internal void Set(ulong timestamp)
    {
        lock (_gate)
        {
            _offset = (long)Math.Min(timestamp, long.MaxValue / 4) - clock.GetUtcNow().ToUnixTimeSeconds();
        }
    }

    /// <summary>A block was made: a timestamp that was set for it is used up.</summary>
    internal void OnBlock(ulong timestamp)
    {
        lock (_gate)
        {
            if (_next is not null)
            {
                _next = null;
                _offset = (long)Math.Min(timestamp, long.MaxValue / 4) - clock.GetUtcNow().ToUnixTimeSeconds();
            }
        }
    }

    private ulong Now() => (ulong)Math.Max(0, clock.GetUtcNow().ToUnixTimeSeconds() + _offset);
}
