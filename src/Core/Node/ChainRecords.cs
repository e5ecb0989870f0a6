using System.Buffers.Binary;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>Canonical blocks as they lie in the store.</summary>
/// <remarks>
/// <code>
///   Meta      "chain"               version ‖ hash of block 0
///             "finality"            safe number ‖ finalized number
///   Blocks    00 ‖ number           hash ‖ total difficulty ‖ size ‖ header's RLP
///             01 ‖ number           count ‖ senders ‖ block's RLP
///   Receipts  number                ReceiptCodec's stored form
///   Index     00 ‖ block hash       number
///             01 ‖ transaction hash number ‖ index
/// </code>
/// Numbers are eight bytes, counts, sizes and indexes four, most significant first. The head is the block that the
/// state belongs to (StateKeys), so a head without its state cannot be.
/// </remarks>
internal static class ChainRecords
{
    private const uint Version = 1;
    private const int HeaderPrefix = Hash256.Size + 32 + 4;

    private const byte HeaderTag = 0;
    private const byte BodyTag = 1;
    private const byte BlockHashTag = 0;
    private const byte TransactionTag = 1;

    private static ReadOnlySpan<byte> ChainKey => "chain"u8;

    private static ReadOnlySpan<byte> FinalityKey => "finality"u8;

    /// <summary>The hash of block 0; null in a store without a chain.</summary>
    /// <exception cref="StoreException">Another version, or damaged.</exception>
    internal static Hash256? ReadGenesisHash(IKeyValueReader store)
    {
        var bytes = store.Get(Column.Meta, ChainKey);
        if (bytes is null)
        {
            return null;
        }

        if (bytes.Length != 4 + Hash256.Size)
        {
            throw new StoreException("The store's chain record is damaged.");
        }

        var version = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return version == Version
            ? new Hash256(bytes.AsSpan(4))
            : throw new StoreException(
                $"The store has chain records of version {version}; this program reads {Version}.");
    }

