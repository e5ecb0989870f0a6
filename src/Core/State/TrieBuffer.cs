using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>Where a trie node stands; the prefix's nibbles behind the depth are zero.</summary>
internal readonly record struct TriePlace(TrieOwner Owner, Hash256 Prefix, int Depth)
{
    public override int GetHashCode() => HashCode.Combine(Prefix.GetHashCode(), Owner.Address.GetHashCode(), Depth);
}

/// <summary>Finds nodes that are not in the store yet.</summary>
internal interface IRecentTrieNodes
{
    bool TryGet(in Hash256 hash, out byte[] node);
}

/// <summary>Trie nodes of committed blocks that are written to the store later, and together.</summary>
/// <remarks>
/// <code>
///   commit N ─▶ current generation ──full──▶ flushing generation ──▶ one batch beside later commits ─▶ block T
///   open:  trie of block T  +  accounts and slots that T+1 … head changed  =  trie of the head
/// </code>
/// <para>The upper nodes change with every block and are written once a flush. Flat values and reverse differences are
/// written with their block, so nothing is lost with the process: the nodes follow from them.</para>
/// <para>One thread commits; reads come from any.</para>
/// </remarks>
/// <param name="store">The store.</param>
/// <param name="options">When to write.</param>
/// <param name="number">The block whose trie is stored.</param>
/// <param name="cache">Takes nodes over once they are in the store.</param>
internal sealed class TrieBuffer(
    IKeyValueStore store, StateOptions options, ulong number, BoundedCache<Hash256, byte[]> cache) : IRecentTrieNodes
{
    private readonly Lock _gate = new();
    private TrieGeneration _current = new();
    private TrieGeneration? _flushing;
    private Task _flush = Task.CompletedTask;
    private ulong _persisted = number;

    /// <summary>The block whose trie the store has.</summary>
    internal ulong Persisted => Volatile.Read(ref _persisted);

    public bool TryGet(in Hash256 hash, out byte[] node)
    {
        TrieGeneration current;
        TrieGeneration? flushing;
        lock (_gate)
        {
            (current, flushing) = (_current, _flushing);
        }

        return current.TryGet(hash, out node) || (flushing is not null && flushing.TryGet(hash, out node));
    }

    /// <summary>A view of the store with the nodes that it lacks.</summary>
    internal (IKeyValueSnapshot Snapshot, IRecentTrieNodes Nodes) Capture()
    {
        lock (_gate)
        {
            return (store.Snapshot(), new Captured(_current, _flushing));
        }
    }

    /// <summary>Makes an update's nodes readable by hash, before its block is written.</summary>
    internal List<(TriePlace Place, byte[]? Node)> Stage(TrieUpdate update)
    {
        var staged = new List<(TriePlace, byte[]?)>(update.Count);
        var sink = new Sink(staged, _current);
        update.Emit(ref sink);
        return staged;
    }

    /// <summary>The staged nodes' block is in the store: they are those of the trie now.</summary>
    internal void Settle(List<(TriePlace Place, byte[]? Node)> staged, ulong blockNumber, in Hash256 root)
    {
        _current.Settle(staged, blockNumber, root);
        if (_current.Bytes >= options.TrieBufferBytes || _current.Blocks >= options.TrieBufferBlocks)
        {
            BeginFlush();
        }
    }

    /// <summary>Puts every node that waits, and staged ones, into a batch; <see cref="Flushed"/> follows.</summary>
    internal void FlushInto(
        IWriteBatch batch, List<(TriePlace Place, byte[]? Node)> staged, ulong blockNumber, in Hash256 root)
    {
        // A failed flush is part of what waits, so its failure is no matter here.
        Wait();
        _flushing?.WriteTo(batch);
        _current.WriteTo(batch);
        TrieGeneration.Write(batch, staged);
        StateMeta.WriteTrie(batch, blockNumber, root);
    }

    /// <summary>What <see cref="FlushInto"/> put into the batch is in the store.</summary>
    internal void Flushed(ulong blockNumber)
    {
        _current.MoveTo(cache);
        _flushing?.MoveTo(cache);
        lock (_gate)
        {
            _current = new TrieGeneration();
            _flushing = null;
        }

        Volatile.Write(ref _persisted, blockNumber);
    }

    /// <summary>Waits for a flush that is under way, however it ends.</summary>
    internal void Wait() => ((IAsyncResult)_flush).AsyncWaitHandle.WaitOne();

    private void BeginFlush()
    {
        if (!_flush.IsCompleted)
        {
            if (_current.Bytes < 2 * options.TrieBufferBytes)
            {
                return;
            }

            Wait();
        }

        lock (_gate)
        {
            if (_flushing is null)
            {
                (_flushing, _current) = (_current, new TrieGeneration());
            }
        }

        // Where the last one failed its generation still stands there and is tried again.
        var generation = _flushing;
        _flush = Task.Run(() => Flush(generation));
    }

    private void Flush(TrieGeneration generation)
    {
        using var batch = store.CreateBatch();
        generation.WriteTo(batch);
        StateMeta.WriteTrie(batch, generation.Number, generation.Root);
        store.Write(batch);
        Volatile.Write(ref _persisted, generation.Number);
        generation.MoveTo(cache);
        lock (_gate)
        {
            _flushing = null;
        }
    }

    private sealed class Captured(TrieGeneration current, TrieGeneration? flushing) : IRecentTrieNodes
    {
        public bool TryGet(in Hash256 hash, out byte[] node) =>
            current.TryGet(hash, out node) || (flushing is not null && flushing.TryGet(hash, out node));
    }

    private readonly struct Sink(List<(TriePlace, byte[]?)> staged, TrieGeneration generation) : ITrieNodeSink
    {
        public void Remove(in TrieOwner owner, in Hash256 path, int depth) =>
            staged.Add((new TriePlace(owner, Nibbles.Prefix(path, depth), depth), null));

        public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node)
        {
            var bytes = node.ToArray();
            staged.Add((new TriePlace(owner, Nibbles.Prefix(path, depth), depth), bytes));
            generation.Add(hash, bytes);
        }
    }
}

