using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>What a replica is given and never changes.</summary>
/// <param name="Parameters">Limits and times.</param>
/// <param name="Signer">This validator's key; an observer's address is in no set.</param>
/// <param name="Verifier">Checks the others' signatures.</param>
/// <param name="Inspector">Reads transactions.</param>
/// <param name="Genesis">Epoch 0.</param>
/// <param name="GenesisHeader">The parent of the first batch.</param>
public sealed record ReplicaContext(
    ConsensusParameters Parameters,
    IConsensusSigner Signer,
    ISignatureVerifier Verifier,
    ITransactionInspector Inspector,
    Epoch Genesis,
    BatchHeader GenesisHeader)
{
    internal ReplicaRules Rules { get; init; } = ReplicaRules.Correct;
}

/// <summary>
/// One validator's PBFT state: a deterministic machine <c>Step(state, event) → (state', effects)</c> without clock, I/O
/// or randomness.
/// </summary>
/// <remarks>
/// <para>Source: M. Castro, B. Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, and "… and Proactive
/// Recovery", TOCS 2002. docs/consensus.md lists the deviations and why they are safe. In short:</para>
/// <code>
///   client ─Request─▶ all      leader ─PrePrepare─▶ all ═Prepare═▶ all ═Commit═▶ all   order: batch committed
///                                                                    └▶ execute ═Checkpoint═▶ all   block finalized
/// </code>
/// <para>Batches are chained by their parents' digests; accepts, commit votes and the proofs in view changes go in
/// order
/// without gaps, so a view change never needs null batches. Every block is a checkpoint; its hash is the digest.</para>
/// <para>The state lives in this object and is changed in place; <see cref="Save"/> and <see cref="Load"/> move it
/// bit-exactly, and <see cref="TakeChanges"/> gives what a durable store must write before the effects are carried
/// out. One thread at a time.</para>
/// </remarks>
public sealed partial class Replica
{
    private readonly ReplicaContext _context;
    private readonly ConsensusParameters _parameters;
    private readonly ReplicaRules _rules;
    private readonly List<Effect> _effects = [];
    private readonly SortedDictionary<ulong, Slot> _slots = [];
    private readonly Dictionary<Hash256, Batch> _bodies = [];
    private readonly RequestPool _pool;
    private readonly LeaderSkips _skips;
    private readonly PeerBook _peerBook = new();
    private readonly ProofOfWorkRule? _work;
    private long _now;

    // Which epoch and view; not active while a view change is under way.
    private Epoch _epoch;
    private Epoch? _previousEpoch;
    private ulong _view;
    private bool _active = true;
    private bool _halted;
    private string _haltReason = "";

    // How far the chain is committed, executed and attested here; each is at most the one before.
    private ulong _committed;
    private BatchHeader _committedHeader;
    private ulong _executed;
    private ulong _stable;
    private BatchHeader _stableHeader;
    private CheckpointCertificate? _stableCertificate;
    private ValidatorSet? _nextValidators;

    private int _self;

    /// <summary>A replica at the genesis.</summary>
    public Replica(ReplicaContext context)
    {
        (_context, _parameters, _rules) = (context, context.Parameters, context.Rules);
        _pool = new RequestPool(_parameters, context.Inspector);
        _skips = new LeaderSkips(_parameters);
        _work = _parameters.Kind == ConsensusKind.ProofOfWork ? ProofOfWorkRule.OfBits(_parameters.WorkBits) : null;
        _epoch = context.Genesis;
        (_committedHeader, _stableHeader) = (context.GenesisHeader, context.GenesisHeader);
        _changes = new ViewChange?[_epoch.Validators.Count];
        _reported = new ulong[_epoch.Validators.Count];
        _self = _epoch.Validators.IndexOf(context.Signer.Address);
        _epochBase = context.GenesisHeader.Digest;
    }

    public Epoch Epoch => _epoch;

    /// <summary>The label of the view that the replica is in, or tries to enter.</summary>
    public ulong View => _view;

