using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution;

/// <summary>Why a block cannot be executed as it stands.</summary>
public enum BlockExecutionError : byte
{
    None = 0,

    /// <summary>A transaction was refused; see <see cref="BlockOutcome.LeftOut"/> for which and why.</summary>
    InvalidTransaction,

    /// <summary>More blob gas than the schedule allows.</summary>
    BlobGasExceeded,

    /// <summary>The contract of EIP-7002 or EIP-7251 has no code.</summary>
    SystemContractMissing,

    /// <summary>The contract of EIP-7002 or EIP-7251 failed.</summary>
    SystemContractFailed,

    /// <summary>A deposit log does not have the layout of EIP-6110.</summary>
    InvalidDepositLog,
}

/// <summary>What a block consists of before it is executed.</summary>
public sealed class BlockInput
{
    public required BlockContext Context { get; init; }
    public required IReadOnlyList<Transaction> Transactions { get; init; }
    public required Hash256 ParentHash { get; init; }
    public Hash256? ParentBeaconBlockRoot { get; init; }
    public IReadOnlyList<Withdrawal>? Withdrawals { get; init; }
    public IReadOnlyList<BlockHeader> Uncles { get; init; } = [];

    /// <summary>The contract whose logs are deposits (EIP-6110); null where the chain has none.</summary>
    public Address? DepositContract { get; init; }

    /// <summary>Whether the block is the one in which main net moved the DAO's balances (EIP-779).</summary>
    public bool IsDaoFork { get; init; }

    /// <summary>Changes of state made before anything else (development nodes only).</summary>
    public StateChanges? Edits { get; init; }

    /// <summary>
    /// An invalid transaction is left out (ordered batches) instead of making the block invalid (import).
    /// </summary>
    public bool LeaveOutInvalid { get; init; }

    /// <summary>The transactions' own validity was established before.</summary>
    public bool SkipStatelessChecks { get; init; }

    /// <summary>
    /// State root after each transaction, for receipts before Byzantium; null where nobody looks at them.
    /// </summary>
    public Func<BlockState, Hash256>? IntermediateRoot { get; init; }

    public ProcessingOptions TransactionOptions =>
        SkipStatelessChecks ? ProcessingOptions.SkipStatelessChecks : ProcessingOptions.None;
}

/// <summary>A transaction that a block does without, and why.</summary>
public readonly record struct LeftOutTransaction(int Index, Transaction Transaction, TransactionError Error);

/// <summary>What executing a block gave; with an error only <see cref="LeftOut"/> is of interest.</summary>
/// <param name="state">The parent's state, to be changed.</param>
/// <param name="transactions">How many there are, so that the lists need not grow.</param>
public sealed class BlockOutcome(BlockState state, int transactions = 0)
{
    public BlockExecutionError Error { get; internal set; }

    /// <summary>The parent's state with the block's changes.</summary>
    public BlockState State => state;

    /// <summary>The transactions that were executed, in order.</summary>
    public List<Transaction> Included { get; } = new(transactions);

    /// <summary>A receipt for each included transaction.</summary>
    public List<Receipt> Receipts { get; } = new(transactions);

    public List<LeftOutTransaction> LeftOut { get; } = [];

    public ulong GasUsed { get; internal set; }

    public ulong BlobGasUsed { get; internal set; }

    /// <summary>Blooms of the receipts that have logs.</summary>
    private readonly List<Bloom> _blooms = [];

    /// <summary>The union of the receipts' blooms; made when asked for.</summary>
    public Bloom LogsBloom => Bloom.Union(_blooms);

    /// <summary>
    /// The requests with their type byte in front, without empty ones (EIP-7685); null before Prague.
    /// </summary>
    public IReadOnlyList<byte[]>? Requests { get; internal set; }

    /// <summary>The header's requests hash; null before Prague.</summary>
    public Hash256? RequestsHash { get; internal set; }

    /// <summary>Adds the receipt of an executed transaction.</summary>
    public void Include(
        BlockInput input, Transaction transaction, in TransactionOutcome outcome, Log[] logs, Bloom bloom)
    {
        GasUsed += outcome.GasUsed;
        BlobGasUsed += transaction.BlobGas;
        Included.Add(transaction);
        if (!ReferenceEquals(bloom, Bloom.Empty))
        {
            _blooms.Add(bloom);
        }

        var needsRoot = !input.Context.Rules.Eip658;
        Receipts.Add(new Receipt
        {
            Type = transaction.Type,
            Succeeded = outcome.Status == ExecutionStatus.Success,
            PostState = needsRoot ? input.IntermediateRoot?.Invoke(state) ?? Hash256.Zero : null,
            CumulativeGasUsed = GasUsed,
            LogsBloom = bloom,
            Logs = logs,
            GasUsed = outcome.GasUsed,
            ContractAddress = outcome.ContractAddress,
        });
    }
}

/// <summary>Runs a block's transactions; the serial one is the oracle that a parallel one must equal.</summary>
public interface ITransactionRunner
{
    /// <summary>
    /// Executes the input's transactions in order (or as if so) and puts what they gave into the outcome.
    /// </summary>
    void Run(BlockInput input, BlockOutcome outcome);
}

/// <summary>A reader that can fetch keys which it answered with NotLoaded.</summary>
public interface IStateLoader
{
    /// <summary>
    /// Brings the keys near, so that the next read of them answers; many at once cost one round trip.
    /// </summary>
    void Load(IReadOnlyList<MissingKey> keys);
}
