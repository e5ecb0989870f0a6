using System.Collections.Concurrent;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.State.Paged;

/// <summary>
/// The state after one block, read from pages while the chain goes on above it; waits for what it must load.
/// </summary>
/// <remarks>
/// <code>
///   value after B = the first one above B that a block overwrote: spilled history, then the page's log; else the value
/// </code>
/// Any thread. Members throw <see cref="StateUnavailableException"/> once the block is pruned.
/// </remarks>
/// <param name="store">The pages.</param>
/// <param name="number">The block.</param>
/// <param name="pinned">
/// For executing on top of the block: pages that stay at hand meanwhile, none of them of a later block. Null for
/// reading:
/// the cache alone.
/// </param>
internal sealed class PagedStateReader(
    PageStore store, ulong number, ConcurrentDictionary<PageId, LoadedPage>? pinned = null)
    : IStateReader, IStateRecords
{
    // What the last page was after the block: a walk asks for it once for each of its leaves.
    private volatile Restored? _restored;

    internal ulong Number => number;

    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var exists = ReadRecord(address, out var record);
        account = exists ? record.ToAccount() : default;
        return exists ? ReadStatus.Found : ReadStatus.Absent;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        if (!ReadRecord(address, out var record) || record.StorageRoot == StateRoot.Empty)
        {
            return ReadStatus.Absent;
        }

        var place = PageKey.PlaceOf(slot);
        var page = Locate(TrieOwner.Storage(address), place);
        RequireStorage(page, address);
        if (!TryValue(page, place, out var bytes))
        {
            return ReadStatus.Absent;
        }

        value = StateStore.DecodeValue(bytes.Span, bytes.Length, address);
        return ReadStatus.Found;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
    {
        if (!store.TryGetCode(codeHash, out code))
        {
            code = Wait(store.GetCodeAsync(codeHash, CancellationToken.None));
        }

        return code is null ? ReadStatus.Absent : ReadStatus.Found;
    }

    public bool ReadRecord(in Address address, out AccountRecord record)
    {
        var place = PageKey.PlaceOf(address);
        var exists = TryValue(Locate(TrieOwner.Accounts, place), place, out var bytes);
        record = exists ? StateStore.DecodeRecord(bytes.Span, bytes.Length, address) : default;
        return exists;
    }

    public Dictionary<UInt256, UInt256> SlotsOf(in Address address)
    {
        var entries = EntriesUnder(PageId.RootOf(TrieOwner.Storage(address)));
        var slots = new Dictionary<UInt256, UInt256>(entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            var value = entries.ValueAt(i).Span;
            slots[UInt256.FromBigEndian(entries.KeyAt(i).Span[1..])] =
                StateStore.DecodeValue(value, value.Length, address);
        }

        return slots;
    }

    /// <summary>The page, loaded where it is not at hand.</summary>
    internal Page Page(in PageId id) => Loaded(id).Page;

    internal LoadedPage Loaded(PageId id)
    {
        if (TryGet(id, out var known))
        {
            return known;
        }

        return Pin(Ask(store.GetAsync(id, CancellationToken.None)));
    }

    /// <summary>The page from memory; false where it must be loaded.</summary>
    internal bool TryGet(in PageId id, out LoadedPage page)
    {
        if (pinned is not null && pinned.TryGetValue(id, out page!))
        {
            return true;
        }

        if (!store.TryGet(id, out page))
        {
            return false;
        }

        Pin(page);
        return true;
    }

    /// <summary>Brings pages near, many at once.</summary>
    internal async Task LoadAsync(IReadOnlyList<PageId> ids, CancellationToken cancellation)
    {
        foreach (var page in await store.GetManyAsync(ids, cancellation))
        {
            Pin(page);
        }
    }

    /// <summary>The value of an entry after the block; false where there was none.</summary>
    internal bool TryValue(Page page, in Hash256 place, out ReadOnlyMemory<byte> value)
    {
        if (page.Height <= number)
        {
            return page.Entries.TryGet(place, out value);
        }

        RequireKept(page);
        foreach (var segment in page.Segments)
        {
            if (segment.Last > number && State.Paged.Page.TryFind(Segment(segment), place, number, out value))
            {
                return !value.IsEmpty;
            }
        }

        return State.Paged.Page.TryFind(page.Log, place, number, out value)
            ? !value.IsEmpty
            : page.Entries.TryGet(place, out value);
    }

    /// <summary>All entries of a page after the block.</summary>
    internal PageEntries EntriesOf(Page page)
    {
        if (page.Height <= number)
        {
            return page.Entries;
        }

        RequireKept(page);
        if (_restored is { } known && ReferenceEquals(known.Page, page))
        {
            return known.Entries;
        }

        var entries = page.Entries;
        for (var i = page.Log.Count - 1; i >= 0 && page.Log[i].Height > number; i--)
        {
            entries = entries.Restored(page.Log[i].Before);
        }

        for (var i = page.Segments.Count - 1; i >= 0 && page.Segments[i].Last > number; i--)
        {
            var log = Segment(page.Segments[i]);
            for (var j = log.Count - 1; j >= 0 && log[j].Height > number; j--)
            {
                entries = entries.Restored(log[j].Before);
            }
        }

        entries = entries.Within(page.Id);
        _restored = new Restored(page, entries);
        return entries;
    }

    /// <summary>All accounts or slots of a part of a tree after the block.</summary>
    internal PageEntries EntriesUnder(PageId part)
    {
        var pages = Ask(PageTrees.UnderAsync(store, part, CancellationToken.None));
        pages.Sort(static (left, right) => left.Page.Id.Prefix.CompareTo(right.Page.Id.Prefix));
        var builder = new PageEntries.Builder(0, 0);
        foreach (var page in pages)
        {
            Pin(page);
            var entries = EntriesOf(page.Page).Within(part);
            builder.AddRange(entries, 0, entries.Count);
        }

        return builder.Build();
    }

    /// <summary>The page of accounts or slots that covers the place now.</summary>
    internal Page Locate(in TrieOwner owner, in Hash256 place)
    {
        var id = PageId.RootOf(owner);
        while (true)
        {
            var page = Page(id);
            if (page.Directory is not { } directory)
            {
                return page;
            }

            id = PageId.Of(owner, id.Bits + directory.Find(place, id.Bits), place);
        }
    }

    private IReadOnlyList<PageUndo> Segment(PageSegment segment) =>
        Wait(store.GetSegmentAsync(segment.Name, CancellationToken.None));

    private LoadedPage Pin(LoadedPage page)
    {
        if (pinned is null)
        {
            return page;
        }

        return page.Page.Height <= number
            ? pinned.GetOrAdd(page.Page.Id, page)
            : throw new StaleHeadException($"{page.Page.Id.Name} is of block {page.Page.Height}, above {number}.");
    }

    /// <summary>An account with storage has a page of it.</summary>
    internal static void RequireStorage(Page page, in Address address)
    {
        if (page.IsNothing)
        {
            throw new StoreException($"The store is damaged: the storage of {address} is missing.");
        }
    }

    private void RequireKept(Page page)
    {
        if (number < page.Oldest)
        {
            throw new StateUnavailableException($"The state of block {number} was pruned while it was read.");
        }
    }

    private T Ask<T>(Task<T> reading)
    {
        try
        {
            return Wait(reading);
        }
        catch (StaleHeadException missing) when (pinned is null)
        {
            throw new StoreException($"The store is damaged: {missing.Message}", missing);
        }
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private sealed record Restored(Page Page, PageEntries Entries);
}
