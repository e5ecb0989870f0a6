using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>The rules that a transaction must keep whatever the state is.</summary>
public static class TransactionValidator
{
    /// <summary>Gas that a transaction may have at most (EIP-7825): 2^24.</summary>
    public const ulong GasLimitCap = 16_777_216;

    /// <summary>Bytes of init code at most (EIP-3860).</summary>
    public const int MaxInitCodeSize = 49_152;

    /// <summary>Blobs a transaction at most (EIP-7594).</summary>
    public const int MaxBlobsPerTransaction = 6;

    private const byte BlobHashVersion = 1;

    /// <summary>The first rule that the transaction breaks, or None.</summary>
    public static TransactionError ValidateStateless(Transaction transaction, ForkRules rules, ulong chainId)
    {
        if (!IsActive(transaction.Type, rules))
        {
            return TransactionError.TypeNotActive;
        }

        var error = CheckSignature(transaction, rules, chainId);
        error = error == TransactionError.None ? CheckGas(transaction, rules) : error;
        return error == TransactionError.None ? CheckType(transaction, rules) : error;
    }

    private static bool IsActive(TransactionType type, ForkRules rules) => type switch
    {
        TransactionType.Legacy => true,
        TransactionType.AccessList => rules.Eip2929,
        TransactionType.DynamicFee => rules.Eip1559,
        TransactionType.Blob => rules.Eip4844,
        TransactionType.SetCode => rules.Eip7702,
        _ => false,
    };

    private static TransactionError CheckSignature(Transaction transaction, ForkRules rules, ulong chainId)
    {
        if (transaction.ChainId is { } signedFor
            && (signedFor != chainId || (transaction.Type == TransactionType.Legacy && !rules.Eip155)))
        {
            return TransactionError.WrongChainId;
        }

        var validForm = Secp256k1.IsInRange(transaction.R) && Secp256k1.IsInRange(transaction.S)
            && (!rules.Eip2 || Secp256k1.IsLowS(transaction.S))
            && TransactionSigner.YParityOf(transaction) is not null;
        return validForm ? TransactionError.None : TransactionError.InvalidSignature;
    }

    private static TransactionError CheckGas(Transaction transaction, ForkRules rules)
    {
        if (transaction.Nonce == ulong.MaxValue)
        {
            return TransactionError.NonceOverflow;
        }

        if (rules.Eip7825 && transaction.GasLimit > GasLimitCap)
        {
            return TransactionError.GasLimitAboveCap;
        }

        if (rules.Eip3860 && transaction.IsCreation && transaction.Data.Length > MaxInitCodeSize)
        {
            return TransactionError.InitCodeTooLarge;
        }

        var intrinsic = IntrinsicGas.Of(transaction, rules);
        if (transaction.GasLimit < intrinsic.Base)
        {
            return TransactionError.IntrinsicGasTooLow;
        }

        if (transaction.GasLimit < intrinsic.Floor)
        {
            return TransactionError.FloorGasTooLow;
        }

        return transaction.MaxPriorityFeePerGas > transaction.MaxFeePerGas
            ? TransactionError.PriorityFeeAboveFeeCap
            : CheckCost(transaction);
    }

    private static TransactionError CheckCost(Transaction transaction) =>
        UInt256.BigMul(transaction.MaxFeePerGas, transaction.GasLimit, out _).IsZero
            ? TransactionError.None
            : TransactionError.CostOverflow;

    private static TransactionError CheckType(Transaction transaction, ForkRules rules) => transaction.Type switch
    {
        TransactionType.Blob => CheckBlobs(transaction, rules),
        TransactionType.SetCode when transaction.IsCreation => TransactionError.SetCodeCreation,
        TransactionType.SetCode when transaction.Authorizations.Count == 0 => TransactionError.NoAuthorizations,
        _ => TransactionError.None,
    };

    private static TransactionError CheckBlobs(Transaction transaction, ForkRules rules)
    {
        if (transaction.IsCreation)
        {
            return TransactionError.BlobCreation;
        }

        var count = transaction.BlobVersionedHashes.Count;
        var limit = rules.Eip7594 ? MaxBlobsPerTransaction : (int)(rules.Blobs?.Max ?? 0);
        if (count == 0 || count > limit)
        {
            return count == 0 ? TransactionError.NoBlobs : TransactionError.TooManyBlobs;
        }

        foreach (var hash in transaction.BlobVersionedHashes)
        {
            if (hash.Bytes[0] != BlobHashVersion)
            {
                return TransactionError.BlobHashVersion;
            }
        }

        return TransactionError.None;
    }
}
