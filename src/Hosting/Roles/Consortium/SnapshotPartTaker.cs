using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Gets the next part of a state: from what is staged, or from one peer after another, checked.</summary>
/// <param name="ports">Where parts are staged.</param>
/// <param name="archive">Takes batches.</param>
/// <param name="ask">Asks one peer; null where it does not answer.</param>
/// <param name="peers">Who can be asked, this one first.</param>
internal sealed class SnapshotPartTaker(
    RolePorts ports, CommittedArchive archive, Func<FetchState, Address, CancellationToken, Task<StateChunk?>> ask,
    Func<Address, IReadOnlyList<Address>> peers)
{
    private readonly HashSet<Address> _refused = [];

    /// <summary>Asks those again who lied or did not answer.</summary>
    internal void Forgive() => _refused.Clear();

    /// <summary>The transfer with the next part staged; null where no peer has it.</summary>
    internal async Task<SnapshotTransferState?> NextAsync(
        SnapshotTransferState transfer, SnapshotStage stage, SnapshotEpochs epochs, CancellationToken cancellation)
    {
        if (transfer.WantsBlocks)
        {
            return await StagedAsync(
                transfer, StatePart.Blocks, Number(transfer.NextBlock), part => stage.BlocksAsync(part, cancellation),
                (part, content) => stage.PutBlocksAsync(part, content, cancellation), transfer.BlockParts,
                transfer.WithBlocks, cancellation);
        }

        if (transfer.WantsNodes)
        {
            var codes = new HashSet<Hash256>();
            var next = await StagedAsync(
                transfer, StatePart.Nodes, SnapshotParts.Ask(transfer.Places),
                part => stage.NodesAsync(part, cancellation),
                (part, content) => stage.PutNodesAsync(part, content, cancellation), transfer.NodeParts,
                content => transfer.WithNodes(content, codes), cancellation);
            return next is not null && await TakeCodesAsync(transfer, codes, cancellation) ? next : null;
        }

        return await TakeAsync(
            transfer, new(transfer.Number, StatePart.Batches, Number(transfer.NextBatch)),
            content => WithBatchesAsync(transfer, content, epochs, cancellation), cancellation);
    }

    /// <summary>The part that lies there already, or the one that a peer gives.</summary>
    private async Task<SnapshotTransferState?> StagedAsync(
        SnapshotTransferState transfer, StatePart kind, byte[] query, Func<int, Task<ReadOnlyMemory<byte>?>> get,
        Func<int, byte[], Task> put, int part, Func<byte[], (SnapshotTransferState? Next, string? Broken)> check,
        CancellationToken cancellation)
    {
        if (await get(part) is { } there)
        {
            return check(there.ToArray()).Next
                ?? throw new StoreException($"A staged part, {kind} {part}, is damaged.");
        }

        return await TakeAsync(transfer, new(transfer.Number, kind, query), async content =>
        {
            var (next, broken) = check(content);
            if (next is null)
            {
                return (null, broken);
            }

            await put(part, content);
            if (await get(part) is { } kept && !kept.Span.SequenceEqual(content))
            {
                next = check(kept.ToArray()).Next; // another instance was first
            }

            return (next, null);
        }, cancellation);
    }

    /// <summary>Asks one peer after another; null where none has what is asked for.</summary>
    private async Task<SnapshotTransferState?> TakeAsync(
        SnapshotTransferState transfer, FetchState question,
        Func<byte[], Task<(SnapshotTransferState? Next, string? Broken)>> take, CancellationToken cancellation)
    {
        foreach (var peer in peers(transfer.From).Where(peer => !_refused.Contains(peer)))
        {
            if (await ask(question, peer, cancellation) is not { } chunk || chunk.Sequence != question.Sequence
                || chunk.Part != question.Part || chunk.Content.Length == 0)
            {
                _refused.Add(peer); // until all were asked
                continue;
            }

            string? broken;
            try
            {
                (var next, broken) = await take(chunk.Content);
                if (next is not null)
                {
                    return next;
                }
            }
            catch (RlpException malformed)
            {
                broken = $"it is malformed: {malformed.Message}";
            }

            _refused.Add(peer);
            ports.Log($"{question.Part} of {peer} for the state of block {question.Sequence} is refused: {broken}");
        }

        return null;
    }

    private async Task<bool> TakeCodesAsync(
        SnapshotTransferState transfer, HashSet<Hash256> codes, CancellationToken cancellation)
    {
        foreach (var hash in codes.ToArray())
        {
            if (await ports.Blobs.GetAsync(StateTakeover.CodeName(hash), cancellation) is not null)
            {
                codes.Remove(hash);
            }
        }

        while (codes.Count > 0)
        {
            var query = SnapshotParts.Ask(codes.Order().Take(StateImport.MaximumPlaces));
            var taken = await TakeAsync(
                transfer, new(transfer.Number, StatePart.Code, query), async content =>
                {
                    var items = SnapshotParts.ReadItems(content);
                    if (items.Count == 0 || items.Exists(code => !codes.Contains(Keccak256.Hash(code))))
                    {
                        return (null, "a code is none of those that are asked for");
                    }

                    foreach (var code in items)
                    {
                        var hash = Keccak256.Hash(code);
                        await ports.Blobs.PutAsync(StateTakeover.CodeName(hash), code, cancellation);
                        codes.Remove(hash);
                    }

                    return (transfer, (string?)null);
                },
                cancellation);
            if (taken is null)
            {
                return false;
            }
        }

        return true;
    }

    private async Task<(SnapshotTransferState? Next, string? Broken)> WithBatchesAsync(
        SnapshotTransferState transfer, byte[] content, SnapshotEpochs epochs, CancellationToken cancellation)
    {
        if (!MessageCodec.TryDecode(content, out var message)
            || message is not Blocks { Batches: { Count: > 0 } batches })
        {
            return (null, "it holds no batches");
        }

        var next = transfer.NextBatch;
        foreach (var (batch, certificate, _) in batches.Where(found => found.Batch.Sequence <= transfer.Number))
        {
            if (!epochs.Holds(batch, certificate, next, transfer.DigestOf(next)))
            {
                return (null, $"batch {next} is not the one that block {next} comes from, or not certified");
            }

            await archive.PutAsync(new BatchCommitted(batch, certificate), cancellation);
            next++;
        }

        return (transfer with { NextBatch = next }, null);
    }

    private static byte[] Number(ulong number)
    {
        var writer = new RlpWriter(16);
        writer.WriteUInt64(number);
        return writer.ToArray();
    }
}