    /// <summary>Whether the view has begun here.</summary>
    public bool IsActive => _active;

    /// <summary>The last committed, executed and attested sequence numbers.</summary>
    public ulong Committed => _committed;

    /// <inheritdoc cref="Committed"/>
    public ulong Executed => _executed;

    /// <inheritdoc cref="Committed"/>
    public ulong Finalized => _stable;

    /// <summary>Whether this replica is a validator of its epoch (and not an observer).</summary>
    public bool IsValidator => _self >= 0;

    /// <summary>Set where the replica stopped for good.</summary>
    public string? HaltReason => _halted ? _haltReason : null;

    /// <summary>Pending transactions.</summary>
    public int Pending => _pool.Count;

    public PeerBook PeerScores => _peerBook;

    public Address Address => _context.Signer.Address;

    /// <summary>The validator that proposes next, as far as this replica knows.</summary>
    public int Leader => _epoch.Leaders.At(LeaderPosition());

    /// <summary>Whom broadcasts go to: the validators of this epoch and the one before, without this one.</summary>
    public IReadOnlyList<Address> Peers
    {
        get
        {
            var peers = new List<Address>();
            foreach (var validator in _epoch.Validators.Validators.Concat(_previousEpoch?.Validators.Validators ?? []))
            {
                if (validator.Address != Address && !peers.Contains(validator.Address))
                {
                    peers.Add(validator.Address);
                }
            }

            return peers;
        }
    }

    private ulong High => Math.Min(_stable + (ulong)_parameters.Window, _epoch.Last);

    /// <summary>
    /// Takes one event and answers its effects, to be carried out in order once the state is saved. The list is this
    /// object's own and holds until the next call.
    /// </summary>
    public IReadOnlyList<Effect> Step(ReplicaEvent happened)
    {
        _effects.Clear();
        if (_halted)
        {
            return _effects;
        }

        _now = Math.Max(_now, happened.NowMs);
        switch (happened)
        {
            case Started:
                OnStarted();
                break;
            case MessageArrived e:
                OnMessage(e.From, e.Message);
                break;
            case RequestsSubmitted e:
                OnSubmitted(e.Transactions);
                break;
            case TimerExpired e:
                OnTimer(e.Timer, e.Generation);
                break;
            case BatchExecuted e:
                OnExecuted(e);
                break;
            case SnapshotInstalled e:
                OnSnapshotInstalled(e.Sequence, e.Success);
                break;
            default:
                throw new ArgumentException($"Unknown event {happened.GetType().Name}.");
        }

        Settle();
        return _effects;
    }

    /// <summary>What follows from any change: messages that had to wait, a proposal, timers.</summary>
    private void Settle()
    {
        while (_replay && !_halted)
        {
            _replay = false;
            ReplayDeferred();
        }

        if (!_halted)
        {
            ProposeWhatIsDue();
            UpdateTimers();
        }
    }

    private void OnStarted()
    {
        RestartTimers();
        for (var sequence = _executed + 1; sequence <= _committed; sequence++)
        {
            Emit(new ExecuteBatch(_bodies[_slots[sequence].Decided!.Header.Digest]));
        }

        if (_rules.ReplayAfterRestart && _slots.TryGetValue(_executed, out var last) && last.Decided is { } decided)
        {
            _executed--;
            Emit(new ExecuteBatch(_bodies[decided.Header.Digest]));
        }

        BroadcastStatus();
        SendOwnPromises();
    }

    private void OnMessage(in Address from, ConsensusMessage message)
    {
        if (IsMuted(from))
        {
            Drop(from, message.Kind, DropReason.Muted);
            return;
        }

        if (_epoch.Validators.IndexOf(from) < 0 && (_previousEpoch?.Validators.IndexOf(from) ?? -1) < 0
            && message.Kind is not (MessageKind.Request or MessageKind.FetchBlocks or MessageKind.Status
                or MessageKind.Blocks or MessageKind.Snapshot or MessageKind.FetchBatch or MessageKind.Checkpoint))
        {
            Drop(from, message.Kind, DropReason.UnknownSender);
            return;
        }

        Dispatch(from, message);
    }

