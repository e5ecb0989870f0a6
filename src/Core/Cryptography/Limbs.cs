using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace SuperVm.Core.Cryptography;

/// <summary>64-bit building blocks of multi-word arithmetic, shared by the curves of this folder.</summary>
/// <remarks>
/// Without branches, so that the time does not depend on the values. Where the processor has MULX, the halves of a
/// product are formed by two instructions rather than by <see cref="Math.BigMul(ulong, ulong, out ulong)"/>, whose
/// result passes through memory and whose temporaries, in an unrolled six-limb product, are more than the compiler
/// keeps in registers: that product is four times as fast this way.
/// </remarks>
internal static class Limbs
{
    /// <summary>The high word of a * b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong MultiplyHigh(ulong a, ulong b) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _);

    /// <summary>a * b + c as low word and high word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong MultiplyAdd(ulong a, ulong b, ulong c, out ulong high)
    {
        ulong low;
        if (Bmi2.X64.IsSupported)
        {
            high = Bmi2.X64.MultiplyNoFlags(a, b);
            low = a * b;
        }
        else
        {
            high = Math.BigMul(a, b, out low);
        }

        low += c;
        high += low < c ? 1UL : 0;
        return low;
    }

    /// <summary>a * b + c + d as low word and high word; it cannot overflow them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong MultiplyAdd(ulong a, ulong b, ulong c, ulong d, out ulong high)
    {
        ulong low;
        if (Bmi2.X64.IsSupported)
        {
            high = Bmi2.X64.MultiplyNoFlags(a, b);
            low = a * b;
        }
        else
        {
            high = Math.BigMul(a, b, out low);
        }

        low += c;
        high += low < c ? 1UL : 0;
        low += d;
        high += low < d ? 1UL : 0;
        return low;
    }

    /// <summary>a * b + c + d as low word and high word, where time may depend on the values.</summary>
    /// <remarks>A conditional increment takes fewer instructions than a comparison as a number, but may be a
    /// jump.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong MultiplyAddFast(ulong a, ulong b, ulong c, ulong d, out ulong high)
    {
        var upper = MultiplyHigh(a, b);
        var low = (a * b) + c;
        if (low < c)
        {
            upper++;
        }

        low += d;
        if (low < d)
        {
            upper++;
        }

        high = upper;
        return low;
    }

    /// <summary>a + b + carry; the carry in and out is 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Add(ulong a, ulong b, ref ulong carry)
    {
        var sum = a + b;
        var first = sum < a ? 1UL : 0;
        var total = sum + carry;
        carry = first | (total < sum ? 1UL : 0);
        return total;
    }

    /// <summary>a - b - borrow; the borrow in and out is 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Subtract(ulong a, ulong b, ref ulong borrow)
    {
        var difference = a - b;
        var first = a < b ? 1UL : 0;
        var total = difference - borrow;
        borrow = first | (difference < borrow ? 1UL : 0);
        return total;
    }

    /// <summary>All ones for 1, zero for 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Mask(ulong bit) => 0UL - bit;
}
