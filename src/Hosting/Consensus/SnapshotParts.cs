using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Encoding;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using Snapshot = SuperVm.Core.Consensus.Messages.Snapshot;

namespace SuperVm.Hosting.Consensus;

/// <summary>
/// The parts of a snapshot as they travel: the same for a validator's process and for the roles in the cloud.
/// </summary>
/// <remarks>
/// <code>
///   Blocks    asked: number            [block, receipts, block, receipts, …] downwards
///   Nodes     asked: [place, …]        [[node, …], [key, …]] in the order of the walk from the places on
///   Code      asked: [hash, …]         [code, …]
///   Batches   asked: sequence          a message of its own: Blocks
/// </code>
/// </remarks>
internal static class SnapshotParts
{
    private const int MaximumBlocks = 32;

    /// <summary>Blocks from a number on downwards, none above the snapshot's.</summary>
    internal static byte[] Blocks(IChain chain, ulong from, ulong held)
    {
        var writer = new RlpWriter(4096);
        var list = writer.BeginList();
        var (count, bytes) = (0, 0);
        for (var number = Math.Min(from, held);
            number > 0 && count < MaximumBlocks && bytes < StateChunk.TargetBytes
            && SnapshotBlocks.Read(chain, number) is var (block, receipts);
            number--)
        {
            writer.WriteBytes(block);
            writer.WriteBytes(receipts);
            (count, bytes) = (count + 1, bytes + block.Length + receipts.Length);
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>The blocks of a part.</summary>
    /// <exception cref="RlpException">It is malformed.</exception>
    internal static List<(byte[] Block, byte[] Receipts)> ReadBlocks(ReadOnlySpan<byte> content)
    {
        var reader = new RlpReader(content);
        var list = reader.ReadList();
        reader.RequireEnd();
        var blocks = new List<(byte[], byte[])>();
        while (!list.AtEnd)
        {
            blocks.Add((list.ReadBytes().ToArray(), list.ReadBytes().ToArray()));
        }

        return blocks;
    }

    internal static byte[] Nodes(IStateParts held, ref RlpReader reader, int mostBytes = StateChunk.TargetBytes)
    {
        var asked = reader.ReadList();
        var places = new List<StatePlace>();
        while (!asked.AtEnd && places.Count < StateImport.MaximumPlaces)
        {
            places.Add(StatePlace.Read(ref asked));
        }

        if (held.Read(places, mostBytes) is not { } part)
        {
            return [];
        }

        var writer = new RlpWriter(mostBytes);
        var list = writer.BeginList();
        WriteAll(writer, part.Nodes);
        WriteAll(writer, part.Keys);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>The question for nodes.</summary>
    internal static byte[] Ask(IReadOnlyList<StatePlace> places)
    {
        var writer = new RlpWriter(1024);
        var list = writer.BeginList();
        foreach (var place in places)
        {
            place.Write(writer);
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>The question for code.</summary>
    internal static byte[] Ask(IEnumerable<Hash256> codes)
    {
        var writer = new RlpWriter(2_048);
        var list = writer.BeginList();
        foreach (var code in codes)
        {
            writer.WriteHash256(code);
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>The nodes of a part.</summary>
    /// <exception cref="RlpException">It is malformed.</exception>
    internal static StateNodes ReadNodes(ReadOnlySpan<byte> content)
    {
        var reader = new RlpReader(content);
        var list = reader.ReadList();
        reader.RequireEnd();
        return new StateNodes(ReadAll(ref list), ReadAll(ref list));
    }

    internal static byte[] Code(IStateParts held, ref RlpReader reader)
    {
        var asked = reader.ReadList();
        var writer = new RlpWriter(4096);
        var list = writer.BeginList();
        for (int count = 0, bytes = 0; !asked.AtEnd && count < StateImport.MaximumPlaces; count++)
        {
            var code = bytes < StateChunk.TargetBytes ? held.Code(asked.ReadHash256()) : null;
            if (code is null)
            {
                break;
            }

            writer.WriteBytes(code);
            bytes += code.Length;
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>The items of a part that is one list.</summary>
    /// <exception cref="RlpException">It is malformed.</exception>
    internal static List<byte[]> ReadItems(ReadOnlySpan<byte> content)
    {
        var reader = new RlpReader(content);
        var items = ReadAll(ref reader);
        reader.RequireEnd();
        return items;
    }

    /// <summary>Whether so many bytes of batches are enough for a part.</summary>
    internal static bool IsFull(IEnumerable<CertifiedBatch> batches) =>
        batches.Sum(found => found.Batch.Transactions.Sum(transaction => (long)transaction.Length + 40))
            >= StateChunk.TargetBytes;

    private static void WriteAll(RlpWriter writer, IReadOnlyList<byte[]> items)
    {
        var list = writer.BeginList();
        foreach (var item in items)
        {
            writer.WriteBytes(item);
        }

        writer.EndList(list);
    }

    private static List<byte[]> ReadAll(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var items = new List<byte[]>();
        while (!list.AtEnd)
        {
            items.Add(list.ReadBytes().ToArray());
        }

        return items;
    }
}

/// <summary>Whether batches that come with a snapshot are the chain's: by its epochs' certificates.</summary>
internal sealed class SnapshotEpochs(ReplicaContext context, Snapshot offer)
{
    private readonly Secp256k1Verifier _verifier = new();
    private readonly List<Epoch> _epochs = [context.Genesis];

    /// <summary>Whether it is the batch of the place and digest, complete, and a quorum committed it.</summary>
    internal bool Holds(
        Batch batch, QuorumCertificate certificate, ulong sequence, in Hash256 digest) =>
        batch.Sequence == sequence && batch.Digest == digest && batch.IsComplete(context.Inspector)
        && certificate.Phase == VotePhase.Commit && certificate.Sequence == sequence
        && certificate.Digest == digest && EpochOf(sequence) is { } epoch
        && certificate.Verify(context.Parameters.ChainId, epoch, _verifier);

    private Epoch? EpochOf(ulong sequence)
    {
        while (!_epochs[^1].Contains(sequence) && _epochs[^1].Last < sequence)
        {
            if (_epochs.Count > offer.Epochs.Count || offer.Epochs[_epochs.Count - 1].Apply(
                _epochs[^1], context.Parameters.ChainId, context.Parameters.EpochLength, _verifier) is not { } next)
            {
                return null;
            }

            _epochs.Add(next);
        }

        return _epochs.Find(epoch => epoch.Contains(sequence));
    }
}
