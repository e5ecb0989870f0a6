using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>What a vote says of a batch: "I accepted it" or "I saw that a quorum accepted it".</summary>
public enum VotePhase : byte
{
    Prepare = 1,
    Commit = 2,
}

/// <summary>
/// The digests that validators sign. Each begins with a domain, so that no signature means two things.
/// </summary>
public static class Statements
{
    /// <summary>(chain, phase, view, sequence, batch digest).</summary>
    public static Hash256 Vote(ulong chainId, VotePhase phase, ulong view, ulong sequence, in Hash256 digest)
    {
        Span<byte> input = stackalloc byte[64];
        "SVM/v1"u8.CopyTo(input);
        input[6] = (byte)phase;
        input[7] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(input[8..], chainId);
        BinaryPrimitives.WriteUInt64BigEndian(input[16..], view);
        BinaryPrimitives.WriteUInt64BigEndian(input[24..], sequence);
        digest.CopyTo(input[32..]);
        return Keccak256.Hash(input);
    }

    /// <summary>(chain, sequence, block hash, batch digest, hash of the next epoch's set or zero).</summary>
    public static Hash256 Checkpoint(ulong chainId, in CheckpointStatement statement)
    {
        Span<byte> input = stackalloc byte[120];
        "SVM/v1"u8.CopyTo(input);
        input[6] = 3;
        input[7] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(input[8..], chainId);
        BinaryPrimitives.WriteUInt64BigEndian(input[16..], statement.Sequence);
        statement.BlockHash.CopyTo(input[24..]);
        statement.BatchDigest.CopyTo(input[56..]);
        statement.NextSet.CopyTo(input[88..]);
        return Keccak256.Hash(input);
    }

    /// <summary>(chain, owner): a key's consent to be registered by this account.</summary>
    public static Hash256 Registration(ulong chainId, in Address owner)
    {
        Span<byte> input = stackalloc byte[16 + Address.Size];
        "SVM/v1"u8.CopyTo(input);
        input[6] = 6;
        input[7] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(input[8..], chainId);
        owner.CopyTo(input[16..]);
        return Keccak256.Hash(input);
    }

    /// <summary>The digest of a view-change or new-view message's encoding without its signature.</summary>
    internal static Hash256 Message(ulong chainId, byte domain, ReadOnlySpan<byte> encoded)
    {
        Span<byte> input = stackalloc byte[48];
        "SVM/v1"u8.CopyTo(input);
        input[6] = domain;
        input[7] = 0;
        BinaryPrimitives.WriteUInt64BigEndian(input[8..], chainId);
        Keccak256.Hash(encoded).CopyTo(input[16..]);
        return Keccak256.Hash(input);
    }
}

/// <summary>One validator's signature in a certificate, by its index in the epoch's set.</summary>
public readonly record struct SignatureShare(int Validator, byte[] Signature)
{
    internal static void WriteAll(RlpWriter writer, IReadOnlyList<SignatureShare> shares)
    {
        var list = writer.BeginList();
        foreach (var share in shares)
        {
            writer.WriteUInt64((ulong)share.Validator);
            writer.WriteBytes(share.Signature);
        }

        writer.EndList(list);
    }

    /// <summary>Reads shares in strictly rising order of validators: a certificate has one encoding.</summary>
    internal static SignatureShare[] ReadAll(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var shares = new List<SignatureShare>();
        while (!list.AtEnd)
        {
            var share = new SignatureShare(Rlp.ReadIndex(ref list), Rlp.ReadSignature(ref list));
            if (shares.Count > 0 && shares[^1].Validator >= share.Validator)
            {
                throw new RlpException("Certificate signatures are not in order.");
            }

            shares.Add(share);
        }

        return [.. shares];
    }

    /// <summary>Whether distinct validators with a quorum's power signed the digest.</summary>
    internal static bool IsQuorum(
        IReadOnlyList<SignatureShare> shares, ValidatorSet set, ISignatureVerifier verifier, in Hash256 digest)
    {
        ulong power = 0;
        var last = -1;
        foreach (var (validator, signature) in shares)
        {
            if (validator <= last || validator >= set.Count
                || !verifier.Verify(set[validator].Address, digest, signature))
            {
                return false;
            }

            last = validator;
            power += set[validator].Power;
        }

        return set.IsQuorum(power);
    }
}

