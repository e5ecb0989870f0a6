using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>A block and its receipts.</summary>
internal sealed record ArchivedBlock(ChainBlock Block, IReadOnlyList<Receipt> Receipts);

/// <summary>Blocks with their receipts, and headers in groups: blobs that never change.</summary>
/// <remarks>
/// <code>
///   blocks/(number)-(hash)   rlp [ [senders], block, receipts as stored ]
///   headers/(first block)    rlp [[ header, hash, total difficulty, size ], … ]   sixteen of them; fewer where a
///                            state was taken over in the middle: the last of the group
///   headers/(first block)-w  the same, 256 of them: for walks over many blocks
/// </code>
/// A block's blob is written before it is the head, under a name that only this very block has.
/// </remarks>
internal sealed class BlockArchive(IBlobStore blobs, long cacheBytes)
{
    /// <summary>Headers of a wide group.</summary>
    private const ulong WideBlocks = 256;

    private const int EntryBytes = 1_024;
    private const int GroupBlocks = HeadDocument.GroupBlocks;

    private readonly BoundedCache<Hash256, ArchivedBlock> _blocks = new(cacheBytes, stripes: 1);
    private readonly BoundedCache<string, IReadOnlyList<HeaderEntry>> _headers = new(cacheBytes / 2, stripes: 1);

    internal void Remember(ArchivedBlock block) =>
        _blocks.Set(block.Block.Hash, block, block.Block.Size + Chain.CostOf(block.Receipts));

    /// <summary>Empties the caches.</summary>
    internal void Forget()
    {
        _blocks.Clear();
        _headers.Clear();
    }

    internal Task WriteAsync(SealedBlock block, IReadOnlyList<Receipt> receipts, CancellationToken cancellation)
    {
        var writer = new RlpWriter(block.Encoded.Length * 2);
        var list = writer.BeginList();
        var senders = writer.BeginList();
        foreach (var transaction in block.Block.Block.Transactions)
        {
            writer.WriteAddress(transaction.Sender.GetValueOrDefault());
        }

        writer.EndList(senders);
        writer.WriteBytes(block.Encoded);
        writer.WriteBytes(ReceiptCodec.EncodeForStorage(receipts));
        writer.EndList(list);
        return blobs.PutAsync(NameOf(block.Block.Number, block.Block.Hash), writer.ToArray(), cancellation);
    }

    /// <summary>The block that the header is of.</summary>
    /// <exception cref="StoreException">It is missing or damaged.</exception>
    internal async Task<ArchivedBlock> ReadAsync(HeaderEntry header, CancellationToken cancellation)
    {
        if (_blocks.TryGet(header.Header.Hash, out var known))
        {
            return known;
        }

        var name = NameOf(header.Number, header.Header.Hash);
        var body = await blobs.GetAsync(name, cancellation)
            ?? throw new StoreException($"The store is damaged: {name} is missing.");
        var block = Decode(body.Span, header, name);
        Remember(block);
        return block;
    }

    /// <summary>Writes the headers that leave the head document, and the wide group that they complete.</summary>
    /// <param name="group">The headers.</param>
    /// <param name="since">The oldest block that is there.</param>
    /// <param name="cancellation">Ends early.</param>
    internal async Task WriteHeadersAsync(
        IReadOnlyList<HeaderEntry> group, ulong since, CancellationToken cancellation)
    {
        var first = group[0].Number;
        await WriteGroupAsync(group, cancellation);
        if ((first + GroupBlocks) % WideBlocks != 0 || first + GroupBlocks - WideBlocks < since)
        {
            return;
        }

        var start = first + GroupBlocks - WideBlocks;
        var wide = new List<HeaderEntry>((int)WideBlocks);
        for (var at = start; at < first; at += GroupBlocks)
        {
            wide.AddRange(await ReadHeadersAsync(NameOf(at), cancellation));
        }

        wide.AddRange(group);
        await WriteAsync(WideNameOf(start), wide, cancellation);
    }

