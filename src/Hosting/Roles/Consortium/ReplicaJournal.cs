using System.Buffers.Binary;
using System.Globalization;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>A replica's journal: a log that only grows, and now and then a base in its place.</summary>
/// <remarks>
/// <code>
///   document   RLP [version, generation, blob of the base or nothing]
///   log        journal/GENERATION    { length 4, 01, entry }…   and, as the last:   { length 4, 02, blob of the base }
///   blob       replica/KECCAK        the base
/// </code>
/// An entry is appended where the log has exactly the length that this worker knows: that is the compare-and-swap. A
/// new base closes its log the same way (02): from then on the next generation counts, whether or not the document says
/// so already. A log is made before anything names it and deleted after nothing does, so that nobody ever begins one
/// anew.
/// </remarks>
internal sealed class ReplicaJournal(RolePorts ports, DocumentKey key) : IReplicaJournal
{
    /// <summary>Entries of a log, and their bytes, from which on a new base is made.</summary>
    private const int MostEntries = 512;
    private const int MostBytes = 8 << 20;

    /// <summary>Times that others may change the document before a call gives up.</summary>
    private const int MostAttempts = 16;

    private const byte Version = 2;
    private const byte Entry = 1;
    private const byte Closed = 2;
    private const int HeadBytes = sizeof(int) + 1;

    private ulong _generation;
    private long _length;
    private int _entries;
    private string? _base;

    public int MostEntryBytes => LogLimits.MostAppendedBytes - HeadBytes;

    public bool WantsBase => _entries >= MostEntries || _length >= MostBytes;

    public async Task<(byte[]? Base, IReadOnlyList<byte[]> Entries)> LoadAsync(CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            if (await FindAsync(cancellation) is not { } found
                || await ports.Logs.ReadAsync(LogOf(found.Generation), 0, cancellation) is not { } log)
            {
                continue; // it is being made, or a newer one took its place
            }

            var (entries, closed) = Read(log.Span);
            if (closed is not null)
            {
                await FollowAsync(found, closed, cancellation);
                continue;
            }

            ReadOnlyMemory<byte>? saved = null;
            if (found.Base is { } name && (saved = await ports.Blobs.GetAsync(name, cancellation)) is null)
            {
                continue;
            }

            (_generation, _length, _entries, _base) = (found.Generation, log.Length, entries.Count, found.Base);
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

        _entries++;
        return true;
    }

    public async Task<bool> TryRebaseAsync(byte[] saved, CancellationToken cancellation)
    {
        var next = new Place(_generation + 1, $"replica/{Convert.ToHexStringLower(Keccak256.Hash(saved).Bytes)}", null);
        await ports.Blobs.PutAsync(next.Base!, saved, cancellation);
        await ports.Logs.CreateAsync(LogOf(next.Generation), cancellation);
        var old = new Place(_generation, _base, null);
        if (!await AddAsync(Closed, System.Text.Encoding.ASCII.GetBytes(next.Base!), cancellation))
        {
            return false;
        }

        (_generation, _length, _entries, _base) = (next.Generation, 0, 0, next.Base);
        if (await ports.Documents.GetAsync(key, cancellation) is { } document)
        {
            var found = Decode(document);
            if (found.Generation == old.Generation)
            {
                await FollowAsync(found, next.Base!, cancellation);
            }
        }

        return true;
    }

    private async Task<bool> AddAsync(byte kind, byte[] content, CancellationToken cancellation)
    {
        var framed = new byte[HeadBytes + content.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, content.Length + 1);
        framed[sizeof(int)] = kind;
        content.CopyTo(framed, HeadBytes);
        var log = LogOf(_generation);
        if (await ports.Logs.AppendAsync(log, _length, framed, cancellation) is { } length)
        {
            _length = length;
            return true;
        }

        // Refused; or done, and the answer was lost: then the very bytes stand there.
        if (await ports.Logs.ReadAsync(log, _length, cancellation) is not { } there
            || !there.Span.SequenceEqual(framed))
        {
            return false;
        }

        _length += framed.Length;
        return true;
    }

    /// <summary>Where the document says that the journal is; begins it where there is none.</summary>
    private async Task<Place?> FindAsync(CancellationToken cancellation)
    {
        if (await ports.Documents.GetAsync(key, cancellation) is { } document)
        {
            return Decode(document);
        }

        await ports.Logs.CreateAsync(LogOf(0), cancellation);
        var write = await ports.Documents.CreateAsync(key, Encode(0, null), cancellation);
        return write.IsDone ? new Place(0, null, write.ETag) : null;
    }

    /// <summary>The next generation counts: the document says so, and what the last one named is deleted.</summary>
    private async Task FollowAsync(Place old, string next, CancellationToken cancellation)
    {
        var write = await ports.Documents.ReplaceAsync(
            key, Encode(old.Generation + 1, next), old.ETag!, cancellation);
        if (!write.IsDone)
        {
            return; // another worker did it
        }

        await ports.Logs.DeleteAsync(LogOf(old.Generation), cancellation);
        if (old.Base is { } name && name != next)
        {
            await ports.Blobs.DeleteAsync(name, cancellation);
        }
    }

    private static (List<byte[]> Entries, string? Closed) Read(ReadOnlySpan<byte> log)
    {
        var entries = new List<byte[]>();
        while (log.Length >= HeadBytes)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(log);
            if (length < 1 || length > log.Length - sizeof(int))
            {
                break;
            }

            var content = log.Slice(HeadBytes, length - 1);
            if (log[sizeof(int)] == Closed)
            {
                return (entries, System.Text.Encoding.ASCII.GetString(content));
            }

            entries.Add(content.ToArray());
            log = log[(sizeof(int) + length)..];
        }

        return log.IsEmpty ? (entries, null) : throw new StoreException("A replica's journal is damaged.");
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

    private static string LogOf(ulong generation) =>
        string.Create(CultureInfo.InvariantCulture, $"journal/{generation}");

    /// <summary>Where a journal is.</summary>
    private readonly record struct Place(ulong Generation, string? Base, string? ETag);
}
