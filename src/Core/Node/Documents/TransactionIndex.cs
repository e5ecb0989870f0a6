using System.Buffers.Binary;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>
/// What the index says about a transaction; whether it is true of the canonical chain is to be checked.
/// </summary>
internal readonly record struct IndexedTransaction(ulong Number, int Index, Hash256 BlockHash, string? DropReason);

/// <summary>
/// Where transactions and blocks stand, by hash: rows on sixteen partitions, so that a block is few batches.
/// </summary>
/// <remarks>
/// <code>
///   partition  the first hexadecimal digit of the hash
///   t:(hash)   01 ‖ block's number ‖ index ‖ block's hash     a transaction in a block
///              02 ‖ reason                                    a transaction that was given up
///   b:(hash)   number                                         a block
/// </code>
/// Rows are written before their block is the head; a reader looks whether the block is on the chain.
/// </remarks>
internal sealed class TransactionIndex(IRowStore rows)
{
    private const byte Included = 1;
    private const byte Dropped = 2;

    /// <summary>Bytes of a reason that are kept.</summary>
    private const int MostReasonBytes = 1_024;

    internal Task WriteAsync(ChainBlock block, CancellationToken cancellation)
    {
        var written = new List<Row>(block.Block.Transactions.Count + 1);
        for (var i = 0; i < block.Block.Transactions.Count; i++)
        {
            var value = new byte[1 + 8 + 4 + Hash256.Size];
            value[0] = Included;
            BinaryPrimitives.WriteUInt64BigEndian(value.AsSpan(1), block.Number);
            BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(9), i);
            block.Hash.CopyTo(value.AsSpan(13));
            var hash = block.Block.Transactions[i].Hash;
            written.Add(new Row(PartitionOf(hash), TransactionKey(hash), value));
        }

        var number = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(number, block.Number);
        written.Add(new Row(PartitionOf(block.Hash), BlockKey(block.Hash), number));
        return rows.PutManyAsync(written, cancellation);
    }

    internal Task WriteDroppedAsync(IEnumerable<(Hash256 Hash, string Reason)> dropped, CancellationToken cancellation)
        => rows.PutManyAsync(
            dropped.Select(entry =>
            {
                var reason = System.Text.Encoding.UTF8.GetBytes(entry.Reason);
                byte[] value = [Dropped, .. reason.AsSpan(0, Math.Min(reason.Length, MostReasonBytes))];
                return new Row(PartitionOf(entry.Hash), TransactionKey(entry.Hash), value);
            }),
            cancellation);

    internal async Task<IndexedTransaction?> FindAsync(Hash256 hash, CancellationToken cancellation)
    {
        if (await rows.GetAsync(PartitionOf(hash), TransactionKey(hash), cancellation) is not { } found)
        {
            return null;
        }

        var value = found.Span;
        if (value.Length > 0 && value[0] == Dropped)
        {
            return new IndexedTransaction(0, 0, default, System.Text.Encoding.UTF8.GetString(value[1..]));
        }

        return value.Length == 13 + Hash256.Size && value[0] == Included
            ? new IndexedTransaction(
                BinaryPrimitives.ReadUInt64BigEndian(value[1..]),
                BinaryPrimitives.ReadInt32BigEndian(value[9..]),
                new Hash256(value[13..]),
                null)
            : throw new StoreException($"The store is damaged: the index's row of {hash} cannot be read.");
    }

    internal async Task<ulong?> FindBlockAsync(Hash256 hash, CancellationToken cancellation)
    {
        var found = await rows.GetAsync(PartitionOf(hash), BlockKey(hash), cancellation);
        return found switch
        {
            null => null,
            { Length: 8 } number => BinaryPrimitives.ReadUInt64BigEndian(number.Span),
            _ => throw new StoreException($"The store is damaged: the index's row of block {hash} cannot be read."),
        };
    }

    private static string PartitionOf(in Hash256 hash) => "0123456789abcdef"[hash.Bytes[0] >> 4].ToString();

    private static string TransactionKey(in Hash256 hash) => $"t:{Convert.ToHexStringLower(hash.Bytes)}";

    private static string BlockKey(in Hash256 hash) => $"b:{Convert.ToHexStringLower(hash.Bytes)}";
}
