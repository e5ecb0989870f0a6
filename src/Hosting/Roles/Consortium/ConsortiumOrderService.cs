using Microsoft.AspNetCore.Http;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>The order of several operators: a PBFT replica whose state is a base and a log.</summary>
/// <remarks>
/// <code>
///   inbox: transactions, time-outs, executed batches ─▶┐
///   HTTP: other operators' letters ───────────────────▶├─▶ groups ─▶ JournaledRunner ─▶ archive ─▶ append
///                                                                       └─▶ letters, notices, delayed messages
/// </code>
/// The same replica and the same steps as in a process. Time-outs are armed by the replica only while work is pending
/// (<see cref="ReplicaTimers"/>), and a process that begins sets all of them anew. An event is answered for when the
/// state after it is saved. At an epoch's border the next set is read from the registry, as the border block left it. A
/// replica that is in no set asks the others where they are, every <see cref="ConsortiumSet.WatchPeriod"/>.
/// </remarks>
public sealed class ConsortiumOrderService : IOrderService, IJournaledRunnerPorts, IDisposable
{
    /// <summary>Events of one save.</summary>
    private const int MostEvents = 256;

    /// <summary>When transactions come again that the replica has no room for.</summary>
    private static readonly TimeSpan PutBack = TimeSpan.FromSeconds(1);

    /// <summary>How often the final block is moved at most, as it is the head's document that is written.</summary>
    private static readonly TimeSpan FinalityInterval = TimeSpan.FromSeconds(1);

    private readonly RolePorts _ports;
    private readonly IRoleChain _chain;
    private readonly IConsensusSigner _signer;
    private readonly PeerMail _mail;
    private readonly ReplicaTimers _timers;
    private readonly EvidenceDesk _evidence;
    private readonly ConsortiumSet _set;
    private readonly CommittedArchive _archive;
    private readonly SnapshotDesk _desk;
    private readonly SnapshotTaker _taker;
    private readonly BatchPruner _pruner;
    private readonly JournaledRunner _runner;
    private readonly ReplicaContext _context;
    private readonly Grouped<Item> _groups;
    private ulong _final;
    private bool _finalityWaits;
    private long _finalAt;
    private long _watchedAt;
    private bool _epochChanged;
    private bool _begun;
    private bool _poolIsFull;
    private long _putBack;

    /// <param name="ports">What it stands on.</param>
    /// <param name="chain">The chain, for its genesis and its final block.</param>
    /// <param name="key">The validator's private key.</param>
    /// <param name="set">Who decides.</param>
    /// <param name="wire">Carries letters; null for the network.</param>
    public ConsortiumOrderService(
        RolePorts ports, IRoleChain chain, byte[] key, ConsortiumSet set, HttpMessageHandler? wire = null)
    {
        (_ports, _chain, _set) = (ports, chain, set);
        _signer = new Secp256k1Signer(key);
        var inspector = new TransactionCache(chain.Chain.ChainId);
        ports.Caches.Add(inspector.Forget);
        _context = set.ContextOf(chain, _signer, inspector);
        _archive = new(ports.Blobs, new BatchArchive(ports.Blobs, inspector));
        _runner = new(_context, JournalOf(ports), this);
        _groups = new(ProcessAsync, MostEvents);
        _timers = new(ports, ExpireAsync);
        _mail = new(ports, chain, _signer, set.DirectoryOf(chain), wire);
        _evidence = new(ports, chain, key, () => _runner.Standing?.Epoch);
        _desk = new(ports, chain, _archive, _context, set.Snapshots);
        _pruner = new(ports, _archive, set.Snapshots.KeptBatches);
        _taker = new(
            ports, chain, _context, _archive, set.Snapshots,
            (question, peer, stop) => _mail.AskAsync(peer, question, stop), _mail.Reached,
            events => _groups.AddAsync(new(events, false)));
    }

    /// <summary>Messages of transactions that were put back into the inbox for want of room, since the start.</summary>
    public long MessagesPutBack => Interlocked.Read(ref _putBack);

    public long NowMs => _ports.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task<RoleEnd> TakeAsync(
        string messageId, bool isRepeated, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (await ClaimCheck.OpenAsync(body, _ports.Blobs, cancellation) is not { } opened)
        {
            return RoleEnd.Again;
        }

        if (InboxMessage.IsWatch(opened.Span))
        {
            await WatchOthersAsync(isRepeated: false, cancellation);
            return RoleEnd.Done;
        }

        if (await _taker.TakesAsync(opened, cancellation))
        {
            return RoleEnd.Done;
        }

        if (InboxMessage.Read(opened, NowMs) is not { } happened)
        {
            return RoleEnd.Malformed;
        }

        var isForgotten = false;
        if (happened is TimerExpired timer)
        {
            if (await _timers.TakeAsync(timer, cancellation))
            {
                return RoleEnd.Done;
            }

            isForgotten = true; // the process that waited for it has gone
        }

        _ports.Reach(FailPoint.OrderTaken);
        var item = new Item([happened], isRepeated || isForgotten);
        await _groups.AddAsync(item).WaitAsync(cancellation);
        if (item.IsRefused)
        {
            // Whoever waited here would keep the messages behind from being taken, and those make room.
            await _ports.Bus.SendAsync(_ports.Names.Inbox, body, PutBack, cancellation);
            Interlocked.Increment(ref _putBack);
        }

        return RoleEnd.Done;
    }

