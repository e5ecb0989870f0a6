using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Signs transactions and finds who signed them.</summary>
public static class TransactionSigner
{
    private const ulong LegacyV = 27;
    private const ulong ReplayProtectedV = 35;

    /// <summary>
    /// The sender, from the memo or recovered and then remembered. False where no key made the signature: r or s out of
    /// range, v not of its form. A high s is recovered too; whether it is allowed is the validator's (EIP-2).
    /// </summary>
    public static bool TryRecoverSender(Transaction transaction, out Address sender)
    {
        if (transaction.Sender is { } known)
        {
            sender = known;
            return true;
        }

        sender = default;
        if (YParityOf(transaction) is not { } parity
            || !Secp256k1.TryRecover(
                TransactionCodec.SigningHash(transaction), transaction.R, transaction.S, parity, out sender))
        {
            return false;
        }

        transaction.Sender = sender;
        return true;
    }

    /// <summary>Recovers the senders of many transactions, on several threads where there are many.</summary>
    /// <param name="transactions">Their <see cref="Transaction.Sender"/> is filled in where there is one.</param>
    /// <param name="workers">Threads at most; 0 for one a core.</param>
    /// <returns>Whether every transaction has a sender now.</returns>
    public static bool RecoverSenders(IReadOnlyList<Transaction> transactions, int workers = 0)
    {
        List<Transaction>? missing = null;
        foreach (var transaction in transactions)
        {
            if (transaction.Sender is null)
            {
                missing ??= [];
                missing.Add(transaction);
            }
        }

        if (missing is null)
        {
            return true;
        }

        var complete = true;
        var requests = new RecoveryRequest[missing.Count];
        for (var i = 0; i < requests.Length; i++)
        {
            var transaction = missing[i];
            requests[i] = YParityOf(transaction) is { } parity
                ? new RecoveryRequest(
                    TransactionCodec.SigningHash(transaction), transaction.R, transaction.S, parity)
                : default;
        }

        var signers = new Address?[requests.Length];
        Secp256k1.RecoverMany(requests, signers, workers);
        for (var i = 0; i < signers.Length; i++)
        {
            missing[i].Sender = signers[i];
            complete &= signers[i] is not null;
        }

        return complete;
    }

    /// <summary>A signed copy with its hash and sender filled in.</summary>
    /// <param name="unsigned">A legacy transaction without chain id is signed without replay protection.</param>
    /// <param name="privateKey">32 bytes that number 1 to n - 1.</param>
    /// <exception cref="ArgumentException">Not a private key.</exception>
    public static Transaction Sign(Transaction unsigned, ReadOnlySpan<byte> privateKey)
    {
        var signature = Secp256k1.Sign(TransactionCodec.SigningHash(unsigned), privateKey);
        return WithSignature(
            unsigned, signature.YParity, signature.R, signature.S, Secp256k1.AddressOf(privateKey));
    }

    /// <summary>A copy with a signature, and with its hash and sender filled in.</summary>
    internal static Transaction WithSignature(
        Transaction unsigned, byte parity, in UInt256 r, in UInt256 s, in Address sender)
    {
        var v = new UInt256(parity);
        if (unsigned.Type == TransactionType.Legacy)
        {
            v += unsigned.ChainId is { } chainId ? (new UInt256(chainId) << 1) + ReplayProtectedV : LegacyV;
        }

        var signed = new Transaction
        {
            Type = unsigned.Type,
            ChainId = unsigned.ChainId,
            Nonce = unsigned.Nonce,
            MaxFeePerGas = unsigned.MaxFeePerGas,
            MaxPriorityFeePerGas = unsigned.MaxPriorityFeePerGas,
            GasLimit = unsigned.GasLimit,
            To = unsigned.To,
            Value = unsigned.Value,
            Data = unsigned.Data,
            AccessList = unsigned.AccessList,
            MaxFeePerBlobGas = unsigned.MaxFeePerBlobGas,
            BlobVersionedHashes = unsigned.BlobVersionedHashes,
            Authorizations = unsigned.Authorizations,
            V = v,
            R = r,
            S = s,
            Sender = sender,
        };
        signed.Hash = TransactionCodec.HashOf(signed);
        return signed;
    }

    /// <summary>The parity of the signature's point; null where v has no valid form for the type.</summary>
    public static byte? YParityOf(Transaction transaction)
    {
        var v = transaction.V;
        if (transaction.Type != TransactionType.Legacy)
        {
            return v <= UInt256.One ? (byte)v.U0 : null;
        }

        if (transaction.ChainId is not null)
        {
            return (byte)((v.U0 - ReplayProtectedV) & 1);
        }

        return v == LegacyV || v == LegacyV + 1 ? (byte)(v.U0 - LegacyV) : null;
    }
}
