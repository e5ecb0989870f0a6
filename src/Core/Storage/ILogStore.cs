namespace SuperVm.Core.Storage;

/// <summary>
/// The log store: bytes are added at the end, and what is there never changes. Any number of writers may add at once.
/// </summary>
/// <remarks>
/// Names are as <see cref="BlobLimits.IsName"/> says. Members throw <see cref="StoreException"/> where the service
/// fails; an append that failed in an unknown way may have been done: callers read again.
/// </remarks>
public interface ILogStore
{
    /// <summary>Makes an empty log; false where there is one.</summary>
    Task<bool> CreateAsync(string name, CancellationToken cancellation = default);

    /// <summary>
    /// Adds bytes (1 to <see cref="LogLimits.MostAppendedBytes"/>) at the end, with nobody else's bytes
    /// between them.
    /// </summary>
    Task<LogAppend> AppendAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default);

    /// <summary>What is there from a place on, at most its end; null where there is no log.</summary>
    Task<ReadOnlyMemory<byte>?> ReadAsync(string name, long from, CancellationToken cancellation = default);
}

/// <summary>How an append ended.</summary>
public enum LogAppend
{
    /// <summary>The bytes are there.</summary>
    Done,

    /// <summary>There is no such log: nothing was added.</summary>
    Missing,

    /// <summary>The log holds as many appends as it may: nothing was added.</summary>
    Full,
}

/// <summary>What every log store keeps to.</summary>
public static class LogLimits
{
    /// <summary>Bytes of one append: a block of an append blob.</summary>
    public const int MostAppendedBytes = 4 * 1024 * 1024;

    /// <summary>Appends to one log: blocks of an append blob.</summary>
    public const int MostAppends = 50_000;

    /// <exception cref="ArgumentException">The name is none, or there is nothing or too much to add.</exception>
    public static void Require(string name, int bytes)
    {
        BlobLimits.Require(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, MostAppendedBytes);
    }
}
