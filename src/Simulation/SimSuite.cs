using System.Diagnostics;

namespace SuperVm.Simulation;

/// <summary>A seed that broke a promise.</summary>
public sealed record SimFailure(SimInput Input, string Violation);

/// <summary>What came of many seeds.</summary>
public sealed class SimReport
{
    public required long Seeds { get; init; }

    public required IReadOnlyList<SimFailure> Failures { get; init; }

    /// <summary>In how many seeds each fault happened at least once.</summary>
    public required IReadOnlyDictionary<FaultKind, int> SeedsWith { get; init; }

    /// <summary>Seeds by the number of replicas.</summary>
    public required IReadOnlyDictionary<int, int> SeedsOf { get; init; }

    public required long Steps { get; init; }

    public required long Batches { get; init; }

    public required long Evidence { get; init; }

    public required int SeedsWithSnapshot { get; init; }

    public required int SeedsWithEpochs { get; init; }

    /// <summary>In how many seeds each thing happened to the validator registry at least once, by its name.</summary>
    public required IReadOnlyDictionary<string, int> SeedsWithStake { get; init; }

    /// <summary>Seeds whose machines ran instances of the cloud's order.</summary>
    public required int SeedsWithJournal { get; init; }

    /// <summary>Times that two instances of one machine raced.</summary>
    public required long Races { get; init; }

    public required long ElapsedMs { get; init; }
}

/// <summary>Runs ranges of seeds, several at a time: runs share nothing.</summary>
public static class SimSuite
{
    /// <summary>Failures kept; a broken build would fail them all.</summary>
    private const int MaximumFailures = 100;

    /// <param name="inputs">The runs.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="failed">Told of each failure as it is found.</param>
    /// <param name="cancellation">Ends early.</param>
    public static SimReport Run(
        IEnumerable<SimInput> inputs, int workers, Action<SimFailure>? failed = null,
        CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        var failures = new List<SimFailure>();
        var seedsWith = FaultNames.All.ToDictionary(kind => kind, _ => 0);
        var seedsOf = new SortedDictionary<int, int>();
        long seeds = 0, steps = 0, batches = 0, evidence = 0;
        int withSnapshot = 0, withEpochs = 0, withJournal = 0;
        var races = 0L;
        var withStake = StakesOf(SimStakes.None).ToDictionary(one => one.Name, _ => 0);
        var gate = new Lock();
        var options = new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellation };
        Parallel.ForEach(inputs, options, (input, state) =>
        {
            var outcome = RunOne(input);
            lock (gate)
            {
                seeds++;
                (steps, batches, evidence) =
                    (steps + outcome.Steps, batches + outcome.Batches, evidence + outcome.Evidence);
                withSnapshot += outcome.Snapshots > 0 ? 1 : 0;
                withEpochs += outcome.Epochs > 0 ? 1 : 0;
                withJournal += outcome.IsJournaled ? 1 : 0;
                races += outcome.Races;
                seedsOf[outcome.Replicas] = seedsOf.GetValueOrDefault(outcome.Replicas) + 1;
                foreach (var (name, count) in StakesOf(outcome.Stakes))
                {
                    withStake[name] += count > 0 ? 1 : 0;
                }

                foreach (var (kind, count) in outcome.Occurred)
                {
                    seedsWith[kind] += count > 0 ? 1 : 0;
                }

                if (outcome.Violation is { } violation && failures.Count < MaximumFailures)
                {
                    var failure = new SimFailure(input, violation);
                    failures.Add(failure);
                    failed?.Invoke(failure);
                    if (failures.Count == MaximumFailures)
                    {
                        state.Stop();
                    }
                }
            }
        });
        return new SimReport
        {
            Seeds = seeds,
            Failures = [.. failures.OrderBy(failure => failure.Input.Seed)],
            SeedsWith = seedsWith,
            SeedsOf = seedsOf,
            Steps = steps,
            Batches = batches,
            Evidence = evidence,
            SeedsWithSnapshot = withSnapshot,
            SeedsWithEpochs = withEpochs,
            SeedsWithStake = withStake,
            SeedsWithJournal = withJournal,
            Races = races,
            ElapsedMs = watch.ElapsedMilliseconds,
        };
    }

    private static (string Name, int Count)[] StakesOf(SimStakes stakes) =>
    [
        ("stake-slashed", stakes.Slashed), ("slashed-left-out", stakes.LeftOut), ("joined", stakes.Joined),
        ("resigned", stakes.Resigned), ("stake-raised", stakes.Raised), ("new-set", stakes.NewSets),
    ];

    private static SimOutcome RunOne(SimInput input)
    {
        try
        {
            return PbftSimulator.Run(input);
        }
        catch (Exception broken) when (broken is not OutOfMemoryException)
        {
            return new SimOutcome(
                $"assertion: {broken}", new Dictionary<FaultKind, int>(), 0, 0, 0, 0, 0, 0, input.Replicas ?? 0,
                SimStakes.None);
        }
    }
}
