using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Consensus;

/// <summary>A chain whose blocks PBFT orders: the replica, its peers, and the node that clients speak to.</summary>
/// <remarks>
/// <code>
///   clients ─▶ Node (checks, pool) ─▶ journal ─▶┐
///   peers ─▶ PeerServer ─▶ a queue each ───────▶├─▶ one thread: DurableRunner ─▶ PeerTransport ─▶ peers
///   timers, executed blocks ───────────────────▶┘          └─▶ BlockExecutor ─▶ Chain: "latest"
///                                                          └─▶ attested by a quorum: "finalized"
/// </code>
/// A submission is answered once it is in the journal; the pool passes it on when its sender's earlier ones are there.
/// </remarks>
public sealed class ValidatorNode : IConsensusObserver, IAsyncDisposable
{
    /// <summary>How often a replica that is no validator asks how far the others are.</summary>
    private static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Blocks between two deletions of old batches.</summary>
    private const ulong PruneEvery = 16;

    private readonly Chain _chain;
    private readonly IKeyValueStore _store;
    private readonly ValidatorOptions _options;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private readonly EventQueue _events = new();
    private readonly Dictionary<Hash256, Transaction> _gapped = [];
    private readonly Lock _gappedGate = new();
    private readonly Secp256k1Signer _signer;
    private readonly TransactionCache _transactions;
    private readonly SubmissionJournal _journal;
    private readonly ConsensusView _view;
    private readonly PeerDirectory _directory;
    private readonly BlockExecutor _executor;
    private readonly EvidenceReporter _reporter;
    private readonly SnapshotTransfer _snapshots;
    private readonly ulong _keptBatches;
    private readonly ReplicaHost _host;
    private readonly ITimer _polls;
    private volatile bool _peersChanged;
    private volatile bool _pollIsDue;

