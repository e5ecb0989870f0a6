using Microsoft.AspNetCore.Http;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>The order of several operators: a PBFT replica whose whole state is one document.</summary>
/// <remarks>
/// <code>
///   inbox: transactions, time-outs, executed batches ─▶┐
///   HTTP: other operators' letters ───────────────────▶├─▶ groups ─▶ DocumentRunner ─▶ archive ─▶ compare-and-swap
///                                                                       └─▶ letters, notices, delayed messages
/// </code>
/// The same replica and the same steps as in a process. Time-outs of a second and more are delayed messages to oneself,
/// armed by the replica only while work is pending; shorter ones are waited for here, and a process that begins sets
/// all of them anew. An event is answered for when the state after it is saved.
/// </remarks>
public sealed class ConsortiumOrderService : IOrderService, IDocumentRunnerPorts, IDisposable
{
    /// <summary>Events of one save.</summary>
    private const int MostEvents = 256;

    /// <summary>Time-outs from here on are messages; a queue's delays count in seconds.</summary>
    private const int LeastDelayMs = 1_000;

    /// <summary>How often the final block is moved at most, as it is the head's document that is written.</summary>
    private static readonly TimeSpan FinalityInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly RolePorts _ports;
    private readonly IRoleChain _chain;
    private readonly IConsensusSigner _signer;
    private readonly HttpClient _client = new();
    private readonly Dictionary<Address, PeerPost> _posts = [];
    private readonly Dictionary<Address, ulong> _counters = [];
    private readonly CommittedArchive _archive;
    private readonly DocumentRunner _runner;
    private readonly ReplicaContext _context;
    private readonly Grouped<Item> _groups;
    private ulong _attested;
    private ulong _final;
    private long _finalAt;
    private bool _begun;
    private bool _poolIsFull;

    /// <param name="ports">What it stands on.</param>
    /// <param name="chain">The chain, for its genesis and its final block.</param>
    /// <param name="key">The validator's private key.</param>
    /// <param name="validators">The set, in the same order on all of them.</param>
    public ConsortiumOrderService(
        RolePorts ports, IRoleChain chain, byte[] key, IReadOnlyList<ValidatorPeer> validators)
    {
        (_ports, _chain) = (ports, chain);
        var signer = new Secp256k1Signer(key);
        _signer = signer;
        var inspector = new TransactionCache(chain.Chain.ChainId);
        var genesis = chain.Chain.Genesis;
        var set = new ValidatorSet([.. validators.Select(peer => new Validator(peer.Address, peer.Power))]);
        _context = new ReplicaContext(
            ParametersOf(chain), signer, new Secp256k1Verifier(), inspector, Epoch.Genesis(set, genesis.Hash, 0),
            BatchHeader.Genesis(genesis.Hash, genesis.Header.Timestamp, genesis.Header.GasLimit));
        _archive = new(ports.Blobs, new BatchArchive(ports.Blobs, inspector));
        var document = new ReplicaDocument(ports.Documents, ports.Blobs, new(ports.Names.Replica, "order", "pbft"));
        _runner = new(_context, document, this);
        _groups = new(ProcessAsync, MostEvents);
        foreach (var peer in validators.Where(peer => peer.Address != signer.Address))
        {
            _posts[peer.Address] = new(_client, chain.Chain.ChainId, signer, peer, ports.Clock, ports.Log);
        }
    }

    public long NowMs => _ports.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    public async Task<RoleEnd> TakeAsync(
        string messageId, bool isRepeated, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (await ClaimCheck.OpenAsync(body, _ports.Blobs, cancellation) is not { } opened)
        {
            return RoleEnd.Again;
        }

        if (InboxMessage.Read(opened, NowMs) is not { } happened)
        {
            return RoleEnd.Malformed;
        }

        _ports.Reach(FailPoint.OrderTaken);
        var item = new Item([happened], isRepeated);
        await _groups.AddAsync(item).WaitAsync(cancellation);
        return item.IsRefused ? RoleEnd.Again : RoleEnd.Done;
    }

    /// <summary>
    /// POST: a letter. 204 taken, 400 malformed or not signed, 403 not a validator, 409 a copy.
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

        if (letter.To != _signer.Address || !_posts.ContainsKey(letter.From))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        lock (_gate)
        {
            if (letter.Counter <= _counters.GetValueOrDefault(letter.From))
            {
                context.Response.StatusCode = StatusCodes.Status409Conflict;
                return;
            }

            _counters[letter.From] = letter.Counter;
        }