    /// <summary>
    /// Whether the peer is muted. Never more than a third of the power: whatever makes many look bad may be here.
    /// </summary>
    private bool IsMuted(in Address from)
    {
        if (!_peerBook.IsMuted(from, _now))
        {
            return false;
        }

        ulong power = 0;
        foreach (var validator in _epoch.Validators.Validators)
        {
            power += _peerBook.IsMuted(validator.Address, _now) ? validator.Power : 0;
        }

        return !_epoch.Validators.IsWeakQuorum(power);
    }

    private void Dispatch(in Address from, ConsensusMessage message)
    {
        switch (message)
        {
            case Request m:
                OnRequest(from, m);
                break;
            case PrePrepare m:
                OnPrePrepare(from, m);
                break;
            case Vote m:
                OnVote(from, m);
                break;
            case Checkpoint m:
                OnCheckpoint(from, m);
                break;
            case ViewChange m:
                OnViewChange(from, m);
                break;
            case NewView m:
                OnNewView(from, m);
                break;
            case Status m:
                OnStatus(from, m);
                break;
            case FetchTransactions m:
                OnFetchTransactions(from, m);
                break;
            case Transactions m:
                OnTransactions(from, m);
                break;
            case FetchBatch m:
                OnFetchBatch(from, m);
                break;
            case BatchBody m:
                OnBatchBody(from, m);
                break;
            case FetchBlocks m:
                Emit(new ServeBlocks(from, m.From, Math.Clamp(m.Count, 1, _parameters.FetchCount)));
                break;
            case Blocks m:
                OnBlocks(from, m);
                break;
            case Snapshot m:
                OnSnapshot(from, m);
                break;
            case FetchState or StateChunk:
                // These are the execution side's; its host keeps them from the replica.
                Drop(from, message.Kind, DropReason.Unsolicited);
                break;
            default:
                throw new ArgumentException($"Unknown message {message.Kind}.");
        }
    }

    private void Emit(Effect effect) => _effects.Add(effect);

    private void Drop(in Address from, MessageKind kind, DropReason reason)
    {
        _peerBook.Record(from, reason, _now);
        Emit(new MessageDropped(from, kind, reason));
    }

    private bool IsQuorum(ulong power) =>
        _epoch.Validators.IsQuorum(_rules.SmallQuorum ? power + _epoch.Validators.Validators.Min(v => v.Power) : power);

    private bool Verify(QuorumCertificate certificate) =>
        _rules.TrustCertificates || certificate.Verify(_parameters.ChainId, _epoch, _context.Verifier);

    private bool Verify(CheckpointCertificate certificate) =>
        _rules.TrustCertificates || certificate.Verify(_parameters.ChainId, _epoch, _context.Verifier);

    private bool VerifyShare(int validator, in Hash256 digest, byte[] signature) =>
        validator < _epoch.Validators.Count
        && _context.Verifier.Verify(_epoch.Validators[validator].Address, digest, signature);

    private Slot GetSlot(ulong sequence)
    {
        if (!_slots.TryGetValue(sequence, out var slot))
        {
            slot = new Slot(sequence, _view, _epoch.Validators.Count);
            _slots.Add(sequence, slot);
        }
        else if (slot.View != _view && _active)
        {
            slot.Reset(_view, _epoch.Validators.Count);
        }

        return slot;
    }

    /// <summary>Stops for good: from here on no event has an effect.</summary>
    private void Halt(string reason, Evidence? evidence)
    {
        (_halted, _haltReason) = (true, reason);
        _dirtyCore = true;
        if (evidence is not null)
        {
            Emit(new EvidenceFound(evidence));
        }

        Emit(new ReplicaHalted(reason, evidence));
    }
}
