using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Parallel;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>The chain over documents, blobs and rows: what the cloud has instead of a key-value store.</summary>
/// <remarks>
/// <code>
///   read      the head that this instance knows ─▶ pages, blobs, rows; a page says what it was at any block
///   refresh   head document ─▶ newer? forget the pages that its blocks changed, tell HeadChanged
///   produce   prefetch ─▶ execute ─▶ claim (head: N pending) ─▶ blobs, rows, pages of N ─▶ flip (head: N)
/// </code>
/// <para>The only atomicity is compare-and-swap of one document. Pages of block N are written over the version that
/// they
/// were worked out from; until the head names N they read as before. A crash anywhere leaves a claim: whoever comes
/// next
/// writes the same block again, or takes back what the claim names and writes another.</para>
/// <para>Any number of instances in any number of processes read; one executes at a time, and where two do one of them
/// loses and finds the other's block. Reads may run on any thread and wait for what they load. No timers, no threads:
/// an idle instance asks for nothing.</para>
/// </remarks>
public sealed partial class DocumentChain : IChain, IDisposable
{
    /// <summary>Blocks that one refresh announces; where there are more, only the newest.</summary>
    public const int MostAnnounced = 64;

    private const int HashCacheEntries = 16_384;

    private readonly DocumentChainPorts _ports;
    private readonly DocumentChainOptions _options;
    private readonly BlockArchive _archive;
    private readonly TransactionIndex _index;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly BoundedCache<ulong, Hash256> _hashes = new(HashCacheEntries);
    private readonly HeadFile _head;
    private volatile View _view = null!;
    private volatile BlockProcessor? _processor;

    private DocumentChain(
        DocumentChainPorts ports, ChainSpec spec, ChainBlock genesis, DocumentChainOptions options)
    {
        (_ports, _options, Spec, Genesis) = (ports, options, spec, genesis);
        _head = new HeadFile(ports.Documents, options.HeadContainer);
        _archive = new BlockArchive(ports.Blobs, options.BlockCacheBytes);
        _index = new TransactionIndex(ports.Rows);
        BlockHashes = new CanonicalHashes(this);
    }

    public event Action<HeadChange>? HeadChanged;

    public ChainSpec Spec { get; }

    public ulong ChainId => Spec.ChainId;

    public ChainBlock Genesis { get; }

    public ChainBlock Head => _view.Block;

    public ulong SafeNumber => Math.Min(_view.Document.Safe, _view.Block.Number);

    public ulong FinalizedNumber => Math.Min(_view.Document.Finalized, _view.Block.Number);

    public ulong OldestStateNumber => _view.Document.Oldest;

    public IBlockHashSource BlockHashes { get; }

    public void Dispose() => _gate.Dispose();

    /// <summary>Gives up what is kept in memory, the head apart: it is read again when it is asked for.</summary>
    public void Forget()
    {
        _processor = null; // its workers hold the state of the last block, every page that it read included
        Pages.Forget();
        _archive.Forget();
        _hashes.Clear();
    }

    /// <summary>Who executes; made when there is something to execute.</summary>
    private BlockProcessor Processor => _processor ??= _options.Processor ?? new BlockProcessor(
        new EvmEngine(),
        new ParallelTransactionRunner(() => new EvmEngine(), new ParallelRunnerOptions(Workers: 2)));

    /// <summary>Counters of the caches, for metrics.</summary>
    public IReadOnlyDictionary<string, double> Statistics() => Pages.Statistics();

    public ChainBlock? GetBlock(ulong number) => Wait(GetBlockAsync(number))?.Block;

    public ChainBlock? GetBlock(in Hash256 hash)
    {
        var view = _view;
        if (view.Block.Hash == hash)
        {
            return view.Block;
        }

        return NumberOf(hash) is { } number && GetBlock(number) is { } block && block.Hash == hash ? block : null;
    }

    public ChainHeader? GetHeader(ulong number) => Wait(HeaderAsync(number))?.Header;

    public bool IsCanonical(in Hash256 hash) =>
        _view.Block.Hash == hash || (NumberOf(hash) is { } number && HashOf(number) == hash);

    public IReadOnlyList<Receipt>? GetReceipts(ulong number) => Wait(GetBlockAsync(number))?.Receipts;

    public void Prefetch(IReadOnlyList<ulong> numbers) => Wait(Task.WhenAll(numbers.Select(GetBlockAsync)));

    public TransactionLocation? FindTransaction(in Hash256 transactionHash) =>
        Wait(FindAsync(transactionHash))?.Place;

    public UInt256? TotalDifficulty(in Hash256 blockHash) => GetBlock(blockHash)?.TotalDifficulty;

    public StateLookup StateAt(ulong number)
    {
        var view = _view;
        return number > view.Block.Number ? new StateLookup(null, StateAvailability.UnknownBlock)
            : number < view.Document.Oldest ? new StateLookup(null, StateAvailability.Pruned)
            : new StateLookup(new PagedStateReader(view.Pages, number), StateAvailability.Available);
    }

