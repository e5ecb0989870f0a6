using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>What a run may be told from outside; the rest follows from the seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Replicas">The number of replicas, or null for 4, 7 or 10 by the seed.</param>
/// <param name="Faults">The faults that may occur, or null for all.</param>
/// <param name="Requests">Client requests, or null for a number by the seed.</param>
/// <param name="RealSignatures">secp256k1 instead of keyed hashes.</param>
/// <param name="Journal">
/// Whether machines run two instances of the cloud's order each, over a journal; null for one in four seeds.
/// </param>
public sealed record SimInput(
    ulong Seed, int? Replicas = null, IReadOnlySet<FaultKind>? Faults = null, int? Requests = null,
    bool RealSignatures = false, bool? Journal = null);

/// <summary>A time at which a replica goes down, and for how long.</summary>
internal readonly record struct PlannedCrash(int Node, long AtMs, long DownMs, bool Torn);

/// <summary>A time in which one group does not hear another.</summary>
internal readonly record struct PlannedPartition(long FromMs, long ToMs, uint Group, bool OneWay);

/// <summary>Everything that is decided before a run begins.</summary>
internal sealed class SimPlan
{
    /// <summary>When the network calms and the machines stay up: what is honest must then finish its work.</summary>
    internal const long CalmMs = 6000;

    /// <summary>How long after the calm that may take.</summary>
    internal const long DeadlineMs = CalmMs + 60_000;

    /// <summary>Machines beside the founders that may register.</summary>
    internal const int MaximumJoiners = 2;

    /// <summary>The part of the seeds that run the cloud's order.</summary>
    private const double Journaled = 0.25;

    /// <summary>Calls to the registry that clients make at most.</summary>
    private const int MaximumCalls = 8;

    internal required SimInput Input { get; init; }

    /// <summary>Machines: the founders, and some that may join later.</summary>
    internal required int Nodes { get; init; }

    /// <summary>The validators of genesis; they have the first indexes.</summary>
    internal required int Founders { get; init; }

    /// <summary>The founders' stakes.</summary>
    internal required ulong[] Powers { get; init; }

    internal required IReadOnlySet<FaultKind> Faults { get; init; }

    /// <summary>The lies of each replica; empty for the honest.</summary>
    internal required HashSet<FaultKind>[] Lies { get; init; }

    /// <summary>Execution of this replica goes wrong from some block on; -1 for none.</summary>
    internal required int Diverging { get; init; }

    internal required ConsensusParameters Parameters { get; init; }

    internal required int Requests { get; init; }

    /// <summary>Calls to the registry that clients make, where there are epochs.</summary>
    internal required IReadOnlyList<SimCall> Calls { get; init; }

    internal required List<PlannedCrash> Crashes { get; init; }

    internal required List<PlannedPartition> Partitions { get; init; }

    internal required int[] ClockOffsetsMs { get; init; }

    /// <summary>Microseconds of a write; an order in the cloud makes several where a process makes one.</summary>
    internal required int[] DiskUs { get; init; }

    internal required int[] ExecutionMs { get; init; }

    internal required bool Prunes { get; init; }

    /// <summary>The machines run two instances of the cloud's order each, in place of a process.</summary>
    internal required bool IsJournaled { get; init; }

    /// <summary>Entries of a journal from which on there is a new base.</summary>
    internal required int JournalEntries { get; init; }

    internal bool IsHonest(int node) => Lies[node].Count == 0 && node != Diverging;

