using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution;

/// <summary>What a message asks for.</summary>
public enum MessageKind : byte
{
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
    Create,
    Create2,
}

/// <summary>A call or a creation from outside (a transaction, a system call, eth_call, another engine).</summary>
public readonly struct Message
{
    public MessageKind Kind { get; init; }
    public Address Caller { get; init; }

    /// <summary>
    /// The account whose storage and balance the code works on; for a creation the new contract's address.
    /// </summary>
    public Address Recipient { get; init; }

    /// <summary>The account whose code runs; the recipient's but for CALLCODE and DELEGATECALL.</summary>
    public Address CodeAddress { get; init; }

    /// <summary>Wei that moves from caller to recipient before the code runs.</summary>
    public UInt256 Value { get; init; }

    /// <summary>Call data; for a creation the init code.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    public ulong Gas { get; init; }
    public bool IsStatic { get; init; }

    /// <summary>0 for the message of a transaction.</summary>
    public int Depth { get; init; }
}

/// <summary>How an execution ended.</summary>
public enum ExecutionStatus : byte
{
    /// <summary>STOP, RETURN or SELFDESTRUCT.</summary>
    Success,

    /// <summary>REVERT: state undone, remaining gas returned, output kept.</summary>
    Revert,

    /// <summary>An exceptional halt: state undone, all gas gone.</summary>
    OutOfGas,
    StackUnderflow,
    StackOverflow,
    InvalidJump,
    InvalidOpcode,
    StaticViolation,
    ReturnDataOutOfBounds,
    CreateCollision,
    CodeTooLarge,
    InitCodeTooLarge,
    InvalidCodePrefix,
    NonceOverflow,
    PrecompileFailure,

    /// <summary>The message was not started: too deep, or the caller's balance too small; gas returned.</summary>
    DepthExceeded,
    InsufficientBalance,

    /// <summary>A read answered NotLoaded: the whole transaction must be run again once the keys are there.</summary>
    NotLoaded,
}

/// <summary>What an execution answers. Gas counts the message alone; refunds stand in the world state.</summary>
public readonly struct ExecutionResult
{
    public ExecutionStatus Status { get; init; }
    public ulong GasLeft { get; init; }

    /// <summary>Return or revert data; valid until the engine's next execution.</summary>
    public ReadOnlyMemory<byte> Output { get; init; }

    public bool Succeeded => Status == ExecutionStatus.Success;
}

/// <summary>The block that a transaction runs in.</summary>
public sealed class BlockContext
{
    public required ForkRules Rules { get; init; }
    public required ulong ChainId { get; init; }
    public ulong Number { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public ulong Timestamp { get; init; }
    public Address Coinbase { get; init; }
    public ulong GasLimit { get; init; }

    /// <summary>Wei; zero before London.</summary>
    public UInt256 BaseFee { get; init; }

    /// <summary>DIFFICULTY before the merge, PREVRANDAO after: the word that opcode 0x44 pushes.</summary>
    public UInt256 Difficulty { get; init; }

    /// <summary>Wei per blob gas.</summary>
    public UInt256 BlobBaseFee { get; init; }

    /// <summary>Blob base fee in the sense of the header, for validation; 0 before Cancun.</summary>
    public ulong ExcessBlobGas { get; init; }

    /// <summary>Hashes of the 256 blocks before; the opcode checks the range before it asks.</summary>
    public required IBlockHashSource BlockHashes { get; init; }

    /// <summary>What a header says to the transactions of its block.</summary>
    /// <param name="rules">Those at the block.</param>
    /// <param name="chainId">The chain's.</param>
    /// <param name="header">As far as it does not depend on execution.</param>
    /// <param name="hashes">For BLOCKHASH.</param>
    public static BlockContext Of(ForkRules rules, ulong chainId, BlockHeader header, IBlockHashSource hashes) => new()
    {
        Rules = rules,
        ChainId = chainId,
        Number = header.Number,
        Timestamp = header.Timestamp,
        Coinbase = header.Coinbase,
        GasLimit = header.GasLimit,
        BaseFee = header.BaseFeePerGas.GetValueOrDefault(),
        Difficulty = rules.Eip3675 ? UInt256.FromBigEndian(header.MixHash.Bytes) : header.Difficulty,
        BlobBaseFee = BlobFee.Of(header, rules),
        ExcessBlobGas = header.ExcessBlobGas.GetValueOrDefault(),
        BlockHashes = hashes,
    };
}

/// <summary>Hashes of ancestors for BLOCKHASH.</summary>
public interface IBlockHashSource
{
    /// <summary>The hash of the ancestor with the number, or zero where it is not known.</summary>
    Hash256 HashOf(ulong number);
}

/// <summary>The transaction that a message belongs to.</summary>
public readonly struct TransactionContext
{
    public Address Origin { get; init; }

    /// <summary>The effective gas price in wei.</summary>
    public UInt256 GasPrice { get; init; }

    public IReadOnlyList<Hash256> BlobHashes { get; init; }
}

/// <summary>
/// Runs code. An instance belongs to one thread at a time and is reused; it keeps its stacks and memory.
/// </summary>
public interface IExecutionEngine
{
    /// <summary>
    /// Runs a message to its end: moves the value, runs precompile or code (delegations resolved, EIP-7702), deploys
    /// created code; undoes its changes where it fails. The caller has checked nothing but that the sender pays its
    /// gas.
    /// </summary>
    ExecutionResult Execute(
        in Message message, in TransactionContext transaction, BlockContext block, WorldState state);
}
