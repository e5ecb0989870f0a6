using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc.Shapes;

/// <summary>Blocks as execution-apis describes them.</summary>
internal static class BlockJson
{
    /// <param name="json">Receives the object.</param>
    /// <param name="block">The block.</param>
    /// <param name="wholeTransactions">Objects in place of hashes.</param>
    /// <param name="isPending">A block that is not made yet has no hash, nonce and miner.</param>
    internal static void Write(Utf8JsonWriter json, ChainBlock block, bool wholeTransactions, bool isPending = false)
    {
        json.WriteStartObject();
        WriteFields(json, block, wholeTransactions, isPending);
        json.WriteEndObject();
    }

    /// <summary>The fields of a block, within an object that may have others.</summary>
    internal static void WriteFields(
        Utf8JsonWriter json, ChainBlock block, bool wholeTransactions, bool isPending = false)
    {
        WriteHeader(json, block.Header, block.Hash, isPending);
        json.WriteQuantity("size"u8, (ulong)block.Size);
        json.WriteStartArray("transactions"u8);
        var transactions = block.Block.Transactions;
        for (var i = 0; i < transactions.Count; i++)
        {
            if (wholeTransactions)
            {
                TransactionJson.Write(json, transactions[i], PlaceOf(block, i));
            }
            else
            {
                json.WriteHexValue(transactions[i].Hash.Bytes);
            }
        }

        json.WriteEndArray();
        json.WriteStartArray("uncles"u8);
        foreach (var uncle in block.Block.Uncles)
        {
            json.WriteHexValue(HeaderCodec.Hash(uncle).Bytes);
        }

        json.WriteEndArray();
        if (block.Block.Withdrawals is { } withdrawals)
        {
            WriteWithdrawals(json, withdrawals);
        }
    }

    /// <summary>A new head, as subscribers are told of it: the header alone.</summary>
    internal static void WriteHead(Utf8JsonWriter json, ChainBlock block)
    {
        json.WriteStartObject();
        WriteHeader(json, block.Header, block.Hash, isPending: false);
        json.WriteQuantity("size"u8, (ulong)block.Size);
        json.WriteEndObject();
    }

    /// <summary>An uncle: a block without its body.</summary>
    internal static void WriteUncle(Utf8JsonWriter json, BlockHeader header)
    {
        json.WriteStartObject();
        WriteHeader(json, header, HeaderCodec.Hash(header), isPending: false);
        json.WriteQuantity("size"u8, (ulong)BlockCodec.EncodedSize(new Block(header, [], [], null)));
        json.WriteStartArray("uncles"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static TransactionPlace PlaceOf(ChainBlock block, int index) => new(
        block.Hash, block.Number, block.Header.Timestamp, block.Header.BaseFeePerGas ?? UInt256.Zero, index);

    private static void WriteHeader(Utf8JsonWriter json, BlockHeader header, in Hash256 hash, bool isPending)
    {
        if (header.BaseFeePerGas is { } baseFee)
        {
            json.WriteQuantity("baseFeePerGas"u8, baseFee);
        }

        if (header.BlobGasUsed is { } blobGasUsed)
        {
            json.WriteQuantity("blobGasUsed"u8, blobGasUsed);
        }

        json.WriteQuantity("difficulty"u8, header.Difficulty);
        if (header.ExcessBlobGas is { } excess)
        {
            json.WriteQuantity("excessBlobGas"u8, excess);
        }

        json.WriteHex("extraData"u8, header.ExtraData.Span);
        json.WriteQuantity("gasLimit"u8, header.GasLimit);
        json.WriteQuantity("gasUsed"u8, header.GasUsed);
        if (isPending)
        {
            json.WriteNull("hash"u8);
        }
        else
        {
            json.WriteHash("hash"u8, hash);
        }

        json.WriteHex("logsBloom"u8, header.LogsBloom.Bytes);
        json.WriteAddress("miner"u8, header.Coinbase);
        json.WriteHash("mixHash"u8, header.MixHash);
        json.WriteNonce("nonce"u8, header.Nonce);
        json.WriteQuantity("number"u8, header.Number);
        if (header.ParentBeaconBlockRoot is { } beaconRoot)
        {
            json.WriteHash("parentBeaconBlockRoot"u8, beaconRoot);
        }

        json.WriteHash("parentHash"u8, header.ParentHash);
        json.WriteHash("receiptsRoot"u8, header.ReceiptsRoot);
        if (header.RequestsHash is { } requestsHash)
        {
            json.WriteHash("requestsHash"u8, requestsHash);
        }

        json.WriteHash("sha3Uncles"u8, header.UnclesHash);
        json.WriteHash("stateRoot"u8, header.StateRoot);
        json.WriteQuantity("timestamp"u8, header.Timestamp);
        json.WriteHash("transactionsRoot"u8, header.TransactionsRoot);
        if (header.WithdrawalsRoot is { } withdrawalsRoot)
        {
            json.WriteHash("withdrawalsRoot"u8, withdrawalsRoot);
        }
    }

    internal static void WriteWithdrawals(Utf8JsonWriter json, IReadOnlyList<Withdrawal> withdrawals)
    {
        json.WriteStartArray("withdrawals"u8);
        foreach (var withdrawal in withdrawals)
        {
            json.WriteStartObject();
            json.WriteQuantity("index"u8, withdrawal.Index);
            json.WriteQuantity("validatorIndex"u8, withdrawal.ValidatorIndex);
            json.WriteAddress("address"u8, withdrawal.Address);
            json.WriteQuantity("amount"u8, withdrawal.AmountGwei);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
