using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>What a filter or a subscription is about.</summary>
internal enum EventKind
{
    Blocks,
    Logs,
    Transactions,
}

/// <summary>A place in the node's events, and what is wanted of what comes after it.</summary>
/// <remarks>One thread at a time. Dispose it, so that transactions are not noted for nobody.</remarks>
internal sealed class EventReader : IDisposable
{
    /// <summary>Events of one step: what they are written as is sent before the next.</summary>
    private const int MaximumHeads = 64;

    private const int MaximumTransactions = 1_024;

    private readonly Node _node;
    private readonly List<HeadEvent> _heads = [];
    private readonly List<Hash256> _hashes = [];
    private long _position;
    private int _isDisposed;

    internal EventReader(Node node, EventKind kind, LogFilter? filter = null)
    {
        (_node, Kind, Filter) = (node, kind, filter);
        _position = kind == EventKind.Transactions ? node.Events.BeginTransactions() : node.Events.HeadEnd;
    }

    /// <summary>Takes one log with its place; whether its block left the chain stands last.</summary>
    internal delegate void LogSink(Log log, ChainBlock block, int transactionIndex, int logIndex, bool isRemoved);

    internal EventKind Kind { get; }

    /// <summary>Which logs; null for other kinds.</summary>
    internal LogFilter? Filter { get; }

    /// <summary>Whether the last step left events for another one.</summary>
    internal bool HasMore { get; private set; }

    /// <summary>Goes on to the blocks that came since; false where some were lost.</summary>
    internal bool ReadBlocks(Action<HeadEvent> take)
    {
        var isWhole = NextHeads();
        foreach (var head in _heads)
        {
            if (!head.IsRemoved)
            {
                take(head);
            }
        }

        return isWhole;
    }

    /// <summary>Goes on to the transactions that the pool took since; false where some were lost.</summary>
    internal bool ReadTransactions(Action<Hash256> take)
    {
        _hashes.Clear();
        var isWhole = _node.Events.ReadTransactions(ref _position, _hashes, MaximumTransactions);
        HasMore = _hashes.Count == MaximumTransactions;
        _hashes.ForEach(take);
        return isWhole;
    }

    /// <summary>Goes on to the logs that came, or left with their block, since; false where some were lost.</summary>
    internal bool ReadLogs(LogSink take)
    {
        var isWhole = NextHeads();
        foreach (var head in _heads)
        {
            if (IsInRange(head.Number) && ContentOf(head) is { } content)
            {
                Take(content, head.IsRemoved, take);
            }
        }

        return isWhole;
    }

    public void Dispose()
    {
        if (Kind == EventKind.Transactions && Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _node.Events.EndTransactions();
        }
    }

    private bool NextHeads()
    {
        _heads.Clear();
        var isWhole = _node.Events.ReadHeads(ref _position, _heads, MaximumHeads);
        HasMore = _heads.Count == MaximumHeads;
        return isWhole;
    }

    /// <summary>A filter may be for some blocks only; the newest one by name has no bound.</summary>
    private bool IsInRange(ulong number) =>
        (Filter?.From is not { Kind: BlockReferenceKind.Number } from || number >= from.Number)
        && (Filter?.To is not { Kind: BlockReferenceKind.Number } to || number <= to.Number);

    /// <summary>Where the content is no longer at hand, the chain has it of blocks that are still there.</summary>
    private AddedBlock? ContentOf(in HeadEvent head)
    {
        if (head.Content is { } content)
        {
            return content;
        }

        return !head.IsRemoved && _node.Chain.GetBlock(head.Number) is { } block && block.Hash == head.Hash
            && _node.Chain.GetReceipts(head.Number) is { } receipts
            ? new AddedBlock(block, receipts)
            : null;
    }

    private void Take(AddedBlock content, bool isRemoved, LogSink take)
    {
        if (Filter is null || !Filter.MayMatch(content.Block.Header.LogsBloom))
        {
            return;
        }

        var logIndex = 0;
        for (var i = 0; i < content.Receipts.Count; i++)
        {
            foreach (var log in content.Receipts[i].Logs)
            {
                if (Filter.Matches(log))
                {
                    take(log, content.Block, i, logIndex, isRemoved);
                }

                logIndex++;
            }
        }
    }
}
