using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm;

/// <summary>Operations on words of the operand stack, in place: the second operand takes the result.</summary>
/// <remarks>Unsafe: the callers have checked that both operands are on the stack.</remarks>
internal static unsafe class Words
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<ulong> Load(UInt256* word) => Vector256.Load((ulong*)word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store(UInt256* word, Vector256<ulong> value) => value.Store((ulong*)word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Set(UInt256* word, ulong value) => Vector256.CreateScalar(value).Store((ulong*)word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Set(UInt256* word, bool value) => Set(word, value ? 1UL : 0UL);

    /// <summary>Whether the word is below a limit; a limit of zero or less has nothing below it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsBelow(UInt256* word, int limit)
    {
        var limbs = (ulong*)word;
        return (limbs[1] | limbs[2] | limbs[3]) == 0 && limit > 0 && limbs[0] < (ulong)limit;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Add(UInt256* left, UInt256* right)
    {
        var a = (ulong*)left;
        var b = (ulong*)right;
        var s0 = a[0] + b[0];
        var c0 = s0 < a[0] ? 1UL : 0;
        var s1 = a[1] + b[1];
        var c1 = s1 < a[1] ? 1UL : 0;
        s1 += c0;
        c1 |= s1 < c0 ? 1UL : 0;
        var s2 = a[2] + b[2];
        var c2 = s2 < a[2] ? 1UL : 0;
        s2 += c1;
        c2 |= s2 < c1 ? 1UL : 0;
        b[0] = s0;
        b[1] = s1;
        b[2] = s2;
        b[3] = a[3] + b[3] + c2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Subtract(UInt256* left, UInt256* right)
    {
        var a = (ulong*)left;
        var b = (ulong*)right;
        var d0 = a[0] - b[0];
        var c0 = a[0] < b[0] ? 1UL : 0;
        var d1 = a[1] - b[1];
        var c1 = a[1] < b[1] ? 1UL : 0;
        c1 |= d1 < c0 ? 1UL : 0;
        d1 -= c0;
        var d2 = a[2] - b[2];
        var c2 = a[2] < b[2] ? 1UL : 0;
        c2 |= d2 < c1 ? 1UL : 0;
        d2 -= c1;
        b[0] = d0;
        b[1] = d1;
        b[2] = d2;
        b[3] = a[3] - b[3] - c2;
    }

    /// <summary>Whether left is below right, from the highest limb downwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Less(UInt256* left, UInt256* right)
    {
        var a = (ulong*)left;
        var b = (ulong*)right;
        if (a[3] != b[3])
        {
            return a[3] < b[3];
        }

        if (a[2] != b[2])
        {
            return a[2] < b[2];
        }

        return a[1] != b[1] ? a[1] < b[1] : a[0] < b[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool SignedLess(UInt256* left, UInt256* right)
    {
        var a = ((long*)left)[3];
        var b = ((long*)right)[3];
        return a == b ? Less(left, right) : a < b;
    }

    internal static void Multiply(UInt256* left, UInt256* right) => *right = *left * *right;

    internal static void Divide(UInt256* left, UInt256* right) => *right = *left / *right;

    internal static void Modulo(UInt256* left, UInt256* right) => *right = *left % *right;

    internal static void Byte(UInt256* index, UInt256* word)
    {
        // The bytes of a word lie in memory least significant first; the index counts from the other end.
        Set(word, IsBelow(index, 32) ? ((byte*)word)[31 - (int)index->U0] : 0UL);
    }

    internal static void ShiftLeft(UInt256* count, UInt256* word) =>
        *word = IsBelow(count, 256) ? *word << (int)count->U0 : UInt256.Zero;

    internal static void ShiftRight(UInt256* count, UInt256* word) =>
        *word = IsBelow(count, 256) ? *word >> (int)count->U0 : UInt256.Zero;

    internal static void ShiftRightSigned(UInt256* count, UInt256* word) =>
        *word = UInt256.ArithmeticShiftRight(*word, IsBelow(count, 256) ? (int)count->U0 : 256);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Swap(UInt256* left, UInt256* right)
    {
        var a = Load(left);
        var b = Load(right);
        Store(left, b);
        Store(right, a);
    }

    /// <summary>Pushes 9 to 32 big-endian bytes of code.</summary>
    internal static void PushLong(UInt256* word, byte* data, int count)
    {
        var limbs = (ulong*)word;
        var end = data + count;
        var whole = count >> 3;
        for (var i = 0; i < 4; i++)
        {
            limbs[i] = i < whole ? BinaryPrimitives.ReverseEndianness(*(ulong*)(end - (8 * (i + 1)))) : 0;
        }

        var rest = count & 7;
        if (rest != 0)
        {
            limbs[whole] = BinaryPrimitives.ReverseEndianness(*(ulong*)data) >> (64 - (8 * rest));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<byte> LoadBytes(byte* data) => Vector256.Load(data);

    /// <summary>Turns 32 big-endian bytes into a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreReversed(UInt256* word, Vector256<byte> bytes)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Reverse(bytes).Store((byte*)word);
        }
        else
        {
            var b = (byte*)&bytes;
            *word = UInt256.FromBigEndian(new ReadOnlySpan<byte>(b, 32));
        }
    }

    /// <summary>Writes a word as 32 big-endian bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void StoreBytesReversed(byte* data, Vector256<ulong> word)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Reverse(word.AsByte()).Store(data);
        }
        else
        {
            (*(UInt256*)&word).WriteBigEndian(new Span<byte>(data, 32));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Reverse(Vector256<byte> bytes) => Vector256.Shuffle(bytes, Vector256.Create(
        (byte)31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
        15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}
