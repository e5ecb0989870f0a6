using SuperVm.Core.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>A replica's timers: waited for in the process, with a delayed message to wake one that has gone.</summary>
/// <remarks>
/// <code>
///   SetTimer ─▶ wait here ─▶ still the newest of its kind? ─▶ TimerExpired
///        └─ none on its way ─▶ message to oneself, with the delay
///                                └─▶ this process waits itself ─▶ nothing; again for the rest, where it is later
///                                └─▶ nobody here knows the timer ─▶ its process has gone: all are set anew
/// </code>
/// A replica sets its timers anew with every batch; a message for each would cost more than the batch. So of each kind
/// at most one is on its way. Delays below <see cref="LeastMessageMs"/> have none: queues count in seconds.
/// </remarks>
internal sealed class ReplicaTimers(RolePorts ports, Func<TimerExpired, Task> expired)
{
    /// <summary>The shortest delay that is worth a message.</summary>
    private const int LeastMessageMs = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<TimerKind, Armed> _armed = [];
    private readonly Dictionary<TimerKind, DateTimeOffset> _onTheirWay = [];

    internal async Task SetAsync(SetTimer timer, CancellationToken cancellation)
    {
        var delay = TimeSpan.FromMilliseconds(timer.DelayMs);
        var due = ports.Clock.GetUtcNow() + delay;
        bool sends;
        lock (_gate)
        {
            _armed[timer.Timer] = new(timer, due);
            sends = timer.DelayMs >= LeastMessageMs
                && !(_onTheirWay.TryGetValue(timer.Timer, out var comes) && comes > ports.Clock.GetUtcNow());
            if (sends)
            {
                _onTheirWay[timer.Timer] = due;
            }
        }

        _ = WaitAsync(timer, delay);
        if (sends)
        {
            await ports.Bus.SendAsync(ports.Names.Inbox, InboxMessage.Of(timer), delay, cancellation);
        }
    }

    /// <summary>Takes a message of <see cref="SetAsync"/>; false where no timer here does its work.</summary>
    internal async Task<bool> TakeAsync(TimerExpired message, CancellationToken cancellation)
    {
        SetTimer rest;
        TimeSpan delay;
        lock (_gate)
        {
            _onTheirWay.Remove(message.Timer);
            if (!_armed.TryGetValue(message.Timer, out var armed) || armed.Timer.Generation < message.Generation)
            {
                return false;
            }

            (rest, delay) = (armed.Timer, armed.Due - ports.Clock.GetUtcNow());
            if (armed.HasExpired || delay.TotalMilliseconds < LeastMessageMs)
            {
                return true;
            }

            _onTheirWay[message.Timer] = armed.Due;
        }

        await ports.Bus.SendAsync(ports.Names.Inbox, InboxMessage.Of(rest), delay, cancellation);
        return true;
    }

    private async Task WaitAsync(SetTimer timer, TimeSpan delay)
    {
        await Task.Delay(delay, ports.Clock, default);
        lock (_gate)
        {
            if (!_armed.TryGetValue(timer.Timer, out var armed) || armed.Timer.Generation != timer.Generation
                || armed.HasExpired)
            {
                return;
            }

            _armed[timer.Timer] = armed with { HasExpired = true };
        }

        await expired(new(ports.Clock.GetUtcNow().ToUnixTimeMilliseconds(), timer.Timer, timer.Generation));
    }

    /// <summary>The newest timer of a kind.</summary>
    private readonly record struct Armed(SetTimer Timer, DateTimeOffset Due, bool HasExpired = false);
}
