using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>An element of the base field of BLS12-381 (EIP-2537), modulo a prime p of 381 bits.</summary>
/// <remarks>
/// Six limbs, least significant first, in Montgomery form (the element times 2^384), always below p. The three bits
/// that p leaves free in the highest limb spare the product its overflow limb.
/// </remarks>
internal readonly struct Fq(ulong l0, ulong l1, ulong l2, ulong l3, ulong l4, ulong l5) : ISwuField<Fq>
{
    /// <summary>Bytes of a number below p.</summary>
    internal const int Size = 48;

    internal const ulong P0 = 0xB9FEFFFFFFFFAAAB;
    internal const ulong P1 = 0x1EABFFFEB153FFFF;
    internal const ulong P2 = 0x6730D2A0F6B0F624;
    internal const ulong P3 = 0x64774B84F38512BF;
    internal const ulong P4 = 0x4B1BA7B6434BACD7;
    internal const ulong P5 = 0x1A0111EA397FE69A;

    /// <summary>-1 / p modulo 2^64.</summary>
    internal const ulong ReductionFactor = 0x89F3FFFCFFFCFFFD;

    private static readonly ModularInverse Inverter = new([P0, P1, P2, P3, P4, P5]);

    internal readonly ulong L0 = l0, L1 = l1, L2 = l2, L3 = l3, L4 = l4, L5 = l5;

    public static Fq Zero => default;

    public static Fq One => new(
        0x760900000002FFFD, 0xEBF4000BC40C0002, 0x5F48985753C758BA,
        0x77CE585370525745, 0x5C071A97A256EC6D, 0x15F65EC3FA80E493);

    public static Fq CurveB { get; } = FromNumber(4);

    public static Fq SwuZ { get; } = FromNumber(11);

    private static readonly Fq RootOfMinusEleven =
        FromHex("4610e003bd3ac94dfa9246c390d7a78942602029175a4ca366d601f33f3946e3ed39794735c38315d874bc1d70637c3");

    /// <summary>(p + 1) / 4, words lowest first.</summary>
    private static ReadOnlySpan<ulong> RootExponent =>
    [
        0xEE7FBFFFFFFFEAAB, 0x07AAFFFFAC54FFFF, 0xD9CC34A83DAC3D89,
        0xD91DD2E13CE144AF, 0x92C6E9ED90D2EB35, 0x0680447A8E5FF9A6,
    ];

    /// <summary>2^768 modulo p, which brings a number into Montgomery form.</summary>
    private static Fq MontgomerySquare => new(
        0xF4DF1F341C341746, 0x0A76E6A609D104F1, 0x8DE5476C4C95B6D5,
        0x67EB88A9939D83C0, 0x9A793E85B519952D, 0x11988FE592CAE3AA);

    public bool IsZero => (L0 | L1 | L2 | L3 | L4 | L5) == 0;

    /// <summary>Whether the element's number is odd: sgn0 of RFC 9380, section 4.1.</summary>
    public bool IsOdd => (ToPlain().L0 & 1) != 0;

    /// <summary>Whether the element's number is above (p - 1) / 2: the sign of compressed points.</summary>
    internal bool IsLarge
    {
        get
        {
            var plain = ToPlain();
            var opposite = (-this).ToPlain();
            return IsBelow(opposite, plain);
        }
    }

    internal static Fq FromNumber(ulong value) => new Fq(value, 0, 0, 0, 0, 0) * MontgomerySquare;

    /// <summary>A constant from hex digits without 0x, at most 96.</summary>
    internal static Fq FromHex(string digits)
    {
        var bytes = Convert.FromHexString(digits.PadLeft(2 * Size, '0'));
        return TryRead(bytes, out var value) ? value : throw new ArgumentException("A constant is not below p.");
    }

    /// <summary>Reads 48 big-endian bytes; false for a number from p on.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out Fq value)
    {
        var plain = new Fq(
            BinaryPrimitives.ReadUInt64BigEndian(bytes[40..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[32..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt64BigEndian(bytes));
        value = plain * MontgomerySquare;
        return IsBelow(plain, new Fq(P0, P1, P2, P3, P4, P5));
    }

    /// <summary>Writes 48 big-endian bytes.</summary>
    internal void Write(Span<byte> bytes)
    {
        var plain = ToPlain();
        BinaryPrimitives.WriteUInt64BigEndian(bytes[40..], plain.L0);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[32..], plain.L1);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[24..], plain.L2);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], plain.L3);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], plain.L4);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, plain.L5);
    }

    public static bool AreEqual(in Fq a, in Fq b) =>
        ((a.L0 ^ b.L0) | (a.L1 ^ b.L1) | (a.L2 ^ b.L2)
            | (a.L3 ^ b.L3) | (a.L4 ^ b.L4) | (a.L5 ^ b.L5)) == 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Fq operator +(in Fq a, in Fq b)
    {
        ulong carry = 0;
        var r0 = Limbs.Add(a.L0, b.L0, ref carry);
        var r1 = Limbs.Add(a.L1, b.L1, ref carry);
        var r2 = Limbs.Add(a.L2, b.L2, ref carry);
        var r3 = Limbs.Add(a.L3, b.L3, ref carry);
        var r4 = Limbs.Add(a.L4, b.L4, ref carry);
        return Below(r0, r1, r2, r3, r4, a.L5 + b.L5 + carry);
    }

    /// <summary>
    /// The sum as it comes, below 2p: good as a factor of one product (4 p^2 is below p 2^384, so that the product is
    /// below 2p before its last step) and for nothing else.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Fq AddLazy(in Fq a, in Fq b)
    {
        ulong carry = 0;
        var r0 = Limbs.Add(a.L0, b.L0, ref carry);
        var r1 = Limbs.Add(a.L1, b.L1, ref carry);
        var r2 = Limbs.Add(a.L2, b.L2, ref carry);
        var r3 = Limbs.Add(a.L3, b.L3, ref carry);
        var r4 = Limbs.Add(a.L4, b.L4, ref carry);
        return new Fq(r0, r1, r2, r3, r4, a.L5 + b.L5 + carry);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Fq operator -(in Fq a, in Fq b)
    {
        ulong borrow = 0;
        var r0 = Limbs.Subtract(a.L0, b.L0, ref borrow);
        var r1 = Limbs.Subtract(a.L1, b.L1, ref borrow);
        var r2 = Limbs.Subtract(a.L2, b.L2, ref borrow);
        var r3 = Limbs.Subtract(a.L3, b.L3, ref borrow);
        var r4 = Limbs.Subtract(a.L4, b.L4, ref borrow);
        var r5 = a.L5 - b.L5 - borrow;
        if ((long)r5 >= 0)
        {
            return new Fq(r0, r1, r2, r3, r4, r5);
        }

        ulong carry = 0;
        r0 = Limbs.Add(r0, P0, ref carry);
        r1 = Limbs.Add(r1, P1, ref carry);
        r2 = Limbs.Add(r2, P2, ref carry);
        r3 = Limbs.Add(r3, P3, ref carry);
        r4 = Limbs.Add(r4, P4, ref carry);
        return new Fq(r0, r1, r2, r3, r4, r5 + P5 + carry);
    }

    public static Fq operator -(in Fq a) => Zero - a;

    /// <remarks>
    /// Row by row, product and reduction together (Koç, Acar, Kaliski, "Analyzing and comparing Montgomery
    /// multiplication algorithms", 1996: CIOS): t = (t + a b + m p) / 2^64 with the m that makes the division exact.
    /// Written out, for in helpers or loops the compiler leaves the limbs in memory.
    /// </remarks>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Fq operator *(in Fq a, in Fq b)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4, a5 = a.L5;
        var row = b.L0;
        var low = Limbs.MultiplyAdd(a0, row, 0, out var c);
        var m = low * ReductionFactor;
        Limbs.MultiplyAdd(m, P0, low, out var d);
        low = Limbs.MultiplyAdd(a1, row, c, out c);
        var t0 = Limbs.MultiplyAdd(m, P1, low, d, out d);
        low = Limbs.MultiplyAdd(a2, row, c, out c);
        var t1 = Limbs.MultiplyAdd(m, P2, low, d, out d);
        low = Limbs.MultiplyAdd(a3, row, c, out c);
        var t2 = Limbs.MultiplyAdd(m, P3, low, d, out d);
        low = Limbs.MultiplyAdd(a4, row, c, out c);
        var t3 = Limbs.MultiplyAdd(m, P4, low, d, out d);
        low = Limbs.MultiplyAdd(a5, row, c, out c);
        var t4 = Limbs.MultiplyAdd(m, P5, low, d, out d);
        var t5 = c + d;

        row = b.L1;
        low = Limbs.MultiplyAdd(a0, row, t0, out c);
        m = low * ReductionFactor;
        Limbs.MultiplyAdd(m, P0, low, out d);
        low = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t0 = Limbs.MultiplyAdd(m, P1, low, d, out d);
        low = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t1 = Limbs.MultiplyAdd(m, P2, low, d, out d);
        low = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t2 = Limbs.MultiplyAdd(m, P3, low, d, out d);
        low = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t3 = Limbs.MultiplyAdd(m, P4, low, d, out d);
        low = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t4 = Limbs.MultiplyAdd(m, P5, low, d, out d);
        t5 = c + d;

        row = b.L2;
        low = Limbs.MultiplyAdd(a0, row, t0, out c);
        m = low * ReductionFactor;
        Limbs.MultiplyAdd(m, P0, low, out d);
        low = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t0 = Limbs.MultiplyAdd(m, P1, low, d, out d);
        low = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t1 = Limbs.MultiplyAdd(m, P2, low, d, out d);
        low = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t2 = Limbs.MultiplyAdd(m, P3, low, d, out d);
        low = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t3 = Limbs.MultiplyAdd(m, P4, low, d, out d);
        low = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t4 = Limbs.MultiplyAdd(m, P5, low, d, out d);
        t5 = c + d;

        row = b.L3;
        low = Limbs.MultiplyAdd(a0, row, t0, out c);
        m = low * ReductionFactor;
        Limbs.MultiplyAdd(m, P0, low, out d);
        low = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t0 = Limbs.MultiplyAdd(m, P1, low, d, out d);
        low = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t1 = Limbs.MultiplyAdd(m, P2, low, d, out d);
        low = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t2 = Limbs.MultiplyAdd(m, P3, low, d, out d);
        low = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t3 = Limbs.MultiplyAdd(m, P4, low, d, out d);
        low = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t4 = Limbs.MultiplyAdd(m, P5, low, d, out d);
        t5 = c + d;

        row = b.L4;
        low = Limbs.MultiplyAdd(a0, row, t0, out c);
        m = low * ReductionFactor;
        Limbs.MultiplyAdd(m, P0, low, out d);
        low = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t0 = Limbs.MultiplyAdd(m, P1, low, d, out d);
        low = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t1 = Limbs.MultiplyAdd(m, P2, low, d, out d);
        low = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t2 = Limbs.MultiplyAdd(m, P3, low, d, out d);
        low = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t3 = Limbs.MultiplyAdd(m, P4, low, d, out d);
        low = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t4 = Limbs.MultiplyAdd(m, P5, low, d, out d);
        t5 = c + d;

        row = b.L5;
        low = Limbs.MultiplyAdd(a0, row, t0, out c);
        m = low * ReductionFactor;
        Limbs.MultiplyAdd(m, P0, low, out d);
        low = Limbs.MultiplyAdd(a1, row, t1, c, out c);
        t0 = Limbs.MultiplyAdd(m, P1, low, d, out d);
        low = Limbs.MultiplyAdd(a2, row, t2, c, out c);
        t1 = Limbs.MultiplyAdd(m, P2, low, d, out d);
        low = Limbs.MultiplyAdd(a3, row, t3, c, out c);
        t2 = Limbs.MultiplyAdd(m, P3, low, d, out d);
        low = Limbs.MultiplyAdd(a4, row, t4, c, out c);
        t3 = Limbs.MultiplyAdd(m, P4, low, d, out d);
        low = Limbs.MultiplyAdd(a5, row, t5, c, out c);
        t4 = Limbs.MultiplyAdd(m, P5, low, d, out d);
        t5 = c + d;
        return Below(t0, t1, t2, t3, t4, t5);
    }

    public static Fq Square(in Fq a) => a * a;

    public static Fq Double(in Fq a) => a + a;

    /// <summary>The element divided by two: the odd ones plus p are even.</summary>
    internal static Fq Half(in Fq a)
    {
        var mask = Limbs.Mask(a.L0 & 1);
        ulong carry = 0;
        var r0 = Limbs.Add(a.L0, mask & P0, ref carry);
        var r1 = Limbs.Add(a.L1, mask & P1, ref carry);
        var r2 = Limbs.Add(a.L2, mask & P2, ref carry);
        var r3 = Limbs.Add(a.L3, mask & P3, ref carry);
        var r4 = Limbs.Add(a.L4, mask & P4, ref carry);
        var r5 = a.L5 + (mask & P5) + carry;
        return new Fq(
            (r0 >> 1) | (r1 << 63), (r1 >> 1) | (r2 << 63), (r2 >> 1) | (r3 << 63),
            (r3 >> 1) | (r4 << 63), (r4 >> 1) | (r5 << 63), r5 >> 1);
    }

    public static Fq Invert(in Fq a)
    {
        Span<ulong> words = [a.L0, a.L1, a.L2, a.L3, a.L4, a.L5];
        Inverter.Invert(words, words);
        return new Fq(words[0], words[1], words[2], words[3], words[4], words[5])
            * MontgomerySquare * MontgomerySquare;
    }

    /// <summary>a^((p+1)/4): its square is a where a has a root, else -a.</summary>
    internal static Fq RootCandidate(in Fq a)
    {
        // A fixed window of four bits over the exponent's 379.
        Span<Fq> powers = stackalloc Fq[16];
        powers[0] = One;
        for (var i = 1; i < powers.Length; i++)
        {
            powers[i] = powers[i - 1] * a;
        }

        var exponent = RootExponent;
        var result = One;
        for (var position = (16 * exponent.Length) - 1; position >= 0; position--)
        {
            result = Square(Square(Square(Square(result))));
            var digit = (int)(exponent[position / 16] >> (4 * (position % 16))) & 15;
            result = digit == 0 ? result : result * powers[digit];
        }

        return result;
    }

    /// <summary>A square root; false where there is none.</summary>
    internal static bool TrySquareRoot(in Fq a, out Fq root)
    {
        root = RootCandidate(a);
        return AreEqual(Square(root), a);
    }

    public static bool RootOrRootTimesZ(in Fq a, out Fq root)
    {
        if (TrySquareRoot(a, out root))
        {
            return true;
        }

        root *= RootOfMinusEleven;
        return false;
    }

    private Fq ToPlain() => this * new Fq(1, 0, 0, 0, 0, 0);

    private static bool IsBelow(in Fq a, in Fq b)
    {
        ulong borrow = 0;
        Limbs.Subtract(a.L0, b.L0, ref borrow);
        Limbs.Subtract(a.L1, b.L1, ref borrow);
        Limbs.Subtract(a.L2, b.L2, ref borrow);
        Limbs.Subtract(a.L3, b.L3, ref borrow);
        Limbs.Subtract(a.L4, b.L4, ref borrow);
        Limbs.Subtract(a.L5, b.L5, ref borrow);
        return borrow != 0;
    }

    /// <summary>
    /// The value, which is below 2p, minus p where it is not below p. The highest limb decides nearly always; even a
    /// branch that is guessed wrong costs less than the subtraction.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Fq Below(ulong r0, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        if (r5 < P5)
        {
            return new Fq(r0, r1, r2, r3, r4, r5);
        }

        ulong borrow = 0;
        var s0 = Limbs.Subtract(r0, P0, ref borrow);
        var s1 = Limbs.Subtract(r1, P1, ref borrow);
        var s2 = Limbs.Subtract(r2, P2, ref borrow);
        var s3 = Limbs.Subtract(r3, P3, ref borrow);
        var s4 = Limbs.Subtract(r4, P4, ref borrow);
        var s5 = Limbs.Subtract(r5, P5, ref borrow);
        return borrow != 0 ? new Fq(r0, r1, r2, r3, r4, r5) : new Fq(s0, s1, s2, s3, s4, s5);
    }
}
