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
internal sealed class EventReader : IEventReader, IDisposable
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

    public EventKind Kind { get; }

    public LogFilter? Filter { get; }

    public bool HasMore { get; private set; }

    public bool ReadBlocks(Action<HeadEvent> take)
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

    public bool ReadTransactions(Action<Hash256> take)
    {
        _hashes.Clear();
        var isWhole = _node.Events.ReadTransactions(ref _position, _hashes, MaximumTransactions);
        HasMore = _hashes.Count == MaximumTransactions;
        _hashes.ForEach(take);
        return isWhole;
    }

    public bool ReadLogs(LogSink take)
    {
        var isWhole = NextHeads();
        foreach (var head in _heads)
        {
            if (Filter?.IsInRange(head.Number) == true && ContentOf(head) is { } content)
            {
                Filter.Take(content, head.IsRemoved, take);
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
}
