using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Mempool;

/// <summary>A transaction in the pool.</summary>
internal sealed class PooledTransaction(Transaction transaction, in UInt256 cost, long arrival, long arrivedAt)
{
    /// <summary>What a transaction takes in memory beside its variable parts, roughly, in bytes.</summary>
    private const int FixedSize = 512;

    internal Transaction Transaction => transaction;

    /// <summary>Value and all fees at their caps, in wei.</summary>
    internal UInt256 Cost { get; } = cost;

    /// <summary>The running number of its admission.</summary>
    internal long Arrival => arrival;

    /// <summary>The clock's time stamp of its admission.</summary>
    internal long ArrivedAt => arrivedAt;

    /// <summary>Bytes it counts for.</summary>
    internal int Size { get; } = SizeOf(transaction);

    /// <summary>False once it has left the pool; structures that hold it on pass it over.</summary>
    internal bool IsIn { get; set; } = true;

    internal static int SizeOf(Transaction transaction)
    {
        var size = (long)FixedSize + transaction.Data.Length + (32L * transaction.BlobVersionedHashes.Count)
            + (192L * transaction.Authorizations.Count);
        foreach (var entry in transaction.AccessList)
        {
            size += 64 + (32L * entry.Slots.Count);
        }

        return (int)Math.Min(size, int.MaxValue);
    }
}
