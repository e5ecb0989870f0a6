using System.Numerics;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>
/// The difficulty of proof-of-work blocks (Yellow Paper, 4.3.4; EIP-2, EIP-100 and the bomb's delays).
/// </summary>
public static class Difficulty
{
    private const ulong BoundDivisor = 2_048;
    private const ulong Minimum = 131_072;
    private const ulong FrontierSeconds = 13;
    private const ulong HomesteadSeconds = 10;
    private const ulong ByzantiumSeconds = 9;
    private const ulong LargestFall = 99;
    private const ulong BombPeriodBlocks = 100_000;

    /// <summary>What a proof-of-work child of the parent must state.</summary>
    /// <param name="parent">The parent.</param>
    /// <param name="timestamp">The child's, above the parent's.</param>
    /// <param name="rules">The child's.</param>
    public static UInt256 After(BlockHeader parent, ulong timestamp, ForkRules rules)
    {
        var elapsed = timestamp > parent.Timestamp ? timestamp - parent.Timestamp : 0;
        var step = (BigInteger)(parent.Difficulty / BoundDivisor);
        BigInteger factor;
        if (rules.Eip100)
        {
            var start = parent.UnclesHash == BlockCodec.EmptyUnclesHash ? 1 : 2;
            factor = start - (BigInteger)Math.Min(elapsed / ByzantiumSeconds, LargestFall + 2);
        }
        else if (rules.Eip2)
        {
            factor = 1 - (BigInteger)Math.Min(elapsed / HomesteadSeconds, LargestFall + 2);
        }
        else
        {
            factor = elapsed < FrontierSeconds ? 1 : -1;
        }

        factor = BigInteger.Max(factor, -(BigInteger)LargestFall);
        var difficulty = BigInteger.Max((BigInteger)parent.Difficulty + (step * factor), Minimum);
        return (UInt256)(difficulty + Bomb(parent.Number + 1, rules.BombDelayBlocks));
    }

    private static BigInteger Bomb(ulong number, ulong delay)
    {
        var period = (number > delay ? number - delay : 0) / BombPeriodBlocks;
        return period < 2 ? BigInteger.Zero : BigInteger.One << (int)Math.Min(period - 2, 256);
    }
}
