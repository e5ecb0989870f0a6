using SuperVm.Core.Primitives;

namespace SuperVm.Core.Mempool;

/// <summary>The block that transactions are selected for.</summary>
public readonly record struct PoolSelection
{
    /// <summary>Wei; a transaction with a lower fee cap waits, and those behind it.</summary>
    public UInt256 BaseFee { get; init; }

    /// <summary>Wei per blob gas; a blob transaction with a lower cap waits, and those behind it.</summary>
    public UInt256 BlobBaseFee { get; init; }

    /// <summary>The sum of gas limits to stop at.</summary>
    public ulong GasLimit { get; init; }

    /// <summary>The number of transactions to stop at.</summary>
    public int MaximumCount { get; init; }
}

/// <summary>
/// A sender's next transaction in the order of a block: the higher effective tip, then the earlier arrival.
/// </summary>
internal readonly struct SelectionHead(SenderQueue queue, PooledTransaction entry, in UInt256 baseFee)
    : IComparable<SelectionHead>
{
    private readonly UInt256 _tip = entry.Transaction.EffectiveGasPrice(baseFee) - baseFee;

    internal SenderQueue Queue => queue;

    internal PooledTransaction Entry => entry;

    public int CompareTo(SelectionHead other)
    {
        var byTip = other._tip.CompareTo(_tip);
        return byTip != 0 ? byTip : entry.Arrival.CompareTo(other.Entry.Arrival);
    }
}
