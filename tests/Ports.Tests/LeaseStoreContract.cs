using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>What every lease store promises.</summary>
public abstract class LeaseStoreContract
{
    protected abstract ILeaseStore Leases { get; }

    /// <summary>A name that no other test uses.</summary>
    protected abstract string Name { get; }

    [PortFact]
    public async Task Of_many_who_ask_one_holds_it_and_the_next_one_after_its_release()
    {
        var asked = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => Leases.TryAcquireAsync(Name, LeaseLimits.Shortest)));
        var held = Assert.Single(asked, lease => lease is not null)!;
        Assert.True(await held.RenewAsync());
        Assert.Null(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest));
        await held.ReleaseAsync();
        var next = await Leases.TryAcquireAsync(Name, LeaseLimits.Longest);
        Assert.NotNull(next);
        Assert.False(await held.RenewAsync());
        await held.ReleaseAsync();
        Assert.True(await next.RenewAsync());
    }

    [PortFact]
    public async Task Leases_of_two_names_have_nothing_to_do_with_each_other()
    {
        Assert.NotNull(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest));
        Assert.NotNull(await Leases.TryAcquireAsync(Name + ".b", LeaseLimits.Shortest));
    }

    [PortFact]
    public async Task A_holder_that_comes_again_has_its_lease_and_what_was_broken_is_anybodys()
    {
        var first = await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest, "instance 1");
        var again = await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest, "instance 1");
        Assert.NotNull(first);
        Assert.NotNull(again);
        Assert.Null(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest, "instance 2"));
        Assert.Null(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest));
        await Leases.BreakAsync(Name);
        await Leases.BreakAsync(Name);
        Assert.False(await again.RenewAsync());
        Assert.NotNull(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest, "instance 2"));
        Assert.False(await again.RenewAsync());
        Assert.Null(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest, "instance 1"));
        await Leases.BreakAsync(Name + ".nobody");
    }

    [PortFact]
    public async Task A_wrong_name_or_duration_is_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Leases.TryAcquireAsync("a//b", LeaseLimits.Shortest));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Leases.TryAcquireAsync(Name, TimeSpan.FromSeconds(14)));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Leases.TryAcquireAsync(Name, TimeSpan.FromSeconds(15.5)));
    }
}
