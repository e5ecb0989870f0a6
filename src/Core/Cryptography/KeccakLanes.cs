using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography;

/// <summary>One 64-bit lane of <see cref="Count"/> independent Keccak states, side by side in one register.</summary>
/// <remarks>
/// A state of 25 lanes lies in memory as 25 × <see cref="Count"/> words, lane-major: word (lane, state) stands at
/// lane × Count + state. The permutation is written once over this interface; the JIT makes one copy a register width.
/// </remarks>
internal interface IKeccakLane<TSelf>
    where TSelf : struct, IKeccakLane<TSelf>
{
    /// <summary>How many states run side by side.</summary>
    static abstract int Count { get; }

    static abstract TSelf Load(ref ulong state, int lane);

    static abstract void Store(TSelf value, ref ulong state, int lane);

    static abstract TSelf Broadcast(ulong word);

    static abstract TSelf Xor(TSelf a, TSelf b);

    /// <summary>a ^ b ^ c.</summary>
    static abstract TSelf Xor3(TSelf a, TSelf b, TSelf c);

    /// <summary>a ^ (~b &amp; c): the non-linear step.</summary>
    static abstract TSelf Chi(TSelf a, TSelf b, TSelf c);

    static abstract TSelf RotateLeft(TSelf a, [ConstantExpected] byte count);
}

/// <summary>One state in general registers: runs everywhere.</summary>
internal readonly struct KeccakLaneScalar(ulong value) : IKeccakLane<KeccakLaneScalar>
{
    private readonly ulong _value = value;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLaneScalar Load(ref ulong state, int lane) => new(Unsafe.Add(ref state, lane));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(KeccakLaneScalar value, ref ulong state, int lane) =>
        Unsafe.Add(ref state, lane) = value._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLaneScalar Broadcast(ulong word) => new(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLaneScalar Xor(KeccakLaneScalar a, KeccakLaneScalar b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLaneScalar Xor3(KeccakLaneScalar a, KeccakLaneScalar b, KeccakLaneScalar c) =>
        new(a._value ^ b._value ^ c._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLaneScalar Chi(KeccakLaneScalar a, KeccakLaneScalar b, KeccakLaneScalar c) =>
        new(a._value ^ (~b._value & c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLaneScalar RotateLeft(KeccakLaneScalar a, [ConstantExpected] byte count) =>
        new(BitOperations.RotateLeft(a._value, count));
}

/// <summary>
/// One state in 128-bit registers (the upper half idle): AVX-512VL has 32 of them, a rotation and a three-input
/// logic operation, so that the whole state stays in registers, where the sixteen general ones spill.
/// </summary>
internal readonly struct KeccakLane128(Vector128<ulong> value) : IKeccakLane<KeccakLane128>
{
    private readonly Vector128<ulong> _value = value;

    public static bool IsSupported => Avx512F.VL.IsSupported;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane128 Load(ref ulong state, int lane) =>
        new(Vector128.CreateScalar(Unsafe.Add(ref state, lane)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(KeccakLane128 value, ref ulong state, int lane) =>
        Unsafe.Add(ref state, lane) = value._value.ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane128 Broadcast(ulong word) => new(Vector128.CreateScalar(word));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane128 Xor(KeccakLane128 a, KeccakLane128 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane128 Xor3(KeccakLane128 a, KeccakLane128 b, KeccakLane128 c) =>
        new(Avx512F.VL.TernaryLogic(a._value, b._value, c._value, Keccak256.TernaryXor3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane128 Chi(KeccakLane128 a, KeccakLane128 b, KeccakLane128 c) =>
        new(Avx512F.VL.TernaryLogic(a._value, b._value, c._value, Keccak256.TernaryChi));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane128 RotateLeft(KeccakLane128 a, [ConstantExpected] byte count) =>
        new(Avx512F.VL.RotateLeft(a._value, count));
}

/// <summary>Four states in AVX2 registers.</summary>
internal readonly struct KeccakLane256(Vector256<ulong> value) : IKeccakLane<KeccakLane256>
{
    private readonly Vector256<ulong> _value = value;

    public static bool IsSupported => Avx2.IsSupported;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane256 Load(ref ulong state, int lane) =>
        new(Vector256.LoadUnsafe(ref state, (nuint)(4 * lane)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(KeccakLane256 value, ref ulong state, int lane) =>
        value._value.StoreUnsafe(ref state, (nuint)(4 * lane));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane256 Broadcast(ulong word) => new(Vector256.Create(word));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane256 Xor(KeccakLane256 a, KeccakLane256 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane256 Xor3(KeccakLane256 a, KeccakLane256 b, KeccakLane256 c) =>
        new(a._value ^ b._value ^ c._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane256 Chi(KeccakLane256 a, KeccakLane256 b, KeccakLane256 c) =>
        new(a._value ^ Avx2.AndNot(b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane256 RotateLeft(KeccakLane256 a, [ConstantExpected] byte count) =>
        new((a._value << count) | (a._value >>> (64 - count)));
}

/// <summary>Eight states in AVX-512 registers.</summary>
internal readonly struct KeccakLane512(Vector512<ulong> value) : IKeccakLane<KeccakLane512>
{
    private readonly Vector512<ulong> _value = value;

    public static bool IsSupported => Avx512F.IsSupported;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane512 Load(ref ulong state, int lane) =>
        new(Vector512.LoadUnsafe(ref state, (nuint)(8 * lane)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(KeccakLane512 value, ref ulong state, int lane) =>
        value._value.StoreUnsafe(ref state, (nuint)(8 * lane));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane512 Broadcast(ulong word) => new(Vector512.Create(word));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane512 Xor(KeccakLane512 a, KeccakLane512 b) => new(a._value ^ b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane512 Xor3(KeccakLane512 a, KeccakLane512 b, KeccakLane512 c) =>
        new(Avx512F.TernaryLogic(a._value, b._value, c._value, Keccak256.TernaryXor3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane512 Chi(KeccakLane512 a, KeccakLane512 b, KeccakLane512 c) =>
        new(Avx512F.TernaryLogic(a._value, b._value, c._value, Keccak256.TernaryChi));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static KeccakLane512 RotateLeft(KeccakLane512 a, [ConstantExpected] byte count) =>
        new(Avx512F.RotateLeft(a._value, count));
}
