using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Simulation;

/// <summary>How a machine runs its replica: as one process, or as instances of a function app.</summary>
internal interface ISimRunner
{
    Replica Replica { get; }

    ConsensusArchive Archive { get; }

    void Start();

    void Process(ReplicaEvent happened);
}

/// <summary>One process over a key-value store.</summary>
internal sealed class SimProcess(DurableRunner runner) : ISimRunner
{
    public Replica Replica => runner.Replica;

    public ConsensusArchive Archive => runner.Archive;

    public void Start() => runner.Start();

    public void Process(ReplicaEvent happened) => runner.Process([happened]);
}

/// <summary>
/// Two instances of the cloud's order over one journal. Events come to either, in groups as large as the time that the
/// last one took; and now and then one instance takes a group while the other stands between two of its writes.
/// </summary>
/// <remarks>
/// All is synchronous: the stores answer at once, so that a call ends before it returns, and a race is a call within a
/// call.
/// </remarks>
internal sealed class SimInstances : ISimRunner, IJournaledRunnerPorts
{
    private const double Switch = 0.1;
    private const double Race = 0.1;

    /// <summary>Writes of a step before one of which the other instance comes in.</summary>
    private const int MostWrites = 6;

    /// <summary>How long a group may lie with the other instance.</summary>
    private const long ParkedUs = 5_000;

    /// <summary>From an event to its group.</summary>
    private const long GroupUs = 50;

    private readonly SimNode _node;
    private readonly SimCluster _cluster;
    private readonly SimRandom _random;
    private readonly JournaledRunner[] _instances;
    private readonly bool[] _hasBegun = new bool[2];
    private readonly List<ReplicaEvent> _waiting = [];
    private readonly Dictionary<ulong, Batch> _ordered = [];
    private List<ReplicaEvent>? _parked;
    private ulong _told;
    private ulong _final;
    private int _current;

    internal SimInstances(SimNode node, SimCluster cluster, SimRandom random)
    {
        (_node, _cluster, _random) = (node, cluster, random);
        Archive = new ConsensusArchive(node.Store);
        _instances = [New(), New()];
    }

    public Replica Replica
    {
        get
        {
            // One that stands between two writes has none, and then the other one has come in between.
            if ((_instances[_current].Replica ?? _instances[1 - _current].Replica) is { } known)
            {
                return known;
            }

            Ended(_instances[_current].StandingAsync(default));
            return _instances[_current].Replica!;
        }
    }

    public ConsensusArchive Archive { get; }

    public long NowMs => _node.NowMs;

    public void Start() => Step(_current, []);

    public void Process(ReplicaEvent happened)
    {
        _waiting.Add(happened);
        if (happened is RequestsSubmitted)
        {
            Take(); // a client's transaction is acknowledged when the call returns
        }
        else if (_waiting.Count == 1)
        {
            _cluster.After(GroupUs, _node.Index, _node.Incarnation, () => _node.Busy(Take));
        }
    }

    private void Take()
    {
        ReplicaEvent[] group = [.. _waiting];
        _waiting.Clear();
        if (group.Length == 0)
        {
            return;
        }

        if (_parked is not null)
        {
            // The other instance comes between two writes of this one; or after them, where there are fewer.
            _node.Cloud.Interrupt(_random.Below(MostWrites), TakeParked);
            Step(_current, group);
            _node.Cloud.Interrupt(0, null);
            TakeParked();
        }
        else if (!_cluster.IsCalm && !group.Any(one => one is RequestsSubmitted) && _random.Chance(Race))
        {
            _parked = [.. group];
            _cluster.After(ParkedUs, _node.Index, _node.Incarnation, () => _node.Busy(TakeParked));
        }
        else
        {
            _current = _random.Chance(Switch) ? 1 - _current : _current;
            Step(_current, group);
        }
    }

    private void TakeParked()
    {
        if (_parked is { } parked)
        {
            _parked = null;
            _cluster.Races++;
            Step(1 - _current, parked);
        }
    }

    public Task ArchiveAsync(IReadOnlyList<Effect> effects, CancellationToken cancellation)
    {
        if (effects.Count > 0)
        {
            using var write = _node.Store.CreateBatch();
            foreach (var effect in effects)
            {
                ConsensusArchive.Put(write, effect);
            }

            _node.Cloud.Write(() => _node.Store.Write(write));
        }

        return Task.CompletedTask;
    }

    public Task<BatchExecuted?> ExecutedAsync(ulong sequence, CancellationToken cancellation)
    {
        var isBorder = _node.Context.Parameters.EpochLength is var length and not 0 && sequence % length == 0;
        return _node.Chain.At(sequence) is { } block
            ? Task.FromResult<BatchExecuted?>(new BatchExecuted(
                NowMs, sequence, block.Hash, isBorder ? block.Registry.NextSet() : null))
            : throw new StoreException($"Block {sequence} was reported and is not there.");
    }

    public Task SendAsync(IReadOnlyList<Address> to, ConsensusMessage message, CancellationToken cancellation)
    {
        _node.Send(to, message, null);
        return Task.CompletedTask;
    }

    public Task CarryOutAsync(Effect effect, CancellationToken cancellation)
    {
        switch (effect)
        {
            case SetTimer e:
                _node.Set(e.Timer, e.Generation, e.DelayMs, e.JitterMs);
                break;
            case ExecuteBatch e:
                _ordered[e.Batch.Sequence] = e.Batch;
                ExecuteInOrder(e.Batch.Sequence);
                break;
            case InstallSnapshot e:
                _node.InstallSnapshot(e);
                break;
            case ServeBlocks e when Archive.Serve(e.From, e.Count, _node.Context.Parameters) is { } answer:
                _node.Send([e.To], answer, null);
                break;
            default:
                break;
        }

        if (effect is not BlockFinalized { Certificate.Statement.Sequence: var final } || final > _final)
        {
            _final = effect is BlockFinalized e ? e.Certificate.Statement.Sequence : _final;
            _node.Happened(effect);
        }

        return Task.CompletedTask;
    }

    /// <summary>
    /// An instance that was overtaken behind its append tells of its batch after the next one: execution waits for it.
    /// </summary>
    private void ExecuteInOrder(ulong sequence)
    {
        _told = Math.Max(_told, _node.Chain.Height);
        if (sequence <= _told)
        {
            _node.Execute(_ordered[sequence]);
        }

        while (_ordered.TryGetValue(_told + 1, out var next))
        {
            _told++;
            _node.Execute(next);
        }
    }

    private JournaledRunner New() => new(
        _node.Context,
        new ReplicaJournal(_node.Cloud, _node.Cloud, new("replica", "order", "pbft"))
        {
            MostEntries = _cluster.Plan.JournalEntries,
        },
        this);

    /// <summary>An instance's first call takes up what another one may have left.</summary>
    private void Step(int instance, IReadOnlyList<ReplicaEvent> events)
    {
        var isFirst = !_hasBegun[instance];
        _hasBegun[instance] = true;
        if (!Ended(_instances[instance].ProcessAsync(events, isFirst, default)))
        {
            _cluster.Checker.Fail($"liveness: an instance of replica {_node.Index} lost every race");
        }
    }

    private static T Ended<T>(Task<T> task) => task.IsCompleted
        ? task.GetAwaiter().GetResult()
        : throw new InvalidOperationException("A call in the simulated cloud waits for something.");
}
