using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>Writes the state after an attested block beside the one that is in use, part by part.</summary>
/// <remarks>
/// <code>
///   blocks, from the attested one down ─▶ blobs and rows │ nodes, from the state's root ─▶ pages of a new generation
///   all there ─▶ <see cref="DocumentChain.TakeOverAsync"/>: the head names the generation, by one compare-and-swap
/// </code>
/// Nobody reads a generation that the head does not name. Every document and blob follows from the block's hash, so it
/// may be written any number of times, by any number of processes, one of them dead: what is there is right. What is
/// open between two parts can be kept (<see cref="Save"/>) and gone on with. Parts are checked again here: their
/// blobs are not trusted more than who gave them.
/// </remarks>
public sealed class StateTakeover
{
    private readonly DocumentChainPorts _ports;
    private readonly DocumentChainOptions _options;
    private readonly BlockArchive _archive;
    private readonly TransactionIndex _index;
    private readonly ChainBlock _genesis;
    private readonly PageStore _pages;
    private readonly List<HeaderEntry> _headers = [];
    private StateIntake? _intake;
    private PagedStateBuilder _builder;

    internal StateTakeover(
        DocumentChainPorts ports, DocumentChainOptions options, ChainBlock genesis, ulong number, in Hash256 blockHash)
    {
        (_ports, _options, _genesis, Number, BlockHash) = (ports, options, genesis, number, blockHash);
        (_archive, _index) = (new BlockArchive(ports.Blobs, options.BlockCacheBytes), new TransactionIndex(ports.Rows));
        // The split of pages is part of the name: two programs that cut differently do not meet.
        _pages = new PageStore(
            ports.Documents, ports.Blobs, options.State,
            $"g{number}.{Convert.ToHexStringLower(blockHash.Bytes[..8])}.{options.State.PageBytes}.");
        _pages.Changes.Advance(number, null);
        _builder = new PagedStateBuilder(options.State.PageBytes);
    }

    public ulong Number { get; }

    public Hash256 BlockHash { get; }

    /// <summary>The oldest block that comes with the state.</summary>
    public ulong LastBlock => Number > SnapshotBlocks.Count ? Number - SnapshotBlocks.Count + 1 : 1;

    /// <summary>Whether all blocks are there.</summary>
    public bool HasBlocks => _headers.Count > 0 && _headers[^1].Number == LastBlock;

    /// <summary>Whether the state is there too.</summary>
    public bool IsComplete => HasBlocks && _intake!.IsComplete;

    /// <summary>The places of the next nodes.</summary>
    public IReadOnlyList<StatePlace> Places => _intake?.Next(StateImport.MaximumPlaces) ?? [];

    /// <summary>Pages that were written here.</summary>
    public long Pages { get; private set; }

    internal string Generation => _pages.Generation;

    /// <summary>The blob of code with the hash.</summary>
    public static string CodeName(in Hash256 hash) => PageStore.CodeName(hash);

    /// <summary>The state after the block, once it is complete and <see cref="EndAsync"/> has ended.</summary>
    public IStateReader State => new PagedStateReader(_pages, Number);

    /// <summary>Goes on with what <see cref="Save"/> answered.</summary>
    /// <exception cref="StoreException">It is damaged, or of another block.</exception>
    internal void Load(ReadOnlySpan<byte> saved)
    {
        try
        {
            var reader = new RlpReader(saved);
            var list = reader.ReadList();
            reader.RequireEnd();
            if (list.ReadHash256() != BlockHash)
            {
                throw new RlpException("It is of another block.");
            }

            for (var headers = list.ReadList(); !headers.AtEnd;)
            {
                var item = headers.ReadList();
                _headers.Add(HeadDocument.ReadEntry(ref item));
            }

            var places = list.ReadList();
            _intake = _headers.Count == 0 ? null : new StateIntake(ref places);
            _builder = PagedStateBuilder.Read(ref list, _options.State.PageBytes);
            list.RequireEnd();
        }
        catch (RlpException damage)
        {
            throw new StoreException(
                $"What was kept of a state that is taken over is damaged: {damage.Message}", damage);
        }
    }

