using SuperVm.Core.Storage;

namespace SuperVm.Azure.Tables;

/// <summary>The row store over one table: a batch is one request.</summary>
/// <remarks>
/// <code>
///   PartitionKey = the row's partition, RowKey = its key, v (binary) = its value
/// </code>
/// A row is one request of its own where it is alone in its batch. The table is made when it is first written to.
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
        if (await TryPutAsync(rows, cancellation) == TableStatus.Missing)
        {
            await store.CreateTableAsync(table, cancellation);
            if (await TryPutAsync(rows, cancellation) is var end && end != TableStatus.Done)
            {
                throw new StoreException($"{table}: rows of {rows[0].Partition} were refused: {end}.");
            }
        }
    }

    private async Task<TableStatus> TryPutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation)
    {
        if (rows.Count == 1)
        {
            return (await store.UpsertAsync(table, RowOf(rows[0]), cancellation)).Status;
        }

        var operations = new TableOperation[rows.Count];
        for (var i = 0; i < operations.Length; i++)
        {
            operations[i] = new(TableAction.Upsert, RowOf(rows[i]));
        }

        return (await store.BatchAsync(table, operations, cancellation)).Status;
    }

    private static TableRow RowOf(Row row)
        => new(row.Partition, row.Key, new Dictionary<string, object> { [Value] = row.Value.ToArray() });
}
