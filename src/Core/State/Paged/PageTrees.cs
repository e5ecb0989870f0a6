using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>The way from a place to the page that covers it.</summary>
internal static class PageTrees
{
    /// <summary>Looks for a page in what is at hand; false where it must be loaded first.</summary>
    internal delegate bool Lookup(in PageId id, out LoadedPage page);

    /// <summary>
    /// The page of accounts or slots that covers the place; false: <paramref name="missing"/> must be loaded first.
    /// </summary>
    internal static bool TryLocate(
        Lookup lookup, in TrieOwner owner, in Hash256 place, out LoadedPage page, out PageId missing)
    {
        missing = PageId.RootOf(owner);
        while (lookup(missing, out page))
        {
            if (page.Page.Directory is not { } directory)
            {
                return true;
            }

            missing = PageId.Of(owner, missing.Bits + directory.Find(place, missing.Bits), place);
        }

        return false;
    }

    /// <summary>All pages of accounts or slots that cover any of a part of a tree.</summary>
    internal static async Task<List<LoadedPage>> UnderAsync(
        PageStore store, PageId part, CancellationToken cancellation)
    {
        var found = new List<LoadedPage>();
        var open = new List<PageId> { PageId.RootOf(part.Owner) };
        while (open.Count > 0)
        {
            var pages = await store.GetManyAsync(open, cancellation);
            open = [];
            foreach (var page in pages)
            {
                if (page.Page.Directory is { } directory)
                {
                    open.AddRange(directory.Below(page.Page.Id, part));
                }
                else
                {
                    found.Add(page);
                }
            }
        }

        return found;
    }
}