    /// <summary>What goes on where this one is; everything before it is written.</summary>
    public byte[] Save()
    {
        var writer = new RlpWriter(256 << 10);
        var list = writer.BeginList();
        writer.WriteHash256(BlockHash);
        var headers = writer.BeginList();
        foreach (var entry in _headers)
        {
            var item = writer.BeginList();
            HeadDocument.WriteEntry(writer, entry);
            writer.EndList(item);
        }

        writer.EndList(headers);
        var places = writer.BeginList();
        _intake?.WritePlaces(writer);
        writer.EndList(places);
        _builder.Write(writer);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <summary>Takes the next block below; it is the attested one, or the parent of the one before.</summary>
    /// <exception cref="StoreException">It is not, or a service fails.</exception>
    public async Task TakeBlockAsync(byte[] encoded, byte[] receipts, CancellationToken cancellation)
    {
        var expected = _headers.Count == 0 ? BlockHash : _headers[^1].Header.Header.ParentHash;
        if (SnapshotBlocks.Check(encoded, receipts, expected, out var block, out var results) is { } broken)
        {
            throw new StoreException($"The blocks of a state that is taken over are damaged: {broken}");
        }

        var total = _genesis.TotalDifficulty + block!.Header.Difficulty;
        var made = new ChainBlock(block, expected, total, encoded.Length);
        await Task.WhenAll(
            _archive.WriteAsync(new SealedBlock(made, encoded), results!, cancellation),
            _index.WriteAsync(made, cancellation));
        _headers.Add(HeaderEntry.Of(made));
        _intake ??= new StateIntake(block.Header.StateRoot);
    }

    /// <summary>Takes the next nodes and writes the pages that they complete.</summary>
    /// <exception cref="StoreException">They are not the next ones, or a service fails.</exception>
    public async Task TakeNodesAsync(StateNodes part, CancellationToken cancellation)
    {
        if (_intake!.Take(part, _builder) is { } broken)
        {
            throw new StoreException($"The nodes of a state that is taken over are damaged: {broken}");
        }

        await WritePagesAsync(cancellation);
    }

    /// <summary>Keeps code, under its hash: an account that has it may come later.</summary>
    public Task TakeCodeAsync(byte[] code, CancellationToken cancellation) =>
        _ports.Blobs.PutAsync(PageStore.CodeName(Keccak256.Hash(code)), code, cancellation);

    /// <summary>All parts are there: writes the last pages, and the headers that the head will not hold.</summary>
    public async Task EndAsync(CancellationToken cancellation)
    {
        if (!IsComplete)
        {
            throw new InvalidOperationException("A state that is not complete cannot be taken over.");
        }

        _builder.End();
        await WritePagesAsync(cancellation);
        var older = Headers().TakeWhile(entry => entry.Number < FirstRecent)
            .GroupBy(entry => entry.Number / HeadDocument.GroupBlocks);
        await Task.WhenAll(older.Select(group => _archive.WriteGroupAsync([.. group], cancellation)));
    }

    /// <summary>The transactions of the blocks from one on.</summary>
    public async Task<IReadOnlySet<Hash256>> IncludedAsync(ulong from, CancellationToken cancellation)
    {
        var included = new HashSet<Hash256>();
        foreach (var entry in _headers.Where(entry => entry.Number >= from))
        {
            var block = await _archive.ReadAsync(entry, cancellation);
            included.UnionWith(block.Block.Block.Transactions.Select(transaction => transaction.Hash));
        }

        return included;
    }

    /// <summary>The head that makes the state the one in use.</summary>
    internal HeadDocument Head => new()
    {
        GenesisHash = _genesis.Hash,
        Oldest = Number,
        Safe = Number,
        Finalized = Number,
        Since = Headers()[0].Number,
        Generation = Generation,
        Recent = [.. Headers().SkipWhile(entry => entry.Number < FirstRecent)
            .Select(entry => new RecentBlock(entry, null))],
    };

    /// <summary>The head document's groups begin at multiples of their length.</summary>
    private ulong FirstRecent
    {
        get
        {
            var first = Number - (Number % HeadDocument.GroupBlocks);
            return first > Headers()[0].Number ? first : Headers()[0].Number;
        }
    }

    /// <summary>The headers in rising order; the first block's too, where it is the next one below.</summary>
    private List<HeaderEntry> Headers()
    {
        var headers = Enumerable.Reverse(_headers).ToList();
        return headers[0].Number == 1 ? [HeaderEntry.Of(_genesis), .. headers] : headers;
    }

    private async Task WritePagesAsync(CancellationToken cancellation)
    {
        var finished = _builder.Take();
        var limits = new ParallelOptions
        {
            MaxDegreeOfParallelism = DocumentLimits.MostParallelReads,
            CancellationToken = cancellation,
        };
        await System.Threading.Tasks.Parallel.ForEachAsync(finished, limits, async (made, stop) =>
        {
            var page = new Page
            {
                Id = made.Id, Height = Number, Tag = BlockHash, Oldest = Number, Entries = made.Entries,
            };
            // Where it is there already it is this very page, or the head has moved on from it.
            await _ports.Documents.CreateAsync(_pages.KeyOf(made.Id), PageCodec.Encode(page), stop);
        });
        Pages += finished.Count;
    }
}
