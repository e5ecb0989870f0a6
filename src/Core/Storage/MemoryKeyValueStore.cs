using SuperVm.Core.Storage.InMemory;

namespace SuperVm.Core.Storage;

/// <summary>
/// The key-value port in memory: for development chains without a data directory, for tests and simulations.
/// </summary>
/// <remarks>
/// Each column is a <see cref="SortedTree"/>. Writers take turns. A small batch changes the trees in place, which keeps
/// readers out for its length (microseconds); a large one, and the first after a snapshot was taken, changes copies of
/// the nodes that it touches. So a snapshot costs a reference and, later, one clone of each node that is written to;
/// reading from it takes no lock. Nothing survives the process, so <c>sync</c> means nothing here, and memory is the
/// only limit to what is stored.
/// </remarks>
public sealed class MemoryKeyValueStore : IKeyValueStore
{
    /// <summary>A batch of more operations would keep readers waiting too long.</summary>
    private const int LargestInPlace = 512;

    private static readonly int ColumnCount = Enum.GetValues<Column>().Length;

    private readonly Lock _writing = new();
    private readonly ReaderWriterLockSlim _reading = new();
    private View? _view = new(Enumerable.Repeat(SortedTree.Empty, ColumnCount).ToArray());

    /// <summary>Nodes of this owner are in no snapshot.</summary>
    private object _owner = new();

    public string Kind => "memory";

    public byte[]? Get(Column column, ReadOnlySpan<byte> key)
    {
        _reading.EnterReadLock();
        try
        {
            return Current().Get(column, key);
        }
        finally
        {
            _reading.ExitReadLock();
        }
    }

    public int Read(Column column, ReadOnlySpan<byte> key, Span<byte> destination)
    {
        _reading.EnterReadLock();
        try
        {
            return Current().Read(column, key, destination);
        }
        finally
        {
            _reading.ExitReadLock();
        }
    }

    public byte[]?[] GetMany(Column column, IReadOnlyList<byte[]> keys)
    {
        _reading.EnterReadLock();
        try
        {
            return Current().GetMany(column, keys);
        }
        finally
        {
            _reading.ExitReadLock();
        }
    }

    public IKeyValueCursor OpenCursor(
        Column column, ReadOnlyMemory<byte> prefix, ReadOnlyMemory<byte>? start = null, bool reverse = false)
        => Freeze().OpenCursor(column, prefix, start, reverse);

    public IKeyValueSnapshot Snapshot() => new MemorySnapshot(Freeze());

    public IWriteBatch CreateBatch() => new BufferedBatch(this);

    public void Write(IWriteBatch batch, bool sync = false)
    {
        var operations = BufferedBatch.OperationsOf(batch, this);
        lock (_writing)
        {
            if (operations.Count > LargestInPlace)
            {
                var owner = new object();
                var view = Applied(Current().Trees, operations, owner);
                _reading.EnterWriteLock();
                (_view, _owner) = (view, owner);
                _reading.ExitWriteLock();
                return;
            }

            _reading.EnterWriteLock();
            try
            {
                _view = Applied(Current().Trees, operations, _owner);
            }
            finally
            {
                _reading.ExitWriteLock();
            }
        }
    }

    /// <exception cref="NotSupportedException">Always: there are no files to copy.</exception>
    public void CreateCheckpoint(string directory)
        => throw new NotSupportedException("The in-memory store has no checkpoints.");

    public IReadOnlyDictionary<string, double> Statistics()
    {
        var trees = Freeze().Trees;
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
            _reading.EnterWriteLock();
            _view = null;
            _reading.ExitWriteLock();
        }
    }

    /// <summary>The caller holds one of the locks.</summary>
    private View Current() => _view ?? throw new ObjectDisposedException(nameof(MemoryKeyValueStore));

    /// <summary>The present, which later writes leave as it is: they have another owner.</summary>
    private View Freeze()
    {
        _reading.EnterReadLock();
        try
        {
            var view = Current();
            _owner = new();
            return view;
        }
        finally
        {
            _reading.ExitReadLock();
        }
    }

    private static View Applied(SortedTree[] trees, IReadOnlyList<WriteOperation> operations, object owner)
    {
        var edits = new SortedTreeEdit?[trees.Length];
        foreach (var (kind, column, key, second) in operations)
        {
            var edit = edits[(int)column] ??= new(trees[(int)column], owner);
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