    internal static void WriteGenesisHash(IWriteBatch batch, in Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[4 + Hash256.Size];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Version);
        hash.CopyTo(bytes[4..]);
        batch.Put(Column.Meta, ChainKey, bytes);
    }

    internal static (ulong Safe, ulong Finalized) ReadFinality(IKeyValueReader store)
    {
        var bytes = store.Get(Column.Meta, FinalityKey);
        return bytes?.Length == 16
            ? (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(8)))
            : (0, 0);
    }

    internal static void WriteFinality(IWriteBatch batch, ulong safe, ulong finalized)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, safe);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], finalized);
        batch.Put(Column.Meta, FinalityKey, bytes);
    }

    internal static void Write(IWriteBatch batch, SealedBlock sealedBlock, IReadOnlyList<Receipt> receipts)
    {
        var block = sealedBlock.Block;
        var header = HeaderCodec.Encode(block.Header);
        var record = new byte[HeaderPrefix + header.Length];
        block.Hash.CopyTo(record);
        block.TotalDifficulty.WriteBigEndian(record.AsSpan(Hash256.Size));
        BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(Hash256.Size + 32), block.Size);
        header.CopyTo(record.AsSpan(HeaderPrefix));
        batch.Put(Column.Blocks, NumberKey(HeaderTag, block.Number), record);

        var transactions = block.Block.Transactions;
        var body = new byte[4 + (transactions.Count * Address.Size) + sealedBlock.Encoded.Length];
        BinaryPrimitives.WriteInt32BigEndian(body, transactions.Count);
        Span<byte> place = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64BigEndian(place, block.Number);
        for (var i = 0; i < transactions.Count; i++)
        {
            transactions[i].Sender.GetValueOrDefault().CopyTo(body.AsSpan(4 + (i * Address.Size)));
            BinaryPrimitives.WriteInt32BigEndian(place[8..], i);
            batch.Put(Column.Index, HashKey(TransactionTag, transactions[i].Hash), place);
        }

        sealedBlock.Encoded.CopyTo(body.AsSpan(4 + (transactions.Count * Address.Size)));
        batch.Put(Column.Blocks, NumberKey(BodyTag, block.Number), body);
        batch.Put(Column.Receipts, place[..8], ReceiptCodec.EncodeForStorage(receipts));
        batch.Put(Column.Index, HashKey(BlockHashTag, block.Hash), place[..8]);
    }

    internal static void Delete(IWriteBatch batch, ChainBlock block)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(number, block.Number);
        batch.Delete(Column.Blocks, NumberKey(HeaderTag, block.Number));
        batch.Delete(Column.Blocks, NumberKey(BodyTag, block.Number));
        batch.Delete(Column.Receipts, number);
        batch.Delete(Column.Index, HashKey(BlockHashTag, block.Hash));
        foreach (var transaction in block.Block.Transactions)
        {
            batch.Delete(Column.Index, HashKey(TransactionTag, transaction.Hash));
        }
    }

    internal static ulong? ReadNumber(IKeyValueReader store, in Hash256 blockHash)
    {
        Span<byte> bytes = stackalloc byte[8];
        return store.Read(Column.Index, HashKey(BlockHashTag, blockHash), bytes) == 8
            ? BinaryPrimitives.ReadUInt64BigEndian(bytes)
            : null;
    }

    internal static (ulong Number, int Index)? ReadTransactionPlace(IKeyValueReader store, in Hash256 transactionHash)
    {
        Span<byte> bytes = stackalloc byte[12];
        return store.Read(Column.Index, HashKey(TransactionTag, transactionHash), bytes) == 12
            ? (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadInt32BigEndian(bytes[8..]))
            : null;
    }

    internal static (ChainHeader Header, UInt256 TotalDifficulty, int Size)? ReadHeader(
        IKeyValueReader store, ulong number)
    {
        var record = store.Get(Column.Blocks, NumberKey(HeaderTag, number));
        if (record is null)
        {
            return null;
        }

        if (record.Length < HeaderPrefix)
        {
            throw Damaged(number);
        }

        var header = HeaderCodec.Decode(record.AsSpan(HeaderPrefix));
        return header.Succeeded
            ? (new ChainHeader(header.Value, new Hash256(record.AsSpan(0, Hash256.Size))),
                UInt256.FromBigEndian(record.AsSpan(Hash256.Size, 32)),
                BinaryPrimitives.ReadInt32BigEndian(record.AsSpan(Hash256.Size + 32)))
            : throw Damaged(number);
    }

    internal static ChainBlock? ReadBlock(IKeyValueReader store, ulong number)
    {
        if (ReadHeader(store, number) is not { } known)
        {
            return null;
        }

        var record = store.Get(Column.Blocks, NumberKey(BodyTag, number));
        var count = record?.Length >= 4 ? BinaryPrimitives.ReadInt32BigEndian(record) : -1;
        var start = 4 + ((long)count * Address.Size);
        if (record is null || count < 0 || start > record.Length)
        {
            throw Damaged(number);
        }

        var block = BlockCodec.Decode(record.AsSpan((int)start));
        if (!block.Succeeded || block.Value.Transactions.Count != count)
        {
            throw Damaged(number);
        }

        for (var i = 0; i < count; i++)
        {
            block.Value.Transactions[i].Sender = new Address(record.AsSpan(4 + (i * Address.Size), Address.Size));
        }

        return new ChainBlock(block.Value, known.Header.Hash, known.TotalDifficulty, known.Size);
    }

    internal static IReadOnlyList<Receipt>? ReadReceipts(IKeyValueReader store, ulong number)
    {
        Span<byte> key = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(key, number);
        if (store.Get(Column.Receipts, key) is not { } bytes)
        {
            return null;
        }

        var receipts = ReceiptCodec.DecodeFromStorage(bytes);
        return receipts.Succeeded ? receipts.Value : throw Damaged(number);
    }

    private static StoreException Damaged(ulong number) =>
        new($"The store is damaged: the records of block {number} cannot be read.");

    private static byte[] NumberKey(byte tag, ulong number)
    {
        var key = new byte[9];
        key[0] = tag;
        BinaryPrimitives.WriteUInt64BigEndian(key.AsSpan(1), number);
        return key;
    }

    private static byte[] HashKey(byte tag, in Hash256 hash)
    {
        var key = new byte[1 + Hash256.Size];
        key[0] = tag;
        hash.CopyTo(key.AsSpan(1));
        return key;
    }
}

/// <summary>A block with its RLP, which is stored and whose size is checked.</summary>
internal sealed record SealedBlock(ChainBlock Block, byte[] Encoded);
