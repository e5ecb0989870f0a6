using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>A scalar of BN254: an element modulo the group order r = 36x^4 + 36x^3 + 18x^2 + 6x + 1.</summary>
/// <remarks>
/// Four limbs, least significant first, in Montgomery form (a * 2^256 mod r, always below r): the layout of snarkjs'
/// .zkey files, 32 bytes a value, and unique, so that equality is bitwise. Not constant time.
/// </remarks>
public readonly partial struct Fr : IFieldElement<Fr>, IEquatable<Fr>
{
    /// <summary>Bytes of a value.</summary>
    public const int Size = 32;

    /// <summary>2^28 divides r - 1: transforms of up to that many points exist.</summary>
    public const int TwoAdicity = 28;

    private const ulong R0 = 0x43E1F593F0000001, R1 = 0x2833E84879B97091, R2 = 0xB85045B68181585D,
        R3 = 0x30644E72E131A029;

    /// <summary>-1 / r modulo 2^64.</summary>
    private const ulong NegativeInverse = 0xC2E1F593EFFFFFFF;

    internal readonly ulong L0, L1, L2, L3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Fr(ulong l0, ulong l1, ulong l2, ulong l3)
    {
        L0 = l0;
        L1 = l1;
        L2 = l2;
        L3 = l3;
    }

    private static readonly ModularInverse Inverter = new([R0, R1, R2, R3]);

    /// <summary>The prime r.</summary>
    public static UInt256 Modulus => new(R0, R1, R2, R3);

    public static Fr Zero => default;

    /// <summary>2^256 modulo r.</summary>
    public static Fr One => new(0xAC96341C4FFFFFFB, 0x36FC76959F60CD29, 0x666EA36F7879462E, 0x0E0A77C19A07DF2F);

    /// <summary>A primitive 2^28-th root of unity: 5^((r - 1) / 2^28), the one that snarkjs takes.</summary>
    public static Fr RootOfUnity =>
        new(0x636E735580D13D9C, 0xA22BF3742445FFD6, 0x56452AC01EB203D8, 0x1860EF942963F9E7);

    /// <summary>2^512 modulo r.</summary>
    private static Fr Square256 =>
        new(0x1BB8E645AE216DA7, 0x53FE3AB1E35C59E3, 0x8C49833D53BB8085, 0x0216D0B17F4E44A5);

    /// <summary>2^768 modulo r.</summary>
    private static Fr Cube256 =>
        new(0x5E94D8E1B4BF0040, 0x2A489CBE1CFBB6B8, 0x893CC664A19FCFED, 0x0CF8594B7FCC657C);

    /// <summary>The element of a number below r; false for r and above.</summary>
    public static bool TryCreate(in UInt256 value, out Fr element)
    {
        if (value >= Modulus)
        {
            element = default;
            return false;
        }

        Multiply(new Fr(value.U0, value.U1, value.U2, value.U3), Square256, out element);
        return true;
    }

    /// <summary>The element of any number, taken modulo r.</summary>
    public static Fr Reduce(in UInt256 value)
    {
        // The product with a value below r is in range for any four limbs.
        Multiply(new Fr(value.U0, value.U1, value.U2, value.U3), Square256, out var element);
        return element;
    }

    public static Fr FromUInt64(ulong value) => Reduce(value);

    /// <summary>Reads 32 big-endian bytes; false where the number is not below r.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bigEndian, out Fr element) =>
        TryCreate(UInt256.FromBigEndian(bigEndian), out element);

    /// <summary>Takes four limbs that are a * 2^256 mod r already; false for r and above.</summary>
    public static bool TryCreateFromMontgomery256(in UInt256 value, out Fr element)
    {
        element = new Fr(value.U0, value.U1, value.U2, value.U3);
        return value < Modulus;
    }

    /// <summary>The number below r.</summary>
    public UInt256 ToUInt256()
    {
        Multiply(this, new Fr(1, 0, 0, 0), out var plain);
        return new UInt256(plain.L0, plain.L1, plain.L2, plain.L3);
    }

    /// <summary>a * 2^256 mod r: the limbs as they stand.</summary>
    public UInt256 ToMontgomery256() => new(L0, L1, L2, L3);

    /// <summary>Writes 32 big-endian bytes.</summary>
    public void WriteBigEndian(Span<byte> destination) => ToUInt256().WriteBigEndian(destination);

    public bool IsZero => (L0 | L1 | L2 | L3) == 0;

    public bool Equals(Fr other) => ((L0 ^ other.L0) | (L1 ^ other.L1) | (L2 ^ other.L2) | (L3 ^ other.L3)) == 0;

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Fr other && Equals(other);

    public override int GetHashCode() => HashMix.Mix(L0 ^ L2, L1 ^ L3);

    public override string ToString() => ToUInt256().ToString();

    public static bool operator ==(in Fr left, in Fr right) => left.Equals(right);

    public static bool operator !=(in Fr left, in Fr right) => !left.Equals(right);
}