    /// <summary>
    /// POST: a letter. 204 taken, 400 malformed or not signed, 403 not a validator, 409 a copy. A question for a part
    /// of a state: 200 with the answer, a letter too; 429 too many.
    /// </summary>
    public async Task ServeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (!PeerLetter.TryOpen(
            _chain.Chain.ChainId, body.GetBuffer().AsSpan(0, (int)body.Length), out var letter))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        if (letter.To != _signer.Address || !await _mail.KnowsAsync(letter.From, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        if (!_mail.IsNew(letter))
        {
            context.Response.StatusCode = StatusCodes.Status409Conflict;
            return;
        }

        if (letter.Question is not null)
        {
            await _desk.AnswerAsync(context, letter, _mail);
            return;
        }

        // While a state is on its way, the batches below it are of no use.
        var messages = letter.Messages.Where(entry => !_taker.IsActive || entry.Message is not (Blocks or Snapshot));
        await _groups.AddAsync(new(
            [.. messages.Select(entry => new MessageArrived(NowMs, letter.From, entry.Message))], false));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Begins anew: what a dead process left undone is asked for again.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        await _groups.AddAsync(new([], true)).WaitAsync(cancellation);
        await _taker.StartAsync(cancellation);
    }

    /// <summary>
    /// Takes up what an earlier process left: proofs of faults, and, for who is in no set, the questions to the others.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (_set.Registry is not null)
        {
            await _evidence.StartAsync(cancellation);
        }

        await _taker.StartAsync(cancellation);
        if (!(await _runner.StandingAsync(cancellation)).IsValidator)
        {
            await WatchOthersAsync(isRepeated: true, cancellation);
        }
    }

    public async Task ArchiveAsync(IReadOnlyList<Effect> effects, CancellationToken cancellation)
    {
        await Task.WhenAll(effects.Select(effect => effect is EvidenceFound { Evidence: var evidence }
            ? _evidence.KeepAsync(evidence, cancellation)
            : _archive.PutAsync(effect, cancellation)));

        _ports.Reach(FailPoint.OrderKept);
    }

    public Task SendAsync(IReadOnlyList<Address> to, ConsensusMessage message, CancellationToken cancellation)
    {
        _mail.Send(to, MessageCodec.Encode(message));
        return Task.CompletedTask;
    }

    public async Task CarryOutAsync(Effect effect, CancellationToken cancellation)
    {
        switch (effect)
        {
            case SetTimer e:
                await _timers.SetAsync(e, cancellation);
                break;
            case ExecuteBatch e:
                var place = new BatchPlace(e.Batch.Sequence, e.Batch.Digest);
                TransactionTrace.Write(_ports, $"batch {place.Sequence} {place.Digest}", e.Batch.Hashes);
                await _ports.Bus.SendAsync(_ports.Names.Batches, BatchNotice.Encode(place), default, cancellation);
                break;
            case ServeBlocks e:
                var blocks = await _archive.ServeAsync(e.From, e.Count, cancellation);
                _ = _desk.OfferAsync(
                    e, _runner.Standing?.Finalized ?? 0, blocks is null, offer => SendAsync([e.To], offer, default));
                if (blocks is not null)
                {
                    await SendAsync([e.To], blocks, cancellation);
                }

                break;
            case InstallSnapshot e:
                await _taker.OfferedAsync(e, cancellation);
                break;
            case SnapshotAdopted:
                _epochChanged = true;
                break;
            case BlockFinalized e:
                _epochChanged |= e.Border is not null;
                _ = _pruner.PruneAsync(e.Certificate.Statement.Sequence, default);
                break;
            case EvidenceFound e when _set.Registry is not null:
                _evidence.Found(e.Evidence);
                break;
            case RequestRefused e:
                _poolIsFull |= !e.IsInvalid;
                break;
            case ReplicaHalted e:
                _ports.Log($"supervm.attestation.mismatch the replica stopped for good: {e.Reason}");
                break;
            default:
                break;
        }
    }

    public void Dispose()
    {
        _evidence.Dispose();
        _mail.Dispose();
    }

    private static ReplicaJournal JournalOf(RolePorts ports) =>
        new(ports.Documents, ports.Blobs, new(ports.Names.Replica, "order", "pbft"));

    private async Task ProcessAsync(IReadOnlyList<Item> items)
    {
        _poolIsFull = false;
        var isRepeated = !_begun || items.Any(item => item.IsRepeated);
        var events = items.SelectMany(item => item.Events).ToList();
        var isNothing = events.Count == 0 && !isRepeated;
        if (!isNothing && !await _runner.ProcessAsync(events, isRepeated, default))
        {
            throw new StoreException("Other instances won every attempt to step.");
        }

        _begun = true;
        _ports.Reach(FailPoint.OrderSaved);
        foreach (var item in items)
        {
            item.IsRefused = _poolIsFull && item.Events.Any(happened => happened is RequestsSubmitted);
        }

        await MoveFinalityAsync();
        await FollowEpochAsync();
        _ports.Reach(FailPoint.OrderAnnounced);
    }

