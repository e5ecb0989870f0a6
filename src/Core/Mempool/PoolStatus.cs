namespace SuperVm.Core.Mempool;

/// <summary>What became of a transaction that was offered to the pool.</summary>
public enum PoolStatus : byte
{
    /// <summary>In the pool, and executable after the sender's earlier ones.</summary>
    Pending,

    /// <summary>In the pool, behind a gap in the sender's nonces.</summary>
    Queued,

    /// <summary>The same transaction is in the pool already.</summary>
    AlreadyKnown,

    /// <summary>The sender has used the nonce.</summary>
    NonceTooLow,

    /// <summary>The balance does not cover value and highest fees, alone or with the sender's others.</summary>
    InsufficientFunds,

    /// <summary>Another transaction has the nonce, and the fees are not enough above its fees.</summary>
    ReplacementUnderpriced,

    /// <summary>The pool is full of transactions that pay at least as much.</summary>
    Underpriced,

    /// <summary>The sender has its share of the pool.</summary>
    SenderLimit,

    /// <summary>Larger than the whole pool.</summary>
    TooLarge,

    /// <summary>The sender's account is not at hand (see <see cref="State.ReadStatus.NotLoaded"/>).</summary>
    AccountNotLoaded,
}

/// <summary>The answer to an offer.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="StateNonce">The sender's nonce in the state.</param>
/// <param name="Balance">The sender's balance in wei.</param>
/// <param name="Cost">What the sender's transactions with this one cost at most, in wei.</param>
public readonly record struct PoolAnswer(
    PoolStatus Status, ulong StateNonce, Primitives.UInt256 Balance, Primitives.UInt256 Cost)
{
    public bool IsIn => Status is PoolStatus.Pending or PoolStatus.Queued;
}

/// <summary>Why a transaction left the pool without being in a block.</summary>
public enum DropCause : byte
{
    /// <summary>Another transaction of the sender with the nonce and higher fees.</summary>
    Replaced,

    /// <summary>Pushed out of a full pool by one that pays more.</summary>
    Evicted,

    /// <summary>Waited too long behind a gap.</summary>
    Expired,

    /// <summary>Another transaction with the nonce is in a block.</summary>
    NonceUsed,

    /// <summary>The balance no longer covers it.</summary>
    InsufficientFunds,

    /// <summary>Invalid at its turn in a block.</summary>
    Invalid,
}

/// <summary>A remembered drop.</summary>
/// <param name="Cause">The kind of reason.</param>
/// <param name="Detail">The rule that it broke, or the hash that came in its place; may be null.</param>
public readonly record struct DropRecord(DropCause Cause, string? Detail);
