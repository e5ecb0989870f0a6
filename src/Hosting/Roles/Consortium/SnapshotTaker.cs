using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using Snapshot = SuperVm.Core.Consensus.Messages.Snapshot;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>
/// The order's part of a transfer: asks the others for a state part by part, checks, and stages what holds.
/// </summary>
/// <remarks>
/// <code>
///   offer ─▶ document: transfer ─▶ inbox 'S' ─▶ blocks ─▶ nodes, code ─▶ batches ─▶ ready ─▶ notice to the execution
///                                     └─▶ step by step, each part staged before the document says so
///   inbox 'I': in place ─▶ the replica is shown the offer and goes on from it ─▶ document: nothing
/// </code>
/// One message is on its way as long as a transfer is: it carries the work from step to step, over the deaths of
/// processes. Every part is checked against the attested block, so it does not matter who gives it: where one peer lies
/// or has it no more, the next one is asked.
/// </remarks>
internal sealed class SnapshotTaker
{
    private readonly SemaphoreSlim _stepping = new(1);
    private readonly RolePorts _ports;
    private readonly IRoleChain _chain;
    private readonly ReplicaContext _context;
    private readonly CommittedArchive _archive;
    private readonly SnapshotLimits _limits;
    private readonly SnapshotPartTaker _parts;
    private readonly Func<IReadOnlyList<ReplicaEvent>, Task> _tell;
    private readonly DocumentKey _document;
    private long? _gaveUpAt;
    private int _rounds;
    private volatile bool _isActive;

    /// <param name="ports">What it stands on.</param>
    /// <param name="chain">The chain that is to be taken further.</param>
    /// <param name="context">Whose signatures count.</param>
    /// <param name="archive">Takes batches, certificates and steps.</param>
    /// <param name="limits">Times.</param>
    /// <param name="ask">Asks one peer; null where it does not answer.</param>
    /// <param name="peers">Who can be asked, this one first.</param>
    /// <param name="tell">Tells the replica, and returns when that is kept.</param>
    internal SnapshotTaker(
        RolePorts ports, IRoleChain chain, ReplicaContext context, CommittedArchive archive, SnapshotLimits limits,
        Func<FetchState, Address, CancellationToken, Task<StateChunk?>> ask,
        Func<Address, IReadOnlyList<Address>> peers, Func<IReadOnlyList<ReplicaEvent>, Task> tell)
    {
        (_ports, _chain, _context, _archive, _limits) = (ports, chain, context, archive, limits);
        (_parts, _tell) = (new(ports, archive, ask, peers), tell);
        _document = new(ports.Names.Replica, "order", "snapshot");
    }

    /// <summary>Whether a transfer is under way: batches and other offers are of no use meanwhile.</summary>
    internal bool IsActive => _isActive;

    private long Now => _ports.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Goes on with what an earlier process began.</summary>
    internal async Task StartAsync(CancellationToken cancellation)
    {
        if (await LoadAsync(cancellation) is not null)
        {
            _isActive = true;
            await SendStepAsync(default, cancellation);
        }
    }

    /// <summary>The replica wants the state of a block: begins, or tells it that nothing will come of it.</summary>
    internal async Task OfferedAsync(InstallSnapshot wanted, CancellationToken cancellation)
    {
        var known = await LoadAsync(cancellation);
        if (known is { } going && going.Transfer.BlockHash == wanted.BlockHash)
        {
            return;
        }

        await _chain.RefreshAsync(TimeSpan.FromSeconds(1), cancellation);
        var head = _chain.Chain.Head.Number;
        if (known is not null || wanted.Sequence <= head + _limits.Near
            || (_gaveUpAt is { } at && _ports.Clock.GetElapsedTime(at) < _limits.GiveUpPause))
        {
            Refuse(wanted.Sequence);
            return;
        }

        var stage = new SnapshotStage(_ports.Blobs, wanted.Sequence, wanted.BlockHash);
        await stage.PutOfferAsync(MessageCodec.Encode(wanted.Offer), cancellation);
        var begun = await _ports.Documents.CreateAsync(
            _document, SnapshotTransferState.Begin(wanted).Encode(), cancellation);
        if (!begun.IsDone)
        {
            Refuse(wanted.Sequence);
            return;
        }

        _isActive = true;
        _rounds = 0;
        _parts.Forgive();
        _ports.Log($"takes the state of block {wanted.Sequence} from {wanted.From} and the others: head {head}");
        _ports.Reach(FailPoint.SnapshotBegun);
        await SendStepAsync(default, cancellation);
    }

    /// <summary>Does what an inbox message asks of a transfer; false for any other message.</summary>
    internal async Task<bool> TakesAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (InboxMessage.IsSnapshotStep(message.Span))
        {
            await StepAsync(cancellation);
            return true;
        }

        if (InboxMessage.ReadInstalled(message.Span) is { } installed)
        {
            await InstalledAsync(installed.Number, installed.BlockHash, cancellation);
            return true;
        }

