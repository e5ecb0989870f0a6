using System.Buffers.Binary;
using System.Numerics;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Encoding;

/// <summary>Writes RLP into a growing buffer; lists are closed in place by moving their payload.</summary>
/// <remarks>Reusable: <see cref="Clear"/> keeps the buffer. Not thread-safe.</remarks>
public sealed class RlpWriter
{
    private byte[] _buffer;
    private int _length;

    public RlpWriter(int capacity = 256) => _buffer = new byte[Math.Max(capacity, 16)];

    /// <summary>What was written so far; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public byte[] ToArray() => Written.ToArray();

    public void Clear() => _length = 0;

    /// <summary>Opens a list; pass the answer to <see cref="EndList"/>.</summary>
    public int BeginList() => _length;

    /// <summary>Closes the list that was opened at <paramref name="start"/>.</summary>
    public void EndList(int start)
    {
        var payload = _length - start;
        var prefix = PrefixLength(payload);
        Reserve(prefix);
        _buffer.AsSpan(start, payload).CopyTo(_buffer.AsSpan(start + prefix));
        WritePrefix(_buffer.AsSpan(start), payload, 0xC0);
        _length += prefix;
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 1 && bytes[0] < 0x80)
        {
            WriteRaw(bytes);
            return;
        }

        var prefix = PrefixLength(bytes.Length);
        Reserve(prefix + bytes.Length);
        WritePrefix(_buffer.AsSpan(_length), bytes.Length, 0x80);
        bytes.CopyTo(_buffer.AsSpan(_length + prefix));
        _length += prefix + bytes.Length;
    }

    /// <summary>An integer without leading zeros; zero is the empty string.</summary>
    public void WriteUInt64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        WriteBytes(bytes[(BitOperations.LeadingZeroCount(value) / 8)..]);
    }

    /// <summary>An integer without leading zeros; zero is the empty string.</summary>
    public void WriteUInt256(in UInt256 value)
    {
        Span<byte> bytes = stackalloc byte[32];
        value.WriteBigEndian(bytes);
        WriteBytes(bytes[(32 - value.ByteLength)..]);
    }

    public void WriteHash256(in Hash256 hash) => WriteBytes(hash.Bytes);

    public void WriteAddress(in Address address) => WriteBytes(address.Bytes);

    /// <summary>An address, or the empty string for none.</summary>
    public void WriteOptionalAddress(Address? address) =>
        WriteBytes(address is { } present ? present.ToArray() : []);

    /// <summary>Bytes that are RLP already (or a type byte), as they are.</summary>
    public void WriteRaw(ReadOnlySpan<byte> encoded)
    {
        Reserve(encoded.Length);
        encoded.CopyTo(_buffer.AsSpan(_length));
        _length += encoded.Length;
    }

    public void WriteEmptyList() => WriteRaw([0xC0]);

    private static int PrefixLength(int payload) =>
        payload < 56 ? 1 : 1 + LengthBytes(payload);

    private static int LengthBytes(int payload) => (32 - BitOperations.LeadingZeroCount((uint)payload) + 7) / 8;

    private static void WritePrefix(Span<byte> destination, int payload, int shortBase)
    {
        if (payload < 56)
        {
            destination[0] = (byte)(shortBase + payload);
            return;
        }

        var count = LengthBytes(payload);
        destination[0] = (byte)(shortBase + 55 + count);
        for (var i = 0; i < count; i++)
        {
            destination[1 + i] = (byte)(payload >> (8 * (count - 1 - i)));
        }
    }

    private void Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        }
    }
}
