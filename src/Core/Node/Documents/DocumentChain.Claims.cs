using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>The two compare-and-swaps of a block: the claim before its pages, the flip after them.</summary>
/// <remarks>
/// <code>
///   head N-1 ──claim──▶ head N-1, pending N (hash, pages) ──flip──▶ head N
///                 ▲                │ another block N: its claim names the pages of both
///                 └────────────────┘
/// </code>
/// Whoever finds a claim of the very block that it has made goes on with it: twins help each other.
/// </remarks>
public sealed partial class DocumentChain
{
    /// <summary>
    /// Times that others may change the head document, its claim left standing, before a flip gives up.
    /// </summary>
    private const int MostFlips = 16;

    private async Task<Claim> ClaimAsync(
        View view, PlannedBlock block, PagePlan plan, CancellationToken cancellation)
    {
        if (view.Document.Pending is { } pending && pending.IsOf(block))
        {
            return new Claim(view.Document, view.ETag, await PagesOfAsync(pending, cancellation), pending.Blob);
        }

        var own = plan.Pages.Select(write => write.Page.Id);
        PageId[] pages = [.. view.Document.Pending is { } other
            ? own.Union(await PagesOfAsync(other, cancellation))
            : own];
        var blob = pages.Length > PendingWrite.MostInDocument ? await PutPagesAsync(pages, cancellation) : null;
        var document = view.Document with
        {
            Pending = new PendingWrite(block.Number, block.Hash, blob is null ? pages : null, blob),
        };
        var etag = await _head.TrySwapAsync(document, view.ETag, cancellation) ?? throw new HeadLostException();
        _view = view with { Document = document, ETag = etag };
        return new Claim(document, etag, pages, blob);
    }

    /// <summary>Makes the claimed block the head; finality may have moved meanwhile, the claim may not.</summary>
    private async Task<(HeadDocument Document, string ETag)> FlipAsync(
        Claim claim, HeaderEntry block, ulong oldest, CancellationToken cancellation)
    {
        var (document, etag) = (claim.Document, claim.ETag);
        for (var attempt = 0; attempt < MostFlips; attempt++)
        {
            var next = document.After(block, claim.Pages, oldest);
            if (await _head.TrySwapAsync(next, etag, cancellation) is { } flipped)
            {
                return (next, flipped);
            }

            if (await _head.ReadAsync(cancellation) is not { } now || now.Document.Pending is not { } pending
                || pending.Number != block.Number || pending.Hash != block.Header.Hash)
            {
                throw new HeadLostException();
            }

            (document, etag) = now;
        }

        throw new StoreException("The head document changes faster than a block can be made the head.");
    }

    private async Task<IReadOnlyList<PageId>> PagesOfAsync(PendingWrite pending, CancellationToken cancellation)
    {
        if (pending.Pages is { } named)
        {
            return named;
        }

        var body = await _ports.Blobs.GetAsync(pending.Blob!, cancellation)
            ?? throw new StoreException($"The store is damaged: {pending.Blob} is missing.");
        try
        {
            var reader = new RlpReader(body.Span);
            return HeadDocument.ReadPages(ref reader) ?? throw new RlpException("A list was expected.");
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The store is damaged: {pending.Blob}: {damage.Message}", damage);
        }
    }

    /// <summary>Keeps a long list of pages in a blob of its own, named by its content.</summary>
    private async Task<string> PutPagesAsync(PageId[] pages, CancellationToken cancellation)
    {
        var writer = new RlpWriter(pages.Length * 32);
        HeadDocument.WritePages(writer, pages);
        var body = writer.ToArray();
        var name = $"pending/{Convert.ToHexStringLower(Keccak256.Hash(body).Bytes)}";
        await _ports.Blobs.PutAsync(name, body, cancellation);
        return name;
    }

    /// <summary>A claim that stands, as far as is known.</summary>
    /// <param name="Document">The head document with it.</param>
    /// <param name="ETag">That document's version.</param>
    /// <param name="Pages">Every page that it names.</param>
    /// <param name="Blob">Where they are named, if not in the document.</param>
    private sealed record Claim(HeadDocument Document, string ETag, IReadOnlyList<PageId> Pages, string? Blob);
}
