using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Simulation;

/// <summary>
/// One machine: a disk and a chain that survive crashes, and the runner of the production code that does not: that of a
/// process, or two instances of the cloud's.
/// </summary>
internal sealed class SimNode : IConsensusTransport, IConsensusTimers, IBatchExecutor, IConsensusObserver
{
    /// <summary>How often who is in no set asks where the others are, as the host does.</summary>
    private const long PollUs = 1_000_000;

    /// <summary>Writes of a function app before the one at which it dies: a new base takes as many.</summary>
    private const int MostWritesBeforeDeath = 8;

    /// <summary>Between the turns of two reporters of a proof, and between two tries of one.</summary>
    private const long ReportUs = 150_000;

    private readonly SimCluster _cluster;
    private readonly SimRandom _random;
    private readonly Queue<Batch> _executing = [];
    private readonly HashSet<int> _accused = [];
    private int _sendsBeforeDeath = -1;

    internal SimNode(SimCluster cluster, int index)
    {
        (_cluster, Index) = (cluster, index);
        _random = new SimRandom(cluster.Plan.Input.Seed + ((ulong)index << 48), "node");
        Chain = new SimChain(cluster.Registry, cluster.Plan.Parameters.EpochLength);
        Liar = cluster.Plan.Lies[index].Count > 0 ? new SimLiar(cluster, this) : null;
    }

    internal int Index { get; }

    internal SimStore Store { get; } = new();

    /// <summary>What instances of a function app stand on, in their place.</summary>
    internal SimCloud Cloud { get; } = new();

    internal SimChain Chain { get; }

    internal SimLiar? Liar { get; }

    /// <summary>Null while the machine is down.</summary>
    internal ISimRunner? Runner { get; private set; }

    /// <summary>Counts starts: what belonged to an earlier one is void.</summary>
    internal int Incarnation { get; private set; }

    /// <summary>Virtual microseconds until which the machine is busy with what it did last.</summary>
    internal long BusyUntilUs { get; private set; }

    internal ReplicaContext Context => _cluster.Contexts[Index];

    public long NowMs => SimGenesis.EpochMs + (_cluster.NowUs / 1000) + _cluster.Plan.ClockOffsetsMs[Index];

    internal void Start()
    {
        Incarnation++;
        BusyUntilUs = _cluster.NowUs;
        Guarded(() =>
        {
            Runner = _cluster.Plan.IsJournaled
                ? new SimInstances(this, _cluster, _random)
                : new SimProcess(new DurableRunner(Context, Store, this, this, this, this));
            Runner.Start();
        });
        if (HasRegistry && Runner is not null)
        {
            _accused.Clear();
            _cluster.After(PollUs, Index, Incarnation, Poll);
            foreach (var evidence in Runner.Archive.Evidence())
            {
                Accuse(evidence);
            }
        }
    }

    internal void Crash()
    {
        Runner = null;
        Incarnation++;
        _executing.Clear();
        (Store.DieAtWrite, Cloud.Death, _sendsBeforeDeath) = (null, null, -1);
        Cloud.Interrupt(0, null);
    }

    /// <summary>Lets the next saved step die before its write, after it, or among its sends.</summary>
    internal void PlanTornDeath()
    {
        var kind = _random.Below(3);
        switch (kind)
        {
            case 0 or 1 when _cluster.Plan.IsJournaled:
                Cloud.Death = (_random.Below(MostWritesBeforeDeath), kind == 1);
                break;
            case 0 or 1:
                Store.DieAtWrite = kind == 1;
                break;
            default:
                _sendsBeforeDeath = _random.Below(4);
                break;
        }
    }

    internal void Process(ReplicaEvent happened)
    {
        if (Runner is { } runner)
        {
            Busy(() => runner.Process(happened));
        }
    }

