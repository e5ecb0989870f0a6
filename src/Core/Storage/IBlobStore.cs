namespace SuperVm.Core.Storage;

/// <summary>
/// The blob store: bodies too large for a message or a document. A body never changes under its name.
/// </summary>
/// <remarks>Members throw <see cref="StoreException"/> where the service fails.</remarks>
public interface IBlobStore
{
    /// <summary>
    /// Stores a body of at most <see cref="BlobLimits.MostBytes"/>; false where the name is taken, and what lies there
    /// stays.
    /// </summary>
    Task<bool> PutAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default);

    /// <summary>The body, or null where there is none.</summary>
    Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default);

    /// <summary>True where there was one.</summary>
    Task<bool> DeleteAsync(string name, CancellationToken cancellation = default);
}

/// <summary>What every blob store keeps to.</summary>
public static class BlobLimits
{
    /// <summary>A body, in bytes: it is held in memory whole.</summary>
    public const int MostBytes = 64 * 1024 * 1024;

    /// <summary>Characters of a name.</summary>
    public const int MostNameCharacters = 512;

    /// <summary>
    /// A name has 1 to <see cref="MostNameCharacters"/> ASCII letters, digits, dashes, dots, underscores and slashes,
    /// begins and ends with a letter or digit, and has no two slashes or dots in a row.
    /// </summary>
    public static bool IsName(string? name)
    {
        if (name is null || name.Length is 0 or > MostNameCharacters
            || !char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1]))
        {
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            var twice = (c is '.' or '/') && c == name[i - 1];
            if (twice || (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_' or '/')))
            {
                return false;
            }
        }

        return true;
    }

    /// <exception cref="ArgumentException">The name is none, or the body too large.</exception>
    public static void Require(string name, int bytes = 0)
    {
        if (!IsName(name))
        {
            throw new ArgumentException($"'{name}' is no name of a blob.", nameof(name));
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, MostBytes);
    }
}
