using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>
/// The blocks that come with a snapshot: the last ones, for BLOCKHASH and for looking transactions up.
/// </summary>
public static class SnapshotBlocks
{
    /// <summary>Blocks that come with one at most: as far back as BLOCKHASH looks.</summary>
    public const ulong Count = 256;

    /// <summary>
    /// A block's encoding and its receipts', as a store keeps them; null where the block is not there.
    /// </summary>
    public static (byte[] Block, byte[] Receipts)? Read(IChain chain, ulong number) =>
        chain.GetBlock(number) is { } block && chain.GetReceipts(number) is { } receipts
            ? (BlockCodec.Encode(block.Block), ReceiptCodec.EncodeForStorage(receipts))
            : null;

    /// <summary>
    /// Checks a block that must have this hash, and puts it into a batch; the reason where it does not hold.
    /// </summary>
    /// <param name="write">Takes the block's records.</param>
    /// <param name="encoded">The block.</param>
    /// <param name="receipts">Its receipts.</param>
    /// <param name="expected">The hash that a quorum, or the block above, names.</param>
    /// <param name="header">The block's header.</param>
    public static string? Put(
        IWriteBatch write, byte[] encoded, byte[] receipts, in Hash256 expected, out BlockHeader? header)
    {
        header = null;
        if (Check(encoded, receipts, expected, out var block, out var results) is { } broken)
        {
            return broken;
        }

        ChainRecords.Write(
            write, new SealedBlock(
                new ChainBlock(block!, expected, block!.Header.Difficulty, encoded.Length), encoded), results!);
        header = block.Header;
        return null;
    }

    /// <summary>Checks a block that must have this hash, and its receipts; the reason where they do not
    /// hold.</summary>
    /// <param name="encoded">The block.</param>
    /// <param name="receipts">Its receipts, as a store keeps them.</param>
    /// <param name="expected">The hash that a quorum, or the block above, names.</param>
    /// <param name="block">The block with its senders; null where it does not hold.</param>
    /// <param name="results">Its receipts; null where it does not hold.</param>
    public static string? Check(
        byte[] encoded, byte[] receipts, in Hash256 expected, out Block? block, out IReadOnlyList<Receipt>? results)
    {
        (block, results) = (null, null);
        var (decoded, read) = (BlockCodec.Decode(encoded), ReceiptCodec.DecodeFromStorage(receipts));
        if (!decoded.Succeeded || !read.Succeeded)
        {
            return $"a block is malformed: {decoded.Error ?? read.Error}";
        }

        var of = decoded.Value.Header;
        if (HeaderCodec.Hash(of) != expected)
        {
            return $"block {of.Number} does not have the hash {expected}";
        }

        var withdrawals = decoded.Value.Withdrawals;
        if (Chain.TransactionsRoot(decoded.Value.Transactions) != of.TransactionsRoot
            || read.Value.Count != decoded.Value.Transactions.Count
            || Chain.ReceiptsRoot(read.Value) != of.ReceiptsRoot
            || (withdrawals is not null && Chain.WithdrawalsRoot(withdrawals) != of.WithdrawalsRoot))
        {
            return $"the body or the receipts of block {of.Number} are not its header's";
        }

        TransactionSigner.RecoverSenders(decoded.Value.Transactions);
        (block, results) = (decoded.Value, read.Value);
        return null;
    }
}
