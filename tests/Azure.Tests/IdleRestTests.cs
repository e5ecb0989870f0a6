using SuperVm.Azure.Functions;

namespace SuperVm.Azure.Tests;

/// <summary>A handler gives memory back when nothing comes, and only then.</summary>
public sealed class IdleRestTests
{
    [Fact]
    public void Memory_is_given_back_when_nothing_came_for_a_while_and_once_more_later()
    {
        var (clock, forgotten) = (new OneTimer(), 0);
        using var rest = new IdleRest(() => forgotten++, clock);
        Assert.Equal(Timeout.InfiniteTimeSpan, clock.Due);
        rest.Begin();
        rest.Begin();
        rest.End();
        Assert.Equal(Timeout.InfiniteTimeSpan, clock.Due); // one is still under way
        rest.End();
        Assert.Equal(IdleRest.After, clock.Due);
        clock.Fire();
        Assert.Equal((1, IdleRest.Later), (forgotten, clock.Due));
        clock.Fire();
        Assert.Equal((2, Timeout.InfiniteTimeSpan), (forgotten, clock.Due));
        Assert.Equal(2, rest.Rests);
    }

    [Fact]
    public void A_request_that_came_meanwhile_is_not_disturbed()
    {
        var (clock, forgotten) = (new OneTimer(), 0);
        using var rest = new IdleRest(() => forgotten++, clock);
        rest.Begin();
        rest.End();
        rest.Begin();
        clock.Fire();
        Assert.Equal(0, forgotten);
        rest.End();
        Assert.Equal(IdleRest.After, clock.Due);
        clock.Fire();
        Assert.Equal(1, forgotten);
    }

    /// <summary>A clock with one timer, which fires when it is told to.</summary>
    private sealed class OneTimer : TimeProvider, ITimer
    {
        private TimerCallback? _callback;

        internal TimeSpan Due { get; private set; } = Timeout.InfiniteTimeSpan;

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_callback, Due) = (callback, dueTime);
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime;
            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;

        internal void Fire()
        {
            Due = Timeout.InfiniteTimeSpan;
            _callback!(null);
        }
    }
}
