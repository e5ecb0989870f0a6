using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Transactions and receipts that are there, and the pool.</summary>
internal sealed class TransactionMethods(Node node, BlockResolver blocks) : IRpcModule
{
    private readonly IChain _chain = node.Chain;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_getTransactionByHash", GetByHash),
        ("eth_getTransactionByBlockHashAndIndex", GetByIndex),
        ("eth_getTransactionByBlockNumberAndIndex", GetByIndex),
        ("eth_getTransactionReceipt", GetReceipt),
        ("eth_getBlockReceipts", GetBlockReceipts),
        ("txpool_status", PoolStatus),
        ("txpool_content", PoolContent),
        ("txpool_contentFrom", PoolContentFrom),
        ("supervm_getDropReason", GetDropReason),
    ];

    private RpcError? GetByHash(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var hash) || !parameters.End())
        {
            return parameters.Error;
        }

        // First the pool, then the chain: on its way from one to the other a transaction is in both.
        var pooled = node.Pool.Find(hash);
        if (_chain.FindTransaction(hash) is { } location && _chain.GetBlock(location.BlockHash) is { } block)
        {
            TransactionJson.Write(
                reply.Json, block.Block.Transactions[location.Index], BlockJson.PlaceOf(block, location.Index));
        }
        else if (pooled is not null)
        {
            TransactionJson.Write(reply.Json, pooled, null);
        }
        else
        {
            reply.Json.WriteNullValue();
        }

        return null;
    }

    private RpcError? GetByIndex(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Block(out var reference) || !parameters.Quantity64(out var index) || !parameters.End())
        {
            return parameters.Error;
        }

        if (blocks.Find(reference) is { } block && index < (ulong)block.Block.Transactions.Count)
        {
            var isPending = reference.Kind == BlockReferenceKind.Pending;
            TransactionJson.Write(
                reply.Json, block.Block.Transactions[(int)index],
                isPending ? null : BlockJson.PlaceOf(block, (int)index));
            return null;
        }

        return blocks.Absent(reference, reply);
    }

    private RpcError? GetReceipt(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var hash) || !parameters.End())
        {
            return parameters.Error;
        }

        if (_chain.FindTransaction(hash) is { } location
            && _chain.GetBlock(location.BlockHash) is { } block
            && _chain.GetReceipts(location.BlockNumber) is { } receipts
            && location.Index < receipts.Count)
        {
            var firstLog = 0;
            for (var i = 0; i < location.Index; i++)
            {
                firstLog += receipts[i].Logs.Count;
            }

            ReceiptJson.Write(
                reply.Json, block, receipts[location.Index], location.Index, firstLog, BlobBaseFeeOf(block));
        }
        else
        {
            reply.Json.WriteNullValue();
        }

        return null;
    }

    private RpcError? GetBlockReceipts(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Block(out var reference) || !parameters.End())
        {
            return parameters.Error;
        }

        var isPending = reference.Kind == BlockReferenceKind.Pending;
        var pending = isPending ? node.Pending.Get() : null;
        var block = pending?.Block ?? blocks.Find(reference);
        var receipts = pending?.Receipts
            ?? (block is not null && _chain.IsCanonical(block.Hash) ? _chain.GetReceipts(block.Number) : null);
        if (block is null || receipts is null)
        {
            return blocks.Absent(reference, reply);
        }

        var firstLog = 0;
        var blobBaseFee = BlobBaseFeeOf(block);
        reply.Json.WriteStartArray();
        for (var i = 0; i < receipts.Count; i++)
        {
            ReceiptJson.Write(reply.Json, block, receipts[i], i, firstLog, blobBaseFee);
            firstLog += receipts[i].Logs.Count;
        }

        reply.Json.WriteEndArray();
        return null;
    }

    private RpcError? PoolStatus(ref RpcParams parameters, RpcReply reply)
    {
        var counts = node.Pool.Counts();
        reply.Json.WriteStartObject();
        reply.Json.WriteQuantity("pending"u8, (ulong)counts.Pending);
        reply.Json.WriteQuantity("queued"u8, (ulong)counts.Queued);
        reply.Json.WriteEndObject();
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? PoolContent(ref RpcParams parameters, RpcReply reply)
    {
        var content = node.Pool.Content().Where(IsListed).ToList();
        reply.Json.WriteStartObject();
        foreach (var isPending in (ReadOnlySpan<bool>)[true, false])
        {
            reply.Json.WriteStartObject(isPending ? "pending"u8 : "queued"u8);
            foreach (var sender in content.Where(item => item.IsPending == isPending)
                .GroupBy(item => item.Transaction.Sender!.Value))
            {
                reply.Json.WriteStartObject(AddressText.Checksummed(sender.Key));
                WriteByNonce(reply, sender);
                reply.Json.WriteEndObject();
            }

            reply.Json.WriteEndObject();
        }

        reply.Json.WriteEndObject();
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? PoolContentFrom(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.End())
        {
            return parameters.Error;
        }

        var content = node.Pool.Content()
            .Where(item => IsListed(item) && item.Transaction.Sender == address).ToList();
        reply.Json.WriteStartObject();
        reply.Json.WriteStartObject("pending"u8);
        WriteByNonce(reply, content.Where(item => item.IsPending));
        reply.Json.WriteEndObject();
        reply.Json.WriteStartObject("queued"u8);
        WriteByNonce(reply, content.Where(item => !item.IsPending));
        reply.Json.WriteEndObject();
        reply.Json.WriteEndObject();
        return null;
    }

    /// <summary>Blob transactions are counted and not listed, as in geth.</summary>
    private static bool IsListed(PoolContent item) => item.Transaction.Type != TransactionType.Blob;

    private static void WriteByNonce(RpcReply reply, IEnumerable<PoolContent> items)
    {
        foreach (var item in items)
        {
            reply.Json.WritePropertyName(
                item.Transaction.Nonce.ToString(System.Globalization.CultureInfo.InvariantCulture));
            TransactionJson.Write(reply.Json, item.Transaction, null);
        }
    }

    /// <summary>Why a transaction that was accepted is in no block: null, or {cause, detail}.</summary>
    private RpcError? GetDropReason(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var hash) || !parameters.End())
        {
            return parameters.Error;
        }

        if (node.Pool.WhyDropped(hash) is { } record)
        {
            WriteDropReason(reply, record.Cause, record.Detail);
        }
        else if (node.Options.FindDropped?.Invoke(hash) is { } rule)
        {
            WriteDropReason(reply, DropCause.Invalid, rule);
        }
        else
        {
            reply.Json.WriteNullValue();
        }

        return null;
    }

    private static void WriteDropReason(RpcReply reply, DropCause cause, string? detail)
    {
        reply.Json.WriteStartObject();
        reply.Json.WriteString("cause"u8, cause.ToString());
        reply.Json.WriteString("detail"u8, detail);
        reply.Json.WriteEndObject();
    }

    private UInt256 BlobBaseFeeOf(ChainBlock block) =>
        BlobFee.Of(block.Header, BlockContexts.RulesOf(node.Spec, block.Header));
}
