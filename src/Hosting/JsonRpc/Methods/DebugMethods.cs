using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Blocks, receipts and transactions in their canonical encodings.</summary>
internal sealed class DebugMethods(Node node, BlockResolver blocks) : IRpcModule
{
    private readonly IChain _chain = node.Chain;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("debug_getRawBlock", GetRawBlock),
        ("debug_getRawHeader", GetRawHeader),
        ("debug_getRawReceipts", GetRawReceipts),
        ("debug_getRawTransaction", GetRawTransaction),
        ("debug_getBadBlocks", GetBadBlocks),
    ];

    private RpcError? GetRawBlock(ref RpcParams parameters, RpcReply reply)
    {
        if (TryBlock(ref parameters, out var block) is { } error)
        {
            return error;
        }

        reply.Json.WriteHexValue(BlockCodec.Encode(block.Block));
        return null;
    }

    private RpcError? GetRawHeader(ref RpcParams parameters, RpcReply reply)
    {
        if (TryBlock(ref parameters, out var block) is { } error)
        {
            return error;
        }

        reply.Json.WriteHexValue(HeaderCodec.Encode(block.Header));
        return null;
    }

    private RpcError? GetRawReceipts(ref RpcParams parameters, RpcReply reply)
    {
        if (TryBlock(ref parameters, out var block) is { } error)
        {
            return error;
        }

        if (!_chain.IsCanonical(block.Hash) || _chain.GetReceipts(block.Number) is not { } receipts)
        {
            return RpcError.Server("the receipts of blocks beside the canonical chain are not kept");
        }

        reply.Json.WriteStartArray();
        foreach (var receipt in receipts)
        {
            reply.Json.WriteHexValue(ReceiptCodec.Encode(receipt));
        }

        reply.Json.WriteEndArray();
        return null;
    }

    /// <summary>The envelope; nothing ("0x") where the transaction is not known.</summary>
    private RpcError? GetRawTransaction(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var hash) || !parameters.End())
        {
            return parameters.Error;
        }

        var transaction = node.Pool.Find(hash);
        if (transaction is null && _chain.FindTransaction(hash) is { } place)
        {
            transaction = _chain.GetBlock(place.BlockHash)?.Block.Transactions[place.Index];
        }

        reply.Json.WriteHexValue(transaction is null ? [] : TransactionCodec.Encode(transaction));
        return null;
    }

    /// <summary>Refused blocks are not kept.</summary>
    private static RpcError? GetBadBlocks(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteStartArray();
        reply.Json.WriteEndArray();
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? TryBlock(ref RpcParams parameters, out ChainBlock block)
    {
        block = _chain.Genesis;
        if (!parameters.Block(out var reference) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.Find(reference) is not { } found)
        {
            return RpcError.Server("block not found");
        }

        block = found;
        return null;
    }
}
