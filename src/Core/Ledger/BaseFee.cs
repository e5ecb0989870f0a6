using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>The base fee and the bounds of the gas limit (EIP-1559; Yellow Paper, 4.3.4).</summary>
public static class BaseFee
{
    /// <summary>Wei: the base fee of the first London block.</summary>
    public const ulong Initial = 1_000_000_000;

    /// <summary>Gas limit over gas target.</summary>
    public const ulong Elasticity = 2;

    /// <summary>A block moves the base fee by at most an eighth.</summary>
    public const ulong ChangeDenominator = 8;

    public const ulong MinimumGasLimit = 5_000;

    public const ulong MaximumGasLimit = long.MaxValue;

    /// <summary>A block's gas limit lies less than a 1,024th of the parent's from it.</summary>
    public const ulong GasLimitBoundDivisor = 1_024;

    /// <summary>The base fee in wei of the block after this one, where that is a London block.</summary>
    public static UInt256 After(BlockHeader parent)
    {
        if (parent.BaseFeePerGas is not { } fee)
        {
            return Initial;
        }

        var target = parent.GasLimit / Elasticity;
        if (parent.GasUsed == target || target == 0)
        {
            return fee;
        }

        if (parent.GasUsed > target)
        {
            var rise = Change(fee, parent.GasUsed - target, target);
            return fee + (rise.IsZero ? UInt256.One : rise);
        }

        return fee - Change(fee, target - parent.GasUsed, target);
    }

    /// <summary>
    /// The parent's gas limit as a child's bounds see it: doubled where the child is the first of London.
    /// </summary>
    public static ulong GasLimitBefore(BlockHeader parent, ForkRules childRules) =>
        childRules.Eip1559 && parent.BaseFeePerGas is null ? parent.GasLimit * Elasticity : parent.GasLimit;

    /// <summary>Whether a block may have this gas limit after a parent with <paramref name="before"/>.</summary>
    public static bool MayFollow(ulong gasLimit, ulong before)
    {
        var bound = before / GasLimitBoundDivisor;
        var distance = gasLimit > before ? gasLimit - before : before - gasLimit;
        return distance < bound && gasLimit is >= MinimumGasLimit and <= MaximumGasLimit;
    }

    /// <summary>The gas limit nearest to the wish that may follow.</summary>
    public static ulong NearestGasLimit(ulong wish, ulong before)
    {
        var step = Math.Max(before / GasLimitBoundDivisor, 1) - 1;
        var low = Math.Max(before - step, MinimumGasLimit);
        var high = Math.Min(before + step, MaximumGasLimit);
        return high < low ? before : Math.Clamp(wish, low, high);
    }

    private static UInt256 Change(in UInt256 fee, ulong distance, ulong target) =>
        fee * distance / target / ChangeDenominator;
}
