namespace SuperVm.Hosting.Tests.Roles;

/// <summary>
/// A clock whose time passes only while somebody waits: a wait ends at once, and the time is what it would be then.
/// </summary>
internal sealed class JumpingClock : TimeProvider
{
    private long _ticks = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    internal TimeSpan Passed => GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
        {
            Move(dueTime);
        }

        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            ThreadPool.QueueUserWorkItem(_ => callback(state));
        }

        return new Nothing();
    }

    internal void Move(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    private sealed class Nothing : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
