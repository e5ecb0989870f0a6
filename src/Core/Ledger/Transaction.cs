using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>EIP-2718 type bytes.</summary>
public enum TransactionType : byte
{
    Legacy = 0,
    AccessList = 1,
    DynamicFee = 2,
    Blob = 3,
    SetCode = 4,
}

/// <summary>An address and the slots of it that a transaction announces (EIP-2930).</summary>
public sealed record AccessListEntry(Address Address, IReadOnlyList<UInt256> Slots);

/// <summary>A signed permission to let an account run the code of another (EIP-7702).</summary>
public sealed record Authorization(
    UInt256 ChainId, Address Address, ulong Nonce, UInt256 YParity, UInt256 R, UInt256 S);

/// <summary>A signed transaction of any type; fields that a type lacks keep their defaults.</summary>
/// <remarks>
/// Immutable but for the two memos <see cref="Hash"/> and <see cref="Sender"/>, which decoding and recovery fill.
/// For types below 2 <see cref="MaxFeePerGas"/> and <see cref="MaxPriorityFeePerGas"/> both hold the gas price.
/// </remarks>
public sealed class Transaction
{
    public TransactionType Type { get; init; }

    /// <summary>Null for legacy transactions without replay protection.</summary>
    public ulong? ChainId { get; init; }

    public ulong Nonce { get; init; }

    /// <summary>Wei; the gas price of types 0 and 1.</summary>
    public UInt256 MaxFeePerGas { get; init; }

    /// <summary>Wei; the gas price of types 0 and 1.</summary>
    public UInt256 MaxPriorityFeePerGas { get; init; }

    public ulong GasLimit { get; init; }

    /// <summary>Null to create a contract.</summary>
    public Address? To { get; init; }

    /// <summary>Wei.</summary>
    public UInt256 Value { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }

    public IReadOnlyList<AccessListEntry> AccessList { get; init; } = [];

    /// <summary>Wei per blob gas (type 3).</summary>
    public UInt256 MaxFeePerBlobGas { get; init; }

    public IReadOnlyList<Hash256> BlobVersionedHashes { get; init; } = [];

    public IReadOnlyList<Authorization> Authorizations { get; init; } = [];

    /// <summary>
    /// v as it stands in the encoding: 27/28 or EIP-155 for legacy, the parity for typed transactions.
    /// </summary>
    public UInt256 V { get; init; }

    public UInt256 R { get; init; }

    public UInt256 S { get; init; }

    /// <summary>Keccak-256 of the EIP-2718 encoding; set where the transaction was decoded or signed.</summary>
    public Hash256 Hash { get; set; }

    /// <summary>The recovered sender; null until recovered.</summary>
    public Address? Sender { get; set; }

    public bool IsCreation => To is null;

    /// <summary>Blob gas of all its blobs.</summary>
    public ulong BlobGas => (ulong)BlobVersionedHashes.Count * BlobSchedule.GasPerBlob;

    /// <summary>
    /// What one gas costs in a block with this base fee (EIP-1559); the fee cap must not be below it.
    /// </summary>
    public UInt256 EffectiveGasPrice(in UInt256 baseFee)
    {
        var tip = MaxFeePerGas - baseFee;
        return MaxPriorityFeePerGas < tip ? baseFee + MaxPriorityFeePerGas : MaxFeePerGas;
    }
}
