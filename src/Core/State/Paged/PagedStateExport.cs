using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State.Paged;

/// <summary>The state after one block, given out of pages while the chain goes on above it.</summary>
/// <remarks>
/// Nothing is held still: pages say what they were after every block that can still be read. So any instance answers
/// any part of any such block's state, and an offer costs nothing until it is asked for.
/// </remarks>
internal sealed class PagedStateExport(PageStore store, ulong number) : IStateParts
{
    private readonly PagedStateReader _reader = new(store, number);
    private readonly StateWalk _walk = new();
    private readonly List<(Hash256 Key, ReadOnlyMemory<byte> Value)> _leaves = [];

    public ulong Number => number;

    /// <exception cref="StateUnavailableException">The block was pruned meanwhile.</exception>
    public StateNodes? Read(IReadOnlyList<StatePlace> places, int maximumBytes)
    {
        var source = new PagedTrieNodes(store, _reader);
        _walk.Stack.Clear();
        _walk.Stack.AddRange(places.Reverse());
        var (nodes, keys) = (new List<byte[]>(), new List<byte[]>());
        for (var bytes = 0; bytes < maximumBytes && _walk.Stack.Count > 0;)
        {
            var place = _walk.Pop();
            byte[] node;
            try
            {
                node = source.Load(place.Trie, place.Path, place.Depth, place.Hash);
            }
            catch (StoreException)
            {
                return null;
            }

            nodes.Add(node);
            bytes += node.Length + 4;
            _walk.Expand(node, place, _leaves);
            foreach (var (hash, value) in _leaves)
            {
                if (KeyOf(place, hash) is not { } key)
                {
                    return null;
                }

                keys.Add(key);
                bytes += key.Length + 1;
                if (!place.IsStorage && AccountRecord.ReadFlat(value.Span).StorageRoot is var root
                    && root != TrieUpdater.EmptyRoot)
                {
                    _walk.Stack.Add(StatePlace.RootOf(TrieOwner.Storage(new Address(key)), root));
                }
            }
        }

        return new StateNodes(nodes, keys);
    }

    public byte[]? Code(in Hash256 hash) =>
        _reader.ReadCode(hash, out var code) == ReadStatus.Found ? code!.Memory.ToArray() : null;

    public void Dispose()
    {
    }

    private byte[]? KeyOf(in StatePlace place, in Hash256 hash)
    {
        var entries = _reader.EntriesOf(_reader.Locate(place.Trie, hash));
        var index = entries.IndexFrom(hash);
        return index < entries.Count && entries.Places[index] == hash
            ? entries.KeyAt(index)[1..].ToArray()
            : null;
    }
}
