using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>What a call takes its block to be; what is null stays as it is (geth's BlockOverrides).</summary>
internal sealed class BlockOverrides
{
    internal ulong? Number { get; set; }

    internal ulong? Time { get; set; }

    internal ulong? GasLimit { get; set; }

    internal Address? FeeRecipient { get; set; }

    internal UInt256? PrevRandao { get; set; }

    internal UInt256? BaseFeePerGas { get; set; }

    internal UInt256? BlobBaseFee { get; set; }

    internal Hash256? BeaconRoot { get; set; }

    internal List<Withdrawal>? Withdrawals { get; set; }

    internal BlockContext ApplyTo(BlockContext block) => new()
    {
        Rules = block.Rules,
        ChainId = block.ChainId,
        Number = Number ?? block.Number,
        Timestamp = Time ?? block.Timestamp,
        Coinbase = FeeRecipient ?? block.Coinbase,
        GasLimit = GasLimit ?? block.GasLimit,
        BaseFee = BaseFeePerGas ?? block.BaseFee,
        Difficulty = PrevRandao ?? block.Difficulty,
        BlobBaseFee = BlobBaseFee ?? block.BlobBaseFee,
        ExcessBlobGas = block.ExcessBlobGas,
        BlockHashes = block.BlockHashes,
    };
}
