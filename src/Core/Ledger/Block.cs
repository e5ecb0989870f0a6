using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>A block header with every field to Osaka; a field that a fork lacks is null.</summary>
public sealed record BlockHeader
{
    public Hash256 ParentHash { get; init; }
    public Hash256 UnclesHash { get; init; }
    public Address Coinbase { get; init; }
    public Hash256 StateRoot { get; init; }
    public Hash256 TransactionsRoot { get; init; }
    public Hash256 ReceiptsRoot { get; init; }
    public Bloom LogsBloom { get; init; } = Bloom.Empty;
    public UInt256 Difficulty { get; init; }
    public ulong Number { get; init; }
    public ulong GasLimit { get; init; }
    public ulong GasUsed { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public ulong Timestamp { get; init; }
    public ReadOnlyMemory<byte> ExtraData { get; init; }

    /// <summary>The mix hash; from Paris on prevRandao (EIP-4399).</summary>
    public Hash256 MixHash { get; init; }
    public ulong Nonce { get; init; }

    /// <summary>Wei; from London.</summary>
    public UInt256? BaseFeePerGas { get; init; }

    /// <summary>From Shanghai.</summary>
    public Hash256? WithdrawalsRoot { get; init; }

    /// <summary>From Cancun.</summary>
    public ulong? BlobGasUsed { get; init; }

    /// <summary>From Cancun.</summary>
    public ulong? ExcessBlobGas { get; init; }

    /// <summary>From Cancun.</summary>
    public Hash256? ParentBeaconBlockRoot { get; init; }

    /// <summary>From Prague (EIP-7685).</summary>
    public Hash256? RequestsHash { get; init; }
}

/// <summary>A payment from the consensus layer (EIP-4895).</summary>
/// <param name="Index">Running number over all withdrawals.</param>
/// <param name="ValidatorIndex">The validator that withdraws.</param>
/// <param name="Address">The account that is credited.</param>
/// <param name="AmountGwei">Gwei, not wei.</param>
public sealed record Withdrawal(ulong Index, ulong ValidatorIndex, Address Address, ulong AmountGwei);

/// <summary>A header with its body.</summary>
public sealed record Block(
    BlockHeader Header,
    IReadOnlyList<Transaction> Transactions,
    IReadOnlyList<BlockHeader> Uncles,
    IReadOnlyList<Withdrawal>? Withdrawals);
