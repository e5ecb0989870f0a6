using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>From a block's changes to new versions of pages.</summary>
/// <remarks>
/// <code>
///   accounts, slots ─▶ the page that covers them ──too large──▶ two pages, and a bit in the directory above
///   trie nodes ─▶ above the pages: into the document with the directory │ within a page: they follow from it
/// </code>
/// A page without a directory of its own that is split stays where it is, for readers of older heads; the first page of
/// a tree, and every twelve bits down, turns from a page of values into one of nodes and directory.
/// </remarks>
internal sealed class PagePlanner(PagedStateReader parent, PagedOptions options)
{
    private readonly Dictionary<PageId, Draft> _drafts = [];
    private readonly Dictionary<PageId, PageDirectory> _directories = [];

    /// <summary>Works out what a block writes.</summary>
    /// <param name="transition">Prepared on the parent's state.</param>
    /// <param name="block">The block.</param>
    internal PagePlan Plan(StateTransition transition, in PlannedBlock block)
    {
        if (block.Number == 0)
        {
            // The accounts' first page is there from now on, be it empty: where it is missing something is lost.
            DraftOf(PageId.RootOf(TrieOwner.Accounts));
        }

        PutAccounts(transition.Accounts);
        PutSlots(transition.Slots);
        foreach (var draft in _drafts.Values.ToArray())
        {
            SplitIfLarge(draft);
        }

        var sink = new NodeSink(this);
        transition.Update!.Emit(ref sink);
        return Finish(block, transition.NewCode);
    }

    private void PutAccounts(AccountDiff[] diffs)
    {
        Span<byte> bytes = stackalloc byte[AccountRecord.MaximumBytes];
        foreach (ref readonly var diff in diffs.AsSpan())
        {
            var value = diff.NewExists ? bytes[..diff.New.WriteFlat(bytes)].ToArray() : [];

            var place = PageKey.PlaceOf(diff.Address);
            Locate(TrieOwner.Accounts, place).Put(new PageChange(place, PageKey.OfAccount(diff.Address), value));
        }
    }

    private void PutSlots(SlotDiff[] diffs)
    {
        foreach (ref readonly var diff in diffs.AsSpan())
        {
            var bytes = diff.New.ToBigEndian();
            var place = PageKey.PlaceOf(diff.Slot);
            Locate(TrieOwner.Storage(diff.Address), place).Put(
                new PageChange(place, PageKey.OfSlot(diff.Slot), bytes.AsMemory(32 - diff.New.ByteLength)));
        }
    }

    /// <summary>The draft of the page of values that covers the place.</summary>
    private Draft Locate(in TrieOwner owner, in Hash256 place)
    {
        var id = PageId.RootOf(owner);
        while (true)
        {
            var page = parent.Page(id);
            if (page.Directory is not { } directory)
            {
                return DraftOf(id);
            }

            id = PageId.Of(owner, id.Bits + directory.Find(place, id.Bits), place);
        }
    }

    private Draft DraftOf(in PageId id)
    {
        if (!_drafts.TryGetValue(id, out var draft))
        {
            var loaded = parent.Loaded(id);
            _drafts.Add(id, draft = new Draft(id, loaded.Page, loaded.ETag));
        }

        return draft;
    }

    private void SplitIfLarge(Draft draft)
    {
        var entries = draft.Base.Entries.With(draft.Sorted());
        if (entries.Encoded.Length <= options.PageBytes || draft.Id.Bits >= PageId.MostBits || entries.Count < 2)
        {
            return;
        }

        var before = draft.Base.Entries.Before(draft.Sorted());
        if (draft.Id.Bits % PageDirectory.Levels == 0)
        {
            draft.MakeInner();
        }
        else
        {
            _drafts.Remove(draft.Id);
        }

        Split(draft.Id, draft.Base, before, entries);
    }

