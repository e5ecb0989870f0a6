using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>What a header says to a call that runs in its block.</summary>
internal static class BlockContexts
{
    /// <summary>The context of a block with the header.</summary>
    internal static BlockContext Of(ChainSpec spec, BlockHeader header, IBlockHashSource hashes) =>
        BlockContext.Of(RulesOf(spec, header), spec.ChainId, header, hashes);

    /// <summary>The rules of a block that exists: after the merge its difficulty is zero (EIP-3675).</summary>
    internal static ForkRules RulesOf(ChainSpec spec, BlockHeader header)
    {
        var isMerged = header.Difficulty.IsZero && header.BaseFeePerGas is not null
            && (spec.MergeBlock is not null || spec.TerminalTotalDifficulty is not null);
        return isMerged
            ? spec.RulesAt(header.Number, header.Timestamp, UInt256.MaxValue)
            : spec.RulesAt(header.Number, header.Timestamp, UInt256.Zero);
    }
}
