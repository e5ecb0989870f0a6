using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>Links with their faults, clients, and what must have happened at the end.</summary>
internal sealed partial class SimCluster
{
    private readonly List<(Hash256 Hash, bool Acknowledged)> _requests = [];
    private readonly Dictionary<Hash256, int> _acknowledged = [];

    /// <summary>Puts a message on the link, if the link lets it through.</summary>
    internal void Post(int from, int to, ConsensusMessage message, long extraUs)
    {
        var faulty = !IsCalm;
        if (faulty && IsCut(from, to))
        {
            return;
        }

        if (Has(FaultKind.Drop, 0.08))
        {
            return;
        }

        var delay = 500L + _network.Below(8000) + extraUs + Math.Max(0, Nodes[from].BusyUntilUs - NowUs);
        if (Has(FaultKind.Delay, 0.05))
        {
            delay += _network.Below(800_000);
        }

        var arrival = NowUs + delay;
        if (Has(FaultKind.Reorder, 0.1))
        {
            arrival += _network.Below(60_000);
        }
        else if (extraUs == 0)
        {
            arrival = Math.Max(arrival, _lastArrivalUs[from, to] + 1);
            _lastArrivalUs[from, to] = arrival;
        }

        if (OnTheWire(message) is not { } received)
        {
            return;
        }

        var happened = new MessageArrived(0, Addresses[from], received);
        At(arrival, to, 0, happened);
        if (Has(FaultKind.Duplicate, 0.08))
        {
            At(arrival + _network.Below(100_000), to, 0, happened);
        }

        bool Has(FaultKind kind, double probability)
        {
            if (!faulty || !Plan.Faults.Contains(kind) || !_network.Chance(probability))
            {
                return false;
            }

            Occurred(kind);
            return true;
        }
    }

    /// <summary>
    /// Every eighth message goes through its encoding; with the fault some of those come with a bit flipped, and then
    /// what
    /// does not decode is gone, as a host drops it.
    /// </summary>
    private ConsensusMessage? OnTheWire(ConsensusMessage message)
    {
        if (_network.Below(8) != 0)
        {
            return message;
        }

        var bytes = MessageCodec.Encode(message);
        if (!IsCalm && Plan.Faults.Contains(FaultKind.Malformed) && _network.Chance(0.2))
        {
            Occurred(FaultKind.Malformed);
            bytes[_network.Below(bytes.Length)] ^= (byte)(1 << _network.Below(8));
            return MessageCodec.TryDecode(bytes, out var broken) ? broken : null;
        }

        if (!MessageCodec.TryDecode(bytes, out var decoded)
            || !MessageCodec.Encode(decoded).AsSpan().SequenceEqual(bytes))
        {
            Checker.Fail($"encoding: {message.Kind} does not survive the wire");
            return null;
        }

        return decoded;
    }

    private bool IsCut(int from, int to)
    {
        foreach (var (fromMs, toMs, group, oneWay) in Plan.Partitions)
        {
            if (NowUs < fromMs * 1000 || NowUs >= toMs * 1000)
            {
                continue;
            }

            var (inside, target) = ((group >> from) & 1, (group >> to) & 1);
            if (oneWay ? inside == 1 && target == 0 : inside != target)
            {
                Occurred(oneWay ? FaultKind.OneWayPartition : FaultKind.Partition);
                return true;
            }
        }

        return false;
    }

    private void ScheduleClients()
    {
        var random = new SimRandom(Plan.Input.Seed, "clients");
        for (var i = 0; i < Plan.Requests; i++)
        {
            var body = SimTransactions.Create(random);
            var at = random.Between(1, (int)SimPlan.CalmMs + 200) * 1000L;
            Offer(body, at, random.Below(Plan.Nodes));
        }

        var calls = new SimRandom(Plan.Input.Seed, "calls");
        foreach (var call in Plan.Calls)
        {
            var at = calls.Between(1, (int)SimPlan.CalmMs) * 1000L;
            Offer(call.ToTransaction(calls.Next()), at, calls.Below(Plan.Nodes));
        }
    }

