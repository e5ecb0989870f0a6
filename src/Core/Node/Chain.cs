using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>The chain over a key-value store.</summary>
/// <remarks>
/// <code>
///   Import   header, body ─▶ execute ─▶ roots ─┬─ on the head ─────────────▶ one batch: state, block, indexes
///                                              └─ elsewhere ─▶ side pool ─▶ heavier: unwind and switch, one batch
///   Produce  candidates ─▶ execute, leave out invalid ones ─▶ header ─▶ one batch
/// </code>
/// <para>Fork choice: the highest total difficulty, the first seen of equals (proof of work); from the terminal total
/// difficulty on, the last valid block (EIP-3675). Side blocks are executed when they come, on an overlay over the
/// latest state, so that an invalid one is refused at once; they live in memory.</para>
/// </remarks>
public sealed partial class Chain : IChain, IDisposable
{
    private const int BlockOverhead = 512;

    private readonly IKeyValueStore _store;
    private readonly ChainOptions _options;
    private readonly StateStore _state;
    private readonly BlockProcessor _processor;
    private readonly Lock _writing = new();
    private readonly BoundedCache<ulong, ChainBlock> _blocks;
    private readonly BoundedCache<ulong, IReadOnlyList<Receipt>> _receipts;
    private readonly BoundedCache<ulong, Hash256> _hashes = new(HashCacheEntries);
    private volatile ChainBlock _head;
    private ulong _safe;
    private ulong _finalized;

    /// <summary>Raised before and after canonical blocks are replaced or removed.</summary>
    private long _version;

    /// <summary>Hashes that are kept for BLOCKHASH: 256 and room for older ones that are asked for.</summary>
    private const int HashCacheEntries = 16_384;

    private Chain(IKeyValueStore store, ChainSpec spec, StateStore state, ChainBlock genesis, ChainOptions options)
    {
        _store = store;
        _options = options;
        _state = state;
        _processor = options.Processor ?? new BlockProcessor(new EvmEngine());
        _blocks = new(options.BlockCacheBytes, stripes: 1);
        _receipts = new(options.BlockCacheBytes, stripes: 1);
        Spec = spec;
        Genesis = genesis;
        _head = state.HeadNumber == 0
            ? genesis
            : ChainRecords.ReadBlock(store, state.HeadNumber)
                ?? throw new StoreException($"The store is damaged: head block {state.HeadNumber} is missing.");
        if (_head.Header.StateRoot != state.HeadRoot)
        {
            throw new StoreException($"The store is damaged: block {_head.Number} does not have its state's root.");
        }

        (_safe, _finalized) = ChainRecords.ReadFinality(store);
        BlockHashes = new CanonicalHashes(this);
    }

    public event Action<HeadChange>? HeadChanged;

    public ChainSpec Spec { get; }

    public ulong ChainId => Spec.ChainId;

    public ChainBlock Genesis { get; }

    public ChainBlock Head => _head;

    public ulong SafeNumber => Math.Min(Volatile.Read(ref _safe), _head.Number);

    public ulong FinalizedNumber => Math.Min(Volatile.Read(ref _finalized), _head.Number);

    public ulong OldestStateNumber => _state.OldestNumber;

    public IBlockHashSource BlockHashes { get; }

    /// <summary>Waits until nothing is being written any more; dispose the chain before its store.</summary>
    public void Dispose() => _state.Dispose();

    /// <summary>The latest state, held still for others to fetch; dispose it.</summary>
    public StateExport ExportState() => _state.Export();

    /// <summary>Counters of the state's caches, for metrics.</summary>
    public IReadOnlyDictionary<string, double> Statistics() => _state.Statistics();

    /// <summary>Opens the chain in a store, or begins it there where the store is empty.</summary>
    /// <exception cref="StoreException">
    /// The store has another chain, another version, or is damaged; the message says which.
    /// </exception>
    public static Chain Open(IKeyValueStore store, Genesis genesis, ChainOptions? options = null)
    {
        options ??= new ChainOptions();
        StateImport.Finish(store);
        var state = StateStore.Open(store, options.State);
        var known = ChainRecords.ReadGenesisHash(store);
        if (state is null != known is null)
        {
            throw new StoreException(
                "The store is damaged: it has a state without a chain, or a chain without a state.");
        }

        var accounts = AccountsOf(genesis);
        ChainBlock block;
        if (state is null)
        {
            block = Begin(store, genesis, accounts, options);
            state = StateStore.Open(store, options.State)!;
        }
        else
        {
            block = BlockOf(genesis, StateRoot.Of(accounts)).Block;
            if (known != block.Hash)
            {
                throw new StoreException(
                    $"The store belongs to another chain: its first block is {known}, the genesis gives {block.Hash}.");
            }
        }

        return new Chain(store, genesis.Spec, state, block, options);
    }

    public ChainBlock? GetBlock(ulong number)
    {
        var head = _head;
        if (number == head.Number)
        {
            return head;
        }

        if (number > head.Number)
        {
            return null;
        }

        if (_blocks.TryGet(number, out var block))
        {
            return block;
        }

        var version = Volatile.Read(ref _version);
        var read = ChainRecords.ReadBlock(_store, number);
        if (read is not null && (version & 1) == 0)
        {
            _blocks.SetIfUnchanged(number, read, ref _version, version, read.Size + BlockOverhead);
        }

        return read;
    }

