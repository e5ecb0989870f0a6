namespace SuperVm.Core.Storage.InMemory;

/// <summary>The operations of one batch, with copies of the caller's bytes.</summary>
internal sealed class MemoryBatch : IWriteBatch
{
    private readonly List<Operation> _operations = [];
    private bool _disposed;

    private enum Kind : byte
    {
        Put,
        Delete,
        DeleteRange,
    }

    public int Count => _operations.Count;

    public void Put(Column column, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        => Add(new(Kind.Put, column, key.ToArray(), value.ToArray()));

    public void Delete(Column column, ReadOnlySpan<byte> key) => Add(new(Kind.Delete, column, key.ToArray(), []));

    public void DeleteRange(Column column, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        => Add(new(Kind.DeleteRange, column, from.ToArray(), to.ToArray()));

    public void Clear() => _operations.Clear();

    public void Dispose()
    {
        _disposed = true;
        _operations.Clear();
    }

    /// <summary>The trees (by column) with the operations applied in their order.</summary>
    internal SortedTree[] ApplyTo(SortedTree[] trees)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(IWriteBatch));
        var edits = new SortedTreeEdit?[trees.Length];
        foreach (var operation in _operations)
        {
            var column = (int)operation.Column;
            var edit = edits[column] ??= new(trees[column]);
            switch (operation.Kind)
            {
                case Kind.Put:
                    edit.Put(operation.Key, operation.Second);
                    break;
                case Kind.Delete:
                    edit.Delete(operation.Key);
                    break;
                case Kind.DeleteRange:
                    edit.DeleteRange(operation.Key, operation.Second);
                    break;
            }
        }

        var result = new SortedTree[trees.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = edits[i]?.Finish() ?? trees[i];
        }

        return result;
    }

    private void Add(Operation operation)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(IWriteBatch));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)operation.Column, (int)Column.Consensus);
        _operations.Add(operation);
    }

    /// <param name="Second">The value, or the end of the range.</param>
    private readonly record struct Operation(Kind Kind, Column Column, byte[] Key, byte[] Second);
}
