namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>A prime between 2^253 and 2^254 by its limbs of 52 bits, for <see cref="FieldLanes{TModulus}"/>.</summary>
internal interface ILaneModulus
{
    static abstract ulong P0 { get; }

    static abstract ulong P1 { get; }

    static abstract ulong P2 { get; }

    static abstract ulong P3 { get; }

    static abstract ulong P4 { get; }

    /// <summary>-1 / p modulo 2^52.</summary>
    static abstract ulong NegativeInverse { get; }
}

/// <summary>p, the modulus of <see cref="Fq"/>.</summary>
internal readonly struct FqModulus : ILaneModulus
{
    public static ulong P0 => 0x8C16D87CFD47;

    public static ulong P1 => 0x916871CA8D3C2;

    public static ulong P2 => 0x181585D97816A;

    public static ulong P3 => 0xA029B85045B68;

    public static ulong P4 => 0x30644E72E131;

    public static ulong NegativeInverse => 0x20782E4866389;
}

/// <summary>r, the modulus of <see cref="Fr"/>.</summary>
internal readonly struct FrModulus : ILaneModulus
{
    public static ulong P0 => 0x1F593F0000001;

    public static ulong P1 => 0x4879B9709143E;

    public static ulong P2 => 0x181585D2833E8;

    public static ulong P3 => 0xA029B85045B68;

    public static ulong P4 => 0x30644E72E131;

    public static ulong NegativeInverse => 0x1F593EFFFFFFF;
}