    public ChainBlock? GetBlock(in Hash256 hash)
    {
        if (_head.Hash == hash)
        {
            return _head;
        }

        if (ChainRecords.ReadNumber(_store, hash) is { } number && GetBlock(number) is { } block && block.Hash == hash)
        {
            return block;
        }

        return _side.TryGetValue(hash, out var side) ? side.Sealed.Block : null;
    }

    public ChainHeader? GetHeader(ulong number)
    {
        var head = _head;
        if (number == head.Number)
        {
            return new ChainHeader(head.Header, head.Hash);
        }

        if (number > head.Number)
        {
            return null;
        }

        return _blocks.TryGet(number, out var block)
            ? new ChainHeader(block.Header, block.Hash)
            : ChainRecords.ReadHeader(_store, number)?.Header;
    }

    public bool IsCanonical(in Hash256 hash) =>
        _head.Hash == hash || (ChainRecords.ReadNumber(_store, hash) is { } number && HashOf(number) == hash);

    public IReadOnlyList<Receipt>? GetReceipts(ulong number)
    {
        if (number > _head.Number)
        {
            return null;
        }

        if (_receipts.TryGet(number, out var receipts))
        {
            return receipts;
        }

        var version = Volatile.Read(ref _version);
        var read = ChainRecords.ReadReceipts(_store, number);
        if (read is not null && (version & 1) == 0)
        {
            _receipts.SetIfUnchanged(number, read, ref _version, version, CostOf(read));
        }

        return read;
    }

    public TransactionLocation? FindTransaction(in Hash256 transactionHash) =>
        ChainRecords.ReadTransactionPlace(_store, transactionHash) is { } place && HashOf(place.Number) is { } hash
            ? new TransactionLocation(place.Number, hash, place.Index)
            : null;

    public UInt256? TotalDifficulty(in Hash256 blockHash) => GetBlock(blockHash)?.TotalDifficulty;

    public StateLookup StateAt(ulong number)
    {
        if (number > _head.Number)
        {
            return new StateLookup(null, StateAvailability.UnknownBlock);
        }

        return _state.At(number) is { } state
            ? new StateLookup(state, StateAvailability.Available)
            : new StateLookup(null, StateAvailability.Pruned);
    }

    public ProofLookup GetProof(ulong number, in Address address, IReadOnlyList<UInt256> slots)
    {
        if (number > _head.Number)
        {
            return new ProofLookup(null, StateAvailability.UnknownBlock);
        }

        return _state.Prove(number, address, slots) is { } proof
            ? new ProofLookup(proof, StateAvailability.Available)
            : new ProofLookup(null, StateAvailability.Pruned);
    }

    public void SetFinality(ulong safeNumber, ulong finalizedNumber)
    {
        lock (_writing)
        {
            var safe = Math.Min(safeNumber, _head.Number);
            var finalized = Math.Min(finalizedNumber, _head.Number);
            using var batch = _store.CreateBatch();
            ChainRecords.WriteFinality(batch, safe, finalized);
            _store.Write(batch);
            Volatile.Write(ref _safe, safe);
            Volatile.Write(ref _finalized, finalized);
        }
    }

    /// <summary>The hash of the canonical block with the number; null above the head.</summary>
    private Hash256? HashOf(ulong number)
    {
        var head = _head;
        if (number >= head.Number)
        {
            return number == head.Number ? head.Hash : null;
        }

        if (number + 1 == head.Number)
        {
            return head.Header.ParentHash;
        }

        if (_hashes.TryGet(number, out var hash))
        {
            return hash;
        }

        var version = Volatile.Read(ref _version);
        if (ChainRecords.ReadHeader(_store, number) is not { } header)
        {
            return null;
        }

        if ((version & 1) == 0)
        {
            _hashes.SetIfUnchanged(number, header.Header.Hash, ref _version, version);
        }

        return header.Header.Hash;
    }

    internal static int CostOf(IReadOnlyList<Receipt> receipts)
    {
        var bytes = BlockOverhead;
        foreach (var receipt in receipts)
        {
            bytes += BlockOverhead;
            foreach (var log in receipt.Logs)
            {
                bytes += log.Data.Length + BlockOverhead / 2;
            }
        }

        return bytes;
    }

    internal static AllocatedAccount[] AccountsOf(Genesis genesis) => [.. genesis.Alloc.Select(pair =>
        new AllocatedAccount(
            pair.Key,
            pair.Value.Nonce,
            pair.Value.Balance,
            pair.Value.Code.Length == 0 ? null : new Code(pair.Value.Code),
            pair.Value.Storage))];

    internal static SealedBlock BlockOf(Genesis genesis, in Hash256 stateRoot)
    {
        var block = genesis.BlockOver(stateRoot);
        var encoded = BlockCodec.Encode(block);
        var hash = HeaderCodec.Hash(block.Header);
        return new SealedBlock(new ChainBlock(block, hash, block.Header.Difficulty, encoded.Length), encoded);
    }

    private static ChainBlock Begin(
        IKeyValueStore store, Genesis genesis, AllocatedAccount[] accounts, ChainOptions options)
    {
        using var batch = store.CreateBatch();
        var root = StateStore.WriteGenesis(accounts, batch, options.State);
        var block = BlockOf(genesis, root);
        ChainRecords.WriteGenesisHash(batch, block.Block.Hash);
        ChainRecords.Write(batch, block, []);
        store.Write(batch, sync: options.SyncWrites);
        return block.Block;
    }

    private sealed class CanonicalHashes(Chain chain) : IBlockHashSource
    {
        public Hash256 HashOf(ulong number) => chain.HashOf(number) ?? Hash256.Zero;
    }
}
