using System.Threading.RateLimiting;

namespace SuperVm.Hosting.Security;

/// <summary>How fast a bucket fills and how much it holds.</summary>
/// <param name="PerSecond">Permits a second; above 0.</param>
/// <param name="Burst">Permits that a full bucket holds; at least 1.</param>
public readonly record struct BucketRate(double PerSecond, int Burst)
{
    /// <summary>Seconds of the rate that a bucket holds where nothing else is said.</summary>
    public const int BurstSeconds = 5;

    /// <summary>A rate whose burst is what comes in <see cref="BurstSeconds"/>.</summary>
    public static BucketRate Of(double perSecond) =>
        new(perSecond, (int)Math.Clamp(Math.Ceiling(perSecond * BurstSeconds), 1, int.MaxValue));
}

/// <summary>A token bucket as a <see cref="RateLimiter"/>, on a clock that is given.</summary>
/// <remarks>
/// The framework's own bucket reads the machine's clock and cannot be tested without waiting; this one is otherwise the
/// same: it is full at first, <see cref="BucketRate.PerSecond"/> permits come back a second, and who finds too few is
/// told when there are enough. Nobody waits in it. Safe for concurrent use.
/// </remarks>
public sealed class ClockedTokenBucket : RateLimiter
{
    private readonly Lock _gate = new();
    private readonly BucketRate _rate;
    private readonly TimeProvider _clock;
    private double _permits;
    private long _at;
    private long _granted;
    private long _refused;

    /// <exception cref="ArgumentOutOfRangeException">A rate of 0 or less, or a burst below 1.</exception>
    public ClockedTokenBucket(in BucketRate rate, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate.PerSecond);
        ArgumentOutOfRangeException.ThrowIfLessThan(rate.Burst, 1);
        (_rate, _clock, _permits, _at) = (rate, clock, rate.Burst, clock.GetTimestamp());
    }

    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_gate)
            {
                return _clock.GetElapsedTime(_at);
            }
        }
    }

    /// <summary>Whether all permits are back: such a bucket may be forgotten and made anew.</summary>
    internal bool IsFull
    {
        get
        {
            lock (_gate)
            {
                Refill();
                return _permits >= _rate.Burst;
            }
        }
    }

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_gate)
        {
            Refill();
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = (long)_permits,
                TotalSuccessfulLeases = _granted,
                TotalFailedLeases = _refused,
            };
        }
    }

    /// <summary>Takes permits, or says after what time there are as many.</summary>
    /// <remarks>Who asks for more than a full bucket takes all of it, rather than being refused for ever.</remarks>
    internal bool TryTake(int permits, out TimeSpan retryAfter)
    {
        lock (_gate)
        {
            Refill();
            var wanted = Math.Min(permits, _rate.Burst);
            if (_permits >= wanted)
            {
                _permits -= wanted;
                _granted++;
                retryAfter = TimeSpan.Zero;
                return true;
            }

            _refused++;
            retryAfter = TimeSpan.FromSeconds((wanted - _permits) / _rate.PerSecond);
            return false;
        }
    }

    /// <summary>Gives permits back that were taken and not used.</summary>
    internal void Return(int permits)
    {
        lock (_gate)
        {
            _permits = Math.Min(_rate.Burst, _permits + Math.Min(permits, _rate.Burst));
        }
    }

    protected override RateLimitLease AttemptAcquireCore(int permitCount) =>
        TryTake(permitCount, out var retryAfter) ? Lease.Granted : new Lease(retryAfter);

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(
        int permitCount, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AttemptAcquireCore(permitCount));

    private void Refill()
    {
        var now = _clock.GetTimestamp();
        if (now > _at)
        {
            var seconds = _clock.GetElapsedTime(_at, now).TotalSeconds;
            _permits = Math.Min(_rate.Burst, _permits + (seconds * _rate.PerSecond));
            _at = now;
        }
    }

    private sealed class Lease(TimeSpan? retryAfter) : RateLimitLease
    {
        internal static Lease Granted { get; } = new(null);

        public override bool IsAcquired => retryAfter is null;

        public override IEnumerable<string> MetadataNames => retryAfter is null ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = retryAfter;
            return retryAfter is not null && metadataName == MetadataName.RetryAfter.Name;
        }
    }
}
