using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>What came of one run.</summary>
/// <param name="Violation">The first broken promise in words, or null.</param>
/// <param name="Occurred">How often each fault happened.</param>
/// <param name="Steps">Events delivered.</param>
/// <param name="Batches">Batches committed.</param>
/// <param name="VirtualMs">Virtual time at the end.</param>
/// <param name="Evidence">Proofs of faults that honest replicas stored.</param>
/// <param name="Snapshots">Snapshots installed.</param>
/// <param name="Epochs">The last epoch that began.</param>
/// <param name="Replicas">Validators of genesis.</param>
/// <param name="Stakes">What became of the validator registry.</param>
/// <param name="IsJournaled">Whether the machines ran instances of the cloud's order.</param>
/// <param name="Races">Times that two of them raced.</param>
public sealed record SimOutcome(
    string? Violation, IReadOnlyDictionary<FaultKind, int> Occurred, long Steps, int Batches, long VirtualMs,
    int Evidence, int Snapshots, int Epochs, int Replicas, SimStakes Stakes,
    bool IsJournaled = false, int Races = 0);

/// <summary>
/// A cluster in virtual time on one thread: every delay, loss and crash is drawn from the seed, so a seed is a run.
/// </summary>
internal sealed partial class SimCluster
{
    /// <summary>Events after which a run counts as a storm without end.</summary>
    private const long MaximumSteps = 3_000_000;

    private readonly PriorityQueue<Scheduled, (long TimeUs, long Order)> _queue = new();
    private readonly Dictionary<FaultKind, int> _occurred = [];
    private readonly Dictionary<Address, int> _indexes = [];
    private readonly SimRandom _network;
    private readonly long[,] _lastArrivalUs;
    private long _order;
    private long _steps;

    internal SimCluster(SimPlan plan, SimKeyring keys, ReplicaRulesSource rules)
    {
        Plan = plan;
        Keys = keys;
        Addresses = keys.Addresses;
        _network = new SimRandom(plan.Input.Seed, "network");
        _lastArrivalUs = new long[plan.Nodes, plan.Nodes];
        Registry = SimRegistry.Genesis(plan, Addresses, keys.Verifier);
        var genesis = Epoch.Genesis(
            Registry.NextSet(), SimGenesis.BlockHash, plan.Parameters.EpochLength, plan.Parameters.Kind);
        Checker = new SimChecker(plan, keys.Verifier, Addresses, genesis, Registry);
        var header = BatchHeader.Genesis(
            SimGenesis.BlockHash, (SimGenesis.EpochMs / 1000) - 5, plan.Parameters.GasLimit);
        Contexts = [.. Enumerable.Range(0, plan.Nodes).Select(node => new ReplicaContext(
            plan.Parameters, keys.Signer(node), keys.Verifier, SimTransactions.Instance, genesis, header)
        {
            Rules = rules.For(plan.IsHonest(node)),
        })];
        for (var i = 0; i < plan.Nodes; i++)
        {
            _indexes.Add(Addresses[i], i);
        }

        Nodes = [.. Enumerable.Range(0, plan.Nodes).Select(node => new SimNode(this, node))];
        Checker.Divergent = plan.Diverging >= 0 ? Nodes[plan.Diverging].Chain : null;
    }

    internal SimPlan Plan { get; }

    internal SimKeyring Keys { get; }

    internal IReadOnlyList<Address> Addresses { get; }

    /// <summary>The validator registry of genesis.</summary>
    internal SimRegistry Registry { get; }

    internal ReplicaContext[] Contexts { get; }

    internal SimNode[] Nodes { get; }

    internal SimChecker Checker { get; }

    internal long NowUs { get; private set; }

    internal int Snapshots { get; set; }

    /// <summary>Times that an instance came between two writes of another, or right behind them.</summary>
    internal int Races { get; set; }

    /// <summary>Takes a line for each thing that happens; null for none.</summary>
    internal Action<string>? Trace { get; init; }

    internal bool IsCalm => NowUs >= SimPlan.CalmMs * 1000;

    internal int IndexOf(in Address address) => _indexes[address];

    internal void Occurred(FaultKind kind) => _occurred[kind] = _occurred.GetValueOrDefault(kind) + 1;

