using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>The first block, the head's moves, and how a block becomes the head.</summary>
public sealed partial class DocumentChain
{
    private long _refreshed;

    /// <summary>
    /// Opens the chain, or begins it where there is none; any number of processes may do so at once, but one is enough
    /// (<see cref="FindAsync(DocumentChainPorts, Genesis, DocumentChainOptions?, CancellationToken)"/>).
    /// </summary>
    /// <exception cref="StoreException">
    /// There is another chain, another version, or damage; the message says which.
    /// </exception>
    public static async Task<DocumentChain> OpenAsync(
        DocumentChainPorts ports,
        Genesis genesis,
        DocumentChainOptions? options = null,
        CancellationToken cancellation = default)
    {
        var (chain, first, accounts) = await PrepareAsync(ports, genesis, options, cancellation);
        while (!await chain.TryLoadAsync(cancellation))
        {
            await chain.TryBeginAsync(first, accounts, cancellation);
        }

        return chain;
    }

    /// <summary>Opens the chain where it has its first block; null where nobody has written that yet.</summary>
    /// <exception cref="StoreException">As of <see cref="OpenAsync"/>.</exception>
    public static async Task<DocumentChain?> FindAsync(
        DocumentChainPorts ports,
        Genesis genesis,
        DocumentChainOptions? options = null,
        CancellationToken cancellation = default)
    {
        var (chain, _, _) = await PrepareAsync(ports, genesis, options, cancellation);
        return await chain.TryLoadAsync(cancellation) ? chain : null;
    }

    private static async Task<(DocumentChain Chain, SealedBlock First, AllocatedAccount[] Accounts)> PrepareAsync(
        DocumentChainPorts ports, Genesis genesis, DocumentChainOptions? options, CancellationToken cancellation)
    {
        options ??= new DocumentChainOptions();
        options.State.Require();
        var head = new HeadFile(ports.Documents, options.HeadContainer);
        var found = await head.ReadAsync(cancellation);
        var accounts = Chain.AccountsOf(genesis);
        var first = Chain.BlockOf(genesis, StateRoot.Of(accounts));
        if (found is { } known && known.Document.GenesisHash != first.Block.Hash)
        {
            throw new StoreException(
                $"The store belongs to another chain: its first block is {known.Document.GenesisHash}, "
                + $"the genesis gives {first.Block.Hash}.");
        }

        return (new DocumentChain(ports, genesis.Spec, first.Block, options), first, accounts);
    }

