using SuperVm.Simulation;

namespace SuperVm.Simulation.Tests;

/// <summary>The cluster under faults: what `supervm sim pbft` runs, as a test.</summary>
public sealed class PbftSimulationTests
{
    private const ulong Seeds = 2000;

    [Fact]
    public void Two_thousand_seeds_break_no_promise_and_every_fault_occurs_in_a_tenth_of_them()
    {
        var report = SimSuite.Run(Range(1, Seeds).Select(seed => new SimInput(seed)), Environment.ProcessorCount);
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures.Select(
            failure => $"{PbftSimulator.CommandOf(failure.Input)}: {failure.Violation}")));
        Assert.Equal([4, 7, 10], report.SeedsOf.Keys);
        Assert.All(report.SeedsWith, fault => Assert.True(
            fault.Value >= report.Seeds / 10, $"{fault.Key} occurred in {fault.Value} of {report.Seeds} seeds"));
        // Stakes, joining, leaving and slashing over epoch borders are no faults, but as much a part of the runs.
        Assert.All(report.SeedsWithStake, stake => Assert.True(
            stake.Value >= report.Seeds / 10, $"{stake.Key} occurred in {stake.Value} of {report.Seeds} seeds"));
    }

    [Fact]
    public void Fifty_seeds_hold_with_real_signatures()
    {
        var report = SimSuite.Run(
            Range(1, 50).Select(seed => new SimInput(seed, RealSignatures: true)), Environment.ProcessorCount);
        Assert.Empty(report.Failures);
    }

    [Theory]
    [MemberData(nameof(AllMutants))]
    public void A_deliberate_bug_is_found_within_two_thousand_seeds(string mutant)
    {
        var found = Mutants.Find(mutant, 1, (int)Seeds, seed => new SimInput(seed));
        Assert.NotNull(found.FoundAt);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(345)]
    public void A_seed_replays_exactly(ulong seed)
    {
        var (first, second) = (new List<string>(), new List<string>());
        PbftSimulator.Run(new SimInput(seed), first.Add);
        PbftSimulator.Run(new SimInput(seed), second.Add);
        Assert.NotEmpty(first);
        Assert.Equal(first, second);
    }

    [Fact]
    public void A_failing_seed_shrinks_to_a_smaller_one_that_still_fails()
    {
        var rules = new Core.Consensus.ReplicaRules { CommitBeforePrepared = true };
        var failing = Range(1, Seeds).Select(seed => new SimInput(seed))
            .Where(input => PbftSimulator.Run(input, rules).Violation is not null).Take(2).ToList();
        var smaller = failing.ConvertAll(input => PbftSimulator.Shrink(input, rules, null));
        Assert.All(smaller, input => Assert.NotNull(PbftSimulator.Run(input, rules).Violation));
        // A seed may need all of its faults, two hardly do.
        Assert.Contains(
            smaller.Zip(failing), pair => pair.First.Faults!.Count < PbftSimulator.FaultsOf(pair.Second).Count);
    }

    [Fact]
    public void Without_faults_every_number_of_replicas_finishes_and_falls_silent()
    {
        HashSet<FaultKind> none = [];
        foreach (var replicas in (int[])[1, 2, 3, 4, 5, 7, 10, 13])
        {
            var outcome = PbftSimulator.Run(new SimInput(1, replicas, none));
            Assert.Null(outcome.Violation);
            // The last of the statuses that follow the work, ever slower, is sent about 25 s after it.
            Assert.InRange(outcome.VirtualMs, 1, 30_000);
        }
    }

    public static TheoryData<string> AllMutants() => [.. Mutants.Names];

    private static IEnumerable<ulong> Range(ulong first, ulong last)
    {
        for (var seed = first; seed <= last; seed++)
        {
            yield return seed;
        }
    }
}
