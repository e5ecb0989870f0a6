using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc.Shapes;

/// <summary>Receipts and logs as execution-apis describes them.</summary>
internal static class ReceiptJson
{
    /// <param name="json">Receives the object.</param>
    /// <param name="block">The receipt's block.</param>
    /// <param name="receipt">The receipt.</param>
    /// <param name="index">Its transaction's place in the block.</param>
    /// <param name="firstLog">The place of its first log in the block.</param>
    /// <param name="blobBaseFee">Wei per blob gas in the block.</param>
    internal static void Write(
        Utf8JsonWriter json, ChainBlock block, Receipt receipt, int index, int firstLog, in UInt256 blobBaseFee)
    {
        var transaction = block.Block.Transactions[index];
        json.WriteStartObject();
        if (transaction.Type == TransactionType.Blob)
        {
            json.WriteQuantity("blobGasPrice"u8, blobBaseFee);
            json.WriteQuantity("blobGasUsed"u8, transaction.BlobGas);
        }

        json.WriteHash("blockHash"u8, block.Hash);
        json.WriteQuantity("blockNumber"u8, block.Number);
        json.WriteOptionalAddress("contractAddress"u8, receipt.ContractAddress);
        json.WriteQuantity("cumulativeGasUsed"u8, receipt.CumulativeGasUsed);
        json.WriteQuantity(
            "effectiveGasPrice"u8, transaction.EffectiveGasPrice(block.Header.BaseFeePerGas ?? UInt256.Zero));
        json.WriteAddress("from"u8, transaction.Sender ?? Address.Zero);
        json.WriteQuantity("gasUsed"u8, receipt.GasUsed);
        json.WriteStartArray("logs"u8);
        for (var i = 0; i < receipt.Logs.Count; i++)
        {
            WriteLog(json, receipt.Logs[i], block, index, firstLog + i);
        }

        json.WriteEndArray();
        json.WriteHex("logsBloom"u8, receipt.LogsBloom.Bytes);
        if (receipt.PostState is { } root)
        {
            json.WriteHash("root"u8, root);
        }
        else
        {
            json.WriteQuantity("status"u8, receipt.Succeeded ? 1UL : 0UL);
        }

        json.WriteOptionalAddress("to"u8, transaction.To);
        json.WriteHash("transactionHash"u8, transaction.Hash);
        json.WriteQuantity("transactionIndex"u8, (ulong)index);
        json.WriteQuantity("type"u8, (ulong)transaction.Type);
        json.WriteEndObject();
    }

    /// <summary>A log with its place: <paramref name="logIndex"/> counts over the whole block.</summary>
    internal static void WriteLog(
        Utf8JsonWriter json, Log log, ChainBlock block, int transactionIndex, int logIndex, bool isRemoved = false)
    {
        json.WriteStartObject();
        json.WriteAddress("address"u8, log.Address);
        json.WriteStartArray("topics"u8);
        foreach (var topic in log.Topics)
        {
            json.WriteHexValue(topic.Bytes);
        }

        json.WriteEndArray();
        json.WriteHex("data"u8, log.Data);
        json.WriteQuantity("blockNumber"u8, block.Number);
        json.WriteHash("transactionHash"u8, block.Block.Transactions[transactionIndex].Hash);
        json.WriteQuantity("transactionIndex"u8, (ulong)transactionIndex);
        json.WriteHash("blockHash"u8, block.Hash);
        json.WriteQuantity("blockTimestamp"u8, block.Header.Timestamp);
        json.WriteQuantity("logIndex"u8, (ulong)logIndex);
        json.WriteBoolean("removed"u8, isRemoved);
        json.WriteEndObject();
    }
}
