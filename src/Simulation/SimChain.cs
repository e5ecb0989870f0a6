using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// A block as the simulated execution makes it: the batch's transactions without those it saw before.
/// </summary>
/// <param name="Number">The batch's place.</param>
/// <param name="Hash">A hash over parent, batch and registry.</param>
/// <param name="BatchDigest">The batch.</param>
/// <param name="Transactions">The hashes.</param>
/// <param name="Registry">The validator registry after it.</param>
internal sealed record SimBlock(
    ulong Number, Hash256 Hash, Hash256 BatchDigest, IReadOnlyList<Hash256> Transactions, SimRegistry Registry);

/// <summary>The durable execution side of one replica: a chain of hashes over batches.</summary>
/// <param name="genesis">The validator registry at the beginning.</param>
/// <param name="epochLength">Blocks of an epoch; 0 for one without end.</param>
internal sealed class SimChain(SimRegistry genesis, ulong epochLength)
{
    private readonly HashSet<Hash256> _seen = [];

    internal List<SimBlock> Blocks { get; private set; } = [];

    internal ulong Height => Blocks.Count == 0 ? 0 : Blocks[^1].Number;

    /// <summary>The registry after the last block.</summary>
    internal SimRegistry Registry => Blocks.Count == 0 ? genesis : Blocks[^1].Registry;

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

        var included = new List<Hash256>(batch.Hashes.Count);
        var registry = Registry;
        for (var i = 0; i < batch.Hashes.Count; i++)
        {
            if (!_seen.Add(batch.Hashes[i]))
            {
                continue;
            }

            included.Add(batch.Hashes[i]);
            if (epochLength != 0 && SimCall.Of(batch.Transactions[i]) is { } call)
            {
                registry = registry.After(call, (batch.Sequence - 1) / epochLength);
            }
        }

        var parent = Height == 0 ? SimGenesis.BlockHash : Blocks[^1].Hash;
        var hash = Fold(parent, batch.Digest, registry.Digest() + corruption);
        var block = new SimBlock(batch.Sequence, hash, batch.Digest, included, registry);
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
