using System.Buffers;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>A response as it grows: one pooled array that can be cut back to an earlier length.</summary>
internal sealed class RpcBuffer : IBufferWriter<byte>, IDisposable
{
    private const int InitialSize = 16 << 10;

    /// <summary>An array larger than this goes back to the shared pool after a response.</summary>
    private const int KeptSize = 1 << 20;

    private byte[] _array = ArrayPool<byte>.Shared.Rent(InitialSize);

    internal int Length { get; private set; }

    internal ReadOnlyMemory<byte> Written => _array.AsMemory(0, Length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _array.Length - Length);
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Length);
    }

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_array.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Forgets what was written after the length.</summary>
    internal void CutTo(int length) => Length = Math.Min(length, Length);

    /// <summary>Makes it ready for another response.</summary>
    internal void Clear()
    {
        Length = 0;
        if (_array.Length > KeptSize)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = ArrayPool<byte>.Shared.Rent(InitialSize);
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        Length = 0;
    }

    private void Reserve(int count)
    {
        count = Math.Max(count, 256);
        if (_array.Length - Length >= count)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(checked(Math.Max(_array.Length * 2, Length + count)));
        _array.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