    /// <summary>
    /// Looks whether the head moved, unless that was done less than <paramref name="maximumAge"/> ago; true where it
    /// did. One point read; <see cref="HeadChanged"/> is raised before it ends.
    /// </summary>
    public async Task<bool> RefreshAsync(TimeSpan maximumAge = default, CancellationToken cancellation = default)
    {
        if (IsFresh(maximumAge))
        {
            return false;
        }

        var asked = _ports.Clock.GetTimestamp();
        await _gate.WaitAsync(cancellation);
        try
        {
            // Who waited while another looked has what it asked for.
            return Volatile.Read(ref _refreshed) <= asked && !IsFresh(maximumAge)
                && await RefreshNowAsync(cancellation);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Moves the safe and the finalized block; numbers above the head are taken as the head.</summary>
    public async Task SetFinalityAsync(
        ulong safeNumber, ulong finalizedNumber, CancellationToken cancellation = default)
    {
        await AloneAsync(async () =>
        {
            if (Math.Max(safeNumber, finalizedNumber) > _view.Block.Number)
            {
                await RefreshNowAsync(cancellation);
            }

            for (var attempt = 0; attempt < MostAttempts; attempt++)
            {
                // Never back: another instance may know more by now.
                var known = _view.Document;
                var (safe, final) = (
                    Math.Max(known.Safe, Math.Min(safeNumber, _view.Block.Number)),
                    Math.Max(known.Finalized, Math.Min(finalizedNumber, _view.Block.Number)));
                if (safe == _view.Document.Safe && final == _view.Document.Finalized)
                {
                    return true;
                }

                var next = _view.Document with { Safe = safe, Finalized = final };
                if (await _head.TrySwapAsync(next, _view.ETag, cancellation) is { } etag)
                {
                    _view = _view with { Document = next, ETag = etag };
                    return true;
                }

                await RefreshNowAsync(cancellation);
            }

            throw new StoreException("The head moves faster than finality can be written.");
        });
    }

    public void SetFinality(ulong safeNumber, ulong finalizedNumber) =>
        SetFinalityAsync(safeNumber, finalizedNumber).GetAwaiter().GetResult();

    private bool IsFresh(TimeSpan maximumAge) =>
        maximumAge > TimeSpan.Zero && _ports.Clock.GetElapsedTime(Volatile.Read(ref _refreshed)) < maximumAge;

    /// <summary>The head's first look; false where no block is there yet.</summary>
    private async Task<bool> TryLoadAsync(CancellationToken cancellation)
    {
        if (await _head.ReadAsync(cancellation) is not { } found || found.Document.Head is not { } head)
        {
            return false;
        }

        var block = head.Number == 0
            ? new ArchivedBlock(Genesis, [])
            : await _archive.ReadAsync(head, cancellation);
        var pages = NewPages(found.Document);
        pages.Changes.Advance(head.Number, null);
        _view = new View(found.Document, found.ETag, block.Block, block.Receipts, pages);
        Volatile.Write(ref _refreshed, _ports.Clock.GetTimestamp());
        return true;
    }

    private async Task TryBeginAsync(
        SealedBlock first, AllocatedAccount[] accounts, CancellationToken cancellation)
    {
        var empty = new HeadDocument { GenesisHash = first.Block.Hash };
        var found = await _head.ReadAsync(cancellation);
        var etag = found?.ETag ?? await _head.TrySwapAsync(empty, null, cancellation);
        if (etag is null || found?.Document.Head is not null)
        {
            return;
        }

        // What a dead process left of the first block is no state to begin from.
        var nothing = new PageStore(new InMemoryDocumentStore(), new InMemoryBlobStore(), _options.State)
        {
            IsBeginning = true,
        };
        var reader = new PagedStateReader(nothing, 0, pinned: []);
        var tries = new StateTries(NoTrieNodes.Instance, _options.State.ParallelChanges);
        var transition = GenesisTransition.Of(accounts, tries);
        var made = new MadeBlock(first, transition, Receipts: [], LeftOut: [], Requests: []);
        var work = new Work(first.Block, reader, tries, made);
        _view = new View(found?.Document ?? empty, etag, first.Block, [], NewPages(empty));
        await CommitAsync(work, cancellation);
    }

    /// <summary>Reads the head; true where it moved.</summary>
    private async Task<bool> RefreshNowAsync(CancellationToken cancellation)
    {
        var started = _ports.Clock.GetTimestamp();
        var found = await _head.ReadAsync(cancellation)
            ?? throw new StoreException("The head document is missing.");
        var old = _view;
        if (found.ETag == old.ETag)
        {
            Volatile.Write(ref _refreshed, started);
            return false;
        }

        if (found.Document.GenesisHash != Genesis.Hash || found.Document.Head is not { } head
            || head.Number < old.Block.Number)
        {
            throw new StoreException("The head document is of another chain, or older than it was.");
        }

        if (head.Number == old.Block.Number)
        {
            _view = old with { Document = found.Document, ETag = found.ETag };
            Volatile.Write(ref _refreshed, started);
            return false;
        }

        var block = await _archive.ReadAsync(head, cancellation);
        var pages = old.Pages;
        if (pages.Generation == found.Document.Generation)
        {
            Forget(pages, old.Block.Number, found.Document);
        }
        else
        {
            // A state was taken over. Who reads an older one goes on with the pages of that.
            pages = NewPages(found.Document);
            pages.Changes.Advance(head.Number, null);
        }

        _view = new View(found.Document, found.ETag, block.Block, block.Receipts, pages);
        Volatile.Write(ref _refreshed, started);
        if (HeadChanged is not null)
        {
            await AnnounceAsync(old.Block.Number, head.Number, cancellation);
        }

        return true;
    }

    /// <summary>Gives up copies of what the blocks after the old head changed.</summary>
    private static void Forget(PageStore pages, ulong old, HeadDocument document)
    {
        var recent = document.Recent;
        if (recent[0].Entry.Number > old + 1)
        {
            pages.Changes.Advance(document.Head!.Number, null);
            return;
        }

        foreach (var block in recent)
        {
            if (block.Entry.Number > old)
            {
                pages.Changes.Advance(block.Entry.Number, block.Changed);
            }
        }
    }

    private PageStore NewPages(HeadDocument document) =>
        new(_ports.Documents, _ports.Blobs, _options.State, document.Generation);

    private async Task AnnounceAsync(ulong old, ulong head, CancellationToken cancellation)
    {
        var first = head - old > MostAnnounced ? head - MostAnnounced + 1 : old + 1;
        var added = new AddedBlock[(int)(head - first + 1)];
        await System.Threading.Tasks.Parallel.ForAsync(0, added.Length, cancellation, async (i, _) =>
        {
            var block = (await GetBlockAsync(first + (ulong)i))!;
            added[i] = new AddedBlock(block.Block, block.Receipts);
        });
        HeadChanged?.Invoke(new HeadChange([], added));
    }

    /// <summary>
    /// Makes an executed block the head; false, after a look at the head, where another executor was first.
    /// </summary>
    private async Task<bool> CommitAsync(Work work, CancellationToken cancellation)
    {
        var (view, block) = (_view, work.Made.Sealed.Block);
        var kept = _options.State.HistoryBlocks;
        var oldest = Math.Max(view.Document.Oldest, block.Number > kept ? block.Number - kept : 0);
        var planned = new PlannedBlock(block.Number, block.Hash, oldest);
        PagePlan plan;
        try
        {
            plan = new PagePlanner(work.Reader, _options.State).Plan(work.Made.Transition, planned);
        }
        catch (StaleHeadException stale) when (block.Number > 0)
        {
            return await RefreshNowAsync(cancellation)
                ? false
                : throw new StoreException($"The store is damaged: {stale.Message}", stale);
        }

        try
        {
            var claim = await ClaimAsync(view, planned, plan, cancellation);
            var pages = await WriteAsync(work, planned, plan, claim, cancellation);
            var (document, etag) = await FlipAsync(claim, HeaderEntry.Of(block), oldest, cancellation);
            Take(work, pages, document, etag);
            await RemoveAsync(claim.Blob is null ? plan.Pruned : [.. plan.Pruned, claim.Blob]);
        }
        catch (HeadLostException)
        {
            if (block.Number > 0)
            {
                await RefreshNowAsync(cancellation);
            }

            return false;
        }

        return true;
    }

    private async Task<LoadedPage[]> WriteAsync(
        Work work, PlannedBlock block, PagePlan plan, Claim claim, CancellationToken cancellation)
    {
        var others = new List<Task>
        {
            _archive.WriteAsync(work.Made.Sealed, work.Made.Receipts, cancellation),
            _index.WriteAsync(work.Made.Sealed.Block, cancellation),
        };
        others.AddRange(plan.Code.Select(
            code => _ports.Blobs.PutAsync(PageStore.CodeName(code.Hash), code.Memory, cancellation)));
        others.AddRange(plan.Segments.Select(
            segment => _ports.Blobs.PutAsync(segment.Name, segment.Body, cancellation)));
        if (claim.Document.Outgoing is { } headers)
        {
            others.Add(_archive.WriteHeadersAsync(headers, claim.Document.Since, cancellation));
        }

        await Task.WhenAll(others);
        var writer = new PageWriter(Pages, _head, block);
        var written = await writer.WriteAsync(plan.Pages, cancellation);
        var own = plan.Pages.Select(write => write.Page.Id).ToHashSet();
        var foreign = claim.Pages.Where(id => !own.Contains(id)).ToArray();
        if (foreign.Length > 0)
        {
            await writer.TakeBackAsync(foreign, cancellation);
        }

        return written;
    }

    /// <summary>The block is the head: what was written is what is known of it.</summary>
    private void Take(Work work, LoadedPage[] pages, HeadDocument document, string etag)
    {
        var (block, store) = (work.Made.Sealed.Block, Pages);
        store.Changes.Advance(block.Number, [.. pages.Select(page => page.Page.Id)]);
        foreach (var page in pages)
        {
            store.Remember(page);
        }

        foreach (var code in work.Made.Transition.NewCode.Values)
        {
            store.Remember(code);
        }

        var sink = new NodeCache(store);
        work.Made.Transition.Update!.Emit(ref sink);
        work.Tries.Recycle(work.Made.Transition.Update);
        work.Made.Transition.Update = null;
        _archive.Remember(new ArchivedBlock(block, work.Made.Receipts));
        _view = new View(document, etag, block, work.Made.Receipts, store);
        Volatile.Write(ref _refreshed, _ports.Clock.GetTimestamp());
        if (block.Number > 0)
        {
            HeadChanged?.Invoke(new HeadChange([], [new AddedBlock(block, work.Made.Receipts)]));
        }
    }

    /// <summary>Deletes spilled history that is older than what can be read; what stays only takes room.</summary>
    private async Task RemoveAsync(IReadOnlyList<string> names)
    {
        try
        {
            await Task.WhenAll(names.Select(name => _ports.Blobs.DeleteAsync(name)));
        }
        catch (StoreException)
        {
            // The block stands; a blob that nobody names is left.
        }
    }

    private readonly struct NodeCache(PageStore pages) : ITrieNodeSink
    {
        public void Remove(in TrieOwner owner, in Hash256 path, int depth)
        {
        }

        public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node) =>
            PagedTrieNodes.Keep(pages, hash, node.ToArray());
    }
}
