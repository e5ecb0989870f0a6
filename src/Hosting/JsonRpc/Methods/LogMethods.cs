using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.JsonRpc.Subscriptions;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>eth_getLogs: blocks whose bloom rules a match out are passed over by their header alone.</summary>
internal sealed class LogMethods(Node node, BlockResolver blocks) : IRpcModule
{
    /// <summary>Blocks with a match that are fetched at once where they are far away.</summary>
    private const int BlocksAhead = 16;

    private readonly IChain _chain = node.Chain;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods => [("eth_getLogs", GetLogs)];

    private RpcError? GetLogs(ref RpcParams parameters, RpcReply reply)
    {
        return !parameters.Filter(out var filter) || !parameters.End() ? parameters.Error : Write(filter, reply);
    }

    /// <summary>Every log that the filter asks for.</summary>
    internal RpcError? Write(LogFilter filter, RpcReply reply)
    {
        var limits = reply.Limits;
        if (filter.BlockHash is { } hash)
        {
            if (_chain.GetBlock(hash) is not { } block || !_chain.IsCanonical(hash))
            {
                return RpcError.Server("unknown block");
            }

            return Write(reply, filter, block.Number, block.Number, limits);
        }

        var head = _chain.Head.Number;
        var from = blocks.NumberOf(filter.From ?? BlockReference.Latest);
        var to = Math.Min(blocks.NumberOf(filter.To ?? BlockReference.Latest), head);
        var isReversed = filter.From is not null && from > blocks.NumberOf(filter.To ?? BlockReference.Latest);
        if (isReversed)
        {
            return RpcError.InvalidParams("invalid block range params");
        }

        if (to >= from && (blocks.IsPruned(from) || (from == 0 && to > 0 && blocks.IsPruned(1))))
        {
            return RpcError.PrunedHistory; // an answer without those blocks' logs would be a wrong one
        }

        return to >= from && to - from >= limits.MaximumLogRange
            ? new RpcError(RpcError.LimitExceededCode, $"query exceeds the range of {limits.MaximumLogRange} blocks")
            : Write(reply, filter, from, to, limits);
    }

    private RpcError? Write(RpcReply reply, LogFilter filter, ulong from, ulong to, RpcLimits limits)
    {
        var found = 0;
        reply.Json.WriteStartArray();
        for (var next = from; next <= to;)
        {
            var candidates = Candidates(filter, ref next, to);
            _chain.Prefetch(candidates);
            foreach (var number in candidates)
            {
                found += WriteBlock(reply, filter, number);
                if (found > limits.MaximumLogResults || reply.Length > limits.MaximumResponseBytes)
                {
                    return new RpcError(
                        RpcError.LimitExceededCode, $"query returned more than {limits.MaximumLogResults} results");
                }
            }
        }

        reply.Json.WriteEndArray();
        return null;
    }

    /// <summary>The next blocks whose bloom leaves a match possible; moves on to what comes after them.</summary>
    private List<ulong> Candidates(LogFilter filter, ref ulong next, ulong to)
    {
        var candidates = new List<ulong>(BlocksAhead);
        for (; next <= to && candidates.Count < BlocksAhead; next++)
        {
            if (_chain.GetHeader(next) is not { } header)
            {
                next = to + 1; // the chain went back meanwhile
                break;
            }

            if (filter.MayMatch(header.Header.LogsBloom))
            {
                candidates.Add(next);
            }
        }

        return candidates;
    }

    private int WriteBlock(RpcReply reply, LogFilter filter, ulong number)
    {
        if (_chain.GetReceipts(number) is not { } receipts || _chain.GetBlock(number) is not { } block)
        {
            return 0;
        }

        var (found, logIndex) = (0, 0);
        for (var i = 0; i < receipts.Count && i < block.Block.Transactions.Count; i++)
        {
            foreach (var log in receipts[i].Logs)
            {
                if (filter.Matches(log))
                {
                    ReceiptJson.WriteLog(reply.Json, log, block, i, logIndex);
                    found++;
                }

                logIndex++;
            }
        }

        reply.Json.Flush();
        return found;
    }
}

/// <summary>Which logs are asked for: any of the addresses, and at each place any of the topics.</summary>
internal sealed class LogFilter
{
    internal Hash256? BlockHash { get; set; }

    internal BlockReference? From { get; set; }

    internal BlockReference? To { get; set; }

    /// <summary>Empty for every address.</summary>
    internal List<Address> Addresses { get; } = [];

    /// <summary>Alternatives by place; an empty list for every topic.</summary>
    internal List<List<Hash256>> Topics { get; } = [];

    /// <summary>Whether the bloom leaves a match possible.</summary>
    internal bool MayMatch(Bloom bloom) =>
        (Addresses.Count == 0 || Addresses.Exists(address => bloom.MayContain(address.Bytes)))
        && Topics.TrueForAll(
            place => place.Count == 0 || place.Exists(topic => bloom.MayContain(topic.Bytes)));

    /// <summary>Whether it asks for a block; the newest one by name is no bound.</summary>
    internal bool IsInRange(ulong number) =>
        (From is not { Kind: BlockReferenceKind.Number } from || number >= from.Number)
        && (To is not { Kind: BlockReferenceKind.Number } to || number <= to.Number);

    /// <summary>Gives the logs of a block that it asks for.</summary>
    internal void Take(AddedBlock content, bool isRemoved, LogSink take)
    {
        if (!MayMatch(content.Block.Header.LogsBloom))
        {
            return;
        }

        var logIndex = 0;
        for (var i = 0; i < content.Receipts.Count; i++)
        {
            foreach (var log in content.Receipts[i].Logs)
            {
                if (Matches(log))
                {
                    take(log, content.Block, i, logIndex, isRemoved);
                }

                logIndex++;
            }
        }
    }

    internal bool Matches(Log log)
    {
        if (Topics.Count > log.Topics.Length || (Addresses.Count > 0 && !Addresses.Contains(log.Address)))
        {
            return false;
        }

        for (var i = 0; i < Topics.Count; i++)
        {
            if (Topics[i].Count > 0 && !Topics[i].Contains(log.Topics[i]))
            {
                return false;
            }
        }

        return true;
    }
}
