using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State.Paged;

/// <summary>A page as the head sees it, and the version of its document.</summary>
/// <param name="Page">
/// As of the head that it was read at; where others moved the head far above that, as of a later block.
/// </param>
/// <param name="ETag">Null where there is no document.</param>
/// <param name="Seen">That head.</param>
internal sealed record LoadedPage(Page Page, string? ETag, ulong Seen);

/// <summary>Documents have moved on: who executes must look at the head first.</summary>
internal sealed class StaleHeadException(string message) : Exception(message);

/// <summary>Pages, code and spilled history behind a read-through cache; one for a process.</summary>
/// <remarks>
/// A page in the cache is good as long as no block above the head that it was read at has changed it
/// (<see cref="PageChanges"/>). Two who want the same page share one request. Any thread.
/// </remarks>
/// <param name="documents">The pages.</param>
/// <param name="blobs">Code and spilled history.</param>
/// <param name="options">How state lies in documents.</param>
/// <param name="generation">Begins the name of every page: a state that was taken over has pages of its own.</param>
internal sealed class PageStore(
    IDocumentStore documents, IBlobStore blobs, PagedOptions options, string generation = "")
{
    /// <summary>Reads of a page that became old while it was on its way.</summary>
    private const int MostAttempts = 8;

    private readonly BoundedCache<PageId, LoadedPage> _pages = new(options.PageCacheBytes);
    private readonly BoundedCache<string, IReadOnlyList<PageUndo>> _segments =
        new(options.HistoryCacheBytes, stripes: 1);
    private readonly BoundedCache<Hash256, Code> _code = new(options.CodeCacheBytes, stripes: 1);
    private readonly Dictionary<PageId, Task<LoadedPage>> _underWay = [];

    internal PagedOptions Options => options;

    internal string Generation => generation;

    /// <summary>Whether there is no first block yet.</summary>
    internal bool IsBeginning { get; init; }

    internal IDocumentStore Documents => documents;

    internal IBlobStore Blobs => blobs;

    internal PageChanges Changes { get; } = new();

    /// <summary>Trie nodes by hash, which are right at any head.</summary>
    internal BoundedCache<Hash256, byte[]> Nodes { get; } = new(options.NodeCacheBytes);

    internal DocumentKey KeyOf(in PageId id)
    {
        var name = generation + id.Name;
        return new DocumentKey(options.Container, name, name);
    }

    /// <summary>The page from memory; false where it must be loaded.</summary>
    internal bool TryGet(in PageId id, out LoadedPage page) =>
        _pages.TryGet(id, out page) && Changes.IsCurrent(id, page.Seen);

    internal void Remember(LoadedPage page) => _pages.Set(page.Page.Id, page, page.Page.Cost);

    /// <summary>Empties the caches.</summary>
    internal void Forget()
    {
        _pages.Clear();
        _segments.Clear();
        _code.Clear();
        Nodes.Clear();
    }

    /// <summary>The page, from memory or its document.</summary>
    /// <exception cref="StaleHeadException">There is no such document.</exception>
    internal async Task<LoadedPage> GetAsync(PageId id, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            if (TryGet(id, out var known))
            {
                return known;
            }

            Task<LoadedPage>? reading;
            lock (_underWay)
            {
                if (!_underWay.TryGetValue(id, out reading))
                {
                    _underWay[id] = reading = ReadAndRememberAsync(id);
                }
            }

            var read = await reading.WaitAsync(cancellation);
            if (Changes.IsCurrent(id, read.Seen))
            {
                return read;
            }
        }

        throw new StoreException($"{id.Name} changes faster than it can be read.");
    }

    /// <summary>Many pages, as many reads at once as the documents take.</summary>
    internal async Task<LoadedPage[]> GetManyAsync(IReadOnlyList<PageId> ids, CancellationToken cancellation)
    {
        var found = new LoadedPage[ids.Count];
        var limits = new ParallelOptions
        {
            MaxDegreeOfParallelism = DocumentLimits.MostParallelReads,
            CancellationToken = cancellation,
        };
        await System.Threading.Tasks.Parallel.ForAsync(
            0, ids.Count, limits, async (i, stop) => found[i] = await GetAsync(ids[i], stop));
        return found;
    }

    /// <summary>The page from its document, as of the head.</summary>
    internal async Task<LoadedPage> ReadAsync(PageId id, CancellationToken cancellation)
    {
        var head = Changes.Head;
        var document = await documents.GetAsync(KeyOf(id), cancellation);
        if (document is null)
        {
            // Storage begins without a page; the accounts' first page is there from the first block on.
            return id.Bits == 0 && (id.Owner.IsStorage || IsBeginning)
                ? new LoadedPage(Page.Nothing(id), null, head)
                : throw new StaleHeadException($"{id.Name} is missing.");
        }

        var page = PageCodec.Decode(id, document.Body.Span);
        var seen = page.AsOf(head) ?? (id.Bits == 0 && page.Previous is null ? Page.Nothing(id) : page);
        return new LoadedPage(seen, document.ETag, head);
    }

    internal bool TryGetCode(in Hash256 hash, out Code? code)
    {
        if (hash == Code.Empty.Hash)
        {
            code = Code.Empty;
            return true;
        }

        return _code.TryGet(hash, out code!);
    }

    /// <summary>Contract code; null for a hash that no account has.</summary>
    internal async Task<Code?> GetCodeAsync(Hash256 hash, CancellationToken cancellation)
    {
        if (TryGetCode(hash, out var known))
        {
            return known;
        }

        if (await blobs.GetAsync(CodeName(hash), cancellation) is not { } bytes)
        {
            return null;
        }

        if (Keccak256.Hash(bytes.Span) != hash)
        {
            throw new StoreException($"The store is damaged: the code under {hash} has another hash.");
        }

        var code = new Code(bytes.Span, hash);
        Remember(code);
        return code;
    }

    internal void Remember(Code code) => _code.Set(code.Hash, code, (code.Length * 2) + 256);

    internal static string CodeName(in Hash256 hash) => $"code/{Convert.ToHexStringLower(hash.Bytes)}";

    /// <summary>What older blocks overwrote in a page.</summary>
    /// <exception cref="StateUnavailableException">It was pruned.</exception>
    internal async Task<IReadOnlyList<PageUndo>> GetSegmentAsync(string name, CancellationToken cancellation)
    {
        if (_segments.TryGet(name, out var known))
        {
            return known;
        }

        var bytes = await blobs.GetAsync(name, cancellation)
            ?? throw new StateUnavailableException("The state was pruned while it was read.");
        var log = PageCodec.DecodeSegment(name, bytes.Span);
        _segments.Set(name, log, log.Sum(undo => undo.Before.Cost));
        return log;
    }

    internal IReadOnlyDictionary<string, double> Statistics() => new Dictionary<string, double>
    {
        ["page_cache_bytes"] = _pages.Cost,
        ["page_cache_hits"] = _pages.Hits,
        ["page_cache_misses"] = _pages.Misses,
        ["code_cache_bytes"] = _code.Cost,
        ["trie_cache_bytes"] = Nodes.Cost,
        ["trie_cache_hits"] = Nodes.Hits,
        ["trie_cache_misses"] = Nodes.Misses,
    };

    private async Task<LoadedPage> ReadAndRememberAsync(PageId id)
    {
        try
        {
            await Task.Yield(); // the lock is the caller's until here
            var read = await ReadAsync(id, CancellationToken.None);
            Remember(read);
            return read;
        }
        finally
        {
            lock (_underWay)
            {
                _underWay.Remove(id);
            }
        }
    }
}
