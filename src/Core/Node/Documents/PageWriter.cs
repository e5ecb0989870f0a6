using SuperVm.Core.Primitives;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>Another executor has taken the head over, or moved it.</summary>
internal sealed class HeadLostException() : Exception("Another executor moved the head.");

/// <summary>Writes a claimed block's pages, and takes those of a given-up claim back.</summary>
/// <remarks>
/// <code>
///   replace the version that the page was worked out from ──done──▶
///        │ somebody wrote since, or nobody knows how the write ended
///        ▼
///   read the page ─▶ look whether the claim still stands ─no─▶ lost
///        │ it is this very block's: done      │ yes
///        └───────────────────────────────────▶ replace the version read, and so on
/// </code>
/// The claim is looked at after the page is read: an executor that takes over later writes the page after that, and so
/// this one's replacement fails.
/// </remarks>
/// <param name="store">The pages.</param>
/// <param name="head">The head document.</param>
/// <param name="block">The block that the claim is for.</param>
internal sealed class PageWriter(PageStore store, HeadFile head, PlannedBlock block)
{
    /// <summary>Times that a page may be found changed by others.</summary>
    private const int MostAttempts = 8;

    /// <summary>Writes of a page that may fail in an unknown way before the block is given up for now.</summary>
    private const int MostFailures = 2;

    /// <summary>Writes the pages, many at once; answers their new versions.</summary>
    /// <exception cref="HeadLostException">The claim does not stand any more.</exception>
    internal async Task<LoadedPage[]> WriteAsync(IReadOnlyList<PageWrite> writes, CancellationToken cancellation)
    {
        var written = new LoadedPage[writes.Count];
        await System.Threading.Tasks.Parallel.ForAsync(0, writes.Count, Limits(cancellation), async (i, stop) =>
            written[i] = new LoadedPage(writes[i].Page, await WriteAsync(writes[i], stop), block.Number));
        return written;
    }

    /// <summary>Takes back what was written for another block of this number.</summary>
    /// <exception cref="HeadLostException">The claim does not stand any more.</exception>
    internal Task TakeBackAsync(IReadOnlyCollection<PageId> pages, CancellationToken cancellation) =>
        System.Threading.Tasks.Parallel.ForEachAsync(
            pages, Limits(cancellation), async (page, stop) => await TakeBackAsync(page, stop));

    private static ParallelOptions Limits(CancellationToken cancellation) => new()
    {
        MaxDegreeOfParallelism = DocumentLimits.MostParallelReads,
        CancellationToken = cancellation,
    };

    private async Task<string> WriteAsync(PageWrite write, CancellationToken cancellation)
    {
        var key = store.KeyOf(write.Page.Id);
        var body = PageCodec.Encode(write.Page);
        var (etag, failures) = (write.ETag, 0);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            try
            {
                var end = etag is null
                    ? await store.Documents.CreateAsync(key, body, cancellation)
                    : await store.Documents.ReplaceAsync(key, body, etag, cancellation);
                if (end.IsDone)
                {
                    return end.ETag!;
                }
            }
            catch (StoreException) when (++failures <= MostFailures)
            {
                // It may have been done: the page itself says.
            }

            var found = await store.Documents.GetAsync(key, cancellation);
            await RequireClaimAsync(cancellation);
            if (found is not null && PageCodec.Decode(write.Page.Id, found.Body.Span) is var there
                && there.Height == block.Number && there.Tag == block.Hash)
            {
                return found.ETag;
            }

            etag = found?.ETag;
        }

        throw new StoreException($"{key}: others keep writing it.");
    }

    private async Task TakeBackAsync(PageId id, CancellationToken cancellation)
    {
        var key = store.KeyOf(id);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var found = await store.Documents.GetAsync(key, cancellation);
            await RequireClaimAsync(cancellation);
            if (found is null || PageCodec.Decode(id, found.Body.Span) is not { } page
                || page.Height != block.Number || page.Tag == block.Hash)
            {
                return;
            }

            var end = page.Previous is null
                ? await store.Documents.DeleteAsync(key, found.ETag, cancellation)
                : await store.Documents.ReplaceAsync(key, PageCodec.Encode(Before(page)), found.ETag, cancellation);
            if (end.IsDone)
            {
                return;
            }
        }

        throw new StoreException($"{key}: others keep writing it.");
    }

    private Page Before(Page page) => page.AsOf(block.Number - 1)
        ?? throw new StoreException($"The store is damaged: {page.Id.Name} lacks what block {block.Number} overwrote.");

    private async Task RequireClaimAsync(CancellationToken cancellation)
    {
        if (await head.ReadAsync(cancellation) is not { Document.Pending: { } claim } || !claim.IsOf(block))
        {
            throw new HeadLostException();
        }
    }
}
