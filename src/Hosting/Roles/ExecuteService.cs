using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles;

/// <summary>Told of each block that a batch became, again at every delivery of its notice.</summary>
/// <param name="place">The batch.</param>
/// <param name="blockHash">Its block.</param>
/// <param name="cancellation">Ends early; it is told again.</param>
public delegate Task BlockReporter(BatchPlace place, Hash256 blockHash, CancellationToken cancellation);

/// <summary>Makes ordered batches into blocks: in order, each once.</summary>
/// <remarks>
/// <code>
///   notice ─▶ archive: the batch, those between it and the head ─▶ candidates ─▶ block ─▶ head ─▶ report
/// </code>
/// A batch names the one before, so a notice stands for all of them: one that comes too early finds what is missing,
/// one that comes late or twice finds its block there, and one that was lost is made good by the next.
/// </remarks>
public sealed class ExecuteService
{
    /// <summary>Batches between the head and a notice that are gone back over; further ones have own notices.</summary>
    private const int MostBehind = 100_000;

    /// <summary>Batches held in memory while going back.</summary>
    private const int MostHeld = 64;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly DeferredTransactions _deferred = new();
    private readonly RolePorts _ports;
    private readonly IRoleChain _chain;
    private readonly BlockReporter? _report;
    private readonly TransactionCache _transactions;
    private readonly BatchArchive _archive;
    private readonly DeferredArchive _kept;
    private readonly SnapshotInstaller _installer;
    private readonly Leadership? _lead;
    private ulong? _deferredAt;
    private long _executed;

    /// <param name="ports">What it stands on.</param>
    /// <param name="chain">The chain whose blocks it makes.</param>
    /// <param name="report">Told of each block; null where there is nobody to tell.</param>
    public ExecuteService(RolePorts ports, IRoleChain chain, BlockReporter? report)
    {
        (_ports, _chain, _report) = (ports, chain, report);
        _transactions = new(chain.Chain.ChainId);
        _archive = new(ports.Blobs, _transactions);
        _kept = new(ports.Blobs);
        _installer = new(ports, chain, _archive, _kept, _transactions);
        _lead = ports.Leases is { } leases ? new(leases, "leases/execute", ports) : null;
        ports.Caches.Add(_transactions.Forget);
    }

    /// <summary>Parts of a state that one notice's step takes.</summary>
    internal int SnapshotParts
    {
        init => _installer.MostParts = value;
    }

    /// <summary>Blocks made here since the start.</summary>
    public long Executed => Interlocked.Read(ref _executed);

