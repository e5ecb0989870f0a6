using System.Globalization;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Consensus.Runner;

/// <summary>A replica's journal: entries by number, and now and then a base in their place.</summary>
/// <remarks>
/// <code>
///   document   RLP [version, generation, blob of the base or nothing]
///   blob       journal/GENERATION/NUMBER    01 entry   or, as the last:   02 blob of the base
///   blob       replica/KECCAK               the base
/// </code>
/// An entry is stored under the next number, which one writer can do: that is the compare-and-swap. A new base closes
/// its generation the same way (02): from then on the next one counts, whether or not the document says so already.
/// Entries are deleted after the document names a newer generation; so who stored one looks at the document, and where
/// that has gone on, its place was free only because it is an old one, and nothing counts.
/// </remarks>
public sealed class ReplicaJournal(IDocumentStore documents, IBlobStore blobs, DocumentKey key) : IReplicaJournal
{
    /// <summary>Bytes of a generation's entries from which on a new base is made.</summary>
    private const int MostBytes = 8 << 20;

    /// <summary>Entries that are read or deleted at once.</summary>
    private const int MostAtOnce = 16;

    /// <summary>Times that others may change the document before a call gives up.</summary>
    private const int MostAttempts = 16;

    private const byte Version = 2;
    private const byte Entry = 1;
    private const byte Closed = 2;

    private ulong _generation;
    private int _entries;
    private long _bytes;
    private string? _base;

    /// <summary>Entries of a generation from which on a new base is made.</summary>
    public int MostEntries { get; init; } = 256;

    public int MostEntryBytes => BlobLimits.MostBytes / 4;

    public bool WantsBase => _entries >= MostEntries || _bytes >= MostBytes;

    public async Task<(byte[]? Base, IReadOnlyList<byte[]> Entries)> LoadAsync(CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            if (await FindAsync(cancellation) is not { } found)
            {
                continue; // another worker has just begun it
            }

            var (entries, closed) = await ReadAsync(found.Generation, cancellation);
            if (closed is not null)
            {
                await FollowAsync(found, closed, entries.Count, cancellation);
                continue;
            }

            ReadOnlyMemory<byte>? saved = null;
            if (found.Base is { } name && (saved = await blobs.GetAsync(name, cancellation)) is null)
            {
                continue; // a newer one took its place
            }

            (_generation, _entries, _base) = (found.Generation, entries.Count, found.Base);
            _bytes = entries.Sum(entry => (long)entry.Length);
            return (saved?.ToArray(), entries);
        }

        throw new StoreException($"{key}: the journal that it names is not there.");
    }

    public async Task<bool> TryAppendAsync(byte[] entry, CancellationToken cancellation)
    {
        if (!await AddAsync(Entry, entry, cancellation))
        {
            return false;
        }

        (_entries, _bytes) = (_entries + 1, _bytes + entry.Length);
        return true;
    }

    public async Task<bool> TryRebaseAsync(byte[] saved, CancellationToken cancellation)
    {
        var next = $"replica/{Convert.ToHexStringLower(Keccak256.Hash(saved).Bytes)}";
        await blobs.PutAsync(next, saved, cancellation);
        if (!await AddAsync(Closed, System.Text.Encoding.ASCII.GetBytes(next), cancellation))
        {
            return false;
        }

        var (generation, entries) = (_generation, _entries);
        (_generation, _entries, _bytes, _base) = (generation + 1, 0, 0, next);
        if (await FindAsync(cancellation) is { } found && found.Generation == generation)
        {
            await FollowAsync(found, next, entries, cancellation);
        }

        return true;
    }

    private async Task<bool> AddAsync(byte kind, byte[] content, CancellationToken cancellation)
    {
        var name = NameOf(_generation, _entries);
        byte[] body = [kind, .. content];
        if (!await blobs.PutAsync(name, body, cancellation))
        {
            // Refused; or done, and the answer was lost: then the very bytes stand there.
            var there = await blobs.GetAsync(name, cancellation);
            if (there is not { } bytes || !bytes.Span.SequenceEqual(body))
            {
                return false;
            }
        }

        if (await FindAsync(cancellation) is { } found && found.Generation <= _generation)
        {
            return true;
        }

        await blobs.DeleteAsync(name, cancellation);
        return false;
    }

    /// <summary>The entries of a generation, and the base that closed it; null where it goes on.</summary>
    private async Task<(List<byte[]> Entries, string? Closed)> ReadAsync(
        ulong generation, CancellationToken cancellation)
    {
        var entries = new List<byte[]>();
        while (true)
        {
            var group = await Task.WhenAll(Enumerable.Range(entries.Count, MostAtOnce)
                .Select(number => blobs.GetAsync(NameOf(generation, number), cancellation)));
            foreach (var found in group)
            {
                if (found is not { } body)
                {
                    return (entries, null);
                }

                if (body.Span[0] == Closed)
                {
                    return (entries, System.Text.Encoding.ASCII.GetString(body.Span[1..]));
                }

                entries.Add(body[1..].ToArray());
            }
        }
    }

    /// <summary>Where the document says that the journal is; begins it where there is none.</summary>
    private async Task<Place?> FindAsync(CancellationToken cancellation)
    {
        if (await documents.GetAsync(key, cancellation) is { } document)
        {
            return Decode(document);
        }

        var write = await documents.CreateAsync(key, Encode(0, null), cancellation);
        return write.IsDone ? new Place(0, null, write.ETag) : null;
    }

    /// <summary>The next generation counts: the document says so, and what the last one named is deleted.</summary>
    private async Task FollowAsync(Place old, string next, int entries, CancellationToken cancellation)
    {
        var write = await documents.ReplaceAsync(
            key, Encode(old.Generation + 1, next), old.ETag!, cancellation);
        if (!write.IsDone)
        {
            return; // another worker did it
        }

        // The closing entry goes last: until then the generation can be seen to be closed.
        for (var first = 0; first < entries; first += MostAtOnce)
        {
            await Task.WhenAll(Enumerable.Range(first, Math.Min(MostAtOnce, entries - first))
                .Select(number => blobs.DeleteAsync(NameOf(old.Generation, number), cancellation)));
        }

        await blobs.DeleteAsync(NameOf(old.Generation, entries), cancellation);
        if (old.Base is { } name && name != next)
        {
            await blobs.DeleteAsync(name, cancellation);
        }
    }

    private static byte[] Encode(ulong generation, string? name)
    {
        var writer = new RlpWriter(128);
        var list = writer.BeginList();
        writer.WriteUInt64(Version);
        writer.WriteUInt64(generation);
        writer.WriteBytes(System.Text.Encoding.ASCII.GetBytes(name ?? string.Empty));
        writer.EndList(list);
        return writer.ToArray();
    }

    private Place Decode(Document document)
    {
        try
        {
            var reader = new RlpReader(document.Body.Span);
            var list = reader.ReadList();
            var version = list.ReadUInt64();
            if (version != Version)
            {
                throw new StoreException($"{key} is of version {version}, this program knows {Version}.");
            }

            var generation = list.ReadUInt64();
            var name = System.Text.Encoding.ASCII.GetString(list.ReadBytes());
            return new(generation, name.Length == 0 ? null : name, document.ETag);
        }
        catch (RlpException damage)
        {
            throw new StoreException(
                $"{key} is damaged, or of version 1 where this program knows {Version}: {damage.Message}", damage);
        }
    }

    private static string NameOf(ulong generation, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"journal/{generation}/{number}");

    /// <summary>Where a journal is.</summary>
    private readonly record struct Place(ulong Generation, string? Base, string? ETag);
}
