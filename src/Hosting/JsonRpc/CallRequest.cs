using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>The transaction object of eth_call, eth_estimateGas, eth_sendTransaction and their kin.</summary>
internal sealed class CallRequest
{
    internal Address? From { get; set; }

    internal Address? To { get; set; }

    internal ulong? Gas { get; set; }

    internal UInt256? GasPrice { get; set; }

    internal UInt256? MaxFeePerGas { get; set; }

    internal UInt256? MaxPriorityFeePerGas { get; set; }

    internal UInt256? MaxFeePerBlobGas { get; set; }

    internal UInt256 Value { get; set; }

    internal byte[] Data { get; set; } = [];

    internal ulong? Nonce { get; set; }

    internal ulong? ChainId { get; set; }

    internal ulong? Type { get; set; }

    internal List<AccessListEntry>? AccessList { get; set; }

    internal List<Hash256>? BlobVersionedHashes { get; set; }

    internal List<Authorization>? Authorizations { get; set; }

    /// <summary>The type that its fields make it.</summary>
    internal TransactionType TransactionType
    {
        get
        {
            if (Type is { } given && given <= (ulong)TransactionType.SetCode)
            {
                return (TransactionType)given;
            }

            return Authorizations is not null ? TransactionType.SetCode
                : BlobVersionedHashes is not null ? TransactionType.Blob
                : MaxFeePerGas is not null || MaxPriorityFeePerGas is not null ? TransactionType.DynamicFee
                : AccessList is not null ? TransactionType.AccessList
                : GasPrice is not null ? TransactionType.Legacy
                : TransactionType.DynamicFee;
        }
    }

    /// <summary>The transaction, unsigned, with what it leaves open filled in.</summary>
    /// <param name="chainId">Null for a signature without replay protection.</param>
    /// <param name="nonce">The sender's.</param>
    /// <param name="gas">The gas limit.</param>
    /// <param name="feeCap">Wei; the gas price of types 0 and 1.</param>
    /// <param name="tip">Wei; the gas price of types 0 and 1.</param>
    internal Transaction ToTransaction(
        ulong? chainId, ulong nonce, ulong gas, in UInt256 feeCap, in UInt256 tip) => new()
    {
        Type = TransactionType,
        ChainId = chainId,
        Nonce = nonce,
        GasLimit = gas,
        MaxFeePerGas = feeCap,
        MaxPriorityFeePerGas = tip,
        To = To,
        Value = Value,
        Data = Data,
        AccessList = AccessList ?? [],
        MaxFeePerBlobGas = MaxFeePerBlobGas ?? UInt256.Zero,
        BlobVersionedHashes = BlobVersionedHashes ?? [],
        Authorizations = Authorizations ?? [],
        Sender = From ?? Address.Zero,
    };
}
