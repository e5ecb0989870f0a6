using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc.Shapes;

/// <summary>Where a transaction stands, for its JSON; null in a block that is not there yet.</summary>
internal readonly record struct TransactionPlace(
    Hash256 BlockHash, ulong BlockNumber, ulong BlockTimestamp, UInt256 BaseFee, int Index);

/// <summary>Transactions as execution-apis describes them.</summary>
internal static class TransactionJson
{
    internal static void Write(Utf8JsonWriter json, Transaction transaction, TransactionPlace? place)
    {
        json.WriteStartObject();
        WritePlace(json, place);
        json.WriteAddress("from"u8, transaction.Sender ?? Address.Zero);
        json.WriteQuantity("gas"u8, transaction.GasLimit);
        var isPriced = transaction.Type >= TransactionType.DynamicFee;
        json.WriteQuantity("gasPrice"u8, isPriced && place is { } known
            ? transaction.EffectiveGasPrice(known.BaseFee)
            : transaction.MaxFeePerGas);
        if (isPriced)
        {
            json.WriteQuantity("maxFeePerGas"u8, transaction.MaxFeePerGas);
            json.WriteQuantity("maxPriorityFeePerGas"u8, transaction.MaxPriorityFeePerGas);
        }

        if (transaction.Type == TransactionType.Blob)
        {
            json.WriteQuantity("maxFeePerBlobGas"u8, transaction.MaxFeePerBlobGas);
        }

        json.WriteHash("hash"u8, transaction.Hash);
        json.WriteHex("input"u8, transaction.Data.Span);
        json.WriteQuantity("nonce"u8, transaction.Nonce);
        json.WriteOptionalAddress("to"u8, transaction.To);
        if (place is { } standing)
        {
            json.WriteQuantity("transactionIndex"u8, (ulong)standing.Index);
        }
        else
        {
            json.WriteNull("transactionIndex"u8);
        }

        json.WriteQuantity("value"u8, transaction.Value);
        json.WriteQuantity("type"u8, (ulong)transaction.Type);
        WriteLists(json, transaction);
        WriteSignature(json, transaction);
        json.WriteEndObject();
    }

    internal static void WriteAccessList(
        Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<AccessListEntry> accessList)
    {
        json.WriteStartArray(name);
        foreach (var entry in accessList)
        {
            json.WriteStartObject();
            json.WriteAddress("address"u8, entry.Address);
            json.WriteStartArray("storageKeys"u8);
            foreach (var slot in entry.Slots)
            {
                json.WriteWordValue(slot);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePlace(Utf8JsonWriter json, TransactionPlace? place)
    {
        if (place is { } standing)
        {
            json.WriteHash("blockHash"u8, standing.BlockHash);
            json.WriteQuantity("blockNumber"u8, standing.BlockNumber);
            json.WriteQuantity("blockTimestamp"u8, standing.BlockTimestamp);
        }
        else
        {
            json.WriteNull("blockHash"u8);
            json.WriteNull("blockNumber"u8);
            json.WriteNull("blockTimestamp"u8);
        }
    }

    private static void WriteLists(Utf8JsonWriter json, Transaction transaction)
    {
        if (transaction.Type != TransactionType.Legacy)
        {
            WriteAccessList(json, "accessList"u8, transaction.AccessList);
        }

        if (transaction.ChainId is { } chainId)
        {
            json.WriteQuantity("chainId"u8, chainId);
        }

        if (transaction.Type == TransactionType.Blob)
        {
            json.WriteStartArray("blobVersionedHashes"u8);
            foreach (var hash in transaction.BlobVersionedHashes)
            {
                json.WriteHexValue(hash.Bytes);
            }

            json.WriteEndArray();
        }

        if (transaction.Type == TransactionType.SetCode)
        {
            WriteAuthorizations(json, transaction.Authorizations);
        }
    }

    private static void WriteAuthorizations(Utf8JsonWriter json, IReadOnlyList<Authorization> authorizations)
    {
        json.WriteStartArray("authorizationList"u8);
        foreach (var authorization in authorizations)
        {
            json.WriteStartObject();
            json.WriteQuantity("chainId"u8, authorization.ChainId);
            json.WriteAddress("address"u8, authorization.Address);
            json.WriteQuantity("nonce"u8, authorization.Nonce);
            json.WriteQuantity("yParity"u8, authorization.YParity);
            json.WriteQuantity("r"u8, authorization.R);
            json.WriteQuantity("s"u8, authorization.S);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSignature(Utf8JsonWriter json, Transaction transaction)
    {
        json.WriteQuantity("v"u8, transaction.V);
        json.WriteQuantity("r"u8, transaction.R);
        json.WriteQuantity("s"u8, transaction.S);
        if (transaction.Type != TransactionType.Legacy)
        {
            json.WriteQuantity("yParity"u8, transaction.V);
        }
    }
}
