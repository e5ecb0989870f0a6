using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Fees of past blocks and suggestions.</summary>
internal sealed class FeeMethods(Node node, BlockResolver blocks) : IRpcModule
{
    private readonly IChain _chain = node.Chain;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_gasPrice", GasPrice),
        ("eth_maxPriorityFeePerGas", MaxPriorityFee),
        ("eth_baseFee", NextBaseFee),
        ("eth_blobBaseFee", BlobBaseFee),
        ("eth_feeHistory", FeeHistory),
    ];

    private RpcError? GasPrice(ref RpcParams parameters, RpcReply reply)
    {
        // The higher of the newest and the next base fee: a wallet that offers exactly this gets in either way.
        var newest = _chain.Head.Header.BaseFeePerGas ?? UInt256.Zero;
        var next = node.Producer.Next.BaseFee;
        reply.Json.WriteQuantityValue((newest > next ? newest : next) + node.Fees.SuggestTip());
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? MaxPriorityFee(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(node.Fees.SuggestTip());
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? NextBaseFee(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(node.Producer.Next.BaseFee);
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? BlobBaseFee(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(node.Producer.Next.BlobBaseFee);
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? FeeHistory(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var count) || !parameters.Block(out var newest)
            || !parameters.Percentiles(out var percentiles) || !parameters.End())
        {
            return parameters.Error;
        }

        if (newest.Kind == BlockReferenceKind.Pending)
        {
            newest = BlockReference.Latest;
        }

        if (blocks.TryNumber(newest, out var last) is not null)
        {
            return RpcError.Server($"request beyond head block: requested {blocks.NumberOf(newest)}, "
                + $"head {_chain.Head.Number}");
        }

        count = Math.Min(Math.Min(count, (ulong)parameters.Limits.MaximumFeeHistory), last + 1);
        if (count == 0)
        {
            reply.Json.WriteStartObject();
            reply.Json.WriteQuantity("oldestBlock"u8, 0UL);
            reply.Json.WriteStartArray("gasUsedRatio"u8);
            reply.Json.WriteEndArray();
            reply.Json.WriteEndObject();
            return null;
        }

        var headers = new List<BlockHeader>();
        for (var number = last + 1 - count; number <= last; number++)
        {
            if (_chain.GetHeader(number)?.Header is not { } header)
            {
                return RpcError.Server("header not found");
            }

            headers.Add(header);
        }

        Write(reply, headers, percentiles);
        return null;
    }

    private void Write(RpcReply reply, List<BlockHeader> headers, List<double> percentiles)
    {
        var json = reply.Json;
        json.WriteStartObject();
        json.WriteQuantity("oldestBlock"u8, headers[0].Number);
        if (percentiles.Count > 0)
        {
            json.WriteStartArray("reward"u8);
            foreach (var header in headers)
            {
                WriteRewards(reply, header.Number, percentiles);
            }

            json.WriteEndArray();
        }

        var (nextBaseFee, nextBlobFee) = After(headers[^1]);
        json.WriteStartArray("baseFeePerGas"u8);
        headers.ForEach(header => json.WriteQuantityValue(header.BaseFeePerGas ?? UInt256.Zero));
        json.WriteQuantityValue(nextBaseFee);
        json.WriteEndArray();
        json.WriteStartArray("gasUsedRatio"u8);
        headers.ForEach(header => json.WriteNumberValue(Ratio(header.GasUsed, header.GasLimit)));
        json.WriteEndArray();
        json.WriteStartArray("baseFeePerBlobGas"u8);
        headers.ForEach(header => json.WriteQuantityValue(
            BlobFee.Of(header, BlockContexts.RulesOf(node.Spec, header))));
        json.WriteQuantityValue(nextBlobFee);
        json.WriteEndArray();
        json.WriteStartArray("blobGasUsedRatio"u8);
        headers.ForEach(header => json.WriteNumberValue(Ratio(
            header.BlobGasUsed ?? 0, BlockContexts.RulesOf(node.Spec, header).Blobs is { } blobs
                ? BlobFee.MaximumGas(blobs) : 0)));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteRewards(RpcReply reply, ulong number, List<double> percentiles)
    {
        reply.Json.WriteStartArray();
        if (_chain.GetBlock(number) is { } block && _chain.GetReceipts(number) is { } receipts)
        {
            foreach (var reward in FeeOracle.Rewards(block, receipts, percentiles))
            {
                reply.Json.WriteQuantityValue(reward);
            }
        }

        reply.Json.WriteEndArray();
    }

    /// <summary>Base fee and blob base fee of the block after one.</summary>
    private (UInt256 BaseFee, UInt256 BlobBaseFee) After(BlockHeader header)
    {
        var child = _chain.GetHeader(header.Number + 1)?.Header;
        if (child is not null)
        {
            return (child.BaseFeePerGas ?? UInt256.Zero, BlobFee.Of(child, BlockContexts.RulesOf(node.Spec, child)));
        }

        var next = node.Producer.Next;
        return (next.BaseFee, next.BlobBaseFee);
    }

    private static double Ratio(ulong used, ulong limit) => limit == 0 ? 0 : (double)used / limit;
}
