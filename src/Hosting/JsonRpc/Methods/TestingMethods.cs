using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>testing_buildBlockV1: a block built to order on the head, and not kept.</summary>
internal sealed class TestingMethods(Node node) : IRpcModule
{
    /// <summary>What the gas limit moves to, a 1,024th at a time, as other clients' block builders have it.</summary>
    private const ulong GasCeiling = 60_000_000;

    private const int MaximumExtraBytes = 32;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods => [("testing_buildBlockV1", Build)];

    private RpcError? Build(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var parentHash) || !parameters.PayloadAttributes(out var attributes)
            || !parameters.OptionalEnvelopes(out var envelopes) || !parameters.OptionalData(out var extra)
            || !parameters.End())
        {
            return parameters.Error;
        }

        var head = node.Chain.Head;
        if (parentHash != head.Hash)
        {
            return RpcError.Server(node.Chain.GetBlock(parentHash) is null
                ? "unknown parent block"
                : "blocks are built on the head only");
        }

        if (attributes.Timestamp <= head.Header.Timestamp || extra.Length > MaximumExtraBytes)
        {
            return RpcError.InvalidParams(
                $"the timestamp is above the parent's, extra data has at most {MaximumExtraBytes} bytes");
        }

        var candidates = new List<Transaction>();
        foreach (var envelope in envelopes ?? [])
        {
            var decoded = TransactionIngest.Decode(envelope);
            if (decoded.Transaction is not { } transaction)
            {
                return RpcError.Server(decoded.Error!);
            }

            candidates.Add(transaction);
        }

        var rules = node.Spec.RulesAt(head.Number + 1, attributes.Timestamp, head.TotalDifficulty);
        var limit = BaseFee.NearestGasLimit(GasCeiling, BaseFee.GasLimitBefore(head.Header, rules));
        attributes = attributes with { ExtraData = extra, GasLimit = limit };
        var built = node.Chain.Build(attributes, envelopes is null ? node.Producer.Candidates() : candidates);
        if (envelopes is not null && built.LeftOut.Count > 0)
        {
            var (index, refused, error) = built.LeftOut[0];
            return RpcError.Server($"transaction {index} ({refused.Hash}) cannot be included: {error}");
        }

        Write(reply.Json, built);
        return null;
    }

    private static void Write(Utf8JsonWriter json, ProducedBlock built)
    {
        json.WriteStartObject();
        json.WriteStartObject("executionPayload"u8);
        WritePayload(json, built.Block);
        json.WriteEndObject();
        json.WriteQuantity("blockValue"u8, ValueOf(built));
        json.WriteStartObject("blobsBundle"u8);
        // Blobs themselves are not kept: who sends them has them.
        foreach (var list in (ReadOnlySpan<string>)["commitments", "proofs", "blobs"])
        {
            json.WriteStartArray(list);
            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteStartArray("executionRequests"u8);
        foreach (var request in built.Requests)
        {
            json.WriteHexValue(request);
        }

        json.WriteEndArray();
        json.WriteBoolean("shouldOverrideBuilder"u8, false);
        json.WriteEndObject();
    }

    private static void WritePayload(Utf8JsonWriter json, ChainBlock block)
    {
        var header = block.Header;
        json.WriteHash("parentHash"u8, header.ParentHash);
        json.WriteAddress("feeRecipient"u8, header.Coinbase);
        json.WriteHash("stateRoot"u8, header.StateRoot);
        json.WriteHash("receiptsRoot"u8, header.ReceiptsRoot);
        json.WriteHex("logsBloom"u8, header.LogsBloom.Bytes);
        json.WriteHash("prevRandao"u8, header.MixHash);
        json.WriteQuantity("blockNumber"u8, header.Number);
        json.WriteQuantity("gasLimit"u8, header.GasLimit);
        json.WriteQuantity("gasUsed"u8, header.GasUsed);
        json.WriteQuantity("timestamp"u8, header.Timestamp);
        json.WriteHex("extraData"u8, header.ExtraData.Span);
        json.WriteQuantity("baseFeePerGas"u8, header.BaseFeePerGas ?? UInt256.Zero);
        json.WriteHash("blockHash"u8, block.Hash);
        json.WriteStartArray("transactions"u8);
        foreach (var transaction in block.Block.Transactions)
        {
            json.WriteHexValue(TransactionCodec.Encode(transaction));
        }

        json.WriteEndArray();
        if (block.Block.Withdrawals is { } withdrawals)
        {
            Shapes.BlockJson.WriteWithdrawals(json, withdrawals);
        }

        if (header.BlobGasUsed is { } blobGas)
        {
            json.WriteQuantity("blobGasUsed"u8, blobGas);
            json.WriteQuantity("excessBlobGas"u8, header.ExcessBlobGas ?? 0);
        }
    }

    /// <summary>What the fee recipient gets: tips for the gas used.</summary>
    private static UInt256 ValueOf(ProducedBlock built)
    {
        var value = UInt256.Zero;
        var baseFee = built.Block.Header.BaseFeePerGas ?? UInt256.Zero;
        for (var i = 0; i < built.Receipts.Count; i++)
        {
            value += (built.Block.Block.Transactions[i].EffectiveGasPrice(baseFee) - baseFee)
                * built.Receipts[i].GasUsed;
        }

        return value;
    }
}
