namespace SuperVm.Core.Node;

/// <summary>Rules that only a block's execution or its place in the chain can show to be broken.</summary>
public enum BlockImportRule : byte
{
    /// <summary>The root of the transactions is another.</summary>
    WrongTransactionsRoot,

    /// <summary>The root of the withdrawals is another.</summary>
    WrongWithdrawalsRoot,

    /// <summary>Execution used another amount of gas.</summary>
    WrongGasUsed,

    /// <summary>Execution used another amount of blob gas.</summary>
    WrongBlobGasUsed,

    /// <summary>The logs give another bloom.</summary>
    WrongLogsBloom,

    /// <summary>The receipts give another root.</summary>
    WrongReceiptsRoot,

    /// <summary>The requests give another hash (EIP-7685).</summary>
    WrongRequestsHash,

    /// <summary>The state has another root.</summary>
    WrongStateRoot,

    /// <summary>The parent is known, but what its state was is no longer kept.</summary>
    ParentStatePruned,
}