    internal SimOutcome Run()
    {
        foreach (var node in Nodes)
        {
            node.Start();
        }

        if (Plan.ClockOffsetsMs.Any(offset => offset != 0))
        {
            Occurred(FaultKind.ClockSkew);
        }

        ScheduleClients();
        ScheduleCrashes();
        foreach (var node in Nodes)
        {
            node.Liar?.Begin();
        }

        var deadline = SimPlan.DeadlineMs * 1000;
        while (Checker.Violation is null && _queue.TryDequeue(out var next, out var due))
        {
            if (due.TimeUs > deadline || _steps > MaximumSteps)
            {
                break;
            }

            NowUs = Math.Max(NowUs, due.TimeUs);
            Deliver(next);
            if (IsCalm && _steps % 64 == 0 && IsDone())
            {
                break;
            }
        }

        if (Checker.Violation is null && !IsDone())
        {
            Checker.Fail(WhatIsMissing());
        }

        CheckArchives();

        return new SimOutcome(
            Checker.Violation, _occurred, _steps, Checker.Batches, NowUs / 1000, Checker.EvidenceSeen, Snapshots,
            (int)Nodes.Max(node => node.Runner?.Replica.Epoch.Number ?? 0), Plan.Founders, Checker.Stakes,
            Plan.IsJournaled, Races);
    }

    /// <summary>Delivers an event to a replica as of this incarnation.</summary>
    internal void At(long timeUs, int node, int incarnation, ReplicaEvent happened) =>
        Enqueue(timeUs, new Scheduled(node, incarnation, happened, null));

    /// <summary>Does something on a machine, as long as it has not crashed since.</summary>
    internal void After(long delayUs, int node, int incarnation, Action action) =>
        Enqueue(NowUs + delayUs, new Scheduled(node, incarnation, null, action));

    /// <summary>The machine died at a write or among its sends: it comes back later.</summary>
    internal void TornCrash(SimNode node)
    {
        Trace?.Invoke($"{NowUs / 1000.0,9:F2} {node.Index} DIES at a write");
        Occurred(FaultKind.TornState);
        node.Crash();
        var back = _network.Between(5, 400) * 1000L;
        Enqueue(NowUs + back, new Scheduled(-1, 0, null, node.Start));
    }

    private void Enqueue(long timeUs, Scheduled what) => _queue.Enqueue(what, (timeUs, _order++));

    private void Deliver(in Scheduled next)
    {
        if (next.Node < 0)
        {
            next.Action!();
            return;
        }

        var node = Nodes[next.Node];
        if (next.Incarnation != 0 && next.Incarnation != node.Incarnation)
        {
            return;
        }

        if (node.BusyUntilUs > NowUs)
        {
            Enqueue(node.BusyUntilUs, next);
            return;
        }

        _steps++;
        if (next.Action is not null)
        {
            next.Action();
        }
        else if (next.Happened is MessageArrived arrived)
        {
            Trace?.Invoke($"{NowUs / 1000.0,9:F2} {next.Node} <- {IndexOf(arrived.From)} "
                + SimTrace.Describe(arrived.Message));
            node.Liar?.Hear(arrived);
            if (node.Liar?.Ignores(arrived.Message) != true)
            {
                node.Process(arrived with { NowMs = node.NowMs });
            }
        }
        else
        {
            node.Process(next.Happened! with { NowMs = node.NowMs });
        }

        if (_steps % 128 == 0 && node.Runner is { } runner)
        {
            Checker.CheckFootprint(next.Node, runner.Replica.Footprint);
        }
    }

    private void ScheduleCrashes()
    {
        foreach (var crash in Plan.Crashes)
        {
            Enqueue(crash.AtMs * 1000, new Scheduled(-1, 0, null, () =>
            {
                var node = Nodes[crash.Node];
                if (node.Runner is null)
                {
                    return;
                }

                if (crash.Torn)
                {
                    node.PlanTornDeath();
                    return;
                }

                Occurred(FaultKind.Crash);
                Trace?.Invoke($"{NowUs / 1000.0,9:F2} {crash.Node} CRASHES");
                node.Crash();
                Enqueue(NowUs + (crash.DownMs * 1000), new Scheduled(-1, 0, null, node.Start));
            }));
        }

        // What was planned to die at a write and has not by the calm lives on.
        Enqueue(SimPlan.CalmMs * 1000, new Scheduled(-1, 0, null, () =>
        {
            foreach (var node in Nodes)
            {
                (node.Store.DieAtWrite, node.Cloud.Death) = (null, null);
            }
        }));
    }

    /// <summary>Something that is due: an event or an action for a machine, or (node -1) for the world.</summary>
    private readonly record struct Scheduled(int Node, int Incarnation, ReplicaEvent? Happened, Action? Action);
}

/// <summary>Which rules a replica plays by: the production ones, or a mutant's for the honest.</summary>
internal sealed class ReplicaRulesSource(ReplicaRules rules)
{
    internal ReplicaRules For(bool honest) => honest || rules.IgnoreDivergence ? rules : ReplicaRules.Correct;
}
