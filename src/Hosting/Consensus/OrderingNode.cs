using System.Diagnostics;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>What an <see cref="OrderingNode"/> tells, on the replica's thread: be quick.</summary>
public interface IOrderingObserver
{
    /// <summary>The batch has its place for good; told in order.</summary>
    void Ordered(Batch batch);

    /// <summary>This validator closed a batch, at this timestamp of <see cref="Stopwatch"/> or little later.</summary>
    void Proposed(ulong sequence, long timestamp);

    /// <summary>A request was not taken.</summary>
    void Refused(byte[] request);
}

/// <summary>A validator that orders opaque requests and executes nothing: PBFT by itself.</summary>
/// <remarks>A batch's "block hash" is its digest, so that batches are attested like blocks.</remarks>
public sealed class OrderingNode : IBatchExecutor, IConsensusObserver, IAsyncDisposable
{
    private readonly EventQueue _events = new();
    private readonly IOrderingObserver _observer;
    private readonly TimeProvider _clock;
    private readonly ReplicaHost _host;
    private readonly Address _self;
    private long _began;

    /// <summary>A node over a store, which stays the caller's.</summary>
    public OrderingNode(
        IKeyValueStore store, ValidatorOptions options, IOrderingObserver observer, TimeProvider clock,
        Action<string> log)
    {
        (_observer, _clock) = (observer, clock);
        var signer = new Secp256k1Signer(options.PrivateKey);
        _self = signer.Address;
        var set = new ValidatorSet([.. options.Validators.Select(peer => new Validator(peer.Address, peer.Power))]);
        var genesis = Keccak256.Hash("requests"u8);
        var context = new ReplicaContext(
            options.Parameters, signer, new Secp256k1Verifier(), new OpaqueTransactions(),
            Epoch.Genesis(set, genesis, options.Parameters.EpochLength),
            BatchHeader.Genesis(genesis, 0, options.Parameters.GasLimit));
        _host = new ReplicaHost(context, store, options, _events, this, this, clock, log)
        {
            BeforeEvents = () => _began = Stopwatch.GetTimestamp(),
        };
    }

    /// <summary>Ends when the node is stopped; fails where it cannot go on.</summary>
    public Task Completion => _host.Completion;

    /// <summary>Health and traffic of the peers.</summary>
    public IReadOnlyList<PeerReport> Peers => _host.Peers;

    /// <summary>Binds the consensus port and begins.</summary>
    /// <exception cref="IOException">The port cannot be bound.</exception>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        await _host.ListenAsync(cancellation);
        _host.Start();
    }

    /// <summary>Hands requests to be ordered over.</summary>
    public void Submit(IEnumerable<byte[]> requests) => _events.Submit(requests);

    void IBatchExecutor.Execute(Batch batch)
    {
        _observer.Ordered(batch);
        _events.Add(new BatchExecuted(_clock.GetUtcNow().ToUnixTimeMilliseconds(), batch.Sequence, batch.Digest, null));
    }

    /// <summary>Every batch is kept in the archives, so that nobody needs a snapshot.</summary>
    void IBatchExecutor.InstallSnapshot(InstallSnapshot wanted) => _events.Add(
        new SnapshotInstalled(_clock.GetUtcNow().ToUnixTimeMilliseconds(), wanted.Sequence, Success: false));

    void IConsensusObserver.Happened(Effect effect)
    {
        switch (effect)
        {
            case Broadcast { Message: PrePrepare { Header: var header } } when header.Proposer == _self:
                _observer.Proposed(header.Sequence, _began);
                break;
            case RequestRefused refused:
                _observer.Refused(refused.Transaction);
                break;
            case MessageDropped dropped:
                _host.Note(dropped);
                break;
            case ReplicaHalted halted:
                _host.Fail(new InvalidDataException($"the replica stopped for good: {halted.Reason}"));
                break;
            default:
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _events.Dispose();
    }
}
