using SuperVm.Core.Primitives;

namespace SuperVm.Core.Encoding;

/// <summary>Thrown where bytes are not canonical RLP or not of the expected shape.</summary>
public sealed class RlpException(string message) : Exception(message);

/// <summary>Reads canonical RLP (Yellow Paper, appendix B) from a span without copying.</summary>
/// <remarks>
/// Strict: lengths with leading zeros, long forms for short items, single bytes below 0x80 behind a prefix, integers
/// with leading zeros and items that reach past their list are refused with <see cref="RlpException"/>.
/// </remarks>
public ref struct RlpReader
{
    private readonly ReadOnlySpan<byte> _data;
    private int _position;

    public RlpReader(ReadOnlySpan<byte> data)
    {
        _data = data;
        _position = 0;
    }

    /// <summary>Whether every byte was read.</summary>
    public readonly bool AtEnd => _position == _data.Length;

    /// <summary>The number of bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>The number of bytes not read yet.</summary>
    public readonly int Remaining => _data.Length - _position;

    /// <summary>Whether the next item is a list.</summary>
    public readonly bool NextIsList
    {
        get
        {
            Require(_position < _data.Length, "RLP ends where an item is expected.");
            return _data[_position] >= 0xC0;
        }
    }

    /// <summary>Enters the next item, a list, and answers a reader over its items.</summary>
    public RlpReader ReadList()
    {
        Require(NextIsList, "RLP has a string where a list is expected.");
        var (offset, length) = NextPayload();
        _position = offset + length;
        return new RlpReader(_data.Slice(offset, length));
    }

    /// <summary>The next string's bytes, a view into the data.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        Require(!NextIsList, "RLP has a list where a string is expected.");
        var (offset, length) = NextPayload();
        _position = offset + length;
        return _data.Slice(offset, length);
    }

    /// <summary>The whole next item with its prefix, whatever it is.</summary>
    public ReadOnlySpan<byte> ReadItem()
    {
        Require(_position < _data.Length, "RLP ends where an item is expected.");
        var start = _position;
        var (offset, length) = NextPayload();
        _position = offset + length;
        return _data[start.._position];
    }

    /// <summary>An unsigned integer of at most 64 bits without leading zeros.</summary>
    public ulong ReadUInt64()
    {
        var bytes = ReadInteger(8);
        ulong value = 0;
        foreach (var part in bytes)
        {
            value = (value << 8) | part;
        }

        return value;
    }

    /// <summary>An unsigned integer of at most 256 bits without leading zeros.</summary>
    public UInt256 ReadUInt256() => UInt256.FromBigEndian(ReadInteger(32));

    public Hash256 ReadHash256()
    {
        var bytes = ReadBytes();
        Require(bytes.Length == Hash256.Size, "RLP hash does not have 32 bytes.");
        return new Hash256(bytes);
    }

    public Address ReadAddress()
    {
        var bytes = ReadBytes();
        Require(bytes.Length == Address.Size, "RLP address does not have 20 bytes.");
        return new Address(bytes);
    }

    /// <summary>An address, or null for the empty string (contract creation).</summary>
    public Address? ReadOptionalAddress()
    {
        var bytes = ReadBytes();
        Require(bytes.Length is 0 or Address.Size, "RLP address has neither 20 bytes nor none.");
        return bytes.IsEmpty ? null : new Address(bytes);
    }

    /// <summary>Refuses bytes behind the last expected item.</summary>
    public readonly void RequireEnd() => Require(AtEnd, "RLP has more items than expected.");

    private ReadOnlySpan<byte> ReadInteger(int maximumBytes)
    {
        var bytes = ReadBytes();
        Require(bytes.Length <= maximumBytes, "RLP integer is too large.");
        Require(bytes.IsEmpty || bytes[0] != 0, "RLP integer has leading zeros.");
        return bytes;
    }

    private readonly (int Offset, int Length) NextPayload()
    {
        var prefix = _data[_position];
        var (offset, length) = prefix switch
        {
            < 0x80 => (_position, 1),
            <= 0xB7 => (_position + 1, prefix - 0x80),
            <= 0xBF => LongLength(prefix - 0xB7),
            <= 0xF7 => (_position + 1, prefix - 0xC0),
            _ => LongLength(prefix - 0xF7),
        };
        Require(length <= _data.Length - offset, "RLP item reaches past its end.");
        Require(prefix != 0x81 || _data[offset] >= 0x80, "RLP has a prefix before a single byte.");
        return (offset, length);
    }

    private readonly (int Offset, int Length) LongLength(int lengthBytes)
    {
        var start = _position + 1;
        Require(lengthBytes <= _data.Length - start, "RLP length reaches past its end.");
        Require(_data[start] != 0, "RLP length has leading zeros.");
        Require(lengthBytes <= 4, "RLP item is too long.");
        long length = 0;
        for (var i = 0; i < lengthBytes; i++)
        {
            length = (length << 8) | _data[start + i];
        }

        Require(length > 55, "RLP uses a long form for a short item.");
        Require(length <= int.MaxValue, "RLP item is too long.");
        return (start + lengthBytes, (int)length);
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            Throw(message);
        }
    }

    private static void Throw(string message) => throw new RlpException(message);
}
