using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>
/// What a batch fixes, and what its block cannot derive: its place, its parent, who proposed it and when, prevRandao
/// and
/// the gas limit, and its transactions by the hash of their hashes.
/// </summary>
/// <remarks>
/// The digest does not depend on the view in which the batch is voted on: a batch that survives a view change keeps
/// it. <see cref="View"/> and <see cref="Position"/> say where it was first proposed.
/// </remarks>
/// <param name="Sequence">1 for the first batch of the chain.</param>
/// <param name="View">The view (label) in which the batch was first proposed.</param>
/// <param name="Position">The leader table's position that proposed it.</param>
/// <param name="Parent">The digest of the batch before.</param>
/// <param name="Proposer">The proposing validator; the block's beneficiary is its business.</param>
/// <param name="Timestamp">Seconds since 1970.</param>
/// <param name="PrevRandao">Keccak-256 of the parent digest and the sequence number.</param>
/// <param name="GasLimit">The block's gas limit.</param>
/// <param name="TransactionsHash">Keccak-256 of the transaction hashes, one after another.</param>
/// <param name="TransactionCount">The number of transactions, at least one.</param>
/// <param name="Nonce">The answer to the chain's proof of work; 0 where it asks for none.</param>
public sealed record BatchHeader(
    ulong Sequence,
    ulong View,
    uint Position,
    Hash256 Parent,
    Address Proposer,
    ulong Timestamp,
    Hash256 PrevRandao,
    ulong GasLimit,
    Hash256 TransactionsHash,
    int TransactionCount,
    ulong Nonce = 0)
{
    // A boxed Hash256, put in place by one write: the replica, the execution and the peers' threads read headers.
    private object? _digest;

    // A copy (with) computes its own digest.
    private BatchHeader(BatchHeader other)
    {
        (Sequence, View, Position, Parent) = (other.Sequence, other.View, other.Position, other.Parent);
        (Proposer, Timestamp, PrevRandao) = (other.Proposer, other.Timestamp, other.PrevRandao);
        (GasLimit, TransactionsHash, TransactionCount, Nonce) =
            (other.GasLimit, other.TransactionsHash, other.TransactionCount, other.Nonce);
    }

    /// <summary>Keccak-256 of the header's RLP.</summary>
    public Hash256 Digest
    {
        get
        {
            if (Volatile.Read(ref _digest) is Hash256 known)
            {
                return known;
            }

            var writer = new RlpWriter();
            Write(writer);
            var digest = Keccak256.Hash(writer.Written);
            Volatile.Write(ref _digest, digest);
            return digest;
        }
    }

    public bool Equals(BatchHeader? other) => other is not null && Digest == other.Digest;

    public override int GetHashCode() => Digest.GetHashCode();

    /// <summary>The header that the first batch has as its parent.</summary>
    public static BatchHeader Genesis(in Hash256 genesisBlock, ulong timestamp, ulong gasLimit) =>
        new(0, 0, 0, genesisBlock, Address.Zero, timestamp, Hash256.Zero, gasLimit, Hash256.Zero, 0);

    /// <summary>The only prevRandao that validators accept on top of a parent.</summary>
    public static Hash256 RandaoAfter(in Hash256 parent, ulong sequence)
    {
        Span<byte> input = stackalloc byte[40];
        parent.CopyTo(input);
        BinaryPrimitives.WriteUInt64BigEndian(input[32..], sequence);
        return Keccak256.Hash(input);
    }

    public static Hash256 HashOf(IReadOnlyList<Hash256> transactionHashes)
    {
        var bytes = new byte[transactionHashes.Count * Hash256.Size];
        for (var i = 0; i < transactionHashes.Count; i++)
        {
            transactionHashes[i].CopyTo(bytes.AsSpan(i * Hash256.Size));
        }

        return Keccak256.Hash(bytes);
    }

    public void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        writer.WriteUInt64(Sequence);
        writer.WriteUInt64(View);
        writer.WriteUInt64(Position);
        writer.WriteHash256(Parent);
        writer.WriteAddress(Proposer);
        writer.WriteUInt64(Timestamp);
        writer.WriteHash256(PrevRandao);
        writer.WriteUInt64(GasLimit);
        writer.WriteHash256(TransactionsHash);
        writer.WriteUInt64((ulong)TransactionCount);
        writer.WriteUInt64(Nonce);
        writer.EndList(list);
    }

    public static BatchHeader Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var header = new BatchHeader(
            list.ReadUInt64(), list.ReadUInt64(), Rlp.ReadUInt32(ref list), list.ReadHash256(), list.ReadAddress(),
            list.ReadUInt64(), list.ReadHash256(), list.ReadUInt64(), list.ReadHash256(), Rlp.ReadCount(ref list),
            list.ReadUInt64());
        list.RequireEnd();
        return header;
    }
}

/// <summary>A batch with its transactions: ordered opaque bytes and their hashes.</summary>
public sealed class Batch(BatchHeader header, Hash256[] hashes, byte[][] transactions)
{
    public BatchHeader Header { get; } = header;

    public IReadOnlyList<Hash256> Hashes { get; } = hashes;

    public IReadOnlyList<byte[]> Transactions { get; } = transactions;

    public Hash256 Digest => Header.Digest;

    public ulong Sequence => Header.Sequence;

    /// <summary>Whether the transactions are the header's, byte for byte.</summary>
    public bool IsComplete(ITransactionInspector inspector)
    {
        if (Transactions.Count != Header.TransactionCount || Hashes.Count != Transactions.Count
            || BatchHeader.HashOf(Hashes) != Header.TransactionsHash)
        {
            return false;
        }

        for (var i = 0; i < Transactions.Count; i++)
        {
            if (!inspector.TryInspect(Transactions[i], out var hash, out _) || hash != Hashes[i])
            {
                return false;
            }
        }

        return true;
    }

    internal void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        Header.Write(writer);
        Rlp.WriteHashes(writer, Hashes);
        Rlp.WriteBlobs(writer, Transactions);
        writer.EndList(list);
    }

    internal static Batch Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var batch = new Batch(BatchHeader.Read(ref list), Rlp.ReadHashes(ref list), Rlp.ReadBlobs(ref list));
        list.RequireEnd();
        return batch;
    }
}