    public async Task<RoleEnd> ExecuteAsync(ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (BatchNotice.IsCall(body.Span))
        {
            return RoleEnd.Done; // the chain is open, or this would not have been called
        }

        var isSnapshot = SnapshotNotice.TryDecode(body.Span, out var snapshot);
        if (!BatchNotice.TryDecode(body.Span, out var place) && !isSnapshot)
        {
            return RoleEnd.Malformed;
        }

        if (place.Sequence == 0 && !isSnapshot)
        {
            return RoleEnd.Malformed;
        }

        await _turn.WaitAsync(cancellation);
        try
        {
            return isSnapshot
                ? await _installer.StepAsync(snapshot, cancellation)
                : await ExecuteUpToAsync(place, cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<RoleEnd> ExecuteUpToAsync(BatchPlace place, CancellationToken cancellation)
    {
        if (place.Sequence > _chain.Chain.Head.Number + 1)
        {
            await _chain.RefreshAsync(TimeSpan.Zero, cancellation);
        }

        if (place.Sequence > _chain.Chain.Head.Number && _lead is not null)
        {
            await _lead.WaitAsync(
                async stop =>
                {
                    await _chain.RefreshAsync(TimeSpan.Zero, stop);
                    return _chain.Chain.Head.Number;
                },
                place.Sequence, cancellation);
        }

        if (place.Sequence <= _chain.Chain.Head.Number)
        {
            return await ReportKnownAsync(place, cancellation);
        }

        var held = new Dictionary<Hash256, Batch>();
        if (await PathAsync(place, held, cancellation) is not { } path)
        {
            return RoleEnd.Again;
        }

        foreach (var step in path)
        {
            if (!held.Remove(step.Digest, out var batch))
            {
                batch = await _archive.GetAsync(step.Digest, cancellation);
            }

            if (batch is null)
            {
                return RoleEnd.Again;
            }

            await ExecuteOneAsync(batch, cancellation);
        }

        return RoleEnd.Done;
    }

    /// <summary>The batches above the head up to the place, in order; null where one is not in the archive
    /// yet.</summary>
    private async Task<Stack<BatchPlace>?> PathAsync(
        BatchPlace place, Dictionary<Hash256, Batch> held, CancellationToken cancellation)
    {
        var path = new Stack<BatchPlace>();
        for (var at = place; at.Sequence > _chain.Chain.Head.Number;)
        {
            if (path.Count == MostBehind || await _archive.GetAsync(at.Digest, cancellation) is not { } batch)
            {
                return null;
            }

            if (batch.Sequence != at.Sequence)
            {
                throw new StoreException($"Batch {at.Digest} has the place {batch.Sequence}, not {at.Sequence}.");
            }

            path.Push(at);
            if (held.Count < MostHeld)
            {
                held.Add(at.Digest, batch);
            }

            at = new(at.Sequence - 1, batch.Header.Parent);
        }

        return path;
    }

    private async Task ExecuteOneAsync(Batch batch, CancellationToken cancellation)
    {
        _ports.Reach(FailPoint.ExecuteRead);
        while (true)
        {
            await LoadDeferredAsync(cancellation);
            var candidates = _deferred.CandidatesWith(TransactionsOf(batch));
            _deferredAt = null; // until the block is there, nobody knows which list holds
            var block = await _chain.ProduceAsync(
                batch.Sequence, BlockExecutor.AttributesOf(batch), candidates,
                async (made, stop) =>
                {
                    var dropped = _deferred.Update(made.Block.Number, made.LeftOut, made.State);
                    await _kept.PutAsync(made.Block.Number, _deferred.Waiting, stop);
                    await RecordAsync(dropped, made.Block, stop);
                    _ports.Reach(FailPoint.ExecuteKept);
                },
                cancellation);
            if (block is null)
            {
                await _chain.RefreshAsync(TimeSpan.Zero, cancellation);
                if (batch.Sequence <= _chain.Chain.Head.Number && _chain.Chain.GetHeader(batch.Sequence) is null)
                {
                    return; // a state above it was taken over
                }

                continue;
            }

            RequireOf(block.Block, batch);
            if (block.Made is not null)
            {
                Settle(batch, block.Block);
            }

            if (_report is not null)
            {
                await _report(new(batch.Sequence, batch.Digest), block.Block.Hash, cancellation);
            }

            return;
        }
    }

    private void Settle(Batch batch, ChainBlock block)
    {
        _ports.Reach(FailPoint.ExecuteMoved);
        _deferredAt = block.Number;
        Interlocked.Increment(ref _executed);
        _ports.Log($"supervm.head.moved block {block.Number} {block.Hash.ToString()[..10]}… "
            + $"{block.Block.Transactions.Count} tx {block.Header.GasUsed} gas, batch {batch.Digest}");
    }

    /// <summary>
    /// A transaction that was ordered twice is left out once: it is in a block, and not dropped.
    /// </summary>
    private async Task RecordAsync(
        List<(Transaction Transaction, TransactionError Error)> dropped, ChainBlock block,
        CancellationToken cancellation)
    {
        if (dropped.Count == 0)
        {
            return;
        }

        var included = block.Block.Transactions.Select(transaction => transaction.Hash).ToHashSet();
        var reasons = dropped
            .Where(entry => !included.Contains(entry.Transaction.Hash)
                && _chain.Chain.FindTransaction(entry.Transaction.Hash) is null)
            .Select(entry => (entry.Transaction.Hash, Reason: entry.Error.ToString())).ToList();
        foreach (var (hash, reason) in reasons)
        {
            _ports.Log(
                $"dropped {hash} {reason} block {block.Number} batch {Hex.Encode(block.Header.ExtraData.Span)}");
        }

        if (reasons.Count > 0)
        {
            await _chain.RecordDroppedAsync(reasons, cancellation);
        }
    }

    private async Task LoadDeferredAsync(CancellationToken cancellation)
    {
        var head = _chain.Chain.Head.Number;
        if (_deferredAt != head)
        {
            _deferred.Load(await _kept.GetAsync(head, cancellation));
            _deferredAt = head;
        }
    }

    private async Task<RoleEnd> ReportKnownAsync(BatchPlace place, CancellationToken cancellation)
    {
        if (_report is not null && _chain.Chain.GetHeader(place.Sequence) is { } known)
        {
            await _report(place, known.Hash, cancellation);
        }

        return RoleEnd.Done;
    }

    /// <summary>A block says which batch it came from; another batch's block at its place is the end of the
    /// chain.</summary>
    private static void RequireOf(ChainBlock block, Batch batch)
    {
        if (!block.Header.ExtraData.Span.SequenceEqual(batch.Digest.Bytes))
        {
            throw new InvalidDataException($"block {block.Number} is not of the batch {batch.Digest}");
        }
    }

    private List<Transaction> TransactionsOf(Batch batch)
    {
        var own = new List<Transaction>(batch.Transactions.Count);
        for (var i = 0; i < batch.Transactions.Count; i++)
        {
            own.Add(_transactions.TryGet(batch.Hashes[i], batch.Transactions[i], out var transaction)
                ? transaction
                : throw new InvalidDataException($"batch {batch.Sequence} holds bytes that are no transaction"));
        }

        return own;
    }
}