    internal static SimPlan Of(SimInput input, IReadOnlyList<Address> addresses)
    {
        var random = new SimRandom(input.Seed, "plan");
        var founders = input.Replicas ?? (random.Below(10) switch { < 5 => 4, < 8 => 7, _ => 10 });
        var weighted = random.Chance(0.3);
        var powers = new ulong[founders];
        for (var i = 0; i < founders; i++)
        {
            powers[i] = weighted ? (ulong)random.Between(1, 5) : 1;
        }

        var faults = ChooseFaults(random, input.Faults);
        var parameters = ChooseKind(ChooseParameters(random), new SimRandom(input.Seed, "kind"));
        if (parameters.Kind is ConsensusKind.ProofOfAuthority or ConsensusKind.DelegatedProofOfStake)
        {
            Array.Fill(powers, 1UL); // each has one vote, whatever its stake
        }

        var stakes = new SimRandom(input.Seed, "stakes");
        var nodes = founders + (parameters.EpochLength == 0 ? 0 : stakes.Between(0, MaximumJoiners));
        var host = new SimRandom(input.Seed, "host");
        var isJournaled = host.Chance(Journaled);
        var lies = new HashSet<FaultKind>[nodes];
        Array.Fill(lies, []);
        var diverging = ChooseLiars(random, faults, powers, parameters, addresses, lies);
        for (var joiner = founders; joiner < nodes; joiner++)
        {
            lies[joiner] = stakes.Chance(0.3)
                ? faults.Where(FaultNames.IsByzantine).Order().Where(_ => stakes.Chance(0.4)).ToHashSet()
                : [];
        }

        return new SimPlan
        {
            Input = input,
            Nodes = nodes,
            Founders = founders,
            Powers = powers,
            Faults = faults,
            Lies = lies,
            Diverging = diverging,
            Parameters = parameters,
            Requests = input.Requests ?? new SimRandom(input.Seed, "requests").Between(10, 36),
            Calls = ChooseCalls(stakes, input, parameters, founders, nodes),
            Crashes = ChooseCrashes(new SimRandom(input.Seed, "crashes"), faults, nodes),
            Partitions = ChoosePartitions(new SimRandom(input.Seed, "partitions"), faults, nodes),
            ClockOffsetsMs = Each(nodes, new SimRandom(input.Seed, "clocks"), faults.Contains(FaultKind.ClockSkew)
                ? r => r.Between(-900, 900)
                : _ => 0),
            DiskUs = Each(nodes, new SimRandom(input.Seed, "disks"), faults.Contains(FaultKind.SlowDisk)
                ? r => (r.Chance(0.4) ? r.Between(5_000, 60_000) : 100) / ((input.Journal ?? isJournaled) ? 12 : 1)
                : _ => 100),
            ExecutionMs = Each(nodes, new SimRandom(input.Seed, "execution"), faults.Contains(FaultKind.SlowExecution)
                ? r => r.Chance(0.5) ? r.Between(100, 1500) : 2
                : _ => 2),
            Prunes = new SimRandom(input.Seed, "prunes").Chance(0.3),
            IsJournaled = input.Journal ?? isJournaled,
            JournalEntries = host.Between(6, 40),
        };
    }

    private static List<SimCall> ChooseCalls(
        SimRandom random, SimInput input, ConsensusParameters parameters, int founders, int nodes)
    {
        var calls = new List<SimCall>();
        for (var i = random.Between(2, MaximumCalls); i > 0 && parameters.EpochLength != 0; i--)
        {
            calls.Add(random.Below(5) switch
            {
                0 => new SimCall(SimOperation.AddStake, random.Below(nodes), (ulong)random.Between(1, 3), []),
                1 or 2 => new SimCall(SimOperation.Resign, random.Below(founders), 0, []),
                _ => new SimCall(
                    SimOperation.Register, random.Chance(0.5) ? random.Below(nodes) : nodes - 1,
                    (ulong)random.Between(1, 4), []),
            });
        }

        return input.Requests is { } requests ? [.. calls.Take(requests)] : calls;
    }

    private static int[] Each(int nodes, SimRandom random, Func<SimRandom, int> choose) =>
        [.. Enumerable.Range(0, nodes).Select(_ => choose(random))];

    private static HashSet<FaultKind> ChooseFaults(SimRandom random, IReadOnlySet<FaultKind>? allowed)
    {
        var faults = new HashSet<FaultKind>();
        foreach (var kind in FaultNames.All)
        {
            // Drawn for every kind, so that leaving one out does not move the others.
            var chosen = random.Chance(FaultNames.IsByzantine(kind) ? 0.45 : kind switch
            {
                FaultKind.Divergence => 0.25,
                FaultKind.Crash or FaultKind.TornState => 0.35,
                _ => 0.3,
            });
            if (chosen && (allowed is null || allowed.Contains(kind)))
            {
                faults.Add(kind);
            }
        }

        return faults;
    }

    private static ConsensusParameters ChooseParameters(SimRandom random) => new()
    {
        ChainId = 7,
        Window = random.Between(3, 12),
        BatchTransactions = random.Between(1, 4),
        BatchAgeMs = random.Below(3) * 5,
        TurnLength = (ulong)(random.Below(3) * 3),
        SkipSpan = (ulong)random.Between(8, 40),
        EpochLength = random.Chance(0.35) ? (ulong)random.Between(4, 12) : 0,
        ProgressTimeoutMs = random.Between(200, 500),
        MaximumTimeoutMs = 6000,
        CensorTimeoutMs = 1200,
        StatusPeriodMs = random.Between(80, 160),
        FetchDelayMs = 10,
        PoolTransactions = 256,
        PoolPerPeer = 128,
        RecentTransactions = 512,
        FetchCount = random.Between(2, 8),
        DeferredPerPeer = 64,
    };

