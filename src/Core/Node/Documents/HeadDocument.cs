using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Paged;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>A block among the newest ones.</summary>
/// <param name="Entry">Its header.</param>
/// <param name="Changed">The pages that it changed; null where they are too many to be named.</param>
internal sealed record RecentBlock(HeaderEntry Entry, IReadOnlyList<PageId>? Changed);

/// <summary>A block that is being written: its pages may be half there.</summary>
/// <param name="Number">Its number, one above the head's.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="Pages">Every page that may have been written for it; null where they are too many.</param>
/// <param name="Blob">The blob that names them then.</param>
internal sealed record PendingWrite(ulong Number, Hash256 Hash, IReadOnlyList<PageId>? Pages, string? Blob)
{
    /// <summary>Pages that the head document itself names.</summary>
    internal const int MostInDocument = 2_048;

    internal bool IsOf(in PlannedBlock block) => Number == block.Number && Hash == block.Hash;
}

/// <summary>The one document that says which block is the head: what flips it makes the block real.</summary>
/// <remarks>
/// <code>
///   rlp [ version, genesis hash, oldest readable state, safe, finalized, recent, pending, taken ]
///   recent   [[ header, hash, total difficulty, size, [pages] or "" ], … ]   oldest first, the last is the head
///   pending  [ ] or [ number, hash, [pages] or "", "" or the pages' blob ]    a claim: who writes has made it
///   taken    [ oldest block, how its pages' names begin ]    where a state was taken over (version 2); else nothing
/// </code>
/// </remarks>
internal sealed record HeadDocument
{
    /// <summary>Headers that move out together, and the most that stay: from one to two groups.</summary>
    internal const int GroupBlocks = 16;
    internal const int MostRecent = 2 * GroupBlocks;

    /// <summary>Pages of a block that are named to readers; with more they forget all that they have.</summary>
    internal const int MostNamedPages = 64;

    private const ulong Version = 1;
    private const ulong TakenVersion = 2;

    internal required Hash256 GenesisHash { get; init; }

    internal ulong Oldest { get; init; }

    internal ulong Safe { get; init; }

    internal ulong Finalized { get; init; }

    /// <summary>The oldest block but the first that is there: above 1 where a state was taken over.</summary>
    internal ulong Since { get; init; }

    /// <summary>How the names of the pages begin.</summary>
    internal string Generation { get; init; } = string.Empty;

    internal IReadOnlyList<RecentBlock> Recent { get; init; } = [];

    internal PendingWrite? Pending { get; init; }

    internal HeaderEntry? Head => Recent.Count == 0 ? null : Recent[^1].Entry;

    /// <summary>
    /// The document with a block as its head; the headers that moved out of it lie in a blob already.
    /// </summary>
    internal HeadDocument After(HeaderEntry block, IReadOnlyList<PageId> changed, ulong oldest)
    {
        var recent = Recent.Count >= MostRecent ? Recent.Skip(GroupBlocks) : Recent;
        var named = changed.Count <= MostNamedPages ? changed : null;
        return this with
        {
            Oldest = oldest,
            Recent = [.. recent, new RecentBlock(block, named)],
            Pending = null,
        };
    }

    /// <summary>The headers that the next block moves out, where it does.</summary>
    internal IReadOnlyList<HeaderEntry>? Outgoing => Recent.Count >= MostRecent
        ? [.. Recent.Take(GroupBlocks).Select(block => block.Entry)]
        : null;

    internal byte[] Encode()
    {
        var writer = new RlpWriter(4_096);
        var list = writer.BeginList();
        writer.WriteUInt64(Generation.Length == 0 ? Version : TakenVersion);
        writer.WriteHash256(GenesisHash);
        writer.WriteUInt64(Oldest);
        writer.WriteUInt64(Safe);
        writer.WriteUInt64(Finalized);
        var recent = writer.BeginList();
        foreach (var block in Recent)
        {
            var item = writer.BeginList();
            WriteEntry(writer, block.Entry);
            WritePages(writer, block.Changed);
            writer.EndList(item);
        }

        writer.EndList(recent);
        var pending = writer.BeginList();
        if (Pending is { } claim)
        {
            writer.WriteUInt64(claim.Number);
            writer.WriteHash256(claim.Hash);
            WritePages(writer, claim.Pages);
            writer.WriteBytes(System.Text.Encoding.ASCII.GetBytes(claim.Blob ?? string.Empty));
        }

        writer.EndList(pending);
        if (Generation.Length > 0)
        {
            var taken = writer.BeginList();
            writer.WriteUInt64(Since);
            writer.WriteBytes(System.Text.Encoding.ASCII.GetBytes(Generation));
            writer.EndList(taken);
        }

        writer.EndList(list);
        return writer.ToArray();
    }

