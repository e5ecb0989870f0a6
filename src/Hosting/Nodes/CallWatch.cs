using SuperVm.Core.Execution.Evm;

namespace SuperVm.Hosting.Nodes;

/// <summary>The time stamp at which a request has executed long enough.</summary>
internal readonly record struct CallDeadline(long Timestamp)
{
    /// <summary>Never.</summary>
    internal static CallDeadline None { get; } = new(long.MaxValue);
}

/// <summary>Stops one engine when a deadline has passed.</summary>
/// <remarks>
/// One timer, set anew for each execution. It may fire late, when the next execution has begun: it looks at the
/// deadline that holds then, under the lock, so nobody is stopped for another's time.
/// </remarks>
internal sealed class CallWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly EvmEngine? _engine;
    private readonly TimeProvider _clock;
    private readonly ITimer? _timer;
    private long _deadline = long.MaxValue;

    internal CallWatch(EvmEngine? engine, TimeProvider clock)
    {
        (_engine, _clock) = (engine, clock);
        _timer = engine is null
            ? null
            : clock.CreateTimer(static watch => ((CallWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the execution under way, or the last one, was stopped.</summary>
    internal bool HasStopped { get; private set; }

    /// <summary>Watches until the answer is disposed.</summary>
    internal Watched Begin(in CallDeadline deadline)
    {
        HasStopped = false;
        if (_timer is null || deadline == CallDeadline.None)
        {
            return default;
        }

        lock (_gate)
        {
            _deadline = deadline.Timestamp;
        }

        Arm();
        return new Watched(this);
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>Due a millisecond after the deadline at the earliest, as timers count in milliseconds.</summary>
    private void Arm()
    {
        var left = _clock.GetElapsedTime(_clock.GetTimestamp(), _deadline);
        var wait = TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(left.TotalMilliseconds)));
        if (wait == TimeSpan.Zero)
        {
            Look();
            return;
        }

        _timer!.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Look()
    {
        lock (_gate)
        {
            if (_deadline != long.MaxValue && _clock.GetTimestamp() >= _deadline)
            {
                HasStopped = true;
                _engine!.IsStopped = true;
                return;
            }
        }

        if (_deadline != long.MaxValue)
        {
            _timer!.Change(TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _deadline = long.MaxValue;
            _engine!.IsStopped = false;
        }

        _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal readonly struct Watched(CallWatch? watch) : IDisposable
    {
        public void Dispose() => watch?.End();
    }
}
