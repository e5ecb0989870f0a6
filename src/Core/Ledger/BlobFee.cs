using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>The blob base fee and the excess that drives it (EIP-4844, 7691, 7918, 7892).</summary>
/// <remarks>At a change of schedule the child's target, maximum and update fraction count.</remarks>
public static class BlobFee
{
    /// <summary>Wei: the lowest blob base fee.</summary>
    public const ulong Minimum = 1;

    /// <summary>Execution gas that a blob is worth at least (EIP-7918: BLOB_BASE_COST).</summary>
    private const ulong ExecutionGasPerBlob = 8_192;

    /// <summary>Terms of the exponential; the sum is past 2^256 long before.</summary>
    private const ulong MaximumTerms = 4_096;

    /// <summary>Wei per blob gas at an excess; 2^256 - 1 where it would be higher.</summary>
    public static UInt256 Of(ulong excessBlobGas, BlobSchedule schedule) =>
        FakeExponential(Minimum, excessBlobGas, schedule.BaseFeeUpdateFraction);

    /// <summary>The blob base fee in a block with this header; 0 before Cancun.</summary>
    public static UInt256 Of(BlockHeader header, ForkRules rules) =>
        rules.Blobs is { } schedule && header.ExcessBlobGas is { } excess ? Of(excess, schedule) : UInt256.Zero;

    /// <summary>Blob gas that a block may use.</summary>
    public static ulong MaximumGas(BlobSchedule schedule) => schedule.Max * BlobSchedule.GasPerBlob;

    /// <summary>The excess of the block after this one; null before Cancun.</summary>
    public static ulong? ExcessAfter(BlockHeader parent, ForkRules childRules)
    {
        if (childRules.Blobs is not { } schedule)
        {
            return null;
        }

        var excess = (UInt128)parent.ExcessBlobGas.GetValueOrDefault() + parent.BlobGasUsed.GetValueOrDefault();
        var target = schedule.Target * BlobSchedule.GasPerBlob;
        if (excess < target)
        {
            return 0;
        }

        if (childRules.Eip7918 && IsBelowExecutionCost(parent, schedule))
        {
            var used = (UInt128)parent.BlobGasUsed.GetValueOrDefault();
            var share = schedule.Max == 0 ? UInt128.Zero : used * (schedule.Max - schedule.Target) / schedule.Max;
            return Saturate(parent.ExcessBlobGas.GetValueOrDefault() + share);
        }

        return Saturate(excess - target);
    }

    /// <summary>factor * e^(numerator / denominator) by its series (EIP-4844), saturating at 2^256 - 1.</summary>
    public static UInt256 FakeExponential(ulong factor, ulong numerator, ulong denominator)
    {
        if (denominator == 0)
        {
            return UInt256.MaxValue;
        }

        var sum = UInt256.Zero;
        var term = new UInt256(factor) * denominator;
        for (ulong i = 1; !term.IsZero; i++)
        {
            // A term times the numerator stays below 2^256 while the term is below 2^192.
            if (UInt256.AddWithCarry(sum, term, out sum) || term.U3 != 0 || i > MaximumTerms)
            {
                return UInt256.MaxValue;
            }

            term = term * numerator / (new UInt256(denominator) * i);
        }

        return sum / denominator;
    }

    private static bool IsBelowExecutionCost(BlockHeader parent, BlobSchedule schedule)
    {
        var blobFee = Of(parent.ExcessBlobGas.GetValueOrDefault(), schedule);
        var execution = parent.BaseFeePerGas.GetValueOrDefault() * ExecutionGasPerBlob;
        var blobIsHuge = blobFee > UInt256.MaxValue >> 17;
        return !blobIsHuge && execution > blobFee * BlobSchedule.GasPerBlob;
    }

    private static ulong Saturate(UInt128 value) => value > ulong.MaxValue ? ulong.MaxValue : (ulong)value;
}
