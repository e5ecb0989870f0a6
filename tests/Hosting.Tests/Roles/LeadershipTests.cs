using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>Which of several instances works, by a clock that passes only while one waits.</summary>
public sealed class LeadershipTests
{
    private const string Name = "leases/work";

    private readonly JumpingClock _clock = new();
    private readonly InMemoryLeaseStore _leases;
    private ulong _reached;

    public LeadershipTests() => _leases = new(_clock);

    [Fact]
    public async Task Who_begins_in_a_dead_leaders_place_leads_at_once()
    {
        await LeadAsync(New("a"));
        await LeadAsync(New("a"));
        Assert.Equal(TimeSpan.Zero, _clock.Passed);
    }

    [Fact]
    public async Task A_leader_that_gets_on_is_waited_for_until_all_is_done()
    {
        var leader = New("a");
        await LeadAsync(leader);
        var log = new List<string>();
        var looks = 0;
        await New("b", log).WaitAsync(
            _ =>
            {
                looks++;
                _reached += looks % 5 == 0 ? 1UL : 0;
                return Task.FromResult(_reached);
            },
            8, default);
        Assert.Equal(8UL, _reached);
        Assert.Empty(log);
        await LeadAsync(leader);
    }

    [Fact]
    public async Task A_leader_that_stands_still_is_followed_by_one_other_and_learns_of_it_when_it_renews()
    {
        var (first, second, log) = (New("a"), New("b"), new List<string>());
        await LeadAsync(first);
        var third = New("c", log);
        await LeadAsync(second);
        Assert.InRange(_clock.Passed, Leadership.FirstPatience, Leadership.FirstPatience * 2);

        // The third sees the second get on; the first, which sleeps over its lease, waits like anybody else.
        _clock.Move(TimeSpan.FromSeconds(6));
        await third.WaitAsync(_ => Task.FromResult(_reached += 1), 5, default);
        Assert.Empty(log);
        await first.WaitAsync(_ => Task.FromResult(_reached += 1), 10, default);
        Assert.Equal(10UL, _reached);
    }

    [Fact]
    public async Task Who_lost_its_lease_is_patient_for_longer_and_a_slow_leaders_pace_is_learned()
    {
        var (first, second) = (New("a"), New("b"));
        await LeadAsync(first);
        await LeadAsync(second);
        _clock.Move(TimeSpan.FromSeconds(6));
        var before = _clock.Passed;
        await LeadAsync(first);
        Assert.InRange(
            _clock.Passed - before, Leadership.FirstPatience * 2, (Leadership.FirstPatience * 2) + Second);

        var slow = New("d");
        var looks = 0;
        await slow.WaitAsync(_ => Task.FromResult(_reached += ++looks % 9 == 0 ? 1UL : 0), _reached + 20, default);
        Assert.InRange(slow.Patience, 3 * Second, Leadership.MostPatience);
    }

    [Fact]
    public async Task A_lease_that_nobody_renews_ends_by_itself()
    {
        await LeadAsync(New("a"));
        _clock.Move(LeaseLimits.Shortest);
        var before = _clock.Passed;
        await LeadAsync(New("b"));
        Assert.Equal(before, _clock.Passed);
    }

    private static TimeSpan Second => TimeSpan.FromSeconds(1);

    /// <summary>Waits to lead while nothing gets on.</summary>
    private Task LeadAsync(Leadership leadership) =>
        leadership.WaitAsync(_ => Task.FromResult(_reached), ulong.MaxValue, default);

    private Leadership New(string instance, List<string>? log = null) => new(_leases, Name, new()
    {
        Bus = new InMemoryMessageBus(_clock), Documents = new InMemoryDocumentStore(), Blobs = new InMemoryBlobStore(),
        Clock = _clock, Names = new("inbox", "batches", "proofs", "replica", "proof-records"), Instance = instance,
        Log = line => log?.Add(line),
    });
}