    private async Task ExpireAsync(TimerExpired expired)
    {
        try
        {
            await _groups.AddAsync(new([expired], false));
        }
        catch (StoreException failure)
        {
            _ports.Log($"a time-out was not taken: {failure.Message}");
            _begun = false; // the next group sets all time-outs anew
        }
    }

    public async Task<BatchExecuted?> ExecutedAsync(ulong sequence, CancellationToken cancellation)
    {
        var chain = _chain.Chain;
        if (chain.Head.Number < sequence)
        {
            await _chain.RefreshAsync(TimeSpan.Zero, cancellation);
        }

        if (chain.Head.Number < sequence)
        {
            throw new StoreException($"Block {sequence} was reported, and is not to be read here.");
        }

        var isBorder = ConsensusGenesis.IsBorder(_context.Parameters, sequence);
        if (chain.GetHeader(sequence) is not { } block || (isBorder && sequence < chain.OldestStateNumber))
        {
            return null; // a state above it was taken over, and the replica is about to go on from there
        }

        return new(NowMs, sequence, block.Hash, isBorder
            ? ConsensusGenesis.RegisteredAfter(chain, sequence) ?? _runner.Standing?.Epoch.Validators
            : null);
    }

    /// <summary>After a border: who is reached now, and whether this one is among them.</summary>
    private async Task FollowEpochAsync()
    {
        if (!_epochChanged || _runner.Standing is not { } replica)
        {
            return;
        }

        _epochChanged = false;
        await _chain.RefreshAsync(FinalityInterval, default);
        _mail.Look(replica.Peers);
        _ports.Log($"epoch {replica.Epoch.Number} begins with block {replica.Epoch.First} and "
            + $"{replica.Epoch.Validators.Count} validators, "
            + (replica.IsValidator ? "this one among them" : "this one not among them"));
        if (!replica.IsValidator)
        {
            await _ports.Bus.SendAsync(_ports.Names.Inbox, InboxMessage.Watch, _set.WatchPeriod, default);
        }
    }

    /// <summary>Nobody sends to who is in no set: it asks, and is helped.</summary>
    private async Task WatchOthersAsync(bool isRepeated, CancellationToken cancellation)
    {
        var replica = await _runner.StandingAsync(cancellation);
        if (replica.IsValidator || (_watchedAt != 0 && _ports.Clock.GetElapsedTime(_watchedAt) < _set.WatchPeriod / 2))
        {
            return; // it votes now; or two reminders are under way, and one is enough
        }

        _watchedAt = _ports.Clock.GetTimestamp();
        if (isRepeated)
        {
            await WatchAsync(cancellation);
        }

        await _chain.RefreshAsync(FinalityInterval, cancellation);
        _mail.Look(replica.Peers);
        await SendAsync(
            replica.Peers,
            new Status(replica.View, replica.IsActive, replica.Committed, replica.Finalized, null, false),
            cancellation);
        await _ports.Bus.SendAsync(_ports.Names.Inbox, InboxMessage.Watch, _set.WatchPeriod, cancellation);
    }

    private async Task MoveFinalityAsync()
    {
        if (_runner.Standing?.Finalized is not { } attested || attested <= _final)
        {
            return;
        }

        var waits = FinalityInterval - _ports.Clock.GetElapsedTime(_finalAt);
        if (waits > TimeSpan.Zero)
        {
            if (!_finalityWaits)
            {
                _finalityWaits = true;
                _ = LaterAsync(waits);
            }

            return;
        }

        _finalAt = _ports.Clock.GetTimestamp();
        await _chain.RefreshAsync(TimeSpan.FromMilliseconds(1), default);
        if (_chain.Chain.FinalizedNumber >= attested)
        {
            _final = attested; // another instance knew it, or knows more
        }
        else if (_chain.Chain.Head.Number >= attested)
        {
            await _chain.SetFinalityAsync(attested, default);
            _final = attested;
        }

        async Task LaterAsync(TimeSpan delay)
        {
            await Task.Delay(delay, _ports.Clock, default);
            _finalityWaits = false;
            try
            {
                await _groups.AddAsync(new([], false));
            }
            catch (StoreException failure)
            {
                _ports.Log($"the final block is moved later: {failure.Message}");
            }
        }
    }

    /// <summary>What came together.</summary>
    private sealed class Item(IReadOnlyList<ReplicaEvent> events, bool isRepeated)
    {
        internal IReadOnlyList<ReplicaEvent> Events => events;

        internal bool IsRepeated => isRepeated;

        /// <summary>The replica's pool had no room for it: it is to come again.</summary>
        internal bool IsRefused { get; set; }
    }
}
