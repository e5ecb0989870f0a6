using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State;

/// <summary>The committed state: flat accounts and slots, one version of the trie, and reverse differences.</summary>
/// <remarks>
/// <code>
///   read latest   cache ─▶ flat value
///   read at B     flat value, then the first history entry above B, which wins
///   commit N      flat values, what N overwrote, head: one batch; trie nodes follow (TrieBuffer)
///   revert to R   what R+1 … head overwrote goes back, oldest first: one batch
/// </code>
/// <para>The trie is stored once, each node under its path, so a commit overwrites what it replaces and nothing has to
/// be collected. Nodes are checked against their hash when they come from the store.</para>
/// <para>Readers run beside one writer. A reader takes the flat value first and looks for newer blocks second, and a
/// commit names its block before it writes: so a reader never takes a value of a block above its own. Commits, reverts
/// and <see cref="RootOf"/> are for one thread at a time.</para>
/// </remarks>
public sealed partial class StateStore : IStateRecords, IDisposable
{
    private const int MaximumReverts = 64;

    private readonly IKeyValueStore _store;
    private readonly StateOptions _options;
    private readonly BoundedCache<Address, (bool Exists, AccountRecord Record)> _accounts;
    private readonly BoundedCache<SlotKey, UInt256> _slots;
    private readonly BoundedCache<Hash256, Code> _code;
    private readonly TrieBuffer _buffer;
    private readonly StoredTrieNodes _nodes;
    private readonly StateTries _tries;
    private volatile StateHead _head;

    /// <summary>The oldest block whose state can be read; raised before what it needed is deleted.</summary>
    private ulong _oldest;

    /// <summary>The newest block that is, or is about to be, in the store.</summary>
    private ulong _newest;

    /// <summary>Raised before and after every change; odd while one is under way.</summary>
    private long _version;

    /// <summary>Raised before and after every revert; odd while one is under way.</summary>
    private long _reverts;

    /// <summary>Where the latest reverts went, by their number modulo the length.</summary>
    private readonly ulong[] _revertTargets = new ulong[MaximumReverts];

    private StateStore(IKeyValueStore store, StateOptions options, StateHead head)
    {
        _store = store;
        _options = options;
        _accounts = new(options.AccountCacheEntries);
        _slots = new(options.SlotCacheEntries);
        _code = new(options.CodeCacheBytes);
        var (trieNumber, trieRoot) = StateMeta.ReadTrie(store);
        var cache = new BoundedCache<Hash256, byte[]>(options.TrieCacheBytes);
        _buffer = new TrieBuffer(store, options, trieNumber, cache);
        _nodes = new StoredTrieNodes(store, _buffer, cache);
        _tries = new StateTries(_nodes, options.ParallelChanges);
        _head = head;
        _newest = head.Number;
        _oldest = head.Oldest;
        if (trieNumber != head.Number)
        {
            CatchUp(trieNumber, trieRoot);
        }
    }

    /// <summary>The number of the block whose state is the latest.</summary>
    public ulong HeadNumber => _head.Number;

    /// <summary>Its state root.</summary>
    public Hash256 HeadRoot => _head.Root;

    /// <summary>The oldest block whose state can be read.</summary>
    public ulong OldestNumber => Volatile.Read(ref _oldest);

    /// <summary>The latest state; the reader stays with its block while the chain grows.</summary>
    public IStateReader Latest => At(_head.Number)!;

    /// <summary>Opens the state in a store; null where the store has none.</summary>
    /// <exception cref="StoreException">What is there is no state of this version.</exception>
    public static StateStore? Open(IKeyValueStore store, StateOptions? options = null) =>
        StateMeta.ReadHead(store) is { } head ? new StateStore(store, options ?? new(), head) : null;

    /// <summary>
    /// Puts the state of block 0 into a batch for an empty store; it can be opened once that is written.
    /// </summary>
    /// <returns>The state root.</returns>
    public static Hash256 WriteGenesis(
        IReadOnlyCollection<AllocatedAccount> accounts, IWriteBatch batch, StateOptions? options = null)
    {
        var root = GenesisState.Write(accounts, batch, (options ?? new()).ParallelChanges);
        StateMeta.WriteHead(batch, new StateHead(0, root, 0, 0));
        StateMeta.WriteTrie(batch, 0, root);
        return root;
    }

    /// <summary>The state after a block, or null where it is pruned or above the head.</summary>
    public IStateReader? At(ulong number)
    {
        var reverts = SettledReverts();
        var head = _head;
        return number <= head.Number && number >= OldestNumber ? new CommittedState(this, number, reverts) : null;
    }

