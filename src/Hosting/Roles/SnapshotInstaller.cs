using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Roles.Consortium;

namespace SuperVm.Hosting.Roles;

/// <summary>The execution's part of a transfer: staged parts become pages beside those in use, then the head.</summary>
/// <remarks>
/// <code>
///   notice, part 0 ─▶ blocks, pages ─▶ taken-N ─▶ notice, part N ─▶ … ─▶ what waits ─▶ head ─▶ inbox: installed
/// </code>
/// Every notice is a step of its own, and what it writes follows from the parts: a step that died is made again, a step
/// that comes twice writes nothing new. Readers see the old state until the head document is swapped.
/// </remarks>
internal sealed class SnapshotInstaller(
    RolePorts ports, IRoleChain chain, BatchArchive archive, DeferredArchive kept, TransactionCache transactions)
{
    /// <summary>Parts of one step, each of about 1 MiB.</summary>
    internal int MostParts { get; set; } = 128;

    /// <summary>How long a step begins new parts.</summary>
    private static readonly TimeSpan StepTime = TimeSpan.FromSeconds(60);

    internal async Task<RoleEnd> StepAsync(SnapshotNotice notice, CancellationToken cancellation)
    {
        var stage = new SnapshotStage(ports.Blobs, notice.Number, notice.BlockHash);
        await chain.RefreshAsync(TimeSpan.Zero, cancellation);
        if (chain.Chain.Head.Number >= notice.Number)
        {
            await ReportAsync(notice, cancellation);
            return RoleEnd.Done;
        }

        if (await stage.ManifestAsync(cancellation) is not { } manifest)
        {
            ports.Log($"the state of block {notice.Number} is not staged any more");
            return RoleEnd.Done;
        }

        var (began, part, total) = (ports.Clock.GetTimestamp(), 0, manifest.BlockParts + manifest.NodeParts);
        ReadOnlyMemory<byte> saved = default;
        if (notice.Part > 0 && await stage.TakenAsync(notice.Part, cancellation) is { } open)
        {
            (saved, part) = (open, notice.Part);
        }

        if (chain.BeginTakeover(notice.Number, notice.BlockHash, saved.Span) is not { } takeover)
        {
            return RoleEnd.Malformed;
        }

        var from = part;
        while (part < total && part - from < MostParts && ports.Clock.GetElapsedTime(began) < StepTime)
        {
            await TakeAsync(takeover, stage, manifest, part++, cancellation);
        }

        ports.Reach(FailPoint.InstallWritten);
        if (part < total)
        {
            await stage.PutTakenAsync(part, takeover.Save(), cancellation);
            await ports.Bus.SendAsync(
                ports.Names.Batches, (notice with { Part = part }).Encode(), default, cancellation);
            await stage.DeleteTakenAsync(from, cancellation);
            return RoleEnd.Done;
        }

        await takeover.EndAsync(cancellation);
        await KeepWaitingAsync(takeover, manifest, cancellation);
        ports.Reach(FailPoint.InstallKept);
        await chain.TakeOverAsync(takeover, cancellation);
        ports.Reach(FailPoint.InstallMoved);
        ports.Log($"supervm.head.moved block {notice.Number} {notice.BlockHash.ToString()[..10]}… 0 tx 0 gas, "
            + $"its state taken over in {total} parts");
        if (from > 0)
        {
            await stage.DeleteTakenAsync(from, cancellation);
        }

        await ReportAsync(notice, cancellation);
        return RoleEnd.Done;
    }

    private static async Task TakeAsync(
        StateTakeover takeover, SnapshotStage stage, SnapshotManifest manifest, int part,
        CancellationToken cancellation)
    {
        var isBlocks = part < manifest.BlockParts;
        var content = (isBlocks
            ? await stage.BlocksAsync(part, cancellation)
            : await stage.NodesAsync(part - manifest.BlockParts, cancellation))
            ?? throw new StoreException($"{stage.Name} lacks its part {part}.");
        try
        {
            if (!isBlocks)
            {
                await takeover.TakeNodesAsync(SnapshotParts.ReadNodes(content.Span), cancellation);
                return;
            }

            foreach (var (block, receipts) in SnapshotParts.ReadBlocks(content.Span))
            {
                if (!takeover.HasBlocks)
                {
                    await takeover.TakeBlockAsync(block, receipts, cancellation);
                }
            }
        }
        catch (RlpException damage)
        {
            throw new StoreException($"{stage.Name}: part {part} is damaged: {damage.Message}", damage);
        }
    }

    /// <summary>
    /// The ordered transactions that the blocks left out and that may come again, as <see cref="DeferredTransactions"/>
    /// finds them in a process.
    /// </summary>
    private async Task KeepWaitingAsync(
        StateTakeover takeover, SnapshotManifest manifest, CancellationToken cancellation)
    {
        var first = takeover.Number - (ulong)manifest.Digests.Count + 1;
        var included = await takeover.IncludedAsync(first, cancellation);
        var waiting = new List<(ulong, Transaction)>();
        for (var i = 0; i < manifest.Digests.Count; i++)
        {
            var batch = await archive.GetAsync(manifest.Digests[i], cancellation)
                ?? throw new StoreException($"The batch {manifest.Digests[i]} of a state's last blocks is missing.");
            for (var j = 0; j < batch.Hashes.Count; j++)
            {
                if (!included.Contains(batch.Hashes[j])
                    && transactions.TryGet(batch.Hashes[j], batch.Transactions[j], out var transaction)
                    && DeferredTransactions.MayCome(transaction, takeover.State))
                {
                    waiting.Add((first + (ulong)i, transaction));
                }
            }
        }

        var deferred = new DeferredTransactions();
        deferred.Load(waiting);
        await kept.PutAsync(takeover.Number, deferred.Waiting, cancellation);
    }

    private Task ReportAsync(SnapshotNotice notice, CancellationToken cancellation) => ports.Bus.SendAsync(
        ports.Names.Inbox, InboxMessage.Installed(notice.Number, notice.BlockHash), default, cancellation);
}
