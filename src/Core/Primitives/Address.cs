using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SuperVm.Core.Primitives;

/// <summary>A twenty-byte account address.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
public readonly struct Address : IEquatable<Address>, IComparable<Address>
{
    public const int Size = 20;

    private readonly uint _part0, _part1, _part2, _part3, _part4;

    /// <summary>Copies exactly 20 bytes.</summary>
    /// <exception cref="ArgumentException">Another length.</exception>
    public Address(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            ThrowLength();
        }

        this = MemoryMarshal.Read<Address>(bytes);
    }

    public static Address Zero => default;

    /// <summary>A view of the bytes; valid as long as the variable it was taken from.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in this, 1));

    public bool IsZero => (_part0 | _part1 | _part2 | _part3 | _part4) == 0;

    public byte[] ToArray() => Bytes.ToArray();

    public void CopyTo(Span<byte> destination) => Bytes.CopyTo(destination);

    /// <summary>The address with this number in its last bytes, as precompiles and system contracts have it.</summary>
    public static Address FromNumber(ulong number)
    {
        Span<byte> bytes = stackalloc byte[Size];
        bytes.Clear();
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[12..], number);
        return new Address(bytes);
    }

    /// <summary>The low twenty bytes of a word, as CALL and BALANCE take them from the stack.</summary>
    public static Address FromWord(in UInt256 word)
    {
        // Memory order is big-endian: the highest four bytes first, then the two limbs below turned around.
        var parts = new WordParts
        {
            High = BinaryPrimitives.ReverseEndianness((uint)word.U2),
            Middle = BinaryPrimitives.ReverseEndianness(word.U1),
            Low = BinaryPrimitives.ReverseEndianness(word.U0),
        };
        return Unsafe.BitCast<WordParts, Address>(parts);
    }

    /// <summary>The address as a number, zero-extended to a word.</summary>
    public UInt256 ToWord()
    {
        var parts = Unsafe.BitCast<Address, WordParts>(this);
        return new UInt256(
            BinaryPrimitives.ReverseEndianness(parts.Low),
            BinaryPrimitives.ReverseEndianness(parts.Middle),
            BinaryPrimitives.ReverseEndianness(parts.High));
    }

    /// <summary>Parses 40 hex digits, with or without 0x; the checksum of mixed case (EIP-55) is not checked.</summary>
    /// <exception cref="FormatException">Not 20 bytes of hex.</exception>
    public static Address Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var address) ? address : throw new FormatException("An address is 20 bytes of hex.");

    public static bool TryParse(ReadOnlySpan<char> text, out Address address)
    {
        address = default;
        if (!Hex.TryDecode(text, out var bytes) || bytes.Length != Size)
        {
            return false;
        }

        address = new Address(bytes);
        return true;
    }

    public bool Equals(Address other) => Low(this) == Low(other) && High(this) == High(other)
        && _part4 == other._part4;

    public override bool Equals(object? obj) => obj is Address other && Equals(other);

    public override int GetHashCode() => HashMix.Mix(Low(this) ^ _part4, High(this));

    public int CompareTo(Address other) => Bytes.SequenceCompareTo(other.Bytes);

    public static bool operator ==(Address left, Address right) => left.Equals(right);

    public static bool operator !=(Address left, Address right) => !left.Equals(right);

    /// <summary>Lower-case hex with 0x.</summary>
    public override string ToString() => Hex.Encode(Bytes);

    private static ulong Low(in Address address) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<uint, byte>(ref Unsafe.AsRef(in address._part0)));

    private static ulong High(in Address address) =>
        Unsafe.ReadUnaligned<ulong>(ref Unsafe.As<uint, byte>(ref Unsafe.AsRef(in address._part2)));

    [StructLayout(LayoutKind.Sequential, Pack = 4, Size = Size)]
    private struct WordParts
    {
        internal uint High;
        internal ulong Middle, Low;
    }

    private static void ThrowLength() => throw new ArgumentException("An address has 20 bytes.");
}
