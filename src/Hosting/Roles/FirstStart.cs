using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles;

/// <summary>A chain's first start by several apps at once: one writes the first block, the others wait.</summary>
/// <remarks>
/// <code>
///   find ─there─▶ done          lease held by nobody ─▶ find again ─▶ begin ─▶ release
///     └─not there─▶ ask for the lease ─held by another─▶ pause ─▶ find …   after <see cref="Patience"/>: not ready
/// </code>
/// The writer renews while it writes; where it dies, the process that takes its place goes on, or, when the lease has
/// ended by itself, any other.
/// </remarks>
public sealed class FirstStart(ILeaseStore leases, TimeProvider clock, Action<string> log, string? instance = null)
{
    /// <summary>How long an opening waits for another's first block; then it is tried again by who asks next.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Lease = "leases/first-block";

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>The chain, begun by exactly one.</summary>
    /// <param name="find">Opens a chain that has its first block; null where there is none yet.</param>
    /// <param name="begin">Writes the first block and opens the chain; goes on where another died.</param>
    /// <param name="cancellation">Ends early.</param>
    /// <exception cref="StoreException">A service fails, or the first block takes another too long.</exception>
    public async Task<T> OpenAsync<T>(
        Func<Task<T?>> find, Func<Task<T>> begin, CancellationToken cancellation = default)
        where T : class
    {
        for (var began = clock.GetTimestamp(); clock.GetElapsedTime(began) < Patience;)
        {
            if (await find() is { } found)
            {
                return found;
            }

            if (await leases.TryAcquireAsync(Lease, Duration, instance, cancellation) is not { } lease)
            {
                await Task.Delay(Pause, clock, cancellation);
                continue;
            }

            try
            {
                if (await find() is { } made)
                {
                    return made;
                }

                log("writes the first block");
                return await WhileHeldAsync(lease, begin(), cancellation);
            }
            finally
            {
                await ReleaseAsync(lease);
            }
        }

        throw new StoreException("not ready: another instance is writing the first block");
    }

    private async Task<T> WhileHeldAsync<T>(ILease lease, Task<T> work, CancellationToken cancellation)
    {
        while (await Task.WhenAny(work, Task.Delay(RenewEvery, clock, cancellation)) != work)
        {
            cancellation.ThrowIfCancellationRequested();
            await lease.RenewAsync(cancellation); // where it is lost, compare-and-swap keeps two from harm
        }

        return await work;
    }

    private static async Task ReleaseAsync(ILease lease)
    {
        try
        {
            await lease.ReleaseAsync();
        }
        catch (StoreException)
        {
            // It ends by itself.
        }
    }
}
