using System.Numerics;

namespace SuperVm.Core.Cryptography;

/// <summary>A divisor of any length, prepared for many remainders.</summary>
/// <remarks>
/// Knuth, "The Art of Computer Programming", volume 2, 4.3.1, algorithm D, on 64-bit limbs; quotient digits are
/// estimated by a reciprocal of the top limb (Möller, Granlund, "Improved division by invariant integers", 2011,
/// algorithm 4).
/// </remarks>
internal readonly ref struct LimbDivisor
{
    private readonly ReadOnlySpan<ulong> _normalized;
    private readonly ulong _reciprocal;
    private readonly int _shift;

    /// <param name="divisor">n limbs, the highest not zero.</param>
    /// <param name="room">n limbs that the divisor keeps.</param>
    internal LimbDivisor(ReadOnlySpan<ulong> divisor, Span<ulong> room)
    {
        _shift = BitOperations.LeadingZeroCount(divisor[^1]);
        divisor.CopyTo(room);
        ShiftLeft(room);
        _normalized = room;
        _reciprocal = (ulong)(((((UInt128)~room[^1]) << 64) | ulong.MaxValue) / room[^1]);
    }

    internal int Length => _normalized.Length;

    /// <summary>remainder = value mod divisor; the value is overwritten.</summary>
    /// <param name="value">More limbs than the divisor has, the highest of which is zero.</param>
    /// <param name="remainder">n limbs.</param>
    internal void Remainder(Span<ulong> value, Span<ulong> remainder)
    {
        var n = _normalized.Length;
        ShiftLeft(value);
        for (var j = value.Length - n - 1; j >= 0; j--)
        {
            SubtractMultiple(value.Slice(j, n + 1));
        }

        LimbVector.ShiftRight(value[..n], _shift, remainder[..n]);
    }

    /// <summary>Takes the largest multiple of the divisor from n + 1 limbs, which are below 2^64 times the
    /// divisor.</summary>
    private void SubtractMultiple(Span<ulong> u)
    {
        var v = _normalized;
        var n = v.Length;
        u = u[..(n + 1)];
        var digit = EstimateDigit(u);
        ulong borrow = 0;
        for (var i = 0; i < v.Length; i++)
        {
            var product = Limbs.MultiplyAdd(digit, v[i], borrow, out borrow);
            borrow += u[i] < product ? 1UL : 0;
            u[i] -= product;
        }

        var negative = u[n] < borrow;
        u[n] -= borrow;

        // The estimate is too large by two at most, and rarely.
        while (negative)
        {
            var carry = LimbVector.Add(u[..n], v);
            u[n] += carry;
            negative = carry == 0 || u[n] != 0;
        }
    }

    private ulong EstimateDigit(ReadOnlySpan<ulong> u)
    {
        var v = _normalized;
        var n = v.Length;
        if (u[n] >= v[n - 1])
        {
            return ulong.MaxValue;
        }

        var digit = Divide(u[n], u[n - 1], v[n - 1], out var rest);
        if (n == 1)
        {
            return digit;
        }

        // Corrected by the second limb, once or twice.
        var high = Math.BigMul(digit, v[n - 2], out var low);
        while (high > rest || (high == rest && low > u[n - 2]))
        {
            digit--;
            rest += v[n - 1];
            if (rest < v[n - 1])
            {
                break;
            }

            high -= low < v[n - 2] ? 1UL : 0;
            low -= v[n - 2];
        }

        return digit;
    }

    /// <summary>(high:low) / divisor for high below the divisor, whose top bit is set.</summary>
    private ulong Divide(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        var quotient = Math.BigMul(_reciprocal, high, out var fraction);
        fraction += low;
        quotient += high + (fraction < low ? 1UL : 0) + 1;
        remainder = low - (quotient * divisor);
        if (remainder > fraction)
        {
            quotient--;
            remainder += divisor;
        }

        if (remainder >= divisor)
        {
            quotient++;
            remainder -= divisor;
        }

        return quotient;
    }

    private void ShiftLeft(Span<ulong> limbs)
    {
        if (_shift == 0)
        {
            return;
        }

        for (var i = limbs.Length - 1; i > 0; i--)
        {
            limbs[i] = (limbs[i] << _shift) | (limbs[i - 1] >> (64 - _shift));
        }

        limbs[0] <<= _shift;
    }
}

/// <summary>Products modulo any number, each followed by a division: no preparation, for few products.</summary>
/// <param name="divisor">The modulus, n limbs.</param>
/// <param name="scratch">2 n + 1 limbs.</param>
internal readonly ref struct DividedProduct(LimbDivisor divisor, Span<ulong> scratch) : ILimbProduct
{
    private readonly LimbDivisor _divisor = divisor;
    private readonly Span<ulong> _scratch = scratch;

    public void Multiply(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b, Span<ulong> result)
    {
        var value = _scratch[..((2 * _divisor.Length) + 1)];
        value.Clear();
        LimbVector.AddProduct(value, a, b);
        _divisor.Remainder(value, result);
    }
}
