using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SuperVm.Core.Primitives;

/// <summary>An unsigned 256-bit integer modulo 2^256: the word of the EVM.</summary>
/// <remarks>
/// <code>
///   bit 255                                                    bit 0
///   | U3: 192..255 | U2: 128..191 | U1: 64..127 | U0: 0..63 |
/// </code>
/// Four limbs, least significant first, so that carries run upwards and a word fits a 256-bit register.
/// Signed operations read the same bits as two's complement.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8, Size = 32)]
public readonly partial struct UInt256 : IEquatable<UInt256>, IComparable<UInt256>, IAddable<UInt256>
{
    /// <summary>Characters of a number in text; leading zeros count.</summary>
    private const int MaximumTextLength = 1024;

    public readonly ulong U0, U1, U2, U3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public UInt256(ulong u0, ulong u1 = 0, ulong u2 = 0, ulong u3 = 0)
    {
        U0 = u0;
        U1 = u1;
        U2 = u2;
        U3 = u3;
    }

    public static UInt256 Zero => default;

    /// <summary>The sum modulo 2^256.</summary>
    static UInt256 IAddable<UInt256>.Add(in UInt256 left, in UInt256 right) => left + right;

    public static UInt256 One => new(1);

    public static UInt256 MaxValue => new(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue);

    public bool IsZero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (U0 | U1 | U2 | U3) == 0;
    }

    /// <summary>Whether the value fits 64 bits, so that <see cref="U0"/> is all of it.</summary>
    public bool IsUInt64
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (U1 | U2 | U3) == 0;
    }

    /// <summary>The sign bit in two's complement.</summary>
    public bool IsNegative => (long)U3 < 0;

    /// <summary>The number of bits up to and with the highest one that is set; 0 for zero.</summary>
    public int BitLength => 256 - LeadingZeroCount(this);

    /// <summary>The number of bytes of the shortest big-endian form; 0 for zero.</summary>
    public int ByteLength => (BitLength + 7) / 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator UInt256(ulong value) => new(value);

    public static implicit operator UInt256(uint value) => new(value);

    /// <exception cref="OverflowException">A negative number.</exception>
    public static explicit operator UInt256(int value) => new(checked((ulong)value));

    /// <exception cref="OverflowException">The value needs more than 64 bits.</exception>
    public static explicit operator ulong(UInt256 value) =>
        value.IsUInt64 ? value.U0 : throw new OverflowException("The value needs more than 64 bits.");

    /// <summary>The value, or <see cref="ulong.MaxValue"/> where it needs more than 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ToUInt64Saturating() => IsUInt64 ? U0 : ulong.MaxValue;

    public static explicit operator BigInteger(UInt256 value)
    {
        Span<byte> bytes = stackalloc byte[32];
        value.WriteBigEndian(bytes);
        return new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
    }

    /// <summary>The value modulo 2^256 (negative numbers in two's complement).</summary>
    public static explicit operator UInt256(BigInteger value)
    {
        var reduced = value & ((BigInteger.One << 256) - 1);
        Span<byte> bytes = stackalloc byte[33];
        bytes.Clear();
        reduced.TryWriteBytes(bytes, out var written, isUnsigned: true);
        return new UInt256(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));
    }

    /// <summary>Reads 0 to 32 big-endian bytes; missing high bytes are zero.</summary>
    /// <exception cref="ArgumentException">More than 32 bytes.</exception>
    public static UInt256 FromBigEndian(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 32)
        {
            return new UInt256(
                BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes));
        }

        if (bytes.Length > 32)
        {
            throw new ArgumentException("A 256-bit integer has at most 32 bytes.");
        }

        Span<byte> padded = stackalloc byte[32];
        padded.Clear();
        bytes.CopyTo(padded[(32 - bytes.Length)..]);
        return FromBigEndian(padded);
    }

    /// <summary>Writes all 32 bytes, most significant first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteBigEndian(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], U0);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], U1);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], U2);
        BinaryPrimitives.WriteUInt64BigEndian(destination, U3);
    }

    public byte[] ToBigEndian()
    {
        var bytes = new byte[32];
        WriteBigEndian(bytes);
        return bytes;
    }

    /// <summary>Parses hex after 0x, else decimal digits.</summary>
    /// <exception cref="FormatException">Not a number, or one above 2^256 - 1.</exception>
    public static UInt256 Parse(ReadOnlySpan<char> text) => TryParse(text, out var value)
        ? value
        : throw new FormatException("Not an unsigned number of at most 256 bits (decimal, or hex after 0x).");

    public static bool TryParse(ReadOnlySpan<char> text, out UInt256 value)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return TryParseHex(text[2..], out value);
        }

        value = default;
        if (text.Length is 0 or > MaximumTextLength
            || !BigInteger.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)
            || parsed.GetByteCount(isUnsigned: true) > 32)
        {
            return false;
        }

        value = (UInt256)parsed;
        return true;
    }

    private static bool TryParseHex(ReadOnlySpan<char> digits, out UInt256 value)
    {
        value = default;
        if (digits.Length is 0 or > MaximumTextLength)
        {
            return false;
        }

        ulong u0 = 0, u1 = 0, u2 = 0, u3 = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiHexDigit(digit) || u3 >> 60 != 0)
            {
                return false;
            }

            var nibble = (ulong)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
            u3 = (u3 << 4) | (u2 >> 60);
            u2 = (u2 << 4) | (u1 >> 60);
            u1 = (u1 << 4) | (u0 >> 60);
            u0 = (u0 << 4) | nibble;
        }

        value = new UInt256(u0, u1, u2, u3);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(UInt256 other) =>
        Unsafe.BitCast<UInt256, Vector256<ulong>>(this) == Unsafe.BitCast<UInt256, Vector256<ulong>>(other);

    public override bool Equals(object? obj) => obj is UInt256 other && Equals(other);

    public override int GetHashCode() => HashMix.Mix(U0 ^ U2, U1 ^ U3);

    public int CompareTo(UInt256 other) => this < other ? -1 : this == other ? 0 : 1;

    /// <summary>Decimal digits.</summary>
    public override string ToString() => ((BigInteger)this).ToString(CultureInfo.InvariantCulture);

    /// <summary>A JSON-RPC quantity: 0x and hex digits without leading zeros ("0x0" for zero).</summary>
    public string ToQuantity()
    {
        var bytes = ToBigEndian();
        var digits = Convert.ToHexStringLower(bytes).AsSpan().TrimStart('0');
        return digits.IsEmpty ? "0x0" : string.Concat("0x", digits);
    }
}
