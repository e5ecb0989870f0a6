using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>A linear combination of field elements, reduced once at its end.</summary>
/// <remarks>
/// Limbs are signed and uncarried. Coefficients may add up to +60 and -30 tight values (each below 2 p), so that the
/// value stays between -60 p and 120 p and a limb below 2^58.
/// </remarks>
internal struct FqSum
{
    private const ulong P0 = 0x8C16D87CFD47, P1 = 0x916871CA8D3C2, P2 = 0x181585D97816A, P3 = 0xA029B85045B68,
        P4 = 0x30644E72E131;

    /// <summary>Multiples of p that <see cref="Reduce"/> adds, so that the quotient it estimates is not
    /// negative.</summary>
    private const long Bias = 64;

    /// <summary>floor(2^54 / (P4 + 1)): the quotient by p from the top limb, too small by up to 0.6.</summary>
    private const long QuotientFactor = 338;

    private const int QuotientShift = 54;

    /// <summary>What uncarried lower limbs can take from the top one at most: they are above -2^58.</summary>
    private const long CarryMargin = 64;

    private long _l0, _l1, _l2, _l3, _l4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal FqSum(in Fq a)
    {
        _l0 = (long)a.L0;
        _l1 = (long)a.L1;
        _l2 = (long)a.L2;
        _l3 = (long)a.L3;
        _l4 = (long)a.L4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(in Fq a)
    {
        _l0 += (long)a.L0;
        _l1 += (long)a.L1;
        _l2 += (long)a.L2;
        _l3 += (long)a.L3;
        _l4 += (long)a.L4;
    }

    /// <summary>Adds factor * a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(in Fq a, long factor)
    {
        _l0 += factor * (long)a.L0;
        _l1 += factor * (long)a.L1;
        _l2 += factor * (long)a.L2;
        _l3 += factor * (long)a.L3;
        _l4 += factor * (long)a.L4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Subtract(in Fq a)
    {
        _l0 -= (long)a.L0;
        _l1 -= (long)a.L1;
        _l2 -= (long)a.L2;
        _l3 -= (long)a.L3;
        _l4 -= (long)a.L4;
    }

    /// <summary>The tight value of the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void Reduce(out Fq result)
    {
        const long offset = (Bias * ((long)P4 + 1)) - CarryMargin;
        var quotient = (((_l4 + offset) * QuotientFactor) >> QuotientShift) - Bias;
        var r0 = _l0 - (quotient * (long)P0);
        var r1 = _l1 - (quotient * (long)P1);
        var r2 = _l2 - (quotient * (long)P2);
        var r3 = _l3 - (quotient * (long)P3);
        var r4 = _l4 - (quotient * (long)P4);
        r1 += r0 >> Fq.LimbBits;
        r2 += r1 >> Fq.LimbBits;
        r3 += r2 >> Fq.LimbBits;
        r4 += r3 >> Fq.LimbBits;
        result = new Fq(
            (ulong)r0 & Fq.LimbMask, (ulong)r1 & Fq.LimbMask, (ulong)r2 & Fq.LimbMask, (ulong)r3 & Fq.LimbMask,
            (ulong)r4);
    }
}
