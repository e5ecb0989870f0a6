namespace SuperVm.Core.Storage;

/// <summary>The leases of one process.</summary>
public sealed class InMemoryLeaseStore(TimeProvider clock) : ILeaseStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Lease> _held = [];

    public Task<ILease?> TryAcquireAsync(
        string name, TimeSpan duration, string? holder = null, CancellationToken cancellation = default)
    {
        LeaseLimits.Require(name, duration);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (_held.TryGetValue(name, out var held) && held.Until > clock.GetUtcNow()
                && (holder is null || held.Holder != holder))
            {
                return Task.FromResult<ILease?>(null);
            }

            return Task.FromResult<ILease?>(
                _held[name] = new(this, name, duration, holder) { Until = clock.GetUtcNow() + duration });
        }
    }

    public Task BreakAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        lock (_gate)
        {
            _held.Remove(name);
        }

        return Task.CompletedTask;
    }

    private bool Renew(Lease lease)
    {
        lock (_gate)
        {
            if (!_held.TryGetValue(lease.Name, out var held)
                || (held != lease && (lease.Holder is null || held.Holder != lease.Holder)))
            {
                return false;
            }

            held.Until = clock.GetUtcNow() + lease.Duration;
            return true;
        }
    }

    private void Release(Lease lease)
    {
        lock (_gate)
        {
            if (_held.GetValueOrDefault(lease.Name) == lease)
            {
                _held.Remove(lease.Name);
            }
        }
    }

    private sealed class Lease(InMemoryLeaseStore store, string name, TimeSpan duration, string? holder) : ILease
    {
        internal string? Holder => holder;

        internal string Name => name;

        internal TimeSpan Duration => duration;

        internal DateTimeOffset Until { get; set; }

        public Task<bool> RenewAsync(CancellationToken cancellation = default) => Task.FromResult(store.Renew(this));

        public Task ReleaseAsync(CancellationToken cancellation = default)
        {
            store.Release(this);
            return Task.CompletedTask;
        }
    }
}
