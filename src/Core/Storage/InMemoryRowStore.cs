namespace SuperVm.Core.Storage;

/// <summary>The row store of one process; what is in it dies with the process.</summary>
public sealed class InMemoryRowStore : IRowStore
{
    private readonly Dictionary<(string Partition, string Key), byte[]> _rows = [];

    public Task<ReadOnlyMemory<byte>?> GetAsync(
        string partition, string key, CancellationToken cancellation = default)
    {
        new DocumentKey("rows", partition, key).Require();
        cancellation.ThrowIfCancellationRequested();
        lock (_rows)
        {
            return Task.FromResult(
                _rows.TryGetValue((partition, key), out var value) ? (ReadOnlyMemory<byte>?)value : null);
        }
    }

    public Task PutAsync(IReadOnlyList<Row> rows, CancellationToken cancellation = default)
    {
        RowLimits.Require(rows);
        cancellation.ThrowIfCancellationRequested();
        lock (_rows)
        {
            foreach (var row in rows)
            {
                _rows[(row.Partition, row.Key)] = row.Value.ToArray();
            }
        }

        return Task.CompletedTask;
    }
}
