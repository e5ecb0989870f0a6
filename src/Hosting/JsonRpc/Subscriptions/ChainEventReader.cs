using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>
/// Events as the chain itself tells them, from a block on: for a chain whose blocks never leave. Pending transactions
/// are known to the instance that took them alone, so they are told when they stand in a block.
/// </summary>
internal sealed class ChainEventReader(Node node, FilterRecord record) : IEventReader
{
    /// <summary>Blocks of one step: what they are written as is sent before the next.</summary>
    private const ulong MostBlocks = 64;

    public EventKind Kind => record.Kind;

    public LogFilter? Filter => record.Filter;

    public bool HasMore { get; private set; }

    /// <summary>The first block that was not told of.</summary>
    internal ulong Next { get; private set; } = record.Next;

    public bool ReadBlocks(Action<HeadEvent> take) => Step(header =>
        take(new(header.Number, header.Hash, IsRemoved: false, Content: null)));

    public bool ReadTransactions(Action<Hash256> take) => Step(header =>
    {
        foreach (var transaction in node.Chain.GetBlock(header.Number)?.Block.Transactions ?? [])
        {
            take(transaction.Hash);
        }
    });

    public bool ReadLogs(LogSink take) => Step(header =>
    {
        if (Filter is { } filter && filter.IsInRange(header.Number) && filter.MayMatch(header.Header.LogsBloom)
            && node.Chain.GetBlock(header.Number) is { } block
            && node.Chain.GetReceipts(header.Number) is { } receipts)
        {
            filter.Take(new AddedBlock(block, receipts), isRemoved: false, take);
        }
    });

    private bool Step(Action<ChainHeader> take)
    {
        var head = node.Chain.Head.Number;
        for (var left = MostBlocks; left > 0 && Next <= head && node.Chain.GetHeader(Next) is { } header; left--)
        {
            take(header);
            Next++;
        }

        HasMore = Next <= head;
        return true;
    }
}
