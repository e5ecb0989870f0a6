namespace SuperVm.Core.Storage;

/// <summary>
/// Leases by name: who holds one is alone, as long as it renews it in time. For work that two would waste, never for
/// safety: who slept over its lease's end may still write, and only compare-and-swap stops it.
/// </summary>
/// <remarks>
/// Names are as <see cref="BlobLimits.IsName"/> says. Members throw <see cref="StoreException"/> where the service
/// fails.
/// </remarks>
public interface ILeaseStore
{
    /// <summary>The lease, where nobody holds it; null where somebody does.</summary>
    /// <param name="name">What is to be held.</param>
    /// <param name="duration">
    /// <see cref="LeaseLimits.Shortest"/> to <see cref="LeaseLimits.Longest"/>, whole seconds.
    /// </param>
    /// <param name="holder">
    /// Who asks, the same over its restarts: it gets at once what it held before. Null for somebody new each time.
    /// </param>
    /// <param name="cancellation">Ends early.</param>
    Task<ILease?> TryAcquireAsync(
        string name, TimeSpan duration, string? holder = null, CancellationToken cancellation = default);

    /// <summary>Takes a lease from its holder, who learns of it when it renews; then anybody can have it.</summary>
    Task BreakAsync(string name, CancellationToken cancellation = default);
}

/// <summary>A lease that is held.</summary>
public interface ILease
{
    /// <summary>Holds it for the whole duration from now on; false where another has it by now.</summary>
    Task<bool> RenewAsync(CancellationToken cancellation = default);

    /// <summary>Lets others have it at once; nothing happens where it is lost already.</summary>
    Task ReleaseAsync(CancellationToken cancellation = default);
}

/// <summary>What every lease store keeps to.</summary>
public static class LeaseLimits
{
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <exception cref="ArgumentException">No name, or a duration that no service takes.</exception>
    public static void Require(string name, TimeSpan duration)
    {
        BlobLimits.Require(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, Shortest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(duration, Longest);
        ArgumentOutOfRangeException.ThrowIfNotEqual(duration.Ticks % TimeSpan.TicksPerSecond, 0, nameof(duration));
    }
}
