namespace SuperVm.Core.Storage;

/// <summary>A row of an index.</summary>
/// <param name="Partition">What lies together and is written together.</param>
/// <param name="Key">The name within the partition.</param>
/// <param name="Value">At most <see cref="RowLimits.MostValueBytes"/>.</param>
public readonly record struct Row(string Partition, string Key, ReadOnlyMemory<byte> Value);

/// <summary>The row store: small values found by partition and key, written in batches.</summary>
/// <remarks>
/// Partitions and keys are as the parts of a <see cref="DocumentKey"/>. Members throw <see cref="StoreException"/>
/// where
/// the service fails; a write that failed in an unknown way may have been done.
/// </remarks>
public interface IRowStore
{
    /// <summary>The value, or null where there is no row.</summary>
    Task<ReadOnlyMemory<byte>?> GetAsync(string partition, string key, CancellationToken cancellation = default);

    /// <summary>
    /// Writes rows of one partition, whatever is there: all or none. At most <see cref="RowLimits.MostBatched"/>, each
    /// key once.
    /// </summary>
    Task PutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation = default);
}

/// <summary>What every row store keeps to.</summary>
public static class RowLimits
{
    /// <summary>Rows of one batch.</summary>
    public const int MostBatched = 100;

    /// <summary>Bytes of a value.</summary>
    public const int MostValueBytes = 32 << 10;

    /// <summary>Batches under way at once in <see cref="RowStoreExtensions.PutManyAsync"/>.</summary>
    public const int MostParallelBatches = 16;

    /// <exception cref="ArgumentException">No batch, or a key, partition or value that no store takes.</exception>
    public static void Require(IReadOnlyList<Row> rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows.Count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Count, MostBatched);
        foreach (var row in rows)
        {
            new DocumentKey("rows", row.Partition, row.Key).Require();
            ArgumentOutOfRangeException.ThrowIfGreaterThan(row.Value.Length, MostValueBytes);
            if (row.Partition != rows[0].Partition)
            {
                throw new ArgumentException("A batch is of one partition.", nameof(rows));
            }
        }
    }
}

/// <summary>What follows from the port's members.</summary>
public static class RowStoreExtensions
{
    /// <summary>Writes any number of rows: batches by partition, many at once. Not all or none.</summary>
    public static Task PutManyAsync(
        this IRowStore store, IEnumerable<Row> rows, CancellationToken cancellation = default)
    {
        var batches = rows.GroupBy(row => row.Partition).SelectMany(group => group.Chunk(RowLimits.MostBatched));
        var limits = new ParallelOptions
        {
            MaxDegreeOfParallelism = RowLimits.MostParallelBatches,
            CancellationToken = cancellation,
        };
        return System.Threading.Tasks.Parallel.ForEachAsync(
            batches, limits, async (batch, stop) => await store.PutAsync(batch, stop));
    }
}
