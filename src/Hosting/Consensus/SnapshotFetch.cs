using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Encoding;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Consensus;

/// <summary>The transfer of one snapshot: what is asked for next, and whether what comes holds.</summary>
/// <remarks>
/// <code>
///   attested block ─▶ the blocks before it ─▶ state, node by node from its root ─▶ code ─▶ the batches that may
///   still hold waiting transactions ─▶ ready: put in place at the next start
/// </code>
/// Everything is checked against the block hash that a quorum attests. One thread at a time.
/// </remarks>
internal sealed class SnapshotFetch(ReplicaContext context, IKeyValueStore store, InstallSnapshot wanted)
{
    private readonly Dictionary<ulong, Hash256> _digests = [];
    private readonly SnapshotEpochs _epochs = new(context, wanted.Offer);
    private ulong _nextBlock = wanted.Sequence;
    private Hash256 _blockHash = wanted.BlockHash;
    private StateImport? _import;
    private ulong _nextBatch = wanted.Sequence > DeferredTransactions.Span
        ? wanted.Sequence - DeferredTransactions.Span + 1
        : 1;

    internal InstallSnapshot Wanted => wanted;

    internal bool IsComplete =>
        HasBlocks && _import is { IsComplete: true } && _nextBatch > wanted.Sequence;

    /// <summary>Nodes of the state taken in this process.</summary>
    internal long Nodes => _import?.Taken ?? 0;

    private ulong LastBlock =>
        wanted.Sequence > SnapshotBlocks.Count ? wanted.Sequence - SnapshotBlocks.Count + 1 : 1;

    private bool HasBlocks => _nextBlock < LastBlock;

    /// <summary>What to ask for next.</summary>
    internal FetchState Next()
    {
        var writer = new RlpWriter(1024);
        StatePart part;
        if (!HasBlocks)
        {
            part = StatePart.Blocks;
            writer.WriteUInt64(_nextBlock);
        }
        else if (_import!.Places is { Count: > 0 } places)
        {
            return new FetchState(wanted.Sequence, StatePart.Nodes, SnapshotParts.Ask(places));
        }
        else if (_import.Codes is { Count: > 0 } codes)
        {
            return new FetchState(wanted.Sequence, StatePart.Code, SnapshotParts.Ask(codes));
        }
        else
        {
            part = StatePart.Batches;
            writer.WriteUInt64(_nextBatch);
        }

        return new FetchState(wanted.Sequence, part, writer.ToArray());
    }

    /// <summary>Takes an answer to <see cref="Next"/>; the reason where it does not hold.</summary>
    internal string? Take(StateChunk chunk)
    {
        if (chunk.Content.Length == 0)
        {
            return "the giver has it no more";
        }

        if (chunk.Part == StatePart.Batches)
        {
            return HasBlocks ? TakeBatches(chunk.Content) : null;
        }

        try
        {
            return chunk.Part switch
            {
                StatePart.Blocks when !HasBlocks => TakeBlocks(SnapshotParts.ReadBlocks(chunk.Content)),
                StatePart.Nodes when _import is not null => _import.Take(SnapshotParts.ReadNodes(chunk.Content)),
                StatePart.Code when _import is not null => _import.TakeCodes(SnapshotParts.ReadItems(chunk.Content)),
                _ => null,
            };
        }
        catch (RlpException damage)
        {
            return $"it is malformed: {damage.Message}";
        }
    }

    /// <summary>Marks the state as ready and keeps the offer, in one write.</summary>
    internal void Finish()
    {
        using var write = store.CreateBatch();
        _import!.Ready(write);
        write.Put(Column.Consensus, SnapshotTransfer.OfferKey, MessageCodec.Encode(wanted.Offer));
        store.Write(write, sync: true);
    }

    private string? TakeBlocks(List<(byte[] Block, byte[] Receipts)> blocks)
    {
        using var write = store.CreateBatch();
        if (blocks.Count == 0)
        {
            return "it holds no blocks";
        }

        foreach (var (block, receipts) in blocks)
        {
            if (HasBlocks)
            {
                break;
            }

            if (SnapshotBlocks.Put(write, block, receipts, _blockHash, out var header) is { } broken)
            {
                return broken;
            }

            if (_nextBlock == wanted.Sequence)
            {
                _import = new StateImport(store, wanted.Sequence, header!.StateRoot);
            }

            _digests[_nextBlock] = new Hash256(header!.ExtraData.Span);
            (_nextBlock, _blockHash) = (_nextBlock - 1, header.ParentHash);
        }

        store.Write(write);
        return null;
    }

    private string? TakeBatches(byte[] content)
    {
        if (!MessageCodec.TryDecode(content, out var message)
            || message is not Blocks { Batches: { Count: > 0 } batches })
        {
            return "it holds no batches";
        }

        using var write = store.CreateBatch();
        foreach (var (batch, certificate, _) in batches)
        {
            if (_nextBatch > wanted.Sequence)
            {
                break;
            }

            if (!_epochs.Holds(batch, certificate, _nextBatch, _digests[_nextBatch]))
            {
                return $"batch {_nextBatch} is not the one that block {_nextBatch} comes from, or not certified";
            }

            ConsensusArchive.Keep(write, batch, certificate);
            _nextBatch++;
        }

        store.Write(write);
        return null;
    }
}
