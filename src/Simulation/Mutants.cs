using SuperVm.Core.Consensus;

namespace SuperVm.Simulation;

/// <summary>What the search for one deliberate bug found.</summary>
/// <param name="Name">The bug.</param>
/// <param name="FoundAt">The first seed that fails with it, or null.</param>
/// <param name="Tried">Seeds that were run.</param>
/// <param name="Violation">What failed.</param>
public sealed record MutantResult(string Name, ulong? FoundAt, int Tried, string? Violation);

/// <summary>
/// The mutation check: bugs switched on, one at a time, in the production Step of the honest replicas. A simulator that
/// does not find them would not find those that nobody knows.
/// </summary>
public static class Mutants
{
    private static readonly (string Name, ReplicaRules Rules)[] Known =
    [
        ("quorum-of-2f", new ReplicaRules { SmallQuorum = true }),
        ("no-digest-check", new ReplicaRules { NoDigestCheck = true }),
        ("commit-before-prepared", new ReplicaRules { CommitBeforePrepared = true }),
        ("lost-durable-state", new ReplicaRules { LostDurableState = true }),
        ("no-prepared-proofs", new ReplicaRules { NoPreparedProofs = true }),
        ("oldest-certificate-wins", new ReplicaRules { OldestCertificateWins = true }),
        ("accept-second-proposal", new ReplicaRules { AcceptSecondProposal = true }),
        ("trust-certificates", new ReplicaRules { TrustCertificates = true }),
        ("execute-prepared", new ReplicaRules { ExecutePrepared = true }),
        ("ignore-divergence", new ReplicaRules { IgnoreDivergence = true }),
        ("no-window", new ReplicaRules { NoWindow = true }),
        ("no-timeout", new ReplicaRules { NoTimeout = true }),
        ("no-timestamp-check", new ReplicaRules { NoTimestampCheck = true }),
        ("old-set-goes-on", new ReplicaRules { KeepsOldSet = true }),
        ("accuse-unchecked", new ReplicaRules { AccusesUnchecked = true }),
        ("unattested-set", new ReplicaRules { UnattestedSet = true }),
        ("replay-after-restart", new ReplicaRules { ReplayAfterRestart = true }),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(mutant => mutant.Name)];

    /// <summary>
    /// Runs seeds from <paramref name="first"/> on until one fails, at most <paramref name="count"/>.
    /// </summary>
    public static MutantResult Find(string name, ulong first, int count, Func<ulong, SimInput> input)
    {
        var rules = Known.Single(mutant => mutant.Name == name).Rules;
        for (var i = 0; i < count; i++)
        {
            var seed = first + (ulong)i;
            if (Violation(input(seed), rules) is { } violation)
            {
                return new MutantResult(name, seed, i + 1, violation);
            }
        }

        return new MutantResult(name, null, count, null);
    }

    // A bug may also break an assertion of the machine: that is found as well.
    private static string? Violation(SimInput input, ReplicaRules rules)
    {
        try
        {
            return PbftSimulator.Run(input, rules).Violation;
        }
        catch (Exception broken) when (broken is not OutOfMemoryException)
        {
            return $"assertion: {broken.GetType().Name}: {broken.Message}";
        }
    }
}