    /// <summary>Does something that keeps the machine busy for as long as its writes take.</summary>
    internal void Busy(Action action)
    {
        var writes = Store.Writes + Cloud.Writes;
        Guarded(action);
        var written = Store.Writes + Cloud.Writes - writes;
        BusyUntilUs = _cluster.NowUs + 5 + (written * _cluster.Plan.DiskUs[Index]);
        if (written > 0 && _cluster.Plan.DiskUs[Index] > 1000)
        {
            _cluster.Occurred(FaultKind.SlowDisk);
        }
    }

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (SimCrashException)
        {
            _cluster.TornCrash(this);
        }
    }

    private bool HasRegistry => _cluster.Plan.Parameters.EpochLength != 0;

    private void Poll()
    {
        _cluster.After(PollUs, Index, Incarnation, Poll);
        if (Runner?.Replica is { IsValidator: false, HaltReason: null } replica)
        {
            Guarded(() => Send(replica.Peers, new Status(
                replica.View, replica.IsActive, replica.Committed, replica.Finalized, null, false), null));
        }
    }

    /// <summary>
    /// Takes a proof to the registry, some time after the replicas before this one, until it is punished.
    /// </summary>
    private void Accuse(Evidence evidence)
    {
        var (digest, signature) = evidence.SignedFirst(_cluster.Plan.Parameters.ChainId);
        var accused = Enumerable.Range(0, _cluster.Plan.Nodes).Where(node =>
            _cluster.Keys.Verifier.Verify(_cluster.Addresses[node], digest, signature)).FirstOrDefault(-1);
        if (accused >= 0 && evidence.IsSlashable && _accused.Add(accused))
        {
            Report(accused, evidence.Encode(), tries: 0);
        }
    }

    private void Report(int accused, byte[] proof, int tries) =>
        _cluster.After(ReportUs * (tries == 0 ? Index + 1 : 10), Index, Incarnation, () =>
        {
            if (Runner is null || !Chain.Registry.IsSlashable(accused))
            {
                return;
            }

            var transaction = new SimCall(SimOperation.Slash, accused, 0, proof).ToTransaction((ulong)tries);
            _cluster.Checker.Submitted(SimTransactions.HashOf(transaction));
            Report(accused, proof, tries + 1);
            Process(new RequestsSubmitted(NowMs, [transaction]));
        });

    public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
    {
        if (_sendsBeforeDeath == 0)
        {
            throw new SimCrashException();
        }

        _sendsBeforeDeath--;
        if (Liar is not null)
        {
            Liar.Send(to, message);
            return;
        }

        SendAll(to, message, 0);
    }

    internal void SendAll(IReadOnlyList<Address> to, ConsensusMessage message, long extraUs)
    {
        foreach (var address in to)
        {
            _cluster.Post(Index, _cluster.IndexOf(address), message, extraUs);
        }
    }

    public void Set(TimerKind timer, ulong generation, int delayMs, int jitterMs)
    {
        var delay = (delayMs * 1000L) + (jitterMs > 0 ? _random.Below(jitterMs * 1000) : 0);
        _cluster.At(_cluster.NowUs + delay, Index, Incarnation, new TimerExpired(0, timer, generation));
    }

    public void Execute(Batch batch)
    {
        var delay = _cluster.Plan.ExecutionMs[Index] * 1000L;
        if (delay > 50_000)
        {
            _cluster.Occurred(FaultKind.SlowExecution);
        }

        _executing.Enqueue(batch);
        _cluster.After(delay + 100, Index, Incarnation, () => Finish(_executing.Dequeue()));
    }

    private void Finish(Batch batch)
    {
        var height = Chain.Height;
        var corruption = Index == _cluster.Plan.Diverging && batch.Sequence >= 3 ? 1UL : 0UL;
        if (corruption != 0)
        {
            _cluster.Occurred(FaultKind.Divergence);
        }

        if (Chain.Execute(batch, corruption) is not { } block)
        {
            if (_cluster.Plan.IsHonest(Index))
            {
                _cluster.Checker.Fail(
                    $"order: replica {Index} at height {height} executes batch {batch.Sequence}: a gap, or another "
                    + "batch than before");
            }

            return;
        }

        _cluster.Checker.Executed(Index, block, Chain.Height > height);
        var isBorder = HasRegistry && batch.Sequence % _cluster.Plan.Parameters.EpochLength == 0;
        Process(new BatchExecuted(
            NowMs, batch.Sequence, block.Hash, isBorder ? block.Registry.NextSet() : null));
    }

    public void InstallSnapshot(InstallSnapshot wanted)
    {
        var (sequence, blockHash, from, _) = wanted;
        var peer = _cluster.Nodes[_cluster.IndexOf(from)];
        _cluster.After(20_000, Index, Incarnation, () =>
        {
            var success = peer.Chain.At(sequence) is { } block && block.Hash == blockHash
                && sequence > Chain.Height;
            if (success)
            {
                Chain.CopyFrom(peer.Chain, sequence);
            }

            _cluster.Snapshots += success ? 1 : 0;
            Process(new SnapshotInstalled(NowMs, sequence, success));
        });
    }

    public void Happened(Effect effect)
    {
        _cluster.Trace?.Invoke($"{_cluster.NowUs / 1000.0,9:F2} {Index} {SimTrace.Describe(effect)}");
        _cluster.Checker.Happened(Index, _cluster.NowUs / 1000, effect);
        if (effect is EvidenceFound found && HasRegistry)
        {
            Accuse(found.Evidence);
        }

        if (effect is BlockFinalized e && _cluster.Plan.Prunes && e.Certificate.Statement.Sequence > 4)
        {
            using var write = Store.CreateBatch();
            ConsensusArchive.Prune(write, e.Certificate.Statement.Sequence - 3);
            Store.Write(write);
        }
    }
}
