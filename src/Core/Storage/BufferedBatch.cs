namespace SuperVm.Core.Storage;

/// <summary>What one operation of a batch does.</summary>
public enum WriteKind : byte
{
    Put,
    Delete,
    DeleteRange,
}

/// <param name="Key">The key, or the range's beginning.</param>
/// <param name="Second">The value, the range's end, or nothing.</param>
public readonly record struct WriteOperation(WriteKind Kind, Column Column, byte[] Key, byte[] Second);

/// <summary>
/// A batch for stores that have none of their own: the operations in their order, with copies of the bytes.
/// </summary>
/// <param name="owner">The store that made it; only this one writes it.</param>
public sealed class BufferedBatch(IKeyValueStore owner) : IWriteBatch
{
    private readonly List<WriteOperation> _operations = [];
    private bool _disposed;

    public int Count => _operations.Count;

    /// <summary>The operations of a batch that <paramref name="store"/> made.</summary>
    /// <exception cref="ArgumentException">Another store made it.</exception>
    /// <exception cref="ObjectDisposedException">It has been disposed.</exception>
    public static IReadOnlyList<WriteOperation> OperationsOf(IWriteBatch batch, IKeyValueStore store)
    {
        if (batch is not BufferedBatch buffered || !buffered.WasMadeBy(store))
        {
            throw new ArgumentException("The batch was made by another store.", nameof(batch));
        }

        ObjectDisposedException.ThrowIf(buffered._disposed, typeof(IWriteBatch));
        return buffered._operations;
    }

    public void Put(Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        => Add(new(WriteKind.Put, column, key.ToArray(), value.ToArray()));

    public void Delete(Column column, ReadOnlySpan<byte> key)
        => Add(new(WriteKind.Delete, column, key.ToArray(), []));

    public void DeleteRange(Column column, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        => Add(new(WriteKind.DeleteRange, column, from.ToArray(), to.ToArray()));

    public void Clear() => _operations.Clear();

    public void Dispose()
    {
        _disposed = true;
        _operations.Clear();
    }

    private bool WasMadeBy(IKeyValueStore store) => ReferenceEquals(owner, store);

    private void Add(WriteOperation operation)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(IWriteBatch));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)operation.Column, (int)Column.Consensus);
        _operations.Add(operation);
    }
}
