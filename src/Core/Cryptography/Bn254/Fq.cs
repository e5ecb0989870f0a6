using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>An element of BN254's base field, modulo p = 36x^4 + 36x^3 + 24x^2 + 6x + 1, x =
/// 4965661367192848881.</summary>
/// <remarks>
/// <code>
///   | L4: from bit 208 | L3: 156..207 | L2: 104..155 | L1: 52..103 | L0: 0..51 |
/// </code>
/// In Montgomery form: a stands as a * 2^260 mod p. The runtime has neither add-with-carry nor a multiplication that
/// returns both words in registers; limbs of 52 bits need neither (Fq.Multiplication.cs says how), and sums of them
/// stay carry-free. Four full limbs were measured at the same cost a multiplication and three times that an addition.
/// <para>Every value that a public member returns is tight: below 2 p, limbs 0 to 3 below 2^52. A tight value is not
/// unique; <see cref="Equals(Fq)"/> and the conversions see to that. Internal "lazy" sums are documented where
/// made.</para>
/// <para>Not constant time: the EVM's precompiles and proof verification know no secrets.</para>
/// </remarks>
public readonly partial struct Fq : ICurveField<Fq>, IEquatable<Fq>
{
    /// <summary>Bytes of the big-endian form.</summary>
    public const int Size = 32;

    internal const int LimbBits = 52;
    internal const ulong LimbMask = (1UL << LimbBits) - 1;

    private const ulong P0 = 0x8C16D87CFD47, P1 = 0x916871CA8D3C2, P2 = 0x181585D97816A, P3 = 0xA029B85045B68,
        P4 = 0x30644E72E131;

    private const ulong P0High = P0 << 12, P1High = P1 << 12, P2High = P2 << 12, P3High = P3 << 12, P4High = P4 << 12;

    /// <summary>-1 / p modulo 2^52.</summary>
    private const ulong NegativeInverse = 0x20782E4866389;

    internal readonly ulong L0, L1, L2, L3, L4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Fq(ulong l0, ulong l1, ulong l2, ulong l3, ulong l4)
    {
        L0 = l0;
        L1 = l1;
        L2 = l2;
        L3 = l3;
        L4 = l4;
    }

    private static readonly ModularInverse Inverter =
        new([0x3C208C16D87CFD47, 0x97816A916871CA8D, 0xB85045B68181585D, 0x30644E72E131A029]);

    /// <summary>The prime p.</summary>
    public static UInt256 Modulus =>
        new(0x3C208C16D87CFD47, 0x97816A916871CA8D, 0xB85045B68181585D, 0x30644E72E131A029);

    public static Fq Zero => default;

    /// <summary>2^260 modulo p.</summary>
    public static Fq One =>
        new(0x20880F6FCE4B4, 0x49BAA989A8455, 0x18F014A498908, 0x724F85A9201D8, 0x1F16424E1BB7);

    /// <summary>2^520 modulo p: multiplies a number into Montgomery form.</summary>
    private static Fq Square260 =>
        new(0x8A81D1966EB04, 0x6195018016B86, 0xB4F898C98E615, 0x9969BFD531600, 0xA8469A30D3A);

    /// <summary>2^780 modulo p: multiplies the inverse of a Montgomery form into one.</summary>
    private static Fq Cube260 =>
        new(0x324783FE3A1A8, 0x976AD256C513E, 0x603F972C59C28, 0x87F5C53872393, 0x10F16DED8D19);

    /// <summary>2^264 modulo p: multiplies the four-limb Montgomery form (a * 2^256) into this one.</summary>
    private static Fq FromR256 =>
        new(0xB0F2AFAEC667A, 0xED9626B0FFFBD, 0x9E2A0FCAD825A, 0xE357276F48B70, 0xD791464EF86);

    /// <summary>2^256 modulo p, not in Montgomery form: multiplies this form into the four-limb one.</summary>
    private static readonly Fq Raw256 = Split((UInt256.MaxValue % Modulus) + UInt256.One);

    /// <summary>The element of a number below p; false for p and above.</summary>
    public static bool TryCreate(in UInt256 value, out Fq element)
    {
        if (value >= Modulus)
        {
            element = default;
            return false;
        }

        var raw = Split(value);
        Multiply(raw, Square260, out element);
        return true;
    }

    /// <summary>The element of a small number.</summary>
    public static Fq FromUInt64(ulong value)
    {
        Multiply(new Fq(value & LimbMask, value >> LimbBits, 0, 0, 0), Square260, out var element);
        return element;
    }

    /// <summary>Reads 32 big-endian bytes; false where the number is not below p.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bigEndian, out Fq element) =>
        TryCreate(UInt256.FromBigEndian(bigEndian), out element);

    /// <summary>
    /// Takes the form a * 2^256 mod p, below p, that snarkjs' binary files hold; false for p and above.
    /// </summary>
    public static bool TryCreateFromMontgomery256(in UInt256 value, out Fq element)
    {
        if (value >= Modulus)
        {
            element = default;
            return false;
        }

        var raw = Split(value);
        Multiply(raw, FromR256, out element);
        return true;
    }

    /// <summary>The number below p.</summary>
    public UInt256 ToUInt256()
    {
        Multiply(this, new Fq(1, 0, 0, 0, 0), out var plain);
        return Join(plain.Canonical());
    }

    /// <summary>The form a * 2^256 mod p, below p, that snarkjs' binary files hold.</summary>
    public UInt256 ToMontgomery256()
    {
        Multiply(this, Raw256, out var form);
        return Join(form.Canonical());
    }

    /// <summary>Writes 32 big-endian bytes.</summary>
    public void WriteBigEndian(Span<byte> destination) => ToUInt256().WriteBigEndian(destination);

    public bool IsZero
    {
        get
        {
            if ((L0 | L1 | L2 | L3 | L4) == 0)
            {
                return true;
            }

            // The other tight form of zero.
            return L0 == P0 && L1 == P1 && L2 == P2 && L3 == P3 && L4 == P4;
        }
    }

    public bool Equals(Fq other)
    {
        Subtract(this, other, out var difference);
        return difference.IsZero;
    }

    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Fq other && Equals(other);

    public override int GetHashCode()
    {
        var unique = Canonical();
        return HashMix.Mix(unique.L0 ^ (unique.L2 << 7), unique.L1 ^ (unique.L3 << 7));
    }

    public override string ToString() => ToUInt256().ToString();

    public static bool operator ==(in Fq left, in Fq right) => left.Equals(right);

    public static bool operator !=(in Fq left, in Fq right) => !left.Equals(right);

    /// <summary>The one form below p of a tight value.</summary>
    private Fq Canonical()
    {
        var a0 = (long)(L0 - P0);
        var a1 = (long)(L1 - P1) + (a0 >> LimbBits);
        var a2 = (long)(L2 - P2) + (a1 >> LimbBits);
        var a3 = (long)(L3 - P3) + (a2 >> LimbBits);
        var a4 = (long)(L4 - P4) + (a3 >> LimbBits);
        return a4 < 0
            ? this
            : new Fq((ulong)a0 & LimbMask, (ulong)a1 & LimbMask, (ulong)a2 & LimbMask, (ulong)a3 & LimbMask, (ulong)a4);
    }

    /// <summary>The limbs of a number, not in Montgomery form.</summary>
    private static Fq Split(in UInt256 value) => new(
        value.U0 & LimbMask,
        ((value.U0 >> 52) | (value.U1 << 12)) & LimbMask,
        ((value.U1 >> 40) | (value.U2 << 24)) & LimbMask,
        ((value.U2 >> 28) | (value.U3 << 36)) & LimbMask,
        value.U3 >> 16);

    private static UInt256 Join(in Fq limbs) => new(
        limbs.L0 | (limbs.L1 << 52),
        (limbs.L1 >> 12) | (limbs.L2 << 40),
        (limbs.L2 >> 24) | (limbs.L3 << 28),
        (limbs.L3 >> 36) | (limbs.L4 << 16));
}
