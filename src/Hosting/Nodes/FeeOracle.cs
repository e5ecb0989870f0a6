using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>Fees of past blocks and what to offer for the next one.</summary>
/// <remarks>
/// The suggestion follows geth's oracle: of each of the last blocks the lowest few tips, and of all these the 60th
/// percentile; one gwei where nothing was paid yet. Worked out once a head.
/// </remarks>
internal sealed class FeeOracle(IChain chain)
{
    private const int Blocks = 20;
    private const int SamplesPerBlock = 3;
    private const int Percentile = 60;

    private static readonly UInt256 DefaultTip = 1_000_000_000;
    private static readonly UInt256 MaximumTip = UInt256.Parse("500000000000");

    private Suggestion? _last;

    /// <summary>Wei above the base fee that should bring a transaction into one of the next blocks.</summary>
    internal UInt256 SuggestTip()
    {
        var head = chain.Head;
        var known = _last;
        if (known is null || known.Head != head.Hash)
        {
            _last = known = new Suggestion(head.Hash, WorkOutTip(head.Number));
        }

        return known.Tip;
    }

    /// <summary>The tips of a block's transactions at percentiles of its gas, in wei.</summary>
    internal static List<UInt256> Rewards(
        ChainBlock block, IReadOnlyList<Receipt> receipts, IReadOnlyList<double> percentiles)
    {
        var baseFee = block.Header.BaseFeePerGas ?? UInt256.Zero;
        var paid = block.Block.Transactions
            .Select((transaction, i) =>
                (Tip: transaction.EffectiveGasPrice(baseFee) - baseFee, Gas: receipts[i].GasUsed))
            .OrderBy(entry => entry.Tip).ToList();
        var rewards = new List<UInt256>(percentiles.Count);
        var place = 0;
        var sum = paid.Count > 0 ? paid[0].Gas : 0;
        foreach (var percentile in percentiles)
        {
            var threshold = (ulong)(block.Header.GasUsed * percentile / 100);
            while (sum < threshold && place < paid.Count - 1)
            {
                sum += paid[++place].Gas;
            }

            rewards.Add(paid.Count > 0 ? paid[place].Tip : UInt256.Zero);
        }

        return rewards;
    }

    private UInt256 WorkOutTip(ulong head)
    {
        var samples = new List<UInt256>();
        for (var number = head; number > 0 && head - number < Blocks; number--)
        {
            if (chain.GetBlock(number) is { } block)
            {
                var baseFee = block.Header.BaseFeePerGas ?? UInt256.Zero;
                samples.AddRange(block.Block.Transactions
                    .Where(transaction => transaction.Sender != block.Header.Coinbase)
                    .Select(transaction => transaction.EffectiveGasPrice(baseFee) - baseFee)
                    .Where(tip => !tip.IsZero).Order().Take(SamplesPerBlock));
            }
        }

        if (samples.Count == 0)
        {
            return DefaultTip;
        }

        samples.Sort();
        var tip = samples[(samples.Count - 1) * Percentile / 100];
        return tip > MaximumTip ? MaximumTip : tip;
    }

    private sealed record Suggestion(Hash256 Head, UInt256 Tip);
}
