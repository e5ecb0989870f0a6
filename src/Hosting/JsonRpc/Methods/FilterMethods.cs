using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.JsonRpc.Subscriptions;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Filters that are polled, and subscriptions that a WebSocket is told of.</summary>
/// <remarks>
/// Logs of blocks that left the chain come again with <c>removed</c>. A filter that was not polled for so long that
/// events were lost answers what is left; a subscription whose client is that slow is closed. What has no room in one
/// answer comes with the next.
/// </remarks>
internal sealed class FilterMethods(Node node, LogMethods logs, IFilterTable filters) : IRpcModule
{
    private static readonly RpcError NotFound = RpcError.Server("filter not found");

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_newFilter", NewLogFilter),
        ("eth_newBlockFilter", NewBlockFilter),
        ("eth_newPendingTransactionFilter", NewTransactionFilter),
        ("eth_getFilterChanges", GetChanges),
        ("eth_getFilterLogs", GetLogs),
        ("eth_uninstallFilter", Uninstall),
        ("eth_subscribe", Subscribe),
        ("eth_unsubscribe", Unsubscribe),
    ];

    private RpcError? NewLogFilter(ref RpcParams parameters, RpcReply reply) =>
        !parameters.Filter(out var filter) || !parameters.End()
            ? parameters.Error
            : filter.BlockHash is not null
                ? RpcError.InvalidParams("a filter has a range of blocks, not one block")
                : Install(reply, EventKind.Logs, filter);

    private RpcError? NewBlockFilter(ref RpcParams parameters, RpcReply reply) => !parameters.End()
        ? parameters.Error
        : Install(reply, EventKind.Blocks);

    private RpcError? NewTransactionFilter(ref RpcParams parameters, RpcReply reply) =>
        !parameters.OptionalFlag(out _) || !parameters.End()
            ? parameters.Error
            : Install(reply, EventKind.Transactions);

    private RpcError? Install(RpcReply reply, EventKind kind, LogFilter? filter = null)
    {
        if (filters.Add(kind, filter) is not { } id)
        {
            return new RpcError(RpcError.LimitExceededCode, $"at most {reply.Limits.MaximumFilters} filters");
        }

        WriteId(reply, id);
        return null;
    }

    private RpcError? GetChanges(ref RpcParams parameters, RpcReply reply)
    {
        if (!FilterId(ref parameters, out var id) || !parameters.End())
        {
            return parameters.Error;
        }

        var found = filters.TryUse(id, reader =>
        {
            reply.Json.WriteStartArray();
            do
            {
                WriteChanges(reply, reader);
                reply.Json.Flush();
            }
            while (reader.HasMore && reply.Length < reply.Limits.MaximumResponseBytes / 4);
            reply.Json.WriteEndArray();
        });
        return found ? null : NotFound;
    }

    private static void WriteChanges(RpcReply reply, IEventReader reader)
    {
        var json = reply.Json;
        switch (reader.Kind)
        {
            case EventKind.Blocks:
                reader.ReadBlocks(head => json.WriteHexValue(head.Hash.Bytes));
                break;
            case EventKind.Transactions:
                reader.ReadTransactions(hash => json.WriteHexValue(hash.Bytes));
                break;
            default:
                reader.ReadLogs((log, block, index, logIndex, isRemoved) =>
                    ReceiptJson.WriteLog(json, log, block, index, logIndex, isRemoved));
                break;
        }
    }

    /// <summary>Every log that the filter asks for, from the first block of its range on.</summary>
    private RpcError? GetLogs(ref RpcParams parameters, RpcReply reply)
    {
        if (!FilterId(ref parameters, out var id) || !parameters.End())
        {
            return parameters.Error;
        }

        RpcError? error = NotFound;
        filters.TryUse(id, reader => error = reader.Filter is { } filter ? logs.Write(filter, reply) : NotFound);
        return error;
    }

    private RpcError? Uninstall(ref RpcParams parameters, RpcReply reply)
    {
        if (!FilterId(ref parameters, out var id) || !parameters.End())
        {
            return parameters.Error;
        }

        reply.Json.WriteBooleanValue(filters.Remove(id));
        return null;
    }

    private RpcError? Subscribe(ref RpcParams parameters, RpcReply reply)
    {
        if (reply.Subscriber is not { } subscriber)
        {
            return new RpcError(RpcError.MethodNotFoundCode, "notifications not supported: use a WebSocket");
        }

        if (!parameters.Word(out var kind))
        {
            return parameters.Error;
        }

        var (whole, filter) = (false, new LogFilter());
        var isRead = kind switch
        {
            "newPendingTransactions" => parameters.OptionalFlag(out whole),
            "logs" => parameters.OptionalFilter(out filter),
            _ => true,
        };
        if (!isRead || !parameters.End())
        {
            return parameters.Error;
        }

        var reader = kind switch
        {
            "newHeads" => new EventReader(node, EventKind.Blocks),
            "logs" => new EventReader(node, EventKind.Logs, filter),
            "newPendingTransactions" => new EventReader(node, EventKind.Transactions),
            _ => null,
        };
        if (reader is null)
        {
            return RpcError.InvalidParams($"no \"{kind}\" subscription in eth namespace");
        }

        if (subscriber.Add(reader, whole) is not { } id)
        {
            reader.Dispose();
            return new RpcError(
                RpcError.LimitExceededCode, $"at most {reply.Limits.MaximumSubscriptions} subscriptions");
        }

        WriteId(reply, id);
        return null;
    }

    private RpcError? Unsubscribe(ref RpcParams parameters, RpcReply reply)
    {
        if (reply.Subscriber is not { } subscriber)
        {
            return new RpcError(RpcError.MethodNotFoundCode, "notifications not supported: use a WebSocket");
        }

        if (!FilterId(ref parameters, out var id) || !parameters.End())
        {
            return parameters.Error;
        }

        if (!subscriber.Remove(id))
        {
            return RpcError.Server("subscription not found");
        }

        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private static bool FilterId(ref RpcParams parameters, out UInt128 id)
    {
        id = default;
        if (!parameters.Quantity(out var wide))
        {
            return false;
        }

        id = new UInt128(wide.U1, wide.U0);
        return (wide.U2 | wide.U3) == 0 || parameters.Refuse("an id has at most 128 bits");
    }

    private static void WriteId(RpcReply reply, UInt128 id) =>
        reply.Json.WriteQuantityValue(new UInt256((ulong)id, (ulong)(id >> 64), 0, 0));
}
