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
        var block = BlockCodec.Decode(encoded);
        var results = ReceiptCodec.DecodeFromStorage(receipts);
        if (!block.Succeeded || !results.Succeeded)
        {
            return $"a block is malformed: {block.Error ?? results.Error}";
        }

        var of = block.Value.Header;
        if (HeaderCodec.Hash(of) != expected)
        {
            return $"block {of.Number} does not have the hash {expected}";
        }

        var withdrawals = block.Value.Withdrawals;
        if (Chain.TransactionsRoot(block.Value.Transactions) != of.TransactionsRoot
            || results.Value.Count != block.Value.Transactions.Count
            || Chain.ReceiptsRoot(results.Value) != of.ReceiptsRoot
            || (withdrawals is not null && Chain.WithdrawalsRoot(withdrawals) != of.WithdrawalsRoot))
        {
            return $"the body or the receipts of block {of.Number} are not its header's";
        }

        TransactionSigner.RecoverSenders(block.Value.Transactions);
        ChainRecords.Write(
            write, new SealedBlock(new ChainBlock(block.Value, expected, of.Difficulty, encoded.Length), encoded),
            results.Value);
        header = of;
        return null;
    }
}
