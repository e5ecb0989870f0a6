using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State;

/// <summary>Takes what a state consists of, in the order of its walk.</summary>
internal interface IStateSink
{
    /// <summary>A node, before everything below it.</summary>
    void Node(in StatePlace place, byte[] node);

    /// <summary>An account, after the node that holds its leaf; its storage comes next.</summary>
    /// <param name="hash">Keccak-256 of the address.</param>
    /// <param name="address">The address.</param>
    /// <param name="record">The account.</param>
    void Account(in Hash256 hash, ReadOnlySpan<byte> address, in AccountRecord record);

    /// <summary>A slot of the account whose storage is under way.</summary>
    /// <param name="owner">The account.</param>
    /// <param name="hash">Keccak-256 of the slot.</param>
    /// <param name="slot">The slot, 32 bytes.</param>
    /// <param name="value">Its value without leading zeros.</param>
    void Slot(in Address owner, in Hash256 hash, ReadOnlySpan<byte> slot, ReadOnlySpan<byte> value);
}

/// <summary>Checks a state that comes part by part, from its root down: whoever gives it is not trusted.</summary>
/// <remarks>
/// <code>
///   root ─▶ node, hash checked ─▶ its children's hashes ─▶ … ─▶ leaf: key checked by its hash ─▶ account, slot
/// </code>
/// What is still missing is a stack of places, all that has to be kept to go on later.
/// </remarks>
public sealed class StateIntake
{
    private readonly StateWalk _walk = new();
    private readonly List<(Hash256 Key, ReadOnlyMemory<byte> Value)> _leaves = [];

    /// <summary>Begins at a root.</summary>
    public StateIntake(in Hash256 root)
    {
        if (root != TrieUpdater.EmptyRoot)
        {
            _walk.Stack.Add(StatePlace.RootOf(TrieOwner.Accounts, root));
        }
    }

    /// <summary>Goes on with places that <see cref="WritePlaces"/> wrote, up to the end of the list.</summary>
    /// <exception cref="RlpException">They are damaged.</exception>
    public StateIntake(ref RlpReader places)
    {
        while (!places.AtEnd)
        {
            _walk.Stack.Add(StatePlace.Read(ref places));
        }
    }

    /// <summary>Whether every node is there.</summary>
    public bool IsComplete => _walk.Stack.Count == 0;

    /// <summary>The next places, the first of them next.</summary>
    public IReadOnlyList<StatePlace> Next(int count) => [.. Enumerable.Reverse(_walk.Stack).Take(count)];

    public void WritePlaces(RlpWriter writer)
    {
        foreach (var place in _walk.Stack)
        {
            place.Write(writer);
        }
    }

    /// <summary>
    /// Checks the nodes from <see cref="Next"/> on and goes behind them; the reason where one does not hold: then the
    /// places are as before.
    /// </summary>
    /// <param name="part">The nodes.</param>
    /// <param name="codes">Takes the hashes of the code that the part's accounts have.</param>
    public string? Take(StateNodes part, ISet<Hash256> codes) => Take(part, new CodeHashes(codes));

    /// <summary>
    /// As above; where the part does not hold, what the sink was given is to be thrown away.
    /// </summary>
    internal string? Take(StateNodes part, IStateSink sink)
    {
        if (part.Nodes.Count == 0)
        {
            return "a part of the state is empty";
        }

        var before = _walk.Stack.ToArray();
        var key = 0;
        string? error = null;
        for (var i = 0; i < part.Nodes.Count && error is null; i++)
        {
            error = Take(part.Nodes[i], part.Keys, ref key, sink);
        }

        error ??= key == part.Keys.Count ? null : "a part of the state has more keys than leaves";
        if (error is not null)
        {
            _walk.Stack.Clear();
            _walk.Stack.AddRange(before);
        }

        return error;
    }

    private string? Take(byte[] node, IReadOnlyList<byte[]> keys, ref int key, IStateSink sink)
    {
        if (_walk.Stack.Count == 0)
        {
            return "a part of the state has more nodes than are missing";
        }

        var place = _walk.Pop();
        if (Keccak256.Hash(node) != place.Hash)
        {
            return $"a node at depth {place.Depth} does not have the hash {place.Hash} that its parent names";
        }

        try
        {
            _walk.Expand(node, place, _leaves);
            sink.Node(place, node);
            foreach (var (hash, value) in _leaves)
            {
                if (key == keys.Count || Keccak256.Hash(keys[key]) != hash
                    || keys[key].Length != (place.IsStorage ? 32 : Address.Size))
                {
                    return $"the key of the leaf {hash} is missing, or another one";
                }

                TakeLeaf(place, hash, keys[key++], value.Span, sink);
            }

            return null;
        }
        catch (RlpException damage)
        {
            return $"a node at depth {place.Depth} is malformed: {damage.Message}";
        }
    }

    private void TakeLeaf(
        in StatePlace place, in Hash256 hash, byte[] key, ReadOnlySpan<byte> value, IStateSink sink)
    {
        if (place.IsStorage)
        {
            var reader = new RlpReader(value);
            var content = reader.ReadBytes();
            reader.RequireEnd();
            sink.Slot(place.Owner, hash, key, content);
            return;
        }

        var record = AccountRecord.ReadFlat(value);
        sink.Account(hash, key, record);
        if (record.StorageRoot != TrieUpdater.EmptyRoot)
        {
            _walk.Stack.Add(StatePlace.RootOf(TrieOwner.Storage(new Address(key)), record.StorageRoot));
        }
    }

    private sealed class CodeHashes(ISet<Hash256> codes) : IStateSink
    {
        public void Node(in StatePlace place, byte[] node)
        {
        }

        public void Account(in Hash256 hash, ReadOnlySpan<byte> address, in AccountRecord record)
        {
            if (record.CodeHash != Keccak256.OfEmpty)
            {
                codes.Add(record.CodeHash);
            }
        }

        public void Slot(in Address owner, in Hash256 hash, ReadOnlySpan<byte> slot, ReadOnlySpan<byte> value)
        {
        }
    }
}