    /// <summary>A validator over an opened chain; store and chain stay the caller's.</summary>
    /// <exception cref="ArgumentException">No validator set, or no key.</exception>
    public ValidatorNode(
        Chain chain, IKeyValueStore store, Func<IExecutionEngine> newEngine, NodeOptions node, ValidatorOptions options,
        TimeProvider clock, Action<string> log)
    {
        (_chain, _store, _options, _clock, _log) = (chain, store, options, clock, log);
        _signer = new Secp256k1Signer(options.PrivateKey);
        _transactions = new TransactionCache(chain.ChainId);
        _journal = new SubmissionJournal(store, options.Sync);
        var context = ConsensusGenesis.ContextOf(
            chain, options.Parameters, options.Registry, options.Validators, _signer, _transactions);
        _view = new ConsensusView(new ConsensusArchive(store), context.Parameters, context.Genesis);
        Node = new Node(
            chain, chain.Spec, newEngine,
            node with { IsInstantlyFinal = false, AllowDevelopmentMethods = false, OnAccepted = OnAccepted },
            clock, log)
        {
            Consensus = _view,
        };
        _directory = new PeerDirectory(chain, options.Validators, options.Registry is not null);
        _executor = new BlockExecutor(
            Node, _transactions, _journal, _events, clock, OnRegistryChanged, wanted => _snapshots!.Install(wanted),
            failure => _host!.Fail(failure));
        _keptBatches = Math.Max(
            options.KeepBatches, DeferredTransactions.Span + (2 * (ulong)context.Parameters.Window));
        var server = new SnapshotServer(chain, _view.Archive, context.Parameters, _keptBatches, clock);
        _snapshots = new SnapshotTransfer(context, chain, store, server, _events, clock, log)
        {
            Send = (to, message) => _host!.Network.Send([to], message, null),
            Fail = failure => _host!.Fail(failure),
        };
        _reporter = new EvidenceReporter(Node, () => _view.Epoch, options.PrivateKey, clock);
        _host = new ReplicaHost(context, store, options, _events, _executor, this, clock, log)
        {
            BeforeEvents = Upkeep, Diverts = _snapshots.Takes,
        };
        _host.Runner.Archive.HeldState = server.Hold;
        _polls = clock.CreateTimer(_ => OnPoll(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _view.Peers = () => _host.Peers;
    }

    /// <summary>What JSON-RPC is served from.</summary>
    public Node Node { get; }

    /// <summary>The address of this validator's key.</summary>
    public Address Address => _signer.Address;

    /// <summary>Ends when the validator is stopped; fails where it cannot go on.</summary>
    public Task Completion => _host.Completion;

    /// <summary>Binds the consensus port and begins.</summary>
    /// <exception cref="IOException">The port cannot be bound.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        if (_host.Runner.Replica.HaltReason is { } reason)
        {
            throw new StoreException($"this validator stopped for good: {reason}");
        }

        if (_host.Runner.Archive.LastAttestation() is { } last)
        {
            SetFinality(last.Statement.Sequence);
        }

        _view.Epoch = _host.Runner.Replica.Epoch;
        SubmitJournal();
        _host.Network.SetPeers(_directory.With(_host.Runner.Replica.Peers));
        await _host.ListenAsync(cancellation);
        _executor.Start(_host.Runner.Archive);
        _reporter.Start(_host.Runner.Archive.Evidence());
        _snapshots.Start(_host.Runner.Replica.Committed);
        _host.Start();
        _polls.Change(PollPeriod, PollPeriod);
    }

    /// <summary>Told by the runner, after what happened is saved.</summary>
    public void Happened(Effect effect)
    {
        switch (effect)
        {
            case BlockFinalized e:
                SetFinality(e.Certificate.Statement.Sequence);
                Prune(e.Certificate.Statement.Sequence);
                _view.Epoch = _host.Runner.Replica.Epoch;
                if (e.Border is { } border)
                {
                    _peersChanged = true;
                    _log($"epoch {_view.Epoch.Number} begins after block {e.Certificate.Statement.Sequence} with "
                        + $"{border.Validators.Count} validators, "
                        + (_host.Runner.Replica.IsValidator ? "this one among them" : "this one not among them"));
                }

                break;
            case SnapshotAdopted:
                _snapshots.Forget();
                break;
            case RequestRefused e when !e.IsInvalid:
                _log("a transaction waits: the replica's pool is full");
                break;
            case EvidenceFound e:
                _log($"proof of a validator's fault is stored: {e.Evidence.Kind}");
                if (_options.Registry is not null)
                {
                    _reporter.Found(e.Evidence);
                }

                break;
            case ReplicaHalted e:
                _host.Fail(new InvalidDataException($"the replica stopped for good: {e.Reason}"));
                break;
            case MessageDropped e:
                _host.Note(e);
                break;
            default:
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _host.Stop();
        await _polls.DisposeAsync();
        _reporter.Dispose();
        await _executor.DisposeAsync();
        await _snapshots.DisposeAsync();
        await _host.DisposeAsync();
        Node.Dispose();
        _events.Dispose();
    }

    private void OnRegistryChanged()
    {
        _peersChanged = true;
        _events.Wake();
    }

    private void OnPoll()
    {
        _pollIsDue = true;
        _events.Wake();
    }

    /// <summary>
    /// What is done between events: waiting transactions, peers that changed, and a watcher's question where the others
    /// are.
    /// </summary>
    private void Upkeep()
    {
        SubmitGapped();
        var replica = _host.Runner.Replica;
        if (_peersChanged)
        {
            _peersChanged = false;
            _host.Network.SetPeers(_directory.With(replica.Peers));
        }

        if (_pollIsDue)
        {
            _pollIsDue = false;
            _snapshots.Tick();
            if (!replica.IsValidator)
            {
                // Nobody sends to who is in no set: it asks, and is helped.
                _host.Network.Send(replica.Peers, new Status(
                    replica.View, replica.IsActive, replica.Committed, replica.Finalized, null, false), null);
            }
        }
    }

    /// <summary>Deletes old batches, some at a time.</summary>
    private void Prune(ulong number)
    {
        if (number > _keptBatches && number % PruneEvery == 0)
        {
            using var write = _store.CreateBatch();
            ConsensusArchive.Prune(write, number - _keptBatches);
            _store.Write(write);
        }
    }

    private void SetFinality(ulong number) => _chain.SetFinality(number, number);

    /// <summary>Whether the sender's nonce is used, by this transaction or by another.</summary>
    private bool IsDone(TransactionIngest.Candidate candidate)
    {
        if (candidate.Transaction is not { } transaction
            || !TransactionSigner.TryRecoverSender(transaction, out var sender))
        {
            return true;
        }

        var account = default(Account);
        _chain.StateAt(_chain.Head.Number).State?.ReadAccount(sender, out account);
        return account.Nonce > transaction.Nonce;
    }

    /// <summary>What was answered and is in no block yet goes the same way again after a start.</summary>
    private void SubmitJournal()
    {
        foreach (var (hash, bytes) in _journal.All())
        {
            var candidates = new[] { TransactionIngest.Decode(bytes) };
            if (IsDone(candidates[0]))
            {
                _journal.Remove([hash]);
                continue;
            }

            var answers = new Submission[1];
            Node.Ingest.Submit(candidates, answers);
            if (answers[0].Error is { } reason)
            {
                _log($"transaction {hash} waits in the journal: {reason}");
            }
        }
    }

    private void OnAccepted(IReadOnlyList<PooledAnswer> accepted)
    {
        var encoded = new List<(Hash256 Hash, byte[] Bytes)>(accepted.Count);
        foreach (var (transaction, _) in accepted)
        {
            var bytes = TransactionCodec.Encode(transaction);
            encoded.Add((transaction.Hash, bytes));
            _transactions.Add(transaction.Hash, transaction, bytes.Length);
        }

        _journal.Add(encoded);
        var ready = new List<byte[]>(accepted.Count);
        for (var i = 0; i < accepted.Count; i++)
        {
            if (accepted[i].Status == PoolStatus.Pending)
            {
                ready.Add(encoded[i].Bytes);
                continue;
            }

            lock (_gappedGate)
            {
                _gapped[encoded[i].Hash] = accepted[i].Transaction;
            }
        }

        _events.Submit(ready);
    }

    /// <summary>Passes on what waited behind a gap in its sender's nonces, once the gap is filled.</summary>
    private void SubmitGapped()
    {
        lock (_gappedGate)
        {
            if (_gapped.Count == 0)
            {
                return;
            }

            var ready = new List<Transaction>();
            foreach (var (hash, transaction) in _gapped)
            {
                if (Node.Pool.Find(hash) is null)
                {
                    _gapped.Remove(hash);
                }
                else if (Node.Pool.NextNonce(transaction.Sender!.Value) > transaction.Nonce)
                {
                    _gapped.Remove(hash);
                    ready.Add(transaction);
                }
            }

            if (ready.Count > 0)
            {
                _events.Submit(ready.OrderBy(transaction => transaction.Nonce).Select(TransactionCodec.Encode));
            }
        }
    }
}
