using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>The state of one block, given out in parts; dispose it. One thread at a time.</summary>
public interface IStateParts : IDisposable
{
    /// <summary>The block.</summary>
    ulong Number { get; }

    /// <summary>
    /// The nodes from some places on, as many as the bytes allow; null where a place is none of this state's.
    /// </summary>
    StateNodes? Read(IReadOnlyList<StatePlace> places, int maximumBytes);

    /// <summary>Code by its hash; null where the state has none such.</summary>
    byte[]? Code(in Hash256 hash);
}

/// <summary>The state of one block, held still while others fetch it (<see cref="StateStore.Export"/>).</summary>
/// <remarks>
/// Tries know hashes of addresses and slots only, a store needs the keys themselves. For that a list of all addresses
/// is kept, 28 bytes an account, and the slots of one contract at a time. One thread at a time.
/// </remarks>
public sealed class StateExport : IStateParts
{
    private readonly IKeyValueSnapshot _snapshot;
    private readonly ITrieNodeSource _nodes;
    private readonly StateWalk _walk = new();
    private readonly List<(Hash256 Key, ReadOnlyMemory<byte> Value)> _leaves = [];
    private ulong[]? _hashes;
    private Address[] _addresses = [];
    private Address? _slotsOf;
    private Dictionary<Hash256, byte[]> _slots = [];

    internal StateExport(IKeyValueSnapshot snapshot, ITrieNodeSource nodes, ulong number, in Hash256 root) =>
        (_snapshot, _nodes, Number, Root) = (snapshot, nodes, number, root);

    public ulong Number { get; }

    /// <summary>Its state root.</summary>
    public Hash256 Root { get; }

    public StateNodes? Read(IReadOnlyList<StatePlace> places, int maximumBytes)
    {
        _walk.Stack.Clear();
        _walk.Stack.AddRange(places.Reverse());
        var (nodes, keys) = (new List<byte[]>(), new List<byte[]>());
        for (var bytes = 0; bytes < maximumBytes && _walk.Stack.Count > 0;)
        {
            var place = _walk.Pop();
            byte[] node;
            try
            {
                node = _nodes.Load(place.Trie, place.Path, place.Depth, place.Hash);
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
                var key = place.IsStorage ? SlotOf(place.Owner, hash) : AddressOf(hash, value);
                keys.Add(key);
                bytes += key.Length + 1;
            }
        }

        return new StateNodes(nodes, keys);
    }

    public byte[]? Code(in Hash256 hash) => _snapshot.Get(Column.Code, hash.Bytes);

    public void Dispose() => _snapshot.Dispose();

    private byte[] AddressOf(in Hash256 hash, ReadOnlyMemory<byte> value)
    {
        var wanted = Short(hash);
        _hashes ??= ListAddresses();
        var at = Array.BinarySearch(_hashes, wanted);
        while (at > 0 && _hashes[at - 1] == wanted)
        {
            at--;
        }

        for (; at >= 0 && at < _hashes.Length && _hashes[at] == wanted; at++)
        {
            if (Keccak256.Hash(_addresses[at].Bytes) == hash)
            {
                var root = AccountRecord.ReadFlat(value.Span).StorageRoot;
                if (root != TrieUpdater.EmptyRoot)
                {
                    _walk.Stack.Add(StatePlace.RootOf(TrieOwner.Storage(_addresses[at]), root));
                }

                return _addresses[at].ToArray();
            }
        }

        throw new StoreException($"The store is damaged: no account has the hashed address {hash}.");
    }

    private byte[] SlotOf(in Address owner, in Hash256 hash)
    {
        if (_slotsOf != owner)
        {
            _slots = [];
            using var cursor = _snapshot.OpenCursor(Column.Slots, owner.ToArray());
            while (cursor.MoveNext())
            {
                var slot = cursor.Key[Address.Size..].ToArray();
                _slots.Add(Keccak256.Hash(slot), slot);
            }

            _slotsOf = owner;
        }

        return _slots.TryGetValue(hash, out var found)
            ? found
            : throw new StoreException($"The store is damaged: {owner} has no slot with the hash {hash}.");
    }

    private ulong[] ListAddresses()
    {
        var hashes = new List<ulong>();
        var addresses = new List<Address>();
        using var cursor = _snapshot.OpenCursor(Column.Accounts, ReadOnlyMemory<byte>.Empty);
        while (cursor.MoveNext())
        {
            addresses.Add(new Address(cursor.Key));
            hashes.Add(Short(Keccak256.Hash(cursor.Key)));
        }

        var sorted = hashes.ToArray();
        _addresses = [.. addresses];
        Array.Sort(sorted, _addresses);
        return sorted;
    }

    private static ulong Short(in Hash256 hash) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(hash.Bytes);
}

/// <summary>A state held still, for others to fetch.</summary>
public sealed partial class StateStore
{
    /// <summary>The latest committed state; dispose it. Any thread, beside commits.</summary>
    public StateExport Export()
    {
        var (snapshot, recent) = _buffer.Capture();
        var head = StateMeta.ReadHead(snapshot) ?? throw new StoreException("The store has lost its state record.");
        return new StateExport(
            snapshot, new StoredTrieNodes(snapshot, recent, _nodes.Cache), head.Number, head.Root);
    }
}
