namespace SuperVm.Core.Storage;

/// <summary>Where a document lies.</summary>
/// <param name="Container">A collection that was set up beforehand.</param>
/// <param name="Partition">What lies together: documents of one partition share its throughput.</param>
/// <param name="Id">The name within the partition.</param>
public readonly record struct DocumentKey(string Container, string Partition, string Id)
{
    /// <summary>Characters of each part.</summary>
    public const int MostCharacters = 255;

    /// <summary>
    /// Each part has 1 to <see cref="MostCharacters"/> ASCII letters, digits, dashes, dots, colons and underscores, the
    /// characters that every document database takes in a name.
    /// </summary>
    public bool IsValid => IsPart(Container) && IsPart(Partition) && IsPart(Id);

    /// <exception cref="ArgumentException">A part is not as <see cref="IsValid"/> says.</exception>
    public void Require()
    {
        if (!IsValid)
        {
            throw new ArgumentException($"{this} is no key of a document.");
        }
    }

    private static bool IsPart(string? part)
    {
        if (part is null || part.Length is 0 or > MostCharacters)
        {
            return false;
        }

        foreach (var c in part)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or ':' or '_'))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>A document as it was read.</summary>
/// <param name="Body">Its bytes.</param>
/// <param name="ETag">Names this version; every write makes a new one.</param>
public sealed record Document(ReadOnlyMemory<byte> Body, string ETag);

/// <summary>How a write ended.</summary>
public enum DocumentStatus
{
    Done = 0,

    /// <summary>Create: there is one already. Nothing was written.</summary>
    Exists = 1,

    /// <summary>Replace, delete: there is none.</summary>
    Missing = 2,

    /// <summary>Replace, delete: somebody wrote since. Nothing was written.</summary>
    Changed = 3,
}

/// <summary>The end of a write, with the new version's name where it is done and not a delete.</summary>
public readonly record struct DocumentWrite(DocumentStatus Status, string? ETag = null)
{
    public bool IsDone => Status == DocumentStatus.Done;
}

/// <summary>
/// The document store: point reads and writes; compare-and-swap of one document by its ETag is the only atomicity.
/// </summary>
/// <remarks>
/// A write that failed in an unknown way (<see cref="StoreException"/>) may have been done: callers read again. A read
/// sees every write that ended before it began.
/// </remarks>
public interface IDocumentStore
{
    /// <summary>The document, or null where there is none.</summary>
    Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default);

    /// <summary>Writes a document that is not there yet: Done or Exists.</summary>
    Task<DocumentWrite> CreateAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default);

    /// <summary>Writes over exactly the version named: Done, Changed or Missing.</summary>
    Task<DocumentWrite> ReplaceAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default);

    /// <summary>Writes whatever is there: Done.</summary>
    Task<DocumentWrite> UpsertAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default);

    /// <summary>
    /// Deletes the version named, or (null) any: Done, Changed or Missing.
    /// </summary>
    Task<DocumentWrite> DeleteAsync(DocumentKey key, string? etag = null, CancellationToken cancellation = default);
}

/// <summary>What every document store keeps to.</summary>
public static class DocumentLimits
{
    /// <summary>A body, in bytes. Base64 and its frame stay below the 2 MB of a Cosmos DB item.</summary>
    public const int MostBodyBytes = 1_400_000;

    /// <summary>Point reads under way at once in <see cref="DocumentStoreExtensions.GetManyAsync"/>.</summary>
    public const int MostParallelReads = 64;

    public static void Require(DocumentKey key, int bodyBytes = 0)
    {
        key.Require();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bodyBytes, MostBodyBytes);
    }
}

/// <summary>What follows from the port's members.</summary>
public static class DocumentStoreExtensions
{
    /// <summary>The documents of many keys, in order; null where there is none. Point reads, many at once.</summary>
    public static async Task<Document?[]> GetManyAsync(
        this IDocumentStore store, IReadOnlyList<DocumentKey> keys, CancellationToken cancellation = default)
    {
        var found = new Document?[keys.Count];
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = DocumentLimits.MostParallelReads,
            CancellationToken = cancellation,
        };
        await System.Threading.Tasks.Parallel.ForAsync(0, keys.Count, options, async (i, stop) =>
        {
            found[i] = await store.GetAsync(keys[i], stop);
        });
        return found;
    }
}
