using SuperVm.Core.Node;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Blocks and the chain as a whole.</summary>
internal sealed class ChainMethods(Node node, BlockResolver blocks) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_chainId", ChainId),
        ("eth_syncing", Syncing),
        ("eth_blockNumber", BlockNumber),
        ("eth_protocolVersion", ProtocolVersion),
        ("eth_coinbase", Coinbase),
        ("eth_mining", Mining),
        ("eth_hashrate", HashRate),
        ("eth_getBlockByHash", GetBlock),
        ("eth_getBlockByNumber", GetBlock),
        ("eth_getBlockTransactionCountByHash", CountTransactions),
        ("eth_getBlockTransactionCountByNumber", CountTransactions),
        ("eth_getUncleCountByBlockHash", CountUncles),
        ("eth_getUncleCountByBlockNumber", CountUncles),
        ("eth_getUncleByBlockHashAndIndex", GetUncle),
        ("eth_getUncleByBlockNumberAndIndex", GetUncle),
    ];

    private RpcError? ChainId(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(node.Chain.ChainId);
        return parameters.End() ? null : parameters.Error;
    }

    private static RpcError? Syncing(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteBooleanValue(false);
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? BlockNumber(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(node.Chain.Head.Number);
        return parameters.End() ? null : parameters.Error;
    }

    private static RpcError? ProtocolVersion(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteStringValue("0x44"u8);
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? Coinbase(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteHexValue(node.Producer.Coinbase.Bytes);
        return parameters.End() ? null : parameters.Error;
    }

    private static RpcError? Mining(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteBooleanValue(false);
        return parameters.End() ? null : parameters.Error;
    }

    private static RpcError? HashRate(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(0UL);
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? GetBlock(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Block(out var reference) || !parameters.OptionalFlag(out var whole) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.Find(reference) is { } block)
        {
            BlockJson.Write(reply.Json, block, whole, reference.Kind == BlockReferenceKind.Pending);
            return null;
        }

        return blocks.Absent(reference, reply);
    }

    private RpcError? CountTransactions(ref RpcParams parameters, RpcReply reply) =>
        Count(ref parameters, reply, block => block.Block.Transactions.Count);

    private RpcError? CountUncles(ref RpcParams parameters, RpcReply reply) =>
        Count(ref parameters, reply, block => block.Block.Uncles.Count);

    private RpcError? Count(ref RpcParams parameters, RpcReply reply, Func<ChainBlock, int> count)
    {
        if (!parameters.Block(out var reference) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.Find(reference) is { } block)
        {
            reply.Json.WriteQuantityValue((ulong)count(block));
            return null;
        }

        return blocks.Absent(reference, reply);
    }

    private RpcError? GetUncle(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Block(out var reference) || !parameters.Quantity64(out var index) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.Find(reference) is { } block && index < (ulong)block.Block.Uncles.Count)
        {
            BlockJson.WriteUncle(reply.Json, block.Block.Uncles[(int)index]);
        }
        else
        {
            reply.Json.WriteNullValue();
        }

        return null;
    }
}