    /// <exception cref="StoreException">The bytes are no head.</exception>
    internal static HeadDocument Decode(ReadOnlySpan<byte> body)
    {
        try
        {
            var outer = new RlpReader(body);
            var reader = outer.ReadList();
            outer.RequireEnd();
            if (reader.ReadUInt64() is var version && version is not (Version or TakenVersion))
            {
                throw new StoreException(
                    $"The head is of version {version}; this program reads {Version} and {TakenVersion}.");
            }

            var head = new HeadDocument
            {
                GenesisHash = reader.ReadHash256(),
                Oldest = reader.ReadUInt64(),
                Safe = reader.ReadUInt64(),
                Finalized = reader.ReadUInt64(),
            };
            var recent = new List<RecentBlock>(MostRecent);
            for (var list = reader.ReadList(); !list.AtEnd;)
            {
                var item = list.ReadList();
                recent.Add(new RecentBlock(ReadEntry(ref item), ReadPages(ref item)));
                item.RequireEnd();
            }

            var pending = reader.ReadList();
            var claim = pending.AtEnd ? null : ReadClaim(ref pending);
            head = head with { Recent = recent, Pending = claim };
            if (version == TakenVersion)
            {
                var taken = reader.ReadList();
                head = head with
                {
                    Since = taken.ReadUInt64(),
                    Generation = System.Text.Encoding.ASCII.GetString(taken.ReadBytes()),
                };
                taken.RequireEnd();
            }

            reader.RequireEnd();
            return head;
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The head document is damaged: {damage.Message}", damage);
        }
    }

    internal static void WriteEntry(RlpWriter writer, HeaderEntry entry)
    {
        writer.WriteBytes(HeaderCodec.Encode(entry.Header.Header));
        writer.WriteHash256(entry.Header.Hash);
        writer.WriteUInt256(entry.TotalDifficulty);
        writer.WriteUInt64((ulong)entry.Size);
    }

    internal static HeaderEntry ReadEntry(ref RlpReader reader)
    {
        var header = HeaderCodec.Decode(reader.ReadBytes()).OrThrow();
        var hash = reader.ReadHash256();
        return new HeaderEntry(new ChainHeader(header, hash), reader.ReadUInt256(), (int)reader.ReadUInt64());
    }

    internal static void WritePages(RlpWriter writer, IReadOnlyList<PageId>? pages)
    {
        if (pages is null)
        {
            writer.WriteBytes([]);
            return;
        }

        var list = writer.BeginList();
        Span<byte> packed = stackalloc byte[PageId.MostPackedBytes];
        foreach (var page in pages)
        {
            writer.WriteBytes(packed[..page.Write(packed)]);
        }

        writer.EndList(list);
    }

    private static PendingWrite ReadClaim(ref RlpReader reader)
    {
        var (number, hash, pages) = (reader.ReadUInt64(), reader.ReadHash256(), ReadPages(ref reader));
        var blob = System.Text.Encoding.ASCII.GetString(reader.ReadBytes());
        return pages is null && !Storage.BlobLimits.IsName(blob)
            ? throw new RlpException("A claim names no pages.")
            : new PendingWrite(number, hash, pages, blob.Length == 0 ? null : blob);
    }

    internal static List<PageId>? ReadPages(ref RlpReader reader)
    {
        if (!reader.NextIsList)
        {
            reader.ReadBytes();
            return null;
        }

        var pages = new List<PageId>();
        for (var list = reader.ReadList(); !list.AtEnd;)
        {
            var packed = list.ReadBytes();
            pages.Add(PageId.TryRead(ref packed, out var id) && packed.IsEmpty
                ? id
                : throw new RlpException("A page's name is damaged."));
        }

        return pages;
    }
}