    /// <summary>In three of ten seeds a rule of its own says who may propose.</summary>
    private static ConsensusParameters ChooseKind(ConsensusParameters parameters, SimRandom random) =>
        random.Below(20) switch
        {
            0 or 1 => parameters with { Kind = ConsensusKind.ProofOfStake },
            2 or 3 => parameters with { Kind = ConsensusKind.ProofOfWork, WorkBits = random.Between(1, 4) },
            4 => parameters with { Kind = ConsensusKind.DelegatedProofOfStake },
            5 => parameters with { Kind = ConsensusKind.ProofOfAuthority },
            _ => parameters,
        };

    /// <summary>
    /// Gives liars their lies, as many as may hold less than a third of the power; answers who diverges.
    /// </summary>
    private static int ChooseLiars(
        SimRandom random, HashSet<FaultKind> faults, ulong[] powers, ConsensusParameters parameters,
        IReadOnlyList<Address> addresses, HashSet<FaultKind>[] lies)
    {
        var nodes = powers.Length;
        var total = powers.Aggregate(0UL, (sum, power) => sum + power);
        var order = Enumerable.Range(0, nodes).ToList();
        random.Shuffle(order);
        if (random.Chance(0.75))
        {
            // The first leaders of the chain lie: lies of leaders need leaders.
            var set = new ValidatorSet([.. powers.Select((power, node) => new Validator(addresses[node], power))]);
            var genesis = Epoch.Genesis(set, SimGenesis.BlockHash, parameters.EpochLength, parameters.Kind);
            var leaders = Enumerable.Range(0, nodes).Select(at => genesis.Leaders.At((uint)at)).Distinct().ToList();
            order = [.. leaders, .. order.Where(node => !leaders.Contains(node))];
        }

        var possible = faults.Where(FaultNames.IsByzantine).Order().ToList();
        ulong lying = 0;
        var diverging = -1;
        foreach (var node in order)
        {
            if ((lying + powers[node]) * 3 >= total)
            {
                continue;
            }

            if (diverging < 0 && faults.Contains(FaultKind.Divergence) && random.Chance(0.5))
            {
                diverging = node;
                lying += powers[node];
                continue;
            }

            var chosen = possible.Where(_ => random.Chance(0.6)).ToHashSet();
            if (chosen.Count > 0)
            {
                lies[node] = chosen;
                lying += powers[node];
            }
        }

        return diverging;
    }

    private static List<PlannedCrash> ChooseCrashes(SimRandom random, HashSet<FaultKind> faults, int nodes)
    {
        var crashes = new List<PlannedCrash>();
        foreach (var kind in (ReadOnlySpan<FaultKind>)[FaultKind.Crash, FaultKind.TornState])
        {
            for (var i = random.Between(2, nodes + 2); i > 0; i--)
            {
                var crash = new PlannedCrash(
                    random.Below(nodes), random.Between(50, (int)CalmMs - 500), random.Between(10, 1500),
                    kind == FaultKind.TornState);
                if (faults.Contains(kind))
                {
                    crashes.Add(crash);
                }
            }
        }

        return crashes;
    }

    private static List<PlannedPartition> ChoosePartitions(SimRandom random, HashSet<FaultKind> faults, int nodes)
    {
        var partitions = new List<PlannedPartition>();
        foreach (var kind in (ReadOnlySpan<FaultKind>)[FaultKind.Partition, FaultKind.OneWayPartition])
        {
            for (var i = random.Between(1, 4); i > 0; i--)
            {
                var from = random.Between(50, (int)CalmMs - 800);
                var partition = new PlannedPartition(
                    from, Math.Min(CalmMs, from + random.Between(100, 1500)),
                    (uint)random.Between(1, (1 << nodes) - 2), kind == FaultKind.OneWayPartition);
                if (faults.Contains(kind))
                {
                    partitions.Add(partition);
                }
            }
        }

        return partitions;
    }
}

/// <summary>The chain's beginning in every run.</summary>
internal static class SimGenesis
{
    /// <summary>Virtual time 0 in milliseconds since 1970.</summary>
    internal const long EpochMs = 1_700_000_000_000;

    internal static readonly Hash256 BlockHash = new([.. Enumerable.Range(1, 32).Select(i => (byte)i)]);
}