    /// <summary>Puts entries of a page that is too large into pages below it.</summary>
    private void Split(PageId id, Page origin, PageEntries before, PageEntries entries)
    {
        var above = DirectoryPageOf(id);
        _directories[above] = DirectoryOf(above).WithSplit(id.Prefix, above.Bits, id.Bits);
        if (id.Bits % 4 == 0 && id.Bits > 0)
        {
            // The node at the page's own path stood within it; now it is above its pages.
            var sink = new OneNode(this, id.Bits / 4);
            PagedTrieNodes.Emit(id.Owner, entries, id.Bits / 4, ref sink);
        }

        for (var bit = 0; bit < 2; bit++)
        {
            var child = id.Child(bit);
            var own = entries.Within(child);
            if (own.Encoded.Length > options.PageBytes && child.Bits < PageId.MostBits && own.Count > 1)
            {
                if (child.Bits % PageDirectory.Levels == 0)
                {
                    _drafts.Add(child, Draft.Inner(child));
                }

                Split(child, origin, before, own);
            }
            else
            {
                _drafts.Add(child, Draft.Made(child, origin, before.Within(child), own));
            }
        }
    }

    /// <summary>The page whose directory says whether the page is split.</summary>
    private static PageId DirectoryPageOf(in PageId id) =>
        PageId.Of(id.Owner, id.Bits / PageDirectory.Levels * PageDirectory.Levels, id.Prefix);

    private PageDirectory DirectoryOf(in PageId id) =>
        _directories.TryGetValue(id, out var changed) ? changed
        : _drafts.TryGetValue(id, out var draft) && draft.IsNewInner ? new PageDirectory(default)
        : parent.Page(id).Directory ?? new PageDirectory(default);

    /// <summary>Puts a node where it belongs; one within a page needs no place.</summary>
    private void PutNode(in TrieOwner owner, in Hash256 path, int depth, ReadOnlySpan<byte> node)
    {
        if (depth * 4 >= PageId.MostBits)
        {
            return;
        }

        var id = PageId.RootOf(owner);
        while (IsInner(id))
        {
            var below = id.Bits + DirectoryOf(id).Find(path, id.Bits);
            if (depth * 4 >= below)
            {
                if (below < id.Bits + PageDirectory.Levels)
                {
                    return;
                }

                id = PageId.Of(owner, below, path);
                continue;
            }

            DraftOf(id).Put(new PageChange(
                PageKey.PlaceOfNode(path, depth), PageKey.OfNode(path, depth), node.ToArray()));
            return;
        }
    }

    private bool IsInner(in PageId id) =>
        _directories.ContainsKey(id) || (!_drafts.ContainsKey(id) && parent.Page(id).Directory is not null)
        || (_drafts.TryGetValue(id, out var draft) && draft.Base.Directory is not null);

    private PagePlan Finish(in PlannedBlock block, IReadOnlyDictionary<Hash256, Code> newCode)
    {
        foreach (var (id, directory) in _directories)
        {
            DraftOf(id).Put(new PageChange(PageKey.DirectoryPlace, PageKey.DirectoryKey, directory.Encoded));
        }

        var pages = new List<PageWrite>(_drafts.Count);
        var segments = new List<(string, byte[])>();
        var pruned = new HashSet<string>();
        foreach (var draft in _drafts.Values)
        {
            pages.Add(new PageWrite(VersionOf(draft, block, segments, pruned), draft.ETag));
        }

        return new PagePlan(pages, segments, [.. newCode.Values], [.. pruned]);
    }