    /// <summary>
    /// The root of the latest state with a block's changes so far (receipts before Byzantium hold it).
    /// </summary>
    public Hash256 RootOf(BlockState state)
    {
        var transition = Prepare(state);
        Discard(transition);
        return transition.Root;
    }

    /// <summary>Waits until nothing is being written any more; the key-value store is the caller's.</summary>
    public void Dispose() => _buffer.Wait();

    /// <summary>Counters of the caches, for metrics.</summary>
    public IReadOnlyDictionary<string, double> Statistics() => new Dictionary<string, double>
    {
        ["account_cache_entries"] = _accounts.Cost,
        ["account_cache_hits"] = _accounts.Hits,
        ["account_cache_misses"] = _accounts.Misses,
        ["slot_cache_entries"] = _slots.Cost,
        ["slot_cache_hits"] = _slots.Hits,
        ["slot_cache_misses"] = _slots.Misses,
        ["code_cache_bytes"] = _code.Cost,
        ["trie_cache_bytes"] = _nodes.Cache.Cost,
        ["trie_cache_hits"] = _nodes.Cache.Hits,
        ["trie_cache_misses"] = _nodes.Cache.Misses,
    };

    /// <summary>The newest record of an account, from memory or the store.</summary>
    internal bool ReadNewest(in Address address, out AccountRecord record)
    {
        if (_accounts.TryGet(address, out var cached))
        {
            record = cached.Record;
            return cached.Exists;
        }

        var version = Volatile.Read(ref _version);
        var exists = ReadFlat(_store, address, out record);
        if ((version & 1) == 0)
        {
            _accounts.SetIfUnchanged(address, (exists, record), ref _version, version);
        }

        return exists;
    }

    /// <summary>The newest value of a slot, from memory or the store; zero where absent.</summary>
    internal UInt256 ReadNewest(in Address address, in UInt256 slot)
    {
        var key = new SlotKey(address, slot);
        if (_slots.TryGet(key, out var value))
        {
            return value;
        }

        var version = Volatile.Read(ref _version);
        value = ReadFlat(_store, address, slot);
        if ((version & 1) == 0)
        {
            _slots.SetIfUnchanged(key, value, ref _version, version);
        }

        return value;
    }

    bool IStateRecords.ReadRecord(in Address address, out AccountRecord record) => ReadNewest(address, out record);

    Dictionary<UInt256, UInt256> IStateRecords.SlotsOf(in Address address) => SlotsOf(address);

    internal ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
    {
        if (codeHash == Code.Empty.Hash)
        {
            code = Code.Empty;
            return ReadStatus.Found;
        }

        if (_code.TryGet(codeHash, out code!))
        {
            return ReadStatus.Found;
        }

        var bytes = _store.Get(Column.Code, codeHash.Bytes);
        if (bytes is null)
        {
            code = null;
            return ReadStatus.Absent;
        }

        if (Keccak256.Hash(bytes) != codeHash)
        {
            throw new StoreException($"The store is damaged: the code under {codeHash} has another hash.");
        }

        code = new Code(bytes, codeHash);
        _code.Set(codeHash, code, CostOf(code));
        return ReadStatus.Found;
    }

    /// <summary>What the cache counts for code: its bytes, and as many again for what an engine works out.</summary>
    private static int CostOf(Code code) => (code.Length * 2) + 256;

    internal static bool ReadFlat(IKeyValueReader store, in Address address, out AccountRecord record)
    {
        Span<byte> bytes = stackalloc byte[AccountRecord.MaximumBytes];
        var length = store.Read(Column.Accounts, address.Bytes, bytes);
        record = default;
        if (length < 0)
        {
            return false;
        }

        record = DecodeRecord(bytes, length, address);
        return true;
    }

    internal static UInt256 ReadFlat(IKeyValueReader store, in Address address, in UInt256 slot)
    {
        Span<byte> key = stackalloc byte[StateKeys.SlotLength];
        Span<byte> bytes = stackalloc byte[32];
        StateKeys.WriteSlot(address, slot, key);
        var length = store.Read(Column.Slots, key, bytes);
        return length < 0 ? UInt256.Zero : DecodeValue(bytes, length, address);
    }

    internal static AccountRecord DecodeRecord(ReadOnlySpan<byte> bytes, int length, in Address address)
    {
        try
        {
            return AccountRecord.ReadFlat(bytes[..Math.Min(length, bytes.Length)]);
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The record of account {address} is damaged: {damage.Message}", damage);
        }
    }

    internal static UInt256 DecodeValue(ReadOnlySpan<byte> bytes, int length, in Address address) =>
        length <= 32
            ? UInt256.FromBigEndian(bytes[..length])
            : throw new StoreException($"A slot of {address} is damaged: it has {length} bytes.");
}
