using SuperVm.Core.Storage;

namespace SuperVm.Azure.Tables;

/// <summary>The row store over one table: a batch is one request.</summary>
/// <remarks>
/// <code>
///   PartitionKey = the row's partition, RowKey = its key, v (binary) = its value
/// </code>
/// A row is one request of its own where it is alone in its batch. The table is there already: templates make it, or
/// the
/// emulation does.
/// </remarks>
public sealed class TableRowStore(TableStore store, string table) : IRowStore
{
    private const string Value = "v";

    public async Task<ReadOnlyMemory<byte>?> GetAsync(
        string partition, string key, CancellationToken cancellation = default)
    {
        if (await store.GetAsync(table, partition, key, cancellation) is not { } row)
        {
            return null;
        }

        return row.Values.TryGetValue(Value, out var value) && value is byte[] bytes
            ? bytes
            : throw new StoreException($"{table}: row {partition}/{key} is not of this program.");
    }

    public async Task PutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation = default)
    {
        RowLimits.Require(rows);
        var end = rows.Count == 1
            ? (await store.UpsertAsync(table, RowOf(rows[0]), cancellation)).Status
            : (await store.BatchAsync(table, [.. rows.Select(Upsert)], cancellation)).Status;
        if (end != TableStatus.Done)
        {
            throw new StoreException($"{table}: rows of {rows[0].Partition} were refused: {end}.");
        }
    }

    private static TableOperation Upsert(Row row) => new(TableAction.Upsert, RowOf(row));

    private static TableRow RowOf(Row row)
        => new(row.Partition, row.Key, new Dictionary<string, object> { [Value] = row.Value.ToArray() });
}
