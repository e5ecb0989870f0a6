using SuperVm.Core.Storage.InMemory;

namespace SuperVm.Core.Storage;

/// <summary>
/// The key-value port in memory: for development chains without a data directory, for tests and simulations.
/// </summary>
/// <remarks>
/// Each column is an immutable <see cref="SortedTree"/>. Writers take turns, edit copies and publish all columns with
/// one reference; readers take that reference and need no lock. A snapshot is that reference, kept. Nothing survives
/// the process, so <c>sync</c> means nothing here, and memory is the only limit to what is stored.
/// </remarks>
public sealed class MemoryKeyValueStore : IKeyValueStore
{
    private static readonly int ColumnCount = Enum.GetValues<Column>().Length;

    private readonly Lock _writing = new();
    private volatile View? _view = new(Enumerable.Repeat(SortedTree.Empty, ColumnCount).ToArray());

    public string Kind => "memory";

    private View Current => _view ?? throw new ObjectDisposedException(nameof(MemoryKeyValueStore));

    public byte[]? Get(Column column, ReadOnlySpan<byte> key) => Current.Get(column, key);

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
        => Current.Read(column, key, destination);

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => Current.GetMany(column, keys);

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false)
        => Current.OpenCursor(column, prefix, start, reverse);

    public IKeyValueSnapshot Snapshot() => new MemorySnapshot(Current);

    public IWriteBatch CreateBatch() => new BufferedBatch(this);

    public void Write(IWriteBatch batch, bool sync = false)
    {
        lock (_writing)
        {
            _view = Applied(Current.Trees, BufferedBatch.OperationsOf(batch, this));
        }
    }

    /// <exception cref="NotSupportedException">Always: there are no files to copy.</exception>
    public void CreateCheckpoint(string directory)
        => throw new NotSupportedException("The in-memory store has no checkpoints.");

    public IReadOnlyDictionary<string, double> Statistics()
    {
        var trees = Current.Trees;
        return new Dictionary<string, double>
        {
            ["keys"] = trees.Sum(tree => tree.Count),
            ["live_bytes"] = trees.Sum(tree => tree.Bytes),
        };
    }

    public void Dispose()
    {
        lock (_writing)
        {
            _view = null;
        }
    }

    private static View Applied(SortedTree[] trees, IReadOnlyList<WriteOperation> operations)
    {
        var edits = new SortedTreeEdit?[trees.Length];
        foreach (var (kind, column, key, second) in operations)
        {
            var edit = edits[(int)column] ??= new(trees[(int)column]);
            switch (kind)
            {
                case WriteKind.Put:
                    edit.Put(key, second);
                    break;
                case WriteKind.Delete:
                    edit.Delete(key);
                    break;
                case WriteKind.DeleteRange:
                    edit.DeleteRange(key, second);
                    break;
            }
        }

        var result = new SortedTree[trees.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = edits[i]?.Finish() ?? trees[i];
        }

        return new(result);
    }

    /// <summary>All columns at one moment.</summary>
    private sealed class View(SortedTree[] trees) : IKeyValueReader
    {
        internal SortedTree[] Trees { get; } = trees;

        public byte[]? Get(Column column, ReadOnlySpan<byte> key) => Trees[(int)column].Find(key)?.AsSpan().ToArray();

        public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
        {
            var value = Trees[(int)column].Find(key);
            if (value is null)
            {
                return -1;
            }

            if (value.Length <= destination.Length)
            {
                value.CopyTo(destination);
            }

            return value.Length;
        }

        public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys)
        {
            var values = new byte[]?[keys.Count];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = Get(column, keys[i]);
            }

            return values;
        }

        public IKeyValueCursor OpenCursor(
            Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start, bool reverse)
        {
            var range = KeyRange.Of(prefix.Span, start, reverse);
            return new MemoryCursor(new(Trees[(int)column].Root, range, reverse));
        }
    }

    private sealed class MemorySnapshot(View view) : IKeyValueSnapshot
    {
        private volatile View? _view = view;

        private View Current => _view ?? throw new ObjectDisposedException(nameof(IKeyValueSnapshot));

        public byte[]? Get(Column column, ReadOnlySpan<byte> key) => Current.Get(column, key);

        public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
            => Current.Read(column, key, destination);

        public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys) => Current.GetMany(column, keys);

        public IKeyValueCursor OpenCursor(
            Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start, bool reverse)
            => Current.OpenCursor(column, prefix, start, reverse);

        public void Dispose() => _view = null;
    }

    private sealed class MemoryCursor(SortedTreeWalk walk) : IKeyValueCursor
    {
        public ReadOnlySpan<byte> Key => walk.Key;

        public ReadOnlySpan<byte> Value => walk.Value;

        public bool MoveNext() => walk.MoveNext();

        public void Dispose()
        {
        }
    }
}
