namespace SuperVm.Core.Proving;

/// <summary>The bytes of a key or witness file, of which parts are asked for when they are needed.</summary>
/// <remarks>A file that is mapped into memory is one (Local); so that a key is never read as a whole.</remarks>
public abstract class ByteSource : IDisposable
{
    public abstract long Length { get; }

    /// <summary>The bytes of a part, valid until this is disposed of.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A part that is not within the source.</exception>
    public ReadOnlyMemory<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return Part(offset, length);
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A part that lies within the source.</summary>
    protected abstract ReadOnlyMemory<byte> Part(long offset, int length);

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Bytes in memory as a source.</summary>
public sealed class MemorySource(ReadOnlyMemory<byte> bytes) : ByteSource
{
    public override long Length => bytes.Length;

    protected override ReadOnlyMemory<byte> Part(long offset, int length) => bytes.Slice((int)offset, length);
}