/// <summary>
/// A quorum's votes of one phase for one batch: of the prepare phase "prepared", of the commit phase "committed".
/// Anyone who knows the epoch's set can check it.
/// </summary>
public sealed record QuorumCertificate(
    VotePhase Phase, ulong View, ulong Sequence, Hash256 Digest, IReadOnlyList<SignatureShare> Shares)
{
    public bool Verify(ulong chainId, Epoch epoch, ISignatureVerifier verifier) =>
        ViewLabel.EpochOf(View) == epoch.Number && epoch.Contains(Sequence) && SignatureShare.IsQuorum(
            Shares, epoch.Validators, verifier, Statements.Vote(chainId, Phase, View, Sequence, Digest));

    public void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        writer.WriteUInt64((ulong)Phase);
        writer.WriteUInt64(View);
        writer.WriteUInt64(Sequence);
        writer.WriteHash256(Digest);
        SignatureShare.WriteAll(writer, Shares);
        writer.EndList(list);
    }

    public static QuorumCertificate Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var phase = list.ReadUInt64() switch
        {
            1 => VotePhase.Prepare,
            2 => VotePhase.Commit,
            _ => throw new RlpException("A certificate has an unknown phase."),
        };
        var certificate = new QuorumCertificate(
            phase, list.ReadUInt64(), list.ReadUInt64(), list.ReadHash256(), SignatureShare.ReadAll(ref list));
        list.RequireEnd();
        return certificate;
    }
}

/// <summary>What a validator attests after execution.</summary>
/// <param name="Sequence">The batch's place, which is the block's number.</param>
/// <param name="BlockHash">The executed block's hash: PBFT's checkpoint digest.</param>
/// <param name="BatchDigest">The batch that the block executes.</param>
/// <param name="NextSet">At an epoch's last block the hash of the next epoch's validator set; zero elsewhere.</param>
public readonly record struct CheckpointStatement(
    ulong Sequence, Hash256 BlockHash, Hash256 BatchDigest, Hash256 NextSet)
{
    internal void Write(RlpWriter writer)
    {
        writer.WriteUInt64(Sequence);
        writer.WriteHash256(BlockHash);
        writer.WriteHash256(BatchDigest);
        writer.WriteHash256(NextSet);
    }

    internal static CheckpointStatement Read(ref RlpReader list) =>
        new(list.ReadUInt64(), list.ReadHash256(), list.ReadHash256(), list.ReadHash256());
}

/// <summary>A quorum's attestations of one block: it is final.</summary>
public sealed record CheckpointCertificate(CheckpointStatement Statement, IReadOnlyList<SignatureShare> Shares)
{
    public bool Verify(ulong chainId, Epoch epoch, ISignatureVerifier verifier) =>
        epoch.Contains(Statement.Sequence) && SignatureShare.IsQuorum(
            Shares, epoch.Validators, verifier, Statements.Checkpoint(chainId, Statement));

    public void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        Statement.Write(writer);
        SignatureShare.WriteAll(writer, Shares);
        writer.EndList(list);
    }

    public static CheckpointCertificate Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var certificate = new CheckpointCertificate(
            CheckpointStatement.Read(ref list), SignatureShare.ReadAll(ref list));
        list.RequireEnd();
        return certificate;
    }
}

/// <summary>The step from one epoch to the next: the border block's attestation and the set that it names.</summary>
public sealed record EpochProof(CheckpointCertificate Border, ValidatorSet Validators)
{
    /// <summary>The next epoch, or null where the proof does not hold on top of <paramref name="current"/>.</summary>
    public Epoch? Apply(Epoch current, ulong chainId, ulong epochLength, ISignatureVerifier verifier) =>
        epochLength != 0 && Border.Statement.Sequence == current.Last && Border.Statement.NextSet == Validators.Hash
            && Border.Verify(chainId, current, verifier)
                ? current.Next(Validators, Border.Statement.BlockHash, epochLength)
                : null;

    public void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        Border.Write(writer);
        Validators.Write(writer);
        writer.EndList(list);
    }

    public static EpochProof Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var proof = new EpochProof(CheckpointCertificate.Read(ref list), ValidatorSet.Read(ref list));
        list.RequireEnd();
        return proof;
    }
}