    /// <summary>Writes headers that lie within one group.</summary>
    internal Task WriteGroupAsync(IReadOnlyList<HeaderEntry> group, CancellationToken cancellation) =>
        WriteAsync(NameOf(group[0].Number / GroupBlocks * GroupBlocks), group, cancellation);

    /// <summary>
    /// A header below those of the head document, whose first has the number <paramref name="recent"/>, and not below
    /// <paramref name="since"/>, the oldest that is there.
    /// </summary>
    internal async Task<HeaderEntry> ReadHeaderAsync(
        ulong number, ulong since, ulong recent, CancellationToken cancellation)
    {
        var narrow = number - (number % GroupBlocks);
        var wide = number - (number % WideBlocks);
        if (_headers.TryGet(NameOf(narrow), out var known))
        {
            return known[(int)(number - known[0].Number)];
        }

        var group = await ReadHeadersAsync(
            wide + WideBlocks <= recent && wide >= since ? WideNameOf(wide) : NameOf(narrow), cancellation);
        return group[(int)(number - group[0].Number)];
    }

    private static string NameOf(ulong number, in Hash256 hash) =>
        $"blocks/{number:d12}-{Convert.ToHexStringLower(hash.Bytes)}";

    private static string NameOf(ulong firstOfGroup) => $"headers/{firstOfGroup:d12}";

    private static string WideNameOf(ulong first) => $"headers/{first:d12}-w";

    private async Task WriteAsync(string name, IReadOnlyList<HeaderEntry> group, CancellationToken cancellation)
    {
        var writer = new RlpWriter(group.Count * EntryBytes);
        var list = writer.BeginList();
        foreach (var entry in group)
        {
            var item = writer.BeginList();
            HeadDocument.WriteEntry(writer, entry);
            writer.EndList(item);
        }

        writer.EndList(list);
        await blobs.PutAsync(name, writer.ToArray(), cancellation);
        _headers.Set(name, group, group.Count * EntryBytes);
    }

    private async Task<IReadOnlyList<HeaderEntry>> ReadHeadersAsync(string name, CancellationToken cancellation)
    {
        if (_headers.TryGet(name, out var known))
        {
            return known;
        }

        var body = await blobs.GetAsync(name, cancellation)
            ?? throw new StoreException($"The store is damaged: {name} is missing.");
        var group = DecodeHeaders(body.Span, name);
        _headers.Set(name, group, group.Count * EntryBytes);
        return group;
    }

    private static List<HeaderEntry> DecodeHeaders(ReadOnlySpan<byte> body, string name)
    {
        try
        {
            var group = new List<HeaderEntry>();
            for (var list = new RlpReader(body).ReadList(); !list.AtEnd;)
            {
                var item = list.ReadList();
                group.Add(HeadDocument.ReadEntry(ref item));
            }

            return group.Count > 0 && group[^1].Number == group[0].Number + (ulong)group.Count - 1
                ? group
                : throw new RlpException("It has too few headers.");
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The store is damaged: {name}: {damage.Message}", damage);
        }
    }

    private static ArchivedBlock Decode(ReadOnlySpan<byte> body, HeaderEntry header, string name)
    {
        try
        {
            var reader = new RlpReader(body).ReadList();
            var senders = reader.ReadList();
            var block = BlockCodec.Decode(reader.ReadBytes()).OrThrow();
            var receipts = ReceiptCodec.DecodeFromStorage(reader.ReadBytes()).OrThrow();
            foreach (var transaction in block.Transactions)
            {
                transaction.Sender = senders.ReadAddress();
            }

            senders.RequireEnd();
            return new ArchivedBlock(
                new ChainBlock(block, header.Header.Hash, header.TotalDifficulty, header.Size), receipts);
        }
        catch (RlpException damage)
        {
            throw new StoreException($"The store is damaged: {name}: {damage.Message}", damage);
        }
    }
}
