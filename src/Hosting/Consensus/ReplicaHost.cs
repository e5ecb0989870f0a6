using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>A replica in a process: its thread over <see cref="DurableRunner"/>, its timers, and its peers.</summary>
/// <remarks>
/// <code>
///   peers ─▶ IPeerNetwork ─▶ a queue each ─▶┐
///   own events ────────────────────────────▶├─▶ one thread: DurableRunner ─▶ IPeerNetwork ─▶ peers
///   timers ────────────────────────────────▶┘
/// </code>
/// </remarks>
internal sealed class ReplicaHost : IAsyncDisposable
{
    /// <summary>Events that share one write.</summary>
    private const int EventsAtOnce = 256;

    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<string> _log;
    private readonly ConsensusTimers _timers;
    private readonly IPeerNetwork _network;
    private Thread? _thread;
    private readonly ReplicaContext _context;
    private volatile bool _stopping;

    internal ReplicaHost(
        ReplicaContext context, IKeyValueStore store, ValidatorOptions options, EventQueue events,
        IBatchExecutor executor, IConsensusObserver observer, TimeProvider clock, Action<string> log)
    {
        (_context, _log, Events) = (context, log, events);
        _timers = new ConsensusTimers(clock, events);
        _network = options.Network
            ?? new HttpPeerNetwork(context.Parameters.ChainId, context.Signer, options, clock, log);
        Runner = new DurableRunner(context, store, _network, _timers, executor, observer) { Sync = options.Sync };
    }

    internal EventQueue Events { get; }

    internal DurableRunner Runner { get; }

    /// <summary>Ends when the host is stopped; fails where it cannot go on.</summary>
    internal Task Completion => _completion.Task;

    /// <summary>Called on the replica's thread before it takes events.</summary>
    internal Action BeforeEvents { get; init; } = static () => { };

    /// <summary>Takes messages that are not the replica's; false leaves one to it.</summary>
    internal Func<Address, ConsensusMessage, bool> Diverts { get; init; } = static (_, _) => false;

    /// <summary>The way to the peers.</summary>
    internal IPeerNetwork Network => _network;

    /// <summary>Health and traffic of the peers.</summary>
    internal IReadOnlyList<PeerReport> Peers => _network.Reports;

    /// <summary>Binds the consensus port.</summary>
    /// <exception cref="IOException">The port cannot be bound.</exception>
    internal Task ListenAsync(CancellationToken cancellation) => _network.StartAsync(
        (from, message, bytes) =>
        {
            if (Diverts(from, message))
            {
                return true;
            }

            // Before it waits: the receiving threads check signatures, the replica's finds them checked.
            (_context.Verifier as Secp256k1Verifier)?.Prepare(from, message, _context.Parameters.ChainId);
            return Events.TryAdd(from, new MessageArrived(_timers.NowMs, from, message), bytes);
        },
        cancellation);

    internal void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "consensus" };
        _thread.Start();
    }

    internal void Fail(Exception failure)
    {
        _stopping = true;
        _log($"this validator stops: {(failure is RestartNeededException ? failure.Message : failure)}");
        _completion.TrySetException(failure);
    }

    /// <summary>A peer's message that the replica dropped.</summary>
    internal void Note(MessageDropped dropped)
    {
        _network.Note(dropped);
        if (dropped.Reason is DropReason.Malformed or DropReason.Oversized or DropReason.WrongSignature
            or DropReason.InvalidProof or DropReason.Conflicting)
        {
            _log($"dropped a {dropped.Kind} of {dropped.From}: {dropped.Reason}");
        }
    }

    /// <summary>The thread does not begin anything new.</summary>
    internal void Stop()
    {
        _stopping = true;
        Events.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        _thread?.Join();
        _timers.Dispose();
        await _network.DisposeAsync();
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
