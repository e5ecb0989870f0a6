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
    private readonly Secp256k1Verifier _verifier = new();
    private readonly Dictionary<ulong, Hash256> _digests = [];
    private readonly List<Epoch> _epochs = [context.Genesis];
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
            part = StatePart.Nodes;
            var list = writer.BeginList();
            foreach (var place in places)
            {
                place.Write(writer);
            }

            writer.EndList(list);
        }
        else if (_import.Codes is { Count: > 0 } codes)
        {
            part = StatePart.Code;
            var list = writer.BeginList();
            foreach (var code in codes)
            {
                writer.WriteHash256(code);
            }

            writer.EndList(list);
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
            var reader = new RlpReader(chunk.Content);
            var list = reader.ReadList();
            reader.RequireEnd();
            return chunk.Part switch
            {
                StatePart.Blocks when !HasBlocks => TakeBlocks(ref list),
                StatePart.Nodes when _import is not null => _import.Take(new StateNodes(
                    SnapshotCodec.ReadAll(ref list), SnapshotCodec.ReadAll(ref list))),
                StatePart.Code when _import is not null => TakeCodes(ref list),
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

    private string? TakeBlocks(ref RlpReader list)
    {
        using var write = store.CreateBatch();
        if (list.AtEnd)
        {
            return "it holds no blocks";
        }

        while (!list.AtEnd && !HasBlocks)
        {
            var (block, receipts) = (list.ReadBytes().ToArray(), list.ReadBytes().ToArray());
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

    private string? TakeCodes(ref RlpReader list)
    {
        var codes = new List<byte[]>();
        while (!list.AtEnd)
        {
            codes.Add(list.ReadBytes().ToArray());
        }

        return _import!.TakeCodes(codes);
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

            if (!Holds(batch, certificate))
            {
                return $"batch {_nextBatch} is not the one that block {_nextBatch} comes from, or not certified";
            }

            ConsensusArchive.Keep(write, batch, certificate);
            _nextBatch++;
        }

        store.Write(write);
        return null;
    }

    private bool Holds(Batch batch, QuorumCertificate certificate) =>
        batch.Sequence == _nextBatch && batch.Digest == _digests[_nextBatch] && batch.IsComplete(context.Inspector)
        && certificate.Phase == VotePhase.Commit && certificate.Sequence == _nextBatch
        && certificate.Digest == batch.Digest && EpochOf(_nextBatch) is { } epoch
        && certificate.Verify(context.Parameters.ChainId, epoch, _verifier);

    private Epoch? EpochOf(ulong sequence)
    {
        while (!_epochs[^1].Contains(sequence) && _epochs[^1].Last < sequence)
        {
            if (_epochs.Count > wanted.Offer.Epochs.Count || wanted.Offer.Epochs[_epochs.Count - 1].Apply(
                _epochs[^1], context.Parameters.ChainId, context.Parameters.EpochLength, _verifier) is not { } next)
            {
                return null;
            }

            _epochs.Add(next);
        }

        return _epochs.Find(epoch => epoch.Contains(sequence));
    }
}