    private Page VersionOf(
        Draft draft, in PlannedBlock block, List<(string, byte[])> segments, HashSet<string> pruned)
    {
        var changes = draft.Sorted();
        var oldest = Math.Max(block.Oldest, draft.Base.Oldest);
        var log = draft.Base.Log.Where(undo => undo.Height > oldest).ToList();
        var kept = new List<PageSegment>(draft.Base.Segments.Count + 1);
        foreach (var segment in draft.Base.Segments)
        {
            if (segment.Last > oldest)
            {
                kept.Add(segment);
            }
            else
            {
                pruned.Add(segment.Name);
            }
        }

        if (log.Sum(undo => undo.Before.Encoded.Length) > options.LogBytes)
        {
            var (first, last) = (log[0].Height, log[^1].Height);
            var name = $"history/{draft.Id.Name}/{first:d12}-{last:d12}";
            segments.Add((name, PageCodec.EncodeSegment(log)));
            kept.Add(new PageSegment(name, first, last));
            log.Clear();
        }

        if (block.Number > 0)
        {
            log.Add(new PageUndo(block.Number, draft.Before ?? draft.Base.Entries.Before(changes)));
        }

        return new Page
        {
            Id = draft.Id,
            Height = block.Number,
            Tag = block.Hash,
            Previous = draft.IsMade || draft.Base.IsNothing ? null : draft.Base.Height,
            Oldest = oldest,
            Entries = draft.Base.Entries.With(changes),
            Log = log,
            Segments = kept,
        };
    }

    /// <summary>A page on its way to its next version.</summary>
    private sealed class Draft(PageId id, Page before, string? etag)
    {
        private readonly Dictionary<Hash256, PageChange> _changes = [];
        private PageChange[]? _sorted;

        internal PageId Id => id;

        /// <summary>What the changes change.</summary>
        internal Page Base { get; private set; } = before;

        internal string? ETag => etag;

        /// <summary>Whether the block makes the page by splitting another.</summary>
        internal bool IsMade { get; private init; }

        /// <summary>Whether it becomes, or is made as, a page of nodes and directory.</summary>
        internal bool IsNewInner { get; private set; }

        /// <summary>What the block overwrites in a page that it makes; null: it follows from the changes.</summary>
        internal PageEntries? Before { get; private init; }

        /// <summary>A page that takes entries of a split one over, with their history.</summary>
        internal static Draft Made(PageId id, Page origin, PageEntries before, PageEntries entries) =>
            new(
                id,
                origin with
                {
                    Id = id,
                    Entries = entries,
                    Log = [.. origin.Log.Select(undo => undo with { Before = undo.Before.Within(id) })
                        .Where(undo => undo.Before.Count > 0)],
                },
                null)
            {
                IsMade = true,
                Before = before,
            };

        /// <summary>A page of nodes and directory that was no page of values before.</summary>
        internal static Draft Inner(PageId id) => new(id, Page.Nothing(id), null) { IsMade = true, IsNewInner = true };

        internal void Put(in PageChange change)
        {
            _changes[change.Place] = change;
            _sorted = null;
        }

        /// <summary>All values go: they are in other pages now.</summary>
        internal void MakeInner()
        {
            _changes.Clear();
            var entries = Base.Entries;
            for (var i = 0; i < entries.Count; i++)
            {
                Put(new PageChange(entries.Places[i], entries.KeyAt(i).ToArray(), default));
            }

            IsNewInner = true;
        }

        internal PageChange[] Sorted()
        {
            if (_sorted is null)
            {
                _sorted = [.. _changes.Values];
                Array.Sort(_sorted, static (left, right) => left.Place.CompareTo(right.Place));
            }

            return _sorted;
        }
    }

    private readonly struct NodeSink(PagePlanner planner) : ITrieNodeSink
    {
        public void Remove(in TrieOwner owner, in Hash256 path, int depth) => planner.PutNode(owner, path, depth, []);

        public void Put(in TrieOwner owner, in Hash256 path, int depth, in Hash256 hash, ReadOnlySpan<byte> node) =>
            planner.PutNode(owner, path, depth, node);
    }

    /// <summary>Takes the nodes of one depth only.</summary>
    private readonly struct OneNode(PagePlanner planner, int depth) : ITrieNodeSink
    {
        public void Remove(in TrieOwner owner, in Hash256 path, int at)
        {
        }

        public void Put(in TrieOwner owner, in Hash256 path, int at, in Hash256 hash, ReadOnlySpan<byte> node)
        {
            if (at == depth)
            {
                planner.PutNode(owner, path, depth, node);
            }
        }
    }
}
