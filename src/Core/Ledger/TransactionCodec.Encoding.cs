using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

public static partial class TransactionCodec
{
    /// <summary>The envelope: what the transaction hash is taken of and what the transactions trie holds.</summary>
    public static byte[] Encode(Transaction transaction)
    {
        var writer = new RlpWriter(256 + transaction.Data.Length);
        WriteEnvelope(writer, transaction);
        return writer.ToArray();
    }

    /// <summary>Keccak-256 of the envelope, worked out anew.</summary>
    public static Hash256 HashOf(Transaction transaction)
    {
        var writer = new RlpWriter(256 + transaction.Data.Length);
        WriteEnvelope(writer, transaction);
        return Keccak256.Hash(writer.Written);
    }

    /// <summary>What the sender signs: the envelope without the signature (EIP-155, 2718).</summary>
    public static Hash256 SigningHash(Transaction transaction)
    {
        var writer = new RlpWriter(256 + transaction.Data.Length);
        WriteType(writer, transaction);
        var list = writer.BeginList();
        WriteFields(writer, transaction);
        if (transaction.Type == TransactionType.Legacy && transaction.ChainId is { } chainId)
        {
            writer.WriteUInt64(chainId);
            writer.WriteUInt64(0);
            writer.WriteUInt64(0);
        }

        writer.EndList(list);
        return Keccak256.Hash(writer.Written);
    }

    /// <summary>A transaction as an item of a block body.</summary>
    internal static void WriteToBody(RlpWriter body, Transaction transaction)
    {
        if (transaction.Type == TransactionType.Legacy)
        {
            WriteEnvelope(body, transaction);
        }
        else
        {
            body.WriteBytes(Encode(transaction));
        }
    }

    private static void WriteEnvelope(RlpWriter writer, Transaction transaction)
    {
        WriteType(writer, transaction);
        var list = writer.BeginList();
        WriteFields(writer, transaction);
        writer.WriteUInt256(transaction.V);
        writer.WriteUInt256(transaction.R);
        writer.WriteUInt256(transaction.S);
        writer.EndList(list);
    }

    private static void WriteType(RlpWriter writer, Transaction transaction)
    {
        if (transaction.Type != TransactionType.Legacy)
        {
            writer.WriteRaw([(byte)transaction.Type]);
        }
    }

    /// <summary>All fields but the signature.</summary>
    private static void WriteFields(RlpWriter writer, Transaction transaction)
    {
        var type = transaction.Type;
        if (type != TransactionType.Legacy)
        {
            writer.WriteUInt64(transaction.ChainId ?? 0);
        }

        writer.WriteUInt64(transaction.Nonce);
        writer.WriteUInt256(transaction.MaxPriorityFeePerGas);
        if (type >= TransactionType.DynamicFee)
        {
            writer.WriteUInt256(transaction.MaxFeePerGas);
        }

        writer.WriteUInt64(transaction.GasLimit);
        writer.WriteOptionalAddress(transaction.To);
        writer.WriteUInt256(transaction.Value);
        writer.WriteBytes(transaction.Data.Span);
        if (type == TransactionType.Legacy)
        {
            return;
        }

        WriteAccessList(writer, transaction.AccessList);
        if (type == TransactionType.Blob)
        {
            writer.WriteUInt256(transaction.MaxFeePerBlobGas);
            var hashes = writer.BeginList();
            foreach (var hash in transaction.BlobVersionedHashes)
            {
                writer.WriteHash256(hash);
            }

            writer.EndList(hashes);
        }
        else if (type == TransactionType.SetCode)
        {
            WriteAuthorizations(writer, transaction.Authorizations);
        }
    }

    private static void WriteAccessList(RlpWriter writer, IReadOnlyList<AccessListEntry> accessList)
    {
        Span<byte> slotBytes = stackalloc byte[32];
        var list = writer.BeginList();
        foreach (var entry in accessList)
        {
            var item = writer.BeginList();
            writer.WriteAddress(entry.Address);
            var slots = writer.BeginList();
            foreach (var slot in entry.Slots)
            {
                slot.WriteBigEndian(slotBytes);
                writer.WriteBytes(slotBytes);
            }

            writer.EndList(slots);
            writer.EndList(item);
        }

        writer.EndList(list);
    }

    private static void WriteAuthorizations(RlpWriter writer, IReadOnlyList<Authorization> authorizations)
    {
        var list = writer.BeginList();
        foreach (var authorization in authorizations)
        {
            var item = writer.BeginList();
            writer.WriteUInt256(authorization.ChainId);
            writer.WriteAddress(authorization.Address);
            writer.WriteUInt64(authorization.Nonce);
            writer.WriteUInt256(authorization.YParity);
            writer.WriteUInt256(authorization.R);
            writer.WriteUInt256(authorization.S);
            writer.EndList(item);
        }

        writer.EndList(list);
    }
}
