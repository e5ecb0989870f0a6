namespace SuperVm.Core.Ledger;

/// <summary>
/// Why a transaction is refused: one named rule each. Nothing of a refused transaction reaches the state.
/// </summary>
public enum TransactionError : byte
{
    None,

    /// <summary>The bytes are no transaction: not canonical RLP, a wrong shape, a number out of its range.</summary>
    Malformed,

    /// <summary>The fork does not know the type yet (EIP-2718, 2930, 1559, 4844, 7702).</summary>
    TypeNotActive,

    /// <summary>Signed for another chain (EIP-155, 2930).</summary>
    WrongChainId,

    /// <summary>v, r or s out of range, s in the upper half (EIP-2), or no key that made the signature.</summary>
    InvalidSignature,

    /// <summary>The nonce is 2^64 - 1 (EIP-2681).</summary>
    NonceOverflow,

    /// <summary>The gas limit is below the intrinsic gas.</summary>
    IntrinsicGasTooLow,

    /// <summary>The gas limit is below the floor for call data (EIP-7623).</summary>
    FloorGasTooLow,

    /// <summary>The gas limit is above 2^24 (EIP-7825).</summary>
    GasLimitAboveCap,

    /// <summary>Init code longer than twice the largest code (EIP-3860).</summary>
    InitCodeTooLarge,

    /// <summary>The priority fee is above the fee cap (EIP-1559).</summary>
    PriorityFeeAboveFeeCap,

    /// <summary>A blob transaction without a recipient (EIP-4844).</summary>
    BlobCreation,

    /// <summary>A blob transaction without blobs (EIP-4844).</summary>
    NoBlobs,

    /// <summary>More blobs than a transaction may have (the block's limit; six from EIP-7594).</summary>
    TooManyBlobs,

    /// <summary>A blob hash of a version other than 1 (EIP-4844).</summary>
    BlobHashVersion,

    /// <summary>A set-code transaction without a recipient (EIP-7702).</summary>
    SetCodeCreation,

    /// <summary>A set-code transaction without authorizations (EIP-7702).</summary>
    NoAuthorizations,

    /// <summary>An authorization with a field out of range (EIP-7702).</summary>
    InvalidAuthorization,

    /// <summary>Gas limit times fee cap is above 2^256 - 1.</summary>
    CostOverflow,

    /// <summary>The fee cap is below the block's base fee (EIP-1559).</summary>
    FeeCapBelowBaseFee,

    /// <summary>The blob fee cap is below the block's blob base fee (EIP-4844).</summary>
    BlobFeeTooLow,

    /// <summary>The gas limit is above what is left in the block.</summary>
    GasLimitExceedsBlock,

    /// <summary>The blobs are more than what is left in the block (EIP-4844).</summary>
    BlobGasExceedsBlock,

    /// <summary>The nonce was used before.</summary>
    NonceTooLow,

    /// <summary>A transaction of the sender is missing before this one.</summary>
    NonceTooHigh,

    /// <summary>The sender's balance is below value and highest possible fees.</summary>
    InsufficientFunds,

    /// <summary>The sender is a contract, and no delegation (EIP-3607, 7702).</summary>
    SenderHasCode,
}