        await _groups.AddAsync(new(
            [.. letter.Messages.Select(entry => new MessageArrived(NowMs, letter.From, entry.Message))], false));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Begins anew: what a dead process left undone is asked for again.</summary>
    public Task WatchAsync(CancellationToken cancellation) =>
        _groups.AddAsync(new([], true)).WaitAsync(cancellation);

    public async Task ArchiveAsync(IReadOnlyList<Effect> effects, CancellationToken cancellation)
    {
        foreach (var effect in effects)
        {
            await _archive.PutAsync(effect, cancellation);
        }

        _ports.Reach(FailPoint.OrderKept);
    }

    public Task SendAsync(IReadOnlyList<Address> to, ConsensusMessage message, CancellationToken cancellation)
    {
        var encoded = MessageCodec.Encode(message);
        foreach (var address in to)
        {
            if (_posts.TryGetValue(address, out var post))
            {
                post.Send(encoded);
            }
        }

        return Task.CompletedTask;
    }

    public async Task CarryOutAsync(Effect effect, CancellationToken cancellation)
    {
        switch (effect)
        {
            case SetTimer e:
                await ArmAsync(e, cancellation);
                break;
            case ExecuteBatch e:
                var place = new BatchPlace(e.Batch.Sequence, e.Batch.Digest);
                _ports.Log($"batch {place.Sequence} {place.Digest.ToString()[..10]}… {e.Batch.Transactions.Count} tx");
                await _ports.Bus.SendAsync(_ports.Names.Batches, BatchNotice.Encode(place), default, cancellation);
                break;
            case ServeBlocks e:
                if (await _archive.ServeAsync(e.From, e.Count, cancellation) is { } blocks)
                {
                    await SendAsync([e.To], blocks, cancellation);
                }

                break;
            case InstallSnapshot e:
                // Every batch is kept, so that nobody needs a snapshot.
                _ = _groups.AddAsync(new([new SnapshotInstalled(NowMs, e.Sequence, Success: false)], false));
                break;
            case BlockFinalized e:
                _attested = Math.Max(_attested, e.Certificate.Statement.Sequence);
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

    public void Dispose() => _client.Dispose();

    /// <summary>Smaller than a process's: the whole state is read and written with every group of events.</summary>
    private static ConsensusParameters ParametersOf(IRoleChain chain) => new()
    {
        ChainId = chain.Chain.ChainId,
        GasLimit = chain.Chain.Genesis.Header.GasLimit,
        EpochLength = 0,
        Window = 8,
        BatchTransactions = 1_000,
        BatchBytes = 256 << 10,
        BatchAgeMs = 50,
        FetchDelayMs = 100,
        StatusPeriodMs = 2_000,
        ProgressTimeoutMs = 8_000,
        CensorTimeoutMs = 30_000,
        PoolTransactions = 8_192,
        PoolBytes = 4 << 20,
        PoolPerPeer = 4_096,
        RecentTransactions = 16_384,
    };

    private async Task ProcessAsync(IReadOnlyList<Item> items)
    {
        _poolIsFull = false;
        var isRepeated = !_begun || items.Any(item => item.IsRepeated);
        var events = items.SelectMany(item => item.Events).ToList();
        if (!await _runner.ProcessAsync(events, isRepeated, default))
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
        _ports.Reach(FailPoint.OrderAnnounced);
    }

    private async Task ArmAsync(SetTimer timer, CancellationToken cancellation)
    {
        if (timer.DelayMs >= LeastDelayMs)
        {
            await _ports.Bus.SendAsync(
                _ports.Names.Inbox, InboxMessage.Of(timer), TimeSpan.FromMilliseconds(timer.DelayMs), cancellation);
            return;
        }

        _ = WaitAsync();

        async Task WaitAsync()
        {
            await Task.Delay(TimeSpan.FromMilliseconds(timer.DelayMs), _ports.Clock, default);
            try
            {
                await _groups.AddAsync(new([new TimerExpired(NowMs, timer.Timer, timer.Generation)], false));
            }
            catch (StoreException failure)
            {
                _ports.Log($"a time-out was not taken: {failure.Message}");
                _begun = false; // the next group sets all time-outs anew
            }
        }
    }

    private async Task MoveFinalityAsync()
    {
        if (_attested > _final && _ports.Clock.GetElapsedTime(_finalAt) >= FinalityInterval)
        {
            _finalAt = _ports.Clock.GetTimestamp();
            await _chain.RefreshAsync(TimeSpan.FromMilliseconds(1), default);
            if (_chain.Chain.Head.Number >= _attested)
            {
                await _chain.SetFinalityAsync(_attested, default);
                _final = _attested;
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
