using System.Threading.Channels;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Consensus;

/// <summary>A validator has to be opened again: what is in its store has changed under it.</summary>
public sealed class RestartNeededException(string reason) : Exception(reason);

/// <summary>
/// Snapshots of a validator: gives its own to others, and takes another's where it is too far behind.
/// </summary>
/// <remarks>
/// A task of its own does both, so that neither holds up the replica. A transfer goes on after a crash where it was
/// (<see cref="Core.State.StateImport"/>), and ends with <see cref="RestartNeededException"/>: the new state is put
/// in place when the chain is opened again, and then the offer is shown to the replica once more, which goes on from
/// there.
/// </remarks>
internal sealed class SnapshotTransfer : IAsyncDisposable
{
    internal static readonly byte[] OfferKey = [(byte)'Y', (byte)'o'];

    /// <summary>Pieces of work that wait; more are dropped, and asked for again.</summary>
    private const int MaximumWaiting = 128;

    /// <summary>
    /// Blocks before a held state whose batches everybody still has (<see cref="SnapshotServer.Hold"/>).
    /// </summary>
    private const ulong NearBlocks = DeferredTransactions.Span / 2;

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    private readonly Channel<Action> _work = Channel.CreateBounded<Action>(
        new BoundedChannelOptions(MaximumWaiting) { SingleReader = true });

    private readonly ReplicaContext _context;
    private readonly Chain _chain;
    private readonly IKeyValueStore _store;
    private readonly SnapshotServer _server;
    private readonly EventQueue _events;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private SnapshotFetch? _fetch;
    private long _askedAt;
    private long _progressAt;
    private Task _running = Task.CompletedTask;

    internal SnapshotTransfer(
        ReplicaContext context, Chain chain, IKeyValueStore store, SnapshotServer server, EventQueue events,
        TimeProvider clock, Action<string> log)
    {
        (_context, _chain, _store, _server) = (context, chain, store, server);
        (_events, _clock, _log) = (events, clock, log);
    }

    /// <summary>Sends to a peer.</summary>
    internal Action<Address, ConsensusMessage> Send { get; init; } = (_, _) => { };

    /// <summary>Told of what cannot go on, and of a state that is ready.</summary>
    internal Action<Exception> Fail { get; init; } = _ => { };

    internal void Start(ulong committed)
    {
        if (_store.Get(Column.Consensus, OfferKey) is { } saved && MessageCodec.TryDecode(saved, out var message)
            && message is Snapshot offer)
        {
            if (offer.Attestation.Statement.Sequence > committed)
            {
                _events.Add(new MessageArrived(Now, Address.Zero, offer));
            }
            else
            {
                Forget();
            }
        }

        _running = Task.Factory.StartNew(Run, TaskCreationOptions.LongRunning);
    }

    /// <summary>Takes messages that are not the replica's.</summary>
    internal bool Takes(Address from, ConsensusMessage message)
    {
        switch (message)
        {
            case FetchState m:
                _work.Writer.TryWrite(() => Send(from, _server.Answer(m)));
                return true;
            case StateChunk m:
                _work.Writer.TryWrite(() => Take(from, m));
                return true;
            default:
                return false;
        }
    }

    /// <summary>The replica wants the state of a block.</summary>
    internal void Install(InstallSnapshot wanted) => _work.Writer.TryWrite(() => Begin(wanted));

    /// <summary>The replica has gone on from the snapshot.</summary>
    internal void Forget()
    {
        using var write = _store.CreateBatch();
        write.Delete(Column.Consensus, OfferKey);
        _store.Write(write);
    }

    /// <summary>To be called now and then: asks again, gives up, lets go.</summary>
    internal void Tick()
    {
        _server.Tick();
        _work.Writer.TryWrite(() =>
        {
            if (_fetch is null)
            {
                return;
            }

            if (_clock.GetElapsedTime(_progressAt) > GiveUp)
            {
                End("nothing came for too long");
            }
            else if (_clock.GetElapsedTime(_askedAt) > AskAgain)
            {
                Ask();
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _running;
        _server.Dispose();
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private void Run()
    {
        try
        {
            while (_work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (_work.Reader.TryRead(out var piece))
                {
                    piece();
                }
            }
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
    }

    private void Begin(InstallSnapshot wanted)
    {
        var head = _chain.Head;
        if (head.Number >= wanted.Sequence)
        {
            // In place already, after a start; or executed in the meantime.
            var isThere = _chain.GetHeader(wanted.Sequence)?.Hash == wanted.BlockHash;
            _events.Add(new SnapshotInstalled(Now, wanted.Sequence, isThere && head.Number == wanted.Sequence));
            return;
        }

        if (wanted.Sequence - head.Number <= NearBlocks)
        {
            // An offer that was under way when the last snapshot was put in place: its batches are to be had.
            _events.Add(new SnapshotInstalled(Now, wanted.Sequence, Success: false));
            return;
        }

        _log($"the others no longer have batch {head.Number + 1}: takes the state of block {wanted.Sequence} from "
            + $"{wanted.From}");
        _fetch = new SnapshotFetch(_context, _store, wanted);
        _progressAt = _clock.GetTimestamp();
        Ask();
    }

    private void Ask()
    {
        _askedAt = _clock.GetTimestamp();
        Send(_fetch!.Wanted.From, _fetch.Next());
    }

    private void Take(in Address from, StateChunk chunk)
    {
        if (_fetch is not { } fetch || from != fetch.Wanted.From || chunk.Sequence != fetch.Wanted.Sequence)
        {
            return;
        }

        if (fetch.Take(chunk) is { } broken)
        {
            End($"{chunk.Part} of {from}: {broken}");
            return;
        }

        _progressAt = _clock.GetTimestamp();
        if (!fetch.IsComplete)
        {
            Ask();
            return;
        }

        if (_chain.Head.Number >= fetch.Wanted.Sequence)
        {
            End("the chain has come that far by itself");
            return;
        }

        fetch.Finish();
        _log($"the state of block {fetch.Wanted.Sequence} is here ({fetch.Nodes} nodes now) and checked");
        _fetch = null;
        Fail(new RestartNeededException($"the state of block {fetch.Wanted.Sequence} is to be put in place"));
    }

    private void End(string reason)
    {
        _log($"the transfer of block {_fetch!.Wanted.Sequence}'s state ends: {reason}");
        _events.Add(new SnapshotInstalled(Now, _fetch.Wanted.Sequence, Success: false));
        _fetch = null;
    }
}
