using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// A block as the simulated execution makes it: the batch's transactions without those it saw before.
/// </summary>
internal sealed record SimBlock(ulong Number, Hash256 Hash, Hash256 BatchDigest, IReadOnlyList<Hash256> Transactions);

/// <summary>The durable execution side of one replica: a chain of hashes over batches.</summary>
internal sealed class SimChain
{
    private readonly HashSet<Hash256> _seen = [];

    internal List<SimBlock> Blocks { get; private set; } = [];

    internal ulong Height => Blocks.Count == 0 ? 0 : Blocks[^1].Number;

    internal bool Has(in Hash256 transaction) => _seen.Contains(transaction);

    internal SimBlock? At(ulong number) =>
        number == 0 || number > (ulong)Blocks.Count ? null : Blocks[(int)number - 1];

    /// <summary>
    /// Executes a batch, or answers the block that it made before; null for a gap or another batch there.
    /// </summary>
    internal SimBlock? Execute(Batch batch, ulong corruption)
    {
        if (At(batch.Sequence) is { } known)
        {
            return known.BatchDigest == batch.Digest ? known : null;
        }

        if (batch.Sequence != Height + 1)
        {
            return null;
        }

        var included = batch.Hashes.Where(hash => !_seen.Contains(hash)).Distinct().ToList();
        _seen.UnionWith(included);
        var parent = Height == 0 ? SimGenesis.BlockHash : Blocks[^1].Hash;
        var block = new SimBlock(batch.Sequence, Fold(parent, batch.Digest, corruption), batch.Digest, included);
        Blocks.Add(block);
        return block;
    }

    /// <summary>Takes over another replica's chain up to a block.</summary>
    internal void CopyFrom(SimChain other, ulong height)
    {
        Blocks = [.. other.Blocks.Take((int)height)];
        _seen.Clear();
        foreach (var block in Blocks)
        {
            _seen.UnionWith(block.Transactions);
        }
    }

    private static Hash256 Fold(in Hash256 parent, in Hash256 batch, ulong corruption)
    {
        Span<byte> hash = stackalloc byte[32];
        for (var i = 0; i < 32; i += 8)
        {
            var word = SimRandom.Mix(BinaryPrimitives.ReadUInt64LittleEndian(parent.Bytes[i..]) + corruption)
                ^ BinaryPrimitives.ReadUInt64LittleEndian(batch.Bytes[i..]);
            BinaryPrimitives.WriteUInt64LittleEndian(hash[i..], SimRandom.Mix(word));
        }

        return new Hash256(hash);
    }
}
