using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>The filters that clients have installed; one that is not asked for a while is gone.</summary>
internal interface IFilterTable
{
    /// <summary>How many there are, as far as this process knows.</summary>
    int Count { get; }

    /// <summary>Takes a filter; null where there are too many.</summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="filter">Which logs; null for other kinds.</param>
    UInt128? Add(EventKind kind, LogFilter? filter);

    /// <summary>Works with a filter; false where there is none with the id.</summary>
    bool TryUse(UInt128 id, Action<IEventReader> use);

    /// <summary>Takes a filter away; false where there is none.</summary>
    bool Remove(UInt128 id);
}

/// <summary>A place in what happened, and what is wanted of what came after it.</summary>
internal interface IEventReader
{
    EventKind Kind { get; }

    /// <summary>Which logs; null for other kinds.</summary>
    LogFilter? Filter { get; }

    /// <summary>Whether the last step left events for another one.</summary>
    bool HasMore { get; }

    /// <summary>Goes on to the blocks that came since; false where some were lost.</summary>
    bool ReadBlocks(Action<HeadEvent> take);

    /// <summary>Goes on to the transactions that came since; false where some were lost.</summary>
    bool ReadTransactions(Action<Hash256> take);

    /// <summary>Goes on to the logs that came, or left with their block, since; false where some were lost.</summary>
    bool ReadLogs(LogSink take);
}

/// <summary>Takes one log with its place; whether its block left the chain stands last.</summary>
internal delegate void LogSink(
    Core.Ledger.Log log, Core.Node.ChainBlock block, int transactionIndex, int logIndex, bool isRemoved);
