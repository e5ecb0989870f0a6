using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Node;

/// <summary>The chain as everything above it sees it: blocks, receipts, states, and the ways to extend it.</summary>
/// <remarks>
/// Reads may run on any thread beside one writer; writers (<see cref="Import"/>, <see cref="Produce"/>,
/// <see cref="Rewind"/>, <see cref="SetFinality"/>) wait for each other. A read sees whole blocks only. Every member
/// may throw <see cref="Storage.StoreException"/> where the store fails; what the caller may get wrong is answered
/// as a value.
/// </remarks>
public interface IChain
{
    /// <summary>The chain's id, forks and blob schedules.</summary>
    ChainSpec Spec { get; }

    /// <summary>EIP-155 chain id.</summary>
    ulong ChainId { get; }

    /// <summary>The genesis block.</summary>
    ChainBlock Genesis { get; }

    /// <summary>The newest block of the canonical chain: "latest".</summary>
    ChainBlock Head { get; }

    /// <summary>The number of the block that counts as "safe"; 0 (genesis) until <see cref="SetFinality"/>.</summary>
    ulong SafeNumber { get; }

    /// <summary>
    /// The number of the newest final block: "finalized"; 0 (genesis) until <see cref="SetFinality"/>.
    /// </summary>
    ulong FinalizedNumber { get; }

    /// <summary>The oldest block whose state can be read.</summary>
    ulong OldestStateNumber { get; }

    /// <summary>Hashes of canonical blocks, for BLOCKHASH in calls.</summary>
    IBlockHashSource BlockHashes { get; }

    /// <summary>Told after every change of the head, in order, on the thread that made it; must not block.</summary>
    event Action<HeadChange>? HeadChanged;

    /// <summary>The canonical block with the number, senders filled in; null above the head.</summary>
    ChainBlock? GetBlock(ulong number);

    /// <summary>A block by hash, canonical or of a side chain that is still kept; null where unknown.</summary>
    ChainBlock? GetBlock(in Hash256 hash);

    /// <summary>The header alone of a canonical block: cheaper than the block.</summary>
    ChainHeader? GetHeader(ulong number);

    /// <summary>Whether the block with this hash is on the canonical chain.</summary>
    bool IsCanonical(in Hash256 hash);

    /// <summary>Receipts in transaction order of a canonical block; null where unknown.</summary>
    IReadOnlyList<Receipt>? GetReceipts(ulong number);

    /// <summary>
    /// Says which few blocks are read next, with their receipts: where they are far away they are fetched at once.
    /// </summary>
    void Prefetch(IReadOnlyList<ulong> numbers)
    {
    }

    /// <summary>Where a transaction stands on the canonical chain; null where it does not.</summary>
    TransactionLocation? FindTransaction(in Hash256 transactionHash);

    /// <summary>The difficulties of all blocks up to this one; null where unknown.</summary>
    UInt256? TotalDifficulty(in Hash256 blockHash);

    /// <summary>The state after the canonical block, or why it cannot be read.</summary>
    /// <remarks>
    /// The reader stays good while the chain grows; it throws <see cref="StateUnavailableException"/> once its block is
    /// pruned or unwound.
    /// </remarks>
    StateLookup StateAt(ulong number);

    /// <summary>Merkle proofs of an account and some of its slots (EIP-1186), or why there are none.</summary>
    ProofLookup GetProof(ulong number, in Address address, IReadOnlyList<UInt256> slots);

    /// <summary>
    /// The root of the state after a block with changes on top, whose parent is a reader of that state; null where it
    /// cannot be worked out.
    /// </summary>
    Hash256? RootOf(ulong number, BlockState changes) => null;

    /// <summary>Validates and executes a block and makes it the head where fork choice says so.</summary>
    ImportResult Import(Block block);

    /// <summary>
    /// Executes candidates on top of the head in their order and answers the block they make, without keeping it: for
    /// "pending". Candidates that are invalid at their turn are left out.
    /// </summary>
    ProducedBlock Build(BlockAttributes attributes, IReadOnlyList<Transaction> candidates);

    /// <summary>As <see cref="Build"/>, and makes the block the head.</summary>
    ProducedBlock Produce(BlockAttributes attributes, IReadOnlyList<Transaction> candidates);

    /// <summary>
    /// Goes back to an earlier canonical block and forgets those above; atomic. Finality is the caller's care.
    /// </summary>
    RewindStatus Rewind(ulong number);

    /// <summary>Moves the safe and the finalized block; numbers above the head are taken as the head.</summary>
    void SetFinality(ulong safeNumber, ulong finalizedNumber);
}

/// <summary>A header and its hash.</summary>
public sealed record ChainHeader(BlockHeader Header, Hash256 Hash)
{
    public ulong Number => Header.Number;
}