/// <summary>Nodes that are written to the store together.</summary>
internal sealed class TrieGeneration
{
    /// <summary>Bytes that a node costs beside its own.</summary>
    private const int NodeOverhead = 256;

    private readonly Dictionary<Hash256, byte[]> _nodes = [];
    private readonly List<List<(TriePlace Place, byte[]? Node)>> _settled = [];

    /// <summary>The newest block whose nodes are in it.</summary>
    internal ulong Number { get; private set; }

    internal Hash256 Root { get; private set; }

    internal int Blocks { get; private set; }

    internal long Bytes { get; private set; }

    internal bool TryGet(in Hash256 hash, out byte[] node)
    {
        lock (_nodes)
        {
            return _nodes.TryGetValue(hash, out node!);
        }
    }

    internal void Add(in Hash256 hash, byte[] node)
    {
        lock (_nodes)
        {
            _nodes[hash] = node;
        }

        Bytes += node.Length + NodeOverhead;
    }

    internal void Settle(List<(TriePlace Place, byte[]? Node)> staged, ulong number, in Hash256 root)
    {
        _settled.Add(staged);
        (Number, Root) = (number, root);
        Blocks++;
    }

    /// <summary>Writes what stands at each place in the end.</summary>
    internal void WriteTo(IWriteBatch batch)
    {
        var places = new Dictionary<TriePlace, byte[]?>();
        foreach (var staged in _settled)
        {
            foreach (var (place, node) in staged)
            {
                places[place] = node;
            }
        }

        foreach (var (place, node) in places)
        {
            Write(batch, place, node);
        }
    }

    /// <summary>Gives the nodes to the cache.</summary>
    internal void MoveTo(BoundedCache<Hash256, byte[]> cache)
    {
        lock (_nodes)
        {
            foreach (var (hash, node) in _nodes)
            {
                cache.Set(hash, node, StoredTrieNodes.CostOf(node));
            }
        }
    }

    internal static void Write(IWriteBatch batch, List<(TriePlace Place, byte[]? Node)> staged)
    {
        foreach (var (place, node) in staged)
        {
            Write(batch, place, node);
        }
    }

    private static void Write(IWriteBatch batch, in TriePlace place, byte[]? node)
    {
        Span<byte> key = stackalloc byte[StateKeys.TrieMaximum];
        key = key[..StateKeys.WriteTrieNode(place.Owner, place.Prefix, place.Depth, key)];
        if (node is null)
        {
            batch.Delete(Column.Trie, key);
        }
        else
        {
            batch.Put(Column.Trie, key, node);
        }
    }
}
