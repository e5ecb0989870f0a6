using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SuperVm.Core.Primitives;

/// <summary>Thirty-two bytes: a Keccak-256 or SHA-256 digest, a trie root, a block or transaction hash.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 8, Size = Size)]
public readonly struct Hash256 : IEquatable<Hash256>, IComparable<Hash256>
{
    public const int Size = 32;

    // The bytes as they stand on the wire; the fields only give the struct its room and alignment.
    private readonly ulong _part0, _part1, _part2, _part3;

    /// <summary>Copies exactly 32 bytes.</summary>
    /// <exception cref="ArgumentException">Another length.</exception>
    public Hash256(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            ThrowLength();
        }

        this = MemoryMarshal.Read<Hash256>(bytes);
    }

    /// <summary>Thirty-two zero bytes.</summary>
    public static Hash256 Zero => default;

    /// <summary>A view of the bytes; valid as long as the variable it was taken from.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Bytes =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in this, 1));

    public bool IsZero => (_part0 | _part1 | _part2 | _part3) == 0;

    public byte[] ToArray() => Bytes.ToArray();

    public void CopyTo(Span<byte> destination) => Bytes.CopyTo(destination);

    /// <summary>Parses 64 hex digits, with or without 0x.</summary>
    /// <exception cref="FormatException">Not 32 bytes of hex.</exception>
    public static Hash256 Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var hash) ? hash : throw new FormatException("A hash is 32 bytes of hex.");

    public static bool TryParse(ReadOnlySpan<char> text, out Hash256 hash)
    {
        hash = default;
        if (!Hex.TryDecode(text, out var bytes) || bytes.Length != Size)
        {
            return false;
        }

        hash = new Hash256(bytes);
        return true;
    }

    public bool Equals(Hash256 other) =>
        Unsafe.BitCast<Hash256, Vector256<ulong>>(this) == Unsafe.BitCast<Hash256, Vector256<ulong>>(other);

    public override bool Equals(object? obj) => obj is Hash256 other && Equals(other);

    public override int GetHashCode() => HashMix.Mix(_part0 ^ _part2, _part1 ^ _part3);

    public int CompareTo(Hash256 other) => Bytes.SequenceCompareTo(other.Bytes);

    public static bool operator ==(Hash256 left, Hash256 right) => left.Equals(right);

    public static bool operator !=(Hash256 left, Hash256 right) => !left.Equals(right);

    public override string ToString() => Hex.Encode(Bytes);

    private static void ThrowLength() => throw new ArgumentException("A hash has 32 bytes.");
}
