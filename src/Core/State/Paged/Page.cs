using SuperVm.Core.Primitives;

namespace SuperVm.Core.State.Paged;

/// <summary>What a block overwrote in a page.</summary>
/// <param name="Height">The block.</param>
/// <param name="Before">The values before it; empty ones for none.</param>
internal sealed record PageUndo(ulong Height, PageEntries Before);

/// <summary>Older overwritings of a page that lie in a blob.</summary>
/// <param name="Name">The blob.</param>
/// <param name="First">The first block in it.</param>
/// <param name="Last">The last.</param>
internal sealed record PageSegment(string Name, ulong First, ulong Last);

/// <summary>One document of state: the pairs of a subtree with what the last blocks overwrote in them.</summary>
/// <remarks>
/// <code>
///   state after B = values, with what blocks above B overwrote put back, newest first
///
///   segments (blobs)  ◀──spilled──  log in the document: N-9, N-4, N-1, N   values as of N (height)
/// </code>
/// A document of a block that is not the head yet therefore reads as before to everybody: that is the whole of the
/// two-step commit. Immutable.
/// </remarks>
internal sealed record Page
{
    /// <summary>Stands for a block that the document does not hold any more.</summary>
    internal const ulong Unknown = ulong.MaxValue - 1;

    internal required PageId Id { get; init; }

    /// <summary>The block that wrote it last.</summary>
    internal required ulong Height { get; init; }

    /// <summary>That block's hash; zero where it was taken back.</summary>
    internal Hash256 Tag { get; init; }

    /// <summary>
    /// The block that wrote it before, or <see cref="Unknown"/>; null where this block made the page.
    /// </summary>
    internal ulong? Previous { get; init; }

    /// <summary>The oldest block whose state can be read from it.</summary>
    internal ulong Oldest { get; init; }

    internal required PageEntries Entries { get; init; }

    /// <summary>Oldest first; the last one is that of <see cref="Height"/> unless the page was made by it.</summary>
    internal IReadOnlyList<PageUndo> Log { get; init; } = [];

    /// <summary>Oldest first; all of them before the log.</summary>
    internal IReadOnlyList<PageSegment> Segments { get; init; } = [];

    /// <summary>Which pages stand below it; null in a page of accounts or slots.</summary>
    internal PageDirectory? Directory
    {
        get
        {
            var last = Entries.Count - 1;
            return last >= 0 && Entries.Places[last] == PageKey.DirectoryPlace
                ? new PageDirectory(Entries.ValueAt(last))
                : null;
        }
    }

    /// <summary>Bytes in memory, about.</summary>
    internal int Cost => Entries.Cost + Log.Sum(undo => undo.Before.Cost) + 256;

    /// <summary>Bytes of the log's values.</summary>
    internal int LogBytes => Log.Sum(undo => undo.Before.Encoded.Length);

    /// <summary>Whether no block has written it yet.</summary>
    internal bool IsNothing =>
        Previous is null && Height == 0 && Tag.IsZero && Entries.Count == 0 && Log.Count == 0;

    /// <summary>A page that no document holds yet.</summary>
    internal static Page Nothing(in PageId id) => new() { Id = id, Height = 0, Entries = PageEntries.Empty };

    /// <summary>The value that the first block of a log above the height overwrote; false where none did.</summary>
    internal static bool TryFind(
        IReadOnlyList<PageUndo> log, in Hash256 place, ulong height, out ReadOnlyMemory<byte> value)
    {
        for (var i = FirstAbove(log, height); i < log.Count; i++)
        {
            if (log[i].Before.TryGet(place, out value))
            {
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>Where the blocks above the height begin in a log.</summary>
    internal static int FirstAbove(IReadOnlyList<PageUndo> log, ulong height)
    {
        var (low, high) = (0, log.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = log[middle].Height > height ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>
    /// The page as blocks up to <paramref name="head"/> made it; null where its document does not hold that any more
    /// (the reader's head is too old) or there was no such page.
    /// </summary>
    internal Page? AsOf(ulong head)
    {
        var page = this;
        while (page.Height > head)
        {
            if (page.Previous is not { } before || before == Unknown
                || page.Log.Count == 0 || page.Log[^1].Height != page.Height)
            {
                return null;
            }

            var log = page.Log.Take(page.Log.Count - 1).ToArray();
            page = page with
            {
                Height = before,
                Tag = Hash256.Zero,
                Previous = log.Length > 1 ? log[^2].Height : Unknown,
                Entries = page.Entries.Restored(page.Log[^1].Before),
                Log = log,
            };
        }

        return page;
    }
}
