using Microsoft.AspNetCore.Http;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Encoding;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles;

/// <summary>The order of a chain with one operator: a durable state machine over one document.</summary>
/// <remarks>
/// <code>
///   inbox ─▶ group ─▶ SoloOrder.Step ─▶ bodies to the archive ─▶ compare-and-swap ─▶ notice to execution ─▶ completed
///                ▲                                                  │ lost: load again
///                └──────────────────────────────────────────────────┘
/// </code>
/// A process that dies after the compare-and-swap leaves its messages; whoever gets them loads the state, finds them
/// taken, and announces the last batch again. The state stays in memory between groups; its ETag guards it. Any number
/// of instances may work; they make each other load again.
/// </remarks>
public sealed class SoloOrderService : IOrderService
{
    /// <summary>Messages of one step.</summary>
    private const int MostMessages = 64;

    /// <summary>Lost races after which a step fails; its messages come again.</summary>
    private const int MostAttempts = 16;

    private readonly RolePorts _ports;
    private readonly DocumentKey _key;
    private readonly SoloState _begin;
    private readonly SoloOrder _order;
    private readonly BatchArchive _archive;
    private readonly Grouped<OrderedMessage> _groups;
    private Loaded? _loaded;
    private long _steps;

    /// <param name="ports">What it stands on.</param>
    /// <param name="genesis">The chain's first block.</param>
    /// <param name="chainId">EIP-155 chain id.</param>
    /// <param name="proposer">Who receives the fees.</param>
    public SoloOrderService(RolePorts ports, ChainBlock genesis, ulong chainId, in Address proposer)
    {
        _ports = ports;
        _key = new(ports.Names.Replica, "order", "solo");
        var inspector = new TransactionCache(chainId);
        ports.Caches.Add(inspector.Forget);
        _begin = SoloState.Begin(genesis.Hash, genesis.Header.Timestamp, genesis.Header.GasLimit);
        _order = new(proposer, genesis.Header.GasLimit, inspector);
        _archive = new(ports.Blobs, inspector);
        _groups = new(OrderAsync, MostMessages);
    }

    /// <summary>Steps that were saved since the start.</summary>
    public long Steps => Interlocked.Read(ref _steps);

    public async Task<RoleEnd> TakeAsync(
        string messageId, bool isRepeated, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (await ClaimCheck.OpenAsync(body, _ports.Blobs, cancellation) is not { } opened)
        {
            return RoleEnd.Again;
        }

        if (ItemPacking.Unpack(opened) is not { } transactions)
        {
            return RoleEnd.Malformed;
        }

        _ports.Reach(FailPoint.OrderTaken);
        await _groups.AddAsync(new(messageId, transactions)).WaitAsync(cancellation);
        return RoleEnd.Done;
    }

    public Task ServeAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    /// <summary>Announces the last batch again: a notice that was lost is made good.</summary>
    public async Task WatchAsync(CancellationToken cancellation)
    {
        if (await _ports.Documents.GetAsync(_key, cancellation) is { } document)
        {
            await AnnounceAsync(Decode(document));
        }
    }

    private async Task OrderAsync(IReadOnlyList<OrderedMessage> messages)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var isFresh = _loaded is null;
            var loaded = _loaded ??= await LoadAsync();
            var step = _order.Step(loaded.State, messages, (ulong)_ports.Clock.GetUtcNow().ToUnixTimeSeconds());
            if (step.Refused > 0)
            {
                _ports.Log($"{step.Refused} items of the inbox are no transactions of this chain");
            }

            if (step.State.Taken.SequenceEqual(loaded.State.Taken))
            {
                // All taken before. Whoever took them may have died before the batches were announced.
                if (isFresh || loaded.IsUnannounced)
                {
                    await AnnounceAsync(loaded.State);
                    _loaded = loaded with { IsUnannounced = false };
                }

                return;
            }

            if (await SaveAsync(loaded, step) is { } saved)
            {
                _loaded = saved;
                _ports.Reach(FailPoint.OrderSaved);
                Report(step);
                await AnnounceAsync(saved.State);
                _loaded = saved with { IsUnannounced = false };
                _ports.Reach(FailPoint.OrderAnnounced);
                return;
            }

            _loaded = null;
        }

        throw new StoreException("Other instances won every attempt to order.");
    }

    private async Task<Loaded> LoadAsync() => await _ports.Documents.GetAsync(_key) is { } document
        ? new(Decode(document), document.ETag, IsUnannounced: true)
        : new(_begin, null, IsUnannounced: false);

    /// <exception cref="StoreException">
    /// It is damaged, or of a newer program: messages wait rather than become poison at once.
    /// </exception>
    private SoloState Decode(Document document)
    {
        try
        {
            return SoloState.Decode(document.Body.Span);
        }
        catch (RlpException damage)
        {
            throw new StoreException($"{_key}: {damage.Message}", damage);
        }
    }

    /// <summary>The saved state; null where another instance was faster.</summary>
    private async Task<Loaded?> SaveAsync(Loaded loaded, SoloStep step)
    {
        foreach (var batch in step.Batches)
        {
            await _archive.PutAsync(batch, default);
        }

        _ports.Reach(FailPoint.OrderKept);
        _loaded = null; // a write that ends in an unknown way is looked at again
        var body = step.State.Encode();
        var write = loaded.ETag is { } tag
            ? await _ports.Documents.ReplaceAsync(_key, body, tag)
            : await _ports.Documents.CreateAsync(_key, body);
        if (!write.IsDone)
        {
            return null;
        }

        Interlocked.Increment(ref _steps);
        return new(step.State, write.ETag, IsUnannounced: true);
    }

    private async Task AnnounceAsync(SoloState state)
    {
        if (state.Last.Sequence > 0)
        {
            await _ports.Bus.SendAsync(_ports.Names.Batches, BatchNotice.Encode(state.Last));
        }
    }

    private void Report(SoloStep step)
    {
        foreach (var batch in step.Batches)
        {
            TransactionTrace.Write(_ports, $"batch {batch.Sequence} {batch.Digest}", batch.Hashes);
        }
    }

    private sealed record Loaded(SoloState State, string? ETag, bool IsUnannounced);
}