/// <summary>A block with what belongs to it but is not in its encoding.</summary>
/// <param name="Block">The block; senders of its transactions are filled in.</param>
/// <param name="Hash">Keccak-256 of the header's RLP.</param>
/// <param name="TotalDifficulty">The difficulties of all blocks up to this one.</param>
/// <param name="Size">Bytes of the block's RLP.</param>
public sealed record ChainBlock(Block Block, Hash256 Hash, UInt256 TotalDifficulty, int Size)
{
    public BlockHeader Header => Block.Header;

    public ulong Number => Block.Header.Number;
}

/// <summary>A transaction's place on the canonical chain.</summary>
public readonly record struct TransactionLocation(ulong BlockNumber, Hash256 BlockHash, int Index);

/// <summary>How the canonical chain changed: blocks that left it and blocks that came, both in rising order.</summary>
public sealed record HeadChange(IReadOnlyList<ChainBlock> Removed, IReadOnlyList<AddedBlock> Added);

/// <summary>A new canonical block with its receipts.</summary>
public sealed record AddedBlock(ChainBlock Block, IReadOnlyList<Receipt> Receipts);

/// <summary>Why a state can or cannot be read.</summary>
public enum StateAvailability : byte
{
    Available,

    /// <summary>No canonical block has the number.</summary>
    UnknownBlock,

    /// <summary>The block is older than the states that are kept.</summary>
    Pruned,
}

/// <summary>A state or the reason for its absence.</summary>
public readonly record struct StateLookup(IStateReader? State, StateAvailability Availability);

/// <summary>A proof or the reason for its absence.</summary>
public readonly record struct ProofLookup(AccountProof? Proof, StateAvailability Availability);

/// <summary>How <see cref="IChain.Rewind"/> ended.</summary>
public enum RewindStatus : byte
{
    Done,

    /// <summary>The number is above the head.</summary>
    UnknownBlock,

    /// <summary>What the blocks overwrote is no longer kept.</summary>
    Pruned,
}

/// <summary>How an import ended.</summary>
public enum ImportStatus : byte
{
    /// <summary>Valid, and now the head.</summary>
    Head,

    /// <summary>Valid and executed, but another chain is heavier.</summary>
    SideChain,

    /// <summary>Known and valid before; it may have become the head again (after the merge).</summary>
    AlreadyKnown,

    /// <summary>Its parent is not known; it is kept for a while and imported once the parent comes.</summary>
    UnknownParent,

    /// <summary>Refused by a rule of validation.</summary>
    Invalid,
}

/// <summary>What became of a block.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Rule">The name of the rule that refused it; null otherwise.</param>
/// <param name="Detail">The expected and the actual value in words, where that helps.</param>
public sealed record ImportResult(ImportStatus Status, string? Rule = null, string? Detail = null)
{
    /// <summary>Whether the block is valid as far as is known.</summary>
    public bool Accepted => Status is ImportStatus.Head or ImportStatus.SideChain or ImportStatus.AlreadyKnown;
}

/// <summary>What became of a row of blocks.</summary>
/// <param name="Accepted">How many of them, from the first on, are accepted.</param>
/// <param name="Refusal">Why the next one is not; null where there is none left.</param>
public sealed record SequenceResult(int Accepted, ImportResult? Refusal);

/// <summary>What a block cannot derive from its parent and its transactions.</summary>
public sealed record BlockAttributes
{
    /// <summary>Who receives the fees.</summary>
    public Address Coinbase { get; init; }

    /// <summary>Seconds since 1970; not below the parent's.</summary>
    public ulong Timestamp { get; init; }

    /// <summary>The mix hash: prevRandao after the merge.</summary>
    public Hash256 PrevRandao { get; init; }

    /// <summary>Gas; null keeps the parent's limit.</summary>
    public ulong? GasLimit { get; init; }

    /// <summary>At most 32 bytes.</summary>
    public ReadOnlyMemory<byte> ExtraData { get; init; }

    /// <summary>From Shanghai; null stands for none.</summary>
    public IReadOnlyList<Withdrawal>? Withdrawals { get; init; }

    /// <summary>From Cancun; zero unless given.</summary>
    public Hash256 ParentBeaconBlockRoot { get; init; }

    /// <summary>Wei; replaces the base fee that follows from the parent (development only).</summary>
    public UInt256? BaseFeePerGas { get; init; }

    /// <summary>
    /// Changes of state made before the first transaction (development only): nobody else can check such a block.
    /// </summary>
    public StateChanges? Edits { get; init; }
}

/// <summary>A block that was made here.</summary>
/// <param name="Block">The block.</param>
/// <param name="Receipts">In the order of its transactions.</param>
/// <param name="LeftOut">
/// Candidates that are not in it, in candidate order; those with GasLimitExceedsBlock or BlobGasExceedsBlock lacked
/// room only, and may come later.
/// </param>
/// <param name="State">The state after it.</param>
public sealed record ProducedBlock(
    ChainBlock Block, IReadOnlyList<Receipt> Receipts, IReadOnlyList<LeftOutTransaction> LeftOut, IStateReader State)
{
    /// <summary>The block's requests, each with its type in front (EIP-7685).</summary>
    public IReadOnlyList<byte[]> Requests { get; init; } = [];
}