    public ProofLookup GetProof(ulong number, in Address address, IReadOnlyList<UInt256> slots)
    {
        var view = _view;
        if (number > view.Block.Number)
        {
            return new ProofLookup(null, StateAvailability.UnknownBlock);
        }

        if (number < view.Document.Oldest || GetHeader(number) is not { } header)
        {
            return new ProofLookup(null, StateAvailability.Pruned);
        }

        var nodes = new PagedTrieNodes(view.Pages, new PagedStateReader(view.Pages, number));
        var proof = StateStore.Prove(nodes, header.Header.StateRoot, address, slots);
        return new ProofLookup(proof, StateAvailability.Available);
    }

    /// <summary>
    /// The state after a block, to be given out in parts; null where it cannot be read. Costs nothing until it is
    /// asked for a part.
    /// </summary>
    public IStateParts? ExportState(ulong number)
    {
        var view = _view;
        return number > view.Block.Number || number < view.Document.Oldest
            ? null
            : new PagedStateExport(view.Pages, number);
    }

    /// <summary>What became of a transaction, as far as the head that this instance knows; null: nothing yet.</summary>
    public async Task<TransactionFate?> FindAsync(Hash256 transactionHash, CancellationToken cancellation = default)
    {
        if (await _index.FindAsync(transactionHash, cancellation) is not { } row)
        {
            return null;
        }

        if (row.DropReason is not null)
        {
            return new TransactionFate(null, row.DropReason);
        }

        if (await HeaderAsync(row.Number) is not { } header)
        {
            return null;
        }

        if (header.Header.Hash == row.BlockHash)
        {
            return new TransactionFate(new TransactionLocation(row.Number, row.BlockHash, row.Index), null);
        }

        // The row is of a block that was given up for another one of its number, which may well have it too.
        var block = (await GetBlockAsync(row.Number))!.Block;
        for (var i = 0; i < block.Block.Transactions.Count; i++)
        {
            if (block.Block.Transactions[i].Hash == transactionHash)
            {
                return new TransactionFate(new TransactionLocation(block.Number, block.Hash, i), null);
            }
        }

        return null;
    }

    /// <summary>
    /// Notes transactions that were given up for good, with the reason; those that stand in a block keep their place.
    /// </summary>
    public async Task RecordDroppedAsync(
        IReadOnlyList<(Hash256 Hash, string Reason)> dropped, CancellationToken cancellation = default)
    {
        var open = new List<(Hash256, string)>(dropped.Count);
        foreach (var entry in dropped)
        {
            if (await FindAsync(entry.Hash, cancellation) is null)
            {
                open.Add(entry);
            }
        }

        if (open.Count > 0)
        {
            await _index.WriteDroppedAsync(open, cancellation);
        }
    }

    /// <summary>The state after a block, for any thread and as long as it is kept.</summary>
    private PagedStateReader ReaderAt(ulong number) => new(Pages, number);

    private async Task<ArchivedBlock?> GetBlockAsync(ulong number)
    {
        var view = _view;
        if (number == view.Block.Number && view.Receipts is { } receipts)
        {
            return new ArchivedBlock(view.Block, receipts);
        }

        if (number == 0)
        {
            return new ArchivedBlock(Genesis, []);
        }

        return await HeaderAsync(number) is { } header
            ? await _archive.ReadAsync(header, CancellationToken.None)
            : null;
    }

    /// <summary>The pages as the head names them.</summary>
    private PageStore Pages => _view.Pages;

    private ValueTask<HeaderEntry?> HeaderAsync(ulong number)
    {
        var (recent, since) = (_view.Document.Recent, _view.Document.Since);
        if (number < since)
        {
            return new(number == 0 ? HeaderEntry.Of(Genesis) : null);
        }

        var first = recent[0].Entry.Number;
        if (number >= first)
        {
            var place = number - first;
            return new(place < (ulong)recent.Count ? recent[(int)place].Entry : null);
        }

        return new(ReadAsync());

        async Task<HeaderEntry?> ReadAsync() =>
            await _archive.ReadHeaderAsync(number, since, first, CancellationToken.None);
    }

    private ulong? NumberOf(in Hash256 hash)
    {
        foreach (var block in _view.Document.Recent)
        {
            if (block.Entry.Header.Hash == hash)
            {
                return block.Entry.Number;
            }
        }

        return Wait(_index.FindBlockAsync(hash, CancellationToken.None));
    }

    /// <summary>The hash of the canonical block with the number; null above the head.</summary>
    private Hash256? HashOf(ulong number)
    {
        if (_hashes.TryGet(number, out var known))
        {
            return known;
        }

        if (GetHeader(number) is not { } header)
        {
            return null;
        }

        _hashes.Set(number, header.Hash);
        return header.Hash;
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static T Wait<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : Wait(task.AsTask());

    /// <summary>The head as this instance knows it.</summary>
    /// <param name="Document">Its document.</param>
    /// <param name="ETag">The document's version.</param>
    /// <param name="Block">The head block.</param>
    /// <param name="Receipts">Its receipts; null where they were not needed yet.</param>
    /// <param name="Pages">The pages that the document names.</param>
    private sealed record View(
        HeadDocument Document, string ETag, ChainBlock Block, IReadOnlyList<Receipt>? Receipts, PageStore Pages);

    private sealed class CanonicalHashes(DocumentChain chain) : IBlockHashSource
    {
        public Hash256 HashOf(ulong number) => chain.HashOf(number) ?? Hash256.Zero;
    }
}