        return false;
    }

    /// <summary>Works on the transfer for a while, and has the next message go on.</summary>
    private async Task StepAsync(CancellationToken cancellation)
    {
        if (!await _stepping.WaitAsync(0, cancellation))
        {
            return; // a step is under way, and its message goes on
        }

        try
        {
            await StepAloneAsync(cancellation);
        }
        finally
        {
            _stepping.Release();
        }
    }

    /// <summary>The execution has put a state in place, or has come further by itself.</summary>
    private async Task InstalledAsync(ulong number, Hash256 blockHash, CancellationToken cancellation)
    {
        if (await LoadAsync(cancellation) is not { } known || known.Transfer.BlockHash != blockHash)
        {
            return;
        }

        await _chain.RefreshAsync(TimeSpan.Zero, cancellation);
        var isThere = _chain.Chain.GetHeader(number)?.Hash == blockHash;
        var stage = new SnapshotStage(_ports.Blobs, number, blockHash);
        if (await stage.OfferAsync(cancellation) is { } bytes && MessageCodec.TryDecode(bytes.Span, out var message)
            && message is Snapshot offer)
        {
            // The replica of a later process does not know the offer; one that does drops it.
            await _tell([
                new MessageArrived(Now, Address.Zero, offer), new SnapshotInstalled(Now, number, isThere)]);
        }

        _ports.Reach(FailPoint.SnapshotAdopted);
        _ports.Log($"goes on from block {number}");
        await ForgetAsync(known, cancellation);
    }

    private async Task StepAloneAsync(CancellationToken cancellation)
    {
        if (await LoadAsync(cancellation) is not { } known)
        {
            _isActive = false;
            return;
        }

        _isActive = true;
        var (transfer, etag) = known;
        var stage = new SnapshotStage(_ports.Blobs, transfer.Number, transfer.BlockHash);
        if (await stage.OfferAsync(cancellation) is not { } bytes
            || !MessageCodec.TryDecode(bytes.Span, out var message) || message is not Snapshot offer)
        {
            await EndAsync(known, "its offer is lost", cancellation);
            return;
        }

        var epochs = new SnapshotEpochs(_context, offer);
        var began = _ports.Clock.GetTimestamp();
        while (!transfer.IsReady)
        {
            if (_ports.Clock.GetElapsedTime(began) > _limits.StepTime)
            {
                await SendStepAsync(default, cancellation);
                return;
            }

            await _chain.RefreshAsync(TimeSpan.FromSeconds(1), cancellation);
            if (_chain.Chain.Head.Number >= transfer.Number)
            {
                await EndAsync(known, "the chain has come that far by itself", cancellation);
                return;
            }

            if (await _parts.NextAsync(transfer, stage, epochs, cancellation) is not { } next)
            {
                if (++_rounds >= _limits.Rounds)
                {
                    await EndAsync(known, "nobody has the next part", cancellation);
                    return;
                }

                _parts.Forgive();
                await SendStepAsync(_limits.RetryPause, cancellation);
                return;
            }

            _rounds = 0;
            _ports.Reach(FailPoint.SnapshotStaged);
            var write = await _ports.Documents.ReplaceAsync(_document, next.Encode(), etag, cancellation);
            if (!write.IsDone)
            {
                return; // another instance steps, and sends the messages
            }

            known = (transfer, etag) = (next, write.ETag!);
        }

        await AnnounceAsync(transfer, stage, offer, cancellation);
    }

    /// <summary>All is staged: what reads need beside the state is put down, and the execution is told.</summary>
    private async Task AnnounceAsync(
        SnapshotTransferState transfer, SnapshotStage stage, Snapshot offer, CancellationToken cancellation)
    {
        await _archive.PutAsync(new SnapshotAdopted(offer), cancellation);
        await _archive.PutAsync(new BlockFinalized(offer.Attestation, null), cancellation);
        await stage.PutManifestAsync(
            new(transfer.BlockParts, transfer.NodeParts, transfer.Digests), cancellation);
        _ports.Reach(FailPoint.SnapshotReady);
        await _ports.Bus.SendAsync(
            _ports.Names.Batches, new SnapshotNotice(transfer.Number, transfer.BlockHash, 0).Encode(), default,
            cancellation);
        _ports.Log($"the state of block {transfer.Number} is here and checked: {transfer.BlockParts} parts of blocks, "
            + $"{transfer.NodeParts} of nodes");
    }

    /// <summary>Gives the transfer up; the replica may take batches, or another state later.</summary>
    private async Task EndAsync(
        (SnapshotTransferState Transfer, string ETag) known, string reason, CancellationToken cancellation)
    {
        var transfer = known.Transfer;
        _ports.Log($"the transfer of block {transfer.Number}'s state ends: {reason}");
        _gaveUpAt = _ports.Clock.GetTimestamp();
        await _tell([new SnapshotInstalled(Now, transfer.Number, Success: false)]);
        await ForgetAsync(known, cancellation);
    }

    private async Task ForgetAsync(
        (SnapshotTransferState Transfer, string ETag) known, CancellationToken cancellation)
    {
        var transfer = known.Transfer;
        await new SnapshotStage(_ports.Blobs, transfer.Number, transfer.BlockHash)
            .DeleteAsync(transfer.BlockParts, transfer.NodeParts, cancellation);
        await _ports.Documents.DeleteAsync(_document, known.ETag, cancellation);
        _isActive = false;
    }

    /// <summary>Not waited for: what asks is the replica's own step.</summary>
    private void Refuse(ulong sequence) => _ = _tell([new SnapshotInstalled(Now, sequence, Success: false)])
        .ContinueWith(
            told => _ports.Log($"the replica was not told: {told.Exception!.GetBaseException().Message}"),
            TaskContinuationOptions.OnlyOnFaulted);

    private Task SendStepAsync(TimeSpan delay, CancellationToken cancellation) =>
        _ports.Bus.SendAsync(_ports.Names.Inbox, InboxMessage.SnapshotStep, delay, cancellation);

    private async Task<(SnapshotTransferState Transfer, string ETag)?> LoadAsync(CancellationToken cancellation) =>
        await _ports.Documents.GetAsync(_document, cancellation) is { } found
            ? (SnapshotTransferState.Decode(found.Body.Span), found.ETag)
            : null;
}
