using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>Which of a role's instances works, where two would do the same twice.</summary>
/// <remarks>
/// The lease saves work and nothing else: compare-and-swap keeps two that work at once from harm. So whoever sees that
/// the holder gets nowhere works too, rather than wait for the lease's end.
/// </remarks>
internal sealed class Leadership(ILeaseStore leases, string name, TimeProvider clock)
{
    private static readonly TimeSpan Duration = LeaseLimits.Shortest;
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(5);

    /// <summary>How long the holder may get nowhere before others work too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private ILease? _lease;
    private long _renewedAt;
    private long? _worksAnywaySince;

    /// <summary>
    /// Returns when this instance is to work, because it leads or because the leader gets nowhere; or when there is
    /// nothing left to do.
    /// </summary>
    /// <param name="progress">How far the work is, looked up anew; the wait goes on while it rises.</param>
    /// <param name="target">Where nothing is left to do.</param>
    /// <param name="cancellation">Ends early.</param>
    internal async Task WaitAsync(
        Func<CancellationToken, Task<ulong>> progress, ulong target, CancellationToken cancellation)
    {
        var (began, last) = (clock.GetTimestamp(), 0UL);
        while (!WorksAnyway() && !await TryHoldAsync(cancellation))
        {
            var now = await progress(cancellation);
            if (now >= target)
            {
                return;
            }

            if (now > last)
            {
                (began, last) = (clock.GetTimestamp(), now);
            }
            else if (clock.GetElapsedTime(began) >= Patience)
            {
                _worksAnywaySince = clock.GetTimestamp();
                return;
            }

            await Task.Delay(Pause, clock, cancellation);
        }
    }

    /// <summary>Until the dead leader's lease has ended.</summary>
    private bool WorksAnyway() =>
        _worksAnywaySince is { } since && clock.GetElapsedTime(since) < Duration;

    private async Task<bool> TryHoldAsync(CancellationToken cancellation)
    {
        if (_lease is not null && clock.GetElapsedTime(_renewedAt) < RenewAfter)
        {
            return true;
        }

        var asked = clock.GetTimestamp();
        if (_lease is null || !await _lease.RenewAsync(cancellation))
        {
            _lease = await leases.TryAcquireAsync(name, Duration, cancellation);
        }

        (_renewedAt, _worksAnywaySince) = (asked, null);
        return _lease is not null;
    }
}
