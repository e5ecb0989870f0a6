using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>An account that exists before the first block.</summary>
/// <param name="Balance">Wei.</param>
/// <param name="Nonce">Its nonce.</param>
/// <param name="Code">Its code; empty for none.</param>
/// <param name="Storage">Its slots; none of them zero.</param>
public sealed record GenesisAccount(
    UInt256 Balance, ulong Nonce, byte[] Code, IReadOnlyDictionary<UInt256, UInt256> Storage);

/// <summary>How a chain begins: its rules, the fields of block 0 and the first accounts.</summary>
public sealed record Genesis
{
    public required ChainSpec Spec { get; init; }

    public required IReadOnlyDictionary<Address, GenesisAccount> Alloc { get; init; }

    public ulong Nonce { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public ulong Timestamp { get; init; }

    public byte[] ExtraData { get; init; } = [];

    public ulong GasLimit { get; init; }

    public UInt256 Difficulty { get; init; }

    public Hash256 MixHash { get; init; }

    public Address Coinbase { get; init; }

    /// <summary>Wei; null for 1 gwei where London holds at once.</summary>
    public UInt256? BaseFeePerGas { get; init; }

    public ulong? ExcessBlobGas { get; init; }

    public ulong? BlobGasUsed { get; init; }

    /// <summary>Cancun's field of block 0; null for zero.</summary>
    public Hash256? ParentBeaconBlockRoot { get; init; }

    /// <summary>
    /// The header of block 0 over the root of <see cref="Alloc"/>, with the fields of the fork at its time.
    /// </summary>
    public BlockHeader HeaderOver(in Hash256 stateRoot)
    {
        var rules = Spec.RulesAt(0, Timestamp);
        return new BlockHeader
        {
            UnclesHash = BlockCodec.EmptyUnclesHash,
            Coinbase = Coinbase,
            StateRoot = stateRoot,
            TransactionsRoot = WellKnownHashes.EmptyTrieRoot,
            ReceiptsRoot = WellKnownHashes.EmptyTrieRoot,
            Difficulty = Difficulty,
            GasLimit = GasLimit,
            Timestamp = Timestamp,
            ExtraData = ExtraData,
            MixHash = MixHash,
            Nonce = Nonce,
            BaseFeePerGas = rules.Eip1559 ? BaseFeePerGas ?? BaseFee.Initial : null,
            WithdrawalsRoot = rules.Eip4895 ? WellKnownHashes.EmptyTrieRoot : null,
            BlobGasUsed = rules.Eip4844 ? BlobGasUsed ?? 0 : null,
            ExcessBlobGas = rules.Eip4844 ? ExcessBlobGas ?? 0 : null,
            ParentBeaconBlockRoot = rules.Eip4788 ? ParentBeaconBlockRoot ?? Hash256.Zero : null,
            RequestsHash = rules.Eip7685 ? WellKnownHashes.EmptyRequests : null,
        };
    }

    /// <summary>Block 0.</summary>
    public Block BlockOver(in Hash256 stateRoot) =>
        new(HeaderOver(stateRoot), [], [], Spec.RulesAt(0, Timestamp).Eip4895 ? [] : null);
}
