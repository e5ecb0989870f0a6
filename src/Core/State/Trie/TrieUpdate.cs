using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Trie;

/// <summary>New nodes of the accounts' trie and of storage tries, and the state root that they lead to.</summary>
internal sealed class TrieUpdate
{
    private readonly List<TrieUpdater> _updaters = [];

    internal Hash256 Root { get; set; }

    /// <summary>At most so many nodes are new or removed.</summary>
    internal int Count => _updaters.Sum(updater => updater.Count);

    internal void Add(TrieUpdater updater)
    {
        lock (_updaters)
        {
            _updaters.Add(updater);
        }
    }

    /// <summary>Hands every removal and every new node to the sink.</summary>
    internal void Emit<TSink>(ref TSink sink)
        where TSink : struct, ITrieNodeSink
    {
        foreach (var updater in _updaters)
        {
            updater.Emit(ref sink);
        }
    }

    /// <summary>Takes the updaters out, to be used again.</summary>
    internal IEnumerable<TrieUpdater> Release()
    {
        var released = _updaters.ToArray();
        _updaters.Clear();
        return released;
    }
}