    /// <summary>A client offers a transaction to one replica after another until an honest one has it saved.</summary>
    private void Offer(byte[] body, long atUs, int entry)
    {
        var hash = SimTransactions.HashOf(body);
        Checker.Submitted(hash);
        Enqueue(atUs, new Scheduled(-1, 0, null, () =>
        {
            var node = Nodes[entry % Plan.Nodes];
            var isAcknowledged = false;
            if (node.Runner is not null)
            {
                var incarnation = node.Incarnation;
                node.Process(new RequestsSubmitted(node.NowMs, [body]));
                isAcknowledged = node.Incarnation == incarnation && node.Runner?.Replica.HaltReason is null
                    && Plan.IsHonest(node.Index);
            }

            if (isAcknowledged)
            {
                _acknowledged[hash] = node.Index;
            }
            else
            {
                Offer(body, NowUs + 200_000, entry + 1);
            }
        }));
    }

    /// <summary>Every acknowledged transaction is executed at every honest validator, and all is attested.</summary>
    private bool IsDone() => Missing() is null;

    private string WhatIsMissing()
    {
        var missing = Missing() ?? "nothing";
        return $"liveness: {(NowUs / 1000) - SimPlan.CalmMs} ms after the calm {missing}";
    }

    private string? Missing()
    {
        var offered = Plan.Requests + Plan.Calls.Count;
        if (_acknowledged.Count < offered)
        {
            return $"only {_acknowledged.Count} of {offered} transactions are acknowledged";
        }

        var newest = Nodes.Where(node => Plan.IsHonest(node.Index) && node.Runner is not null)
            .MaxBy(node => node.Runner!.Replica.Executed);
        if (newest is null)
        {
            return "no honest replica is up";
        }

        var replica = newest.Runner!.Replica;
        foreach (var node in Nodes)
        {
            if (!Plan.IsHonest(node.Index) || replica.Epoch.Validators.IndexOf(Addresses[node.Index]) < 0)
            {
                continue;
            }

            if (node.Runner?.Replica is not { } other)
            {
                return $"replica {node.Index} is down";
            }

            if (other.Executed != replica.Executed || other.Finalized != other.Executed)
            {
                return $"replica {node.Index} executed {other.Executed} and finalized {other.Finalized} "
                    + $"of {replica.Executed} (view {other.View & uint.MaxValue}, active {other.IsActive})";
            }
        }

        foreach (var (hash, entry) in _acknowledged)
        {
            if (!newest.Chain.Has(hash))
            {
                return $"transaction {hash.ToString()[..8]}, acknowledged by replica {entry}, is not executed";
            }
        }

        return Checker.Unpunished(newest.Chain.Registry) is { } accused
            ? $"replica {accused} is proven to equivocate and still has its stake"
            : null;
    }

    /// <summary>
    /// Whoever knows the genesis alone can check, at the end, what the honest keep of all epochs: the steps from set to
    /// set, commit certificates and attestations, also those of validators that left or lost their stake since.
    /// </summary>
    private void CheckArchives()
    {
        foreach (var node in Nodes.Where(node => Plan.IsHonest(node.Index) && node.Runner is not null))
        {
            var archive = node.Runner!.Archive;
            var epochs = new List<Epoch> { Contexts[node.Index].Genesis };
            foreach (var step in archive.Epochs())
            {
                if (step.Apply(
                    epochs[^1], Plan.Parameters.ChainId, Plan.Parameters.EpochLength, Keys.Verifier) is not { } next)
                {
                    Checker.Fail(
                        $"certificates: the step to epoch {epochs.Count} that {node.Index} keeps does not hold");
                    return;
                }

                epochs.Add(next);
            }

            for (ulong sequence = 1; sequence <= node.Runner.Replica.Committed; sequence++)
            {
                var epoch = epochs.Find(one => one.Contains(sequence));
                if (archive.Batch(sequence) is { } kept && (epoch is null
                    || !kept.Certificate.Verify(Plan.Parameters.ChainId, epoch, Keys.Verifier)
                    || kept.Attestation?.Verify(Plan.Parameters.ChainId, epoch, Keys.Verifier) == false))
                {
                    Checker.Fail($"certificates: what replica {node.Index} keeps of batch {sequence} does not hold");
                    return;
                }
            }
        }
    }
}
