using System.Security.Cryptography;
using SuperVm.Core.Encoding;

namespace SuperVm.Core.Ledger;

/// <summary>
/// Blob transactions as wallets send them: the transaction with blobs, commitments and proofs beside it.
/// </summary>
/// <remarks>
/// <code>
///   EIP-4844   03 | rlp([transaction, blobs, commitments, proofs])
///   EIP-7594   03 | rlp([transaction, 1, blobs, commitments, cellProofs])      128 proofs a blob
/// </code>
/// Sizes and counts are checked, and that each blob hash is that of its commitment. The proofs themselves are not
/// checked, and the blobs are not kept: this chain has no consensus layer that would serve them.
/// </remarks>
public static class BlobNetworkForm
{
    /// <summary>Bytes of a blob: 4,096 field elements.</summary>
    public const int BlobSize = 131_072;

    private const int CommitmentSize = 48;
    private const int CellProofsPerBlob = 128;
    private const byte HashVersion = 1;

    /// <summary>Whether an envelope is a blob transaction in its network form.</summary>
    public static bool Is(ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length < 2 || envelope[0] != (byte)TransactionType.Blob)
        {
            return false;
        }

        try
        {
            var outer = new RlpReader(envelope[1..]);
            var fields = outer.ReadList();
            return !fields.AtEnd && fields.NextIsList;
        }
        catch (RlpException)
        {
            return false;
        }
    }

    /// <summary>The transaction inside; its hash is that of the form without blobs.</summary>
    public static Decoded<Transaction> Decode(ReadOnlySpan<byte> envelope)
    {
        if (!Is(envelope))
        {
            return Decoded<Transaction>.Refused("Not a blob transaction with its blobs.");
        }

        try
        {
            return Read(envelope[1..]);
        }
        catch (RlpException refusal)
        {
            return Decoded<Transaction>.Refused(refusal.Message);
        }
    }

    private static Decoded<Transaction> Read(ReadOnlySpan<byte> payload)
    {
        var outer = new RlpReader(payload);
        var fields = outer.ReadList();
        outer.RequireEnd();
        var inner = fields.ReadItem();
        var proofsPerBlob = 1;
        if (!fields.NextIsList)
        {
            if (fields.ReadUInt64() != 1)
            {
                return Decoded<Transaction>.Refused("The version of the blobs' form is not known.");
            }

            proofsPerBlob = CellProofsPerBlob;
        }

        var decoded = TransactionCodec.Decode([(byte)TransactionType.Blob, .. inner]);
        if (!decoded.Succeeded)
        {
            return decoded;
        }

        var hashes = decoded.Value.BlobVersionedHashes;
        var blobs = fields.ReadList();
        var commitments = fields.ReadList();
        var proofs = fields.ReadList();
        fields.RequireEnd();
        Span<byte> digest = stackalloc byte[32];
        foreach (var hash in hashes)
        {
            RequireSize(blobs.ReadBytes(), BlobSize);
            var commitment = commitments.ReadBytes();
            RequireSize(commitment, CommitmentSize);
            SHA256.HashData(commitment, digest);
            digest[0] = HashVersion;
            if (!digest.SequenceEqual(hash.Bytes))
            {
                return Decoded<Transaction>.Refused("A blob hash is not that of its commitment.");
            }

            for (var i = 0; i < proofsPerBlob; i++)
            {
                RequireSize(proofs.ReadBytes(), CommitmentSize);
            }
        }

        blobs.RequireEnd();
        commitments.RequireEnd();
        proofs.RequireEnd();
        return decoded;
    }

    private static void RequireSize(ReadOnlySpan<byte> bytes, int size)
    {
        if (bytes.Length != size)
        {
            throw new RlpException($"A part of the blobs' form has {bytes.Length} bytes in place of {size}.");
        }
    }
}
