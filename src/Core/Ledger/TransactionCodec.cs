using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Bytes of transactions: legacy RLP and the typed envelopes of EIP-2718 (types 1 to 4).</summary>
/// <remarks>
/// <code>
///   legacy   rlp([nonce, gasPrice, gas, to, value, data, v, r, s])
///   1        01 | rlp([chain, nonce, gasPrice, gas, to, value, data, accessList, parity, r, s])          EIP-2930
///   2        02 | rlp([chain, nonce, tip, cap, gas, to, value, data, accessList, parity, r, s])          EIP-1559
///   3        03 | rlp([… accessList, blobCap, blobHashes, parity, r, s])                                 EIP-4844
///   4        04 | rlp([… accessList, authorizations, parity, r, s])                                      EIP-7702
/// </code>
/// Decoding checks the shape and the width of each number; what a fork allows is the validator's.
/// </remarks>
public static partial class TransactionCodec
{
    private const ulong FirstReplayProtectedV = 35;

    /// <summary>Decodes an envelope as it stands in a trie or in eth_sendRawTransaction (types 0 to 4).</summary>
    /// <remarks>Blob transactions in their network form, with the blobs, are for
    /// <see cref="BlobNetworkForm"/>.</remarks>
    public static Decoded<Transaction> Decode(ReadOnlySpan<byte> envelope)
    {
        try
        {
            return ReadEnvelope(envelope);
        }
        catch (RlpException refusal)
        {
            return Decoded<Transaction>.Refused(refusal.Message);
        }
    }

    /// <summary>
    /// The next transaction of a block body: a list for legacy ones, a string around an envelope else.
    /// </summary>
    /// <exception cref="RlpException">No transaction.</exception>
    internal static Transaction ReadFromBody(ref RlpReader body)
    {
        if (body.NextIsList)
        {
            return ReadEnvelope(body.ReadItem());
        }

        var envelope = body.ReadBytes();
        if (envelope.IsEmpty || envelope[0] >= 0xC0)
        {
            throw new RlpException("A block has a string that is no typed transaction.");
        }

        return ReadEnvelope(envelope);
    }

    private static Transaction ReadEnvelope(ReadOnlySpan<byte> envelope)
    {
        if (envelope.IsEmpty)
        {
            throw new RlpException("A transaction without bytes.");
        }

        var type = envelope[0];
        var isLegacy = type >= 0xC0;
        if (!isLegacy && type is < (byte)TransactionType.AccessList or > (byte)TransactionType.SetCode)
        {
            throw new RlpException($"Transaction type 0x{type:x2} is not known.");
        }

        var outer = new RlpReader(isLegacy ? envelope : envelope[1..]);
        var fields = outer.ReadList();
        outer.RequireEnd();
        var transaction = isLegacy ? ReadLegacy(ref fields) : ReadTyped((TransactionType)type, ref fields);
        fields.RequireEnd();
        transaction.Hash = Keccak256.Hash(envelope);
        return transaction;
    }

    private static Transaction ReadLegacy(ref RlpReader fields)
    {
        var nonce = fields.ReadUInt64();
        var price = fields.ReadUInt256();
        var gasLimit = fields.ReadUInt64();
        var to = fields.ReadOptionalAddress();
        var value = fields.ReadUInt256();
        var data = fields.ReadBytes().ToArray();
        var v = fields.ReadUInt256();
        return new Transaction
        {
            Type = TransactionType.Legacy,
            ChainId = ChainIdOf(v),
            Nonce = nonce,
            MaxFeePerGas = price,
            MaxPriorityFeePerGas = price,
            GasLimit = gasLimit,
            To = to,
            Value = value,
            Data = data,
            V = v,
            R = fields.ReadUInt256(),
            S = fields.ReadUInt256(),
        };
    }

    private static Transaction ReadTyped(TransactionType type, ref RlpReader fields)
    {
        // Initializers run in the order in which they are written, which is the order of the fields.
        var chainId = fields.ReadUInt64();
        var nonce = fields.ReadUInt64();
        var tip = fields.ReadUInt256();
        var isBlob = type == TransactionType.Blob;
        var isSetCode = type == TransactionType.SetCode;
        return new Transaction
        {
            Type = type,
            ChainId = chainId,
            Nonce = nonce,
            MaxPriorityFeePerGas = tip,
            MaxFeePerGas = type == TransactionType.AccessList ? tip : fields.ReadUInt256(),
            GasLimit = fields.ReadUInt64(),
            To = fields.ReadOptionalAddress(),
            Value = fields.ReadUInt256(),
            Data = fields.ReadBytes().ToArray(),
            AccessList = ReadAccessList(ref fields),
            MaxFeePerBlobGas = isBlob ? fields.ReadUInt256() : UInt256.Zero,
            BlobVersionedHashes = isBlob ? ReadHashes(ref fields) : [],
            Authorizations = isSetCode ? ReadAuthorizations(ref fields) : [],
            V = fields.ReadUInt256(),
            R = fields.ReadUInt256(),
            S = fields.ReadUInt256(),
        };
    }

    /// <summary>The chain that a legacy v names (EIP-155), null for 27, 28 and what is no v at all.</summary>
    private static ulong? ChainIdOf(in UInt256 v)
    {
        if (v < FirstReplayProtectedV)
        {
            return null;
        }

        var chainId = (v - FirstReplayProtectedV) >> 1;
        return chainId.IsUInt64 ? chainId.U0 : throw new RlpException("A chain id has at most 64 bits.");
    }

    private static AccessListEntry[] ReadAccessList(ref RlpReader fields)
    {
        var list = fields.ReadList();
        if (list.AtEnd)
        {
            return [];
        }

        var entries = new List<AccessListEntry>();
        while (!list.AtEnd)
        {
            var entry = list.ReadList();
            var address = entry.ReadAddress();
            var keys = entry.ReadList();
            entry.RequireEnd();
            var slots = new List<UInt256>();
            while (!keys.AtEnd)
            {
                slots.Add(UInt256.FromBigEndian(keys.ReadHash256().Bytes));
            }

            entries.Add(new AccessListEntry(address, slots));
        }

        return [.. entries];
    }

    private static Hash256[] ReadHashes(ref RlpReader fields)
    {
        var list = fields.ReadList();
        var hashes = new List<Hash256>();
        while (!list.AtEnd)
        {
            hashes.Add(list.ReadHash256());
        }

        return [.. hashes];
    }

    private static Authorization[] ReadAuthorizations(ref RlpReader fields)
    {
        var list = fields.ReadList();
        var authorizations = new List<Authorization>();
        while (!list.AtEnd)
        {
            var item = list.ReadList();
            var authorization = new Authorization(
                item.ReadUInt256(), item.ReadAddress(), item.ReadUInt64(), item.ReadUInt256(), item.ReadUInt256(),
                item.ReadUInt256());
            item.RequireEnd();
            if (authorization.YParity > byte.MaxValue)
            {
                throw new RlpException("The parity of an authorization has at most 8 bits.");
            }

            authorizations.Add(authorization);
        }

        return [.. authorizations];
    }
}
