using SuperVm.Core.Consensus;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>How far a transfer is: a document (order/snapshot), written over with every part that is staged.</summary>
/// <remarks>
/// <code>
///   RLP [version, block, its hash, who offered, parts of blocks, parts of nodes, next block, its hash,
///        [digests of the last batches, newest first], next batch, [missing places of the state]]
/// </code>
/// Immutable. The places are a stack of a walk in depth: some dozens, whatever the size of the state.
/// </remarks>
internal sealed record SnapshotTransferState
{
    private const ulong Version = 1;

    internal required ulong Number { get; init; }

    internal required Hash256 BlockHash { get; init; }

    internal required Address From { get; init; }

    internal int BlockParts { get; private init; }

    internal int NodeParts { get; private init; }

    /// <summary>The next block, and the hash that it must have.</summary>
    internal ulong NextBlock { get; private init; }

    internal ulong NextBatch { get; init; }

    /// <summary>
    /// The digests of the batches that come with the state, in rising order, once the blocks are there.
    /// </summary>
    internal IReadOnlyList<Hash256> Digests => [.. Enumerable.Reverse(NewestDigests)];

    internal bool WantsBlocks => NextBlock >= LastBlock;

    internal bool WantsNodes => Saved.Length > 1;

    internal bool IsReady => !WantsBlocks && !WantsNodes && NextBatch > Number;

    /// <summary>The next places of the state.</summary>
    internal IReadOnlyList<StatePlace> Places => Intake().Next(StateImport.MaximumPlaces);

    private Hash256 NextHash { get; init; }

    private IReadOnlyList<Hash256> NewestDigests { get; init; } = [];

    /// <summary>The missing places, a list.</summary>
    private byte[] Saved { get; init; } = [0xC0];

    private ulong LastBlock => Number > SnapshotBlocks.Count ? Number - SnapshotBlocks.Count + 1 : 1;

    private ulong FirstBatch => Number > DeferredTransactions.Span ? Number - DeferredTransactions.Span + 1 : 1;

    internal static SnapshotTransferState Begin(InstallSnapshot wanted)
    {
        var begun = new SnapshotTransferState
        {
            Number = wanted.Sequence, BlockHash = wanted.BlockHash, From = wanted.From,
            NextBlock = wanted.Sequence, NextHash = wanted.BlockHash,
        };
        return begun with { NextBatch = begun.FirstBatch };
    }

    internal Hash256 DigestOf(ulong sequence) => NewestDigests[(int)(Number - sequence)];

    /// <summary>With a part of blocks, or why it does not hold.</summary>
    internal (SnapshotTransferState? Next, string? Broken) WithBlocks(byte[] content)
    {
        var next = this with { BlockParts = BlockParts + 1 };
        var digests = NewestDigests.ToList();
        foreach (var (encoded, receipts) in SnapshotParts.ReadBlocks(content))
        {
            if (!next.WantsBlocks)
            {
                break;
            }

            if (SnapshotBlocks.Check(encoded, receipts, next.NextHash, out var block, out _) is { } broken)
            {
                return (null, broken);
            }

            var header = block!.Header;
            if (header.Number >= FirstBatch)
            {
                digests.Add(new Hash256(header.ExtraData.Span));
            }

            next = next with
            {
                NextBlock = header.Number - 1, NextHash = header.ParentHash,
                Saved = header.Number == Number ? SavedOf(new StateIntake(header.StateRoot)) : next.Saved,
            };
        }

        return next.NextBlock == NextBlock
            ? (null, "it holds no blocks")
            : (next with { NewestDigests = digests }, null);
    }

    /// <summary>With a part of nodes, or why it does not hold.</summary>
    internal (SnapshotTransferState? Next, string? Broken) WithNodes(byte[] content, ISet<Hash256> codes)
    {
        codes.Clear();
        var intake = Intake();
        return intake.Take(SnapshotParts.ReadNodes(content), codes) is { } broken
            ? (null, broken)
            : (this with { NodeParts = NodeParts + 1, Saved = SavedOf(intake) }, null);
    }

    internal byte[] Encode()
    {
        var writer = new RlpWriter(16 << 10);
        var list = writer.BeginList();
        writer.WriteUInt64(Version);
        writer.WriteUInt64(Number);
        writer.WriteHash256(BlockHash);
        writer.WriteAddress(From);
        writer.WriteUInt64((ulong)BlockParts);
        writer.WriteUInt64((ulong)NodeParts);
        writer.WriteUInt64(NextBlock);
        writer.WriteHash256(NextHash);
        var digests = writer.BeginList();
        foreach (var digest in NewestDigests)
        {
            writer.WriteHash256(digest);
        }

        writer.EndList(digests);
        writer.WriteUInt64(NextBatch);
        writer.WriteRaw(Saved);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <exception cref="StoreException">It is damaged, or of another version.</exception>
    internal static SnapshotTransferState Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var list = new RlpReader(bytes).ReadList();
            if (list.ReadUInt64() is var version && version != Version)
            {
                throw new StoreException($"The transfer is of version {version}, this program knows {Version}.");
            }

            var transfer = new SnapshotTransferState
            {
                Number = list.ReadUInt64(), BlockHash = list.ReadHash256(), From = list.ReadAddress(),
                BlockParts = (int)list.ReadUInt64(), NodeParts = (int)list.ReadUInt64(),
                NextBlock = list.ReadUInt64(), NextHash = list.ReadHash256(),
            };
            var digests = new List<Hash256>();
            for (var items = list.ReadList(); !items.AtEnd;)
            {
                digests.Add(items.ReadHash256());
            }

            transfer = transfer with
            {
                NewestDigests = digests, NextBatch = list.ReadUInt64(), Saved = list.ReadItem().ToArray(),
            };
            list.RequireEnd();
            return transfer;
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The document of a transfer is damaged: {damage.Message}", damage);
        }
    }

    private StateIntake Intake()
    {
        var places = new RlpReader(Saved).ReadList();
        return new StateIntake(ref places);
    }

    private static byte[] SavedOf(StateIntake intake)
    {
        var writer = new RlpWriter(4_096);
        var list = writer.BeginList();
        intake.WritePlaces(writer);
        writer.EndList(list);
        return writer.ToArray();
    }
}
