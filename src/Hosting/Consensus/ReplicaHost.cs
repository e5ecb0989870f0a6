using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>A replica in a process: its thread over <see cref="DurableRunner"/>, its timers, and its peers.</summary>
/// <remarks>
/// <code>
///   peers ─▶ PeerServer ─▶ a queue each ─▶┐
///   own events ──────────────────────────▶├─▶ one thread: DurableRunner ─▶ PeerTransport ─▶ peers
///   timers ──────────────────────────────▶┘
/// </code>
/// </remarks>
internal sealed class ReplicaHost : IAsyncDisposable
{
    /// <summary>Events that share one write.</summary>
    private const int EventsAtOnce = 256;

    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private readonly ConsensusTimers _timers;
    private readonly PeerTransport _transport;
    private readonly PeerServer _server;
    private readonly PeerBoard _board;
    private Thread? _thread;
    private volatile bool _stopping;

    internal ReplicaHost(
        ReplicaContext context, IKeyValueStore store, ValidatorOptions options, EventQueue events,
        IBatchExecutor executor, IConsensusObserver observer, TimeProvider clock, Action<string> log)
    {
        (_clock, _log, Events) = (clock, log, events);
        var self = new PeerIdentity(
            context.Parameters.ChainId, context.Signer, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)),
            options);
        var others = options.Validators.Select(peer => peer.Address).Where(peer => peer != context.Signer.Address);
        var gossip = new TransactionGossip(
            options.Gossip, options.FanOut, [.. others], RandomNumberGenerator.GetInt32);
        _board = new PeerBoard(options.Validators, context.Signer.Address);
        _timers = new ConsensusTimers(clock, events);
        _transport = new PeerTransport(self, _board, gossip, clock, log);
        _server = new PeerServer(self, _board, new PeerInbox(events, _board, gossip, clock), clock);
        Runner = new DurableRunner(context, store, _transport, _timers, executor, observer) { Sync = options.Sync };
        _transport.Leader = () => Runner.Replica.Epoch.Validators[Runner.Replica.Leader].Address;
    }

    internal EventQueue Events { get; }

    internal DurableRunner Runner { get; }

    /// <summary>Ends when the host is stopped; fails where it cannot go on.</summary>
    internal Task Completion => _completion.Task;

    /// <summary>Called on the replica's thread before it takes events.</summary>
    internal Action BeforeEvents { get; init; } = static () => { };

    /// <summary>Health and traffic of the peers.</summary>
    internal IReadOnlyList<PeerReport> Peers => _board.Reports(_clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Binds the consensus port.</summary>
    /// <exception cref="IOException">The port cannot be bound.</exception>
    internal Task ListenAsync(CancellationToken cancellation) => _server.StartAsync(cancellation);

    internal void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "consensus" };
        _thread.Start();
    }

    internal void Fail(Exception failure)
    {
        _stopping = true;
        _log($"this validator stops: {failure}");
        _completion.TrySetException(failure);
    }

    /// <summary>A peer's message that the replica dropped.</summary>
    internal void Note(MessageDropped dropped)
    {
        _board.Drop(dropped.From, dropped.Reason, _timers.NowMs);
        if (dropped.Reason is DropReason.Malformed or DropReason.Oversized or DropReason.WrongSignature
            or DropReason.InvalidProof or DropReason.Conflicting)
        {
            _log($"dropped a {dropped.Kind} of {dropped.From}: {dropped.Reason}");
        }
    }

    /// <summary>Nothing comes in any more, and the thread does not begin anything new.</summary>
    internal async Task StopAsync()
    {
        await _server.DisposeAsync();
        _stopping = true;
        Events.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        _thread?.Join();
        _timers.Dispose();
        await _transport.DisposeAsync();
        _completion.TrySetResult();
    }

    private void Run()
    {
        var events = new List<ReplicaEvent>(EventsAtOnce);
        try
        {
            Runner.Start();
            while (!_stopping)
            {
                BeforeEvents();
                Events.Take(events, EventsAtOnce, _timers.NowMs);
                if (events.Count == 0)
                {
                    Events.Wait();
                    continue;
                }

                Runner.Process(events);
                events.Clear();
            }
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
    }
}
