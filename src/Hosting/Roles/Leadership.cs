using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>Which of a role's instances works, where two would do the same twice.</summary>
/// <remarks>
/// <code>
///   lease free, or held by who was here before ─▶ work
///   held by another ─▶ look every <see cref="Pause"/>: all done ─▶ end;  it gets on ─▶ look on
///                                                      stands still for the patience ─▶ break the lease, take it
/// </code>
/// The lease saves work and nothing else: compare-and-swap keeps two that work at once from harm. So a leader that died
/// is not waited for: a process that begins in its place has its lease at once, and another instance waits four times
/// as long as the leader took for a step so far. Who loses its lease while it works is patient for twice as long from
/// then on, so that two do not take it from each other for ever.
/// </remarks>
internal sealed class Leadership(ILeaseStore leases, string name, RolePorts ports)
{
    /// <summary>How long the holder may get nowhere, whose pace nobody knows yet.</summary>
    internal static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(1);

    internal static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(500);
    internal static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(8);

    private const int StepsOfPatience = 4;

    private static readonly TimeSpan Duration = LeaseLimits.Shortest;
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _clock = ports.Clock;
    private ILease? _lease;
    private long _renewedAt;
    private TimeSpan _patience = FirstPatience;
    private int _losses;

    /// <summary>How long a holder may get nowhere now.</summary>
    internal TimeSpan Patience
    {
        get
        {
            var patience = _patience * (1 << _losses);
            return patience < MostPatience ? patience : MostPatience;
        }
    }

    /// <summary>
    /// Returns when this instance is to work, or when there is nothing left to do.
    /// </summary>
    /// <param name="progress">How far the work is, looked up anew; the wait goes on while it rises.</param>
    /// <param name="target">Where nothing is left to do.</param>
    /// <param name="cancellation">Ends early.</param>
    internal async Task WaitAsync(
        Func<CancellationToken, Task<ulong>> progress, ulong target, CancellationToken cancellation)
    {
        (long At, ulong Reached)? last = null;
        while (!await TryHoldAsync(cancellation))
        {
            var now = await progress(cancellation);
            if (now >= target)
            {
                return;
            }

            if (last is not { } seen)
            {
                last = (_clock.GetTimestamp(), now);
            }
            else if (now > seen.Reached)
            {
                Learn(_clock.GetElapsedTime(seen.At) / (now - seen.Reached));
                last = (_clock.GetTimestamp(), now);
            }
            else if (_clock.GetElapsedTime(seen.At) >= Patience)
            {
                ports.Log($"{name} stands still at {now}: taken over");
                await leases.BreakAsync(name, cancellation);
                last = null;
                continue;
            }

            await Task.Delay(Pause, _clock, cancellation);
        }
    }

    /// <summary>Four steps of the leader's pace, which changes slowly.</summary>
    private void Learn(TimeSpan step)
    {
        var patience = ((_patience * 3) + (step * StepsOfPatience)) / 4;
        _patience = patience < LeastPatience ? LeastPatience : patience < MostPatience ? patience : MostPatience;
    }

    private async Task<bool> TryHoldAsync(CancellationToken cancellation)
    {
        if (_lease is not null && _clock.GetElapsedTime(_renewedAt) < RenewAfter)
        {
            return true;
        }

        var asked = _clock.GetTimestamp();
        if (_lease is not null && await _lease.RenewAsync(cancellation))
        {
            (_renewedAt, _losses) = (asked, 0);
            return true;
        }

        // Four doublings reach the longest patience from the shortest.
        _losses = _lease is null ? _losses : Math.Min(_losses + 1, 4);
        _lease = await leases.TryAcquireAsync(name, Duration, ports.Instance, cancellation);
        _renewedAt = asked;
        return _lease is not null;
    }
}
