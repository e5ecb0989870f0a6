using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>RLP of blocks: [header, [transaction…], [uncle…]], from Shanghai with [withdrawal…] (EIP-4895).</summary>
public static class BlockCodec
{
    /// <summary>The largest file or message that is taken for a block; a real one is far below.</summary>
    public const int MaximumBytes = 64 << 20;

    /// <summary>Keccak-256 of an empty list of uncles.</summary>
    public static Hash256 EmptyUnclesHash { get; } = Keccak256.Hash([0xC0]);

    public static Decoded<Block> Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new RlpReader(bytes);
            var block = Read(ref reader);
            reader.RequireEnd();
            return block;
        }
        catch (RlpException refusal)
        {
            return Decoded<Block>.Refused(refusal.Message);
        }
    }

    /// <summary>
    /// Splits blocks that stand one behind the other, as an exported chain has them, at their boundaries.
    /// </summary>
    /// <returns>The first block's length in bytes, or 0 with a reason where the bytes do not begin with a
    /// block.</returns>
    public static int LengthOfFirst(ReadOnlySpan<byte> blocks, out string? error)
    {
        error = null;
        try
        {
            var reader = new RlpReader(blocks);
            reader.ReadList();
            return reader.Position;
        }
        catch (RlpException refusal)
        {
            error = refusal.Message;
            return 0;
        }
    }

    public static byte[] Encode(Block block)
    {
        var writer = new RlpWriter(1024);
        Write(writer, block);
        return writer.ToArray();
    }

    /// <summary>Bytes of the block's RLP (EIP-7934 limits them; JSON-RPC shows them as size).</summary>
    public static int EncodedSize(Block block)
    {
        var writer = new RlpWriter(1024);
        Write(writer, block);
        return writer.Written.Length;
    }

    public static Hash256 UnclesHash(IReadOnlyList<BlockHeader> uncles)
    {
        if (uncles.Count == 0)
        {
            return EmptyUnclesHash;
        }

        var writer = new RlpWriter(1400);
        WriteUncles(writer, uncles);
        return Keccak256.Hash(writer.Written);
    }

    /// <summary>A withdrawal as the withdrawals trie holds it.</summary>
    public static byte[] Encode(Withdrawal withdrawal)
    {
        var writer = new RlpWriter(64);
        WriteWithdrawal(writer, withdrawal);
        return writer.ToArray();
    }

    /// <exception cref="RlpException">No block.</exception>
    private static Block Read(ref RlpReader outer)
    {
        var fields = outer.ReadList();
        var header = HeaderCodec.Read(ref fields);
        var body = fields.ReadList();
        var transactions = new List<Transaction>();
        while (!body.AtEnd)
        {
            transactions.Add(TransactionCodec.ReadFromBody(ref body));
        }

        var uncleItems = fields.ReadList();
        var uncles = new List<BlockHeader>();
        while (!uncleItems.AtEnd)
        {
            uncles.Add(HeaderCodec.Read(ref uncleItems));
        }

        var withdrawals = fields.AtEnd ? null : ReadWithdrawals(ref fields);
        fields.RequireEnd();
        return new Block(header, transactions, uncles, withdrawals);
    }

    private static List<Withdrawal> ReadWithdrawals(ref RlpReader fields)
    {
        var items = fields.ReadList();
        var withdrawals = new List<Withdrawal>();
        while (!items.AtEnd)
        {
            var item = items.ReadList();
            withdrawals.Add(new Withdrawal(
                item.ReadUInt64(), item.ReadUInt64(), item.ReadAddress(), item.ReadUInt64()));
            item.RequireEnd();
        }

        return withdrawals;
    }

    private static void Write(RlpWriter writer, Block block)
    {
        var list = writer.BeginList();
        HeaderCodec.Write(writer, block.Header);
        var body = writer.BeginList();
        foreach (var transaction in block.Transactions)
        {
            TransactionCodec.WriteToBody(writer, transaction);
        }

        writer.EndList(body);
        WriteUncles(writer, block.Uncles);
        if (block.Withdrawals is { } withdrawals)
        {
            var items = writer.BeginList();
            foreach (var withdrawal in withdrawals)
            {
                WriteWithdrawal(writer, withdrawal);
            }

            writer.EndList(items);
        }

        writer.EndList(list);
    }

    private static void WriteUncles(RlpWriter writer, IReadOnlyList<BlockHeader> uncles)
    {
        var list = writer.BeginList();
        foreach (var uncle in uncles)
        {
            HeaderCodec.Write(writer, uncle);
        }

        writer.EndList(list);
    }

    private static void WriteWithdrawal(RlpWriter writer, Withdrawal withdrawal)
    {
        var item = writer.BeginList();
        writer.WriteUInt64(withdrawal.Index);
        writer.WriteUInt64(withdrawal.ValidatorIndex);
        writer.WriteAddress(withdrawal.Address);
        writer.WriteUInt64(withdrawal.AmountGwei);
        writer.EndList(item);
    }
}
