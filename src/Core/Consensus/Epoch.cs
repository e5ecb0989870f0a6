using System.Buffers.Binary;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>
/// A span of sequence numbers with one validator set. Each epoch runs its own instance of the protocol: it begins at
/// view number 0 on top of the attested last block of the epoch before, and no batch is ordered across the border.
/// </summary>
public sealed class Epoch
{
    public Epoch(
        ulong number, ulong first, ulong last, ValidatorSet validators, in Hash256 seed,
        ConsensusKind kind = ConsensusKind.Pbft)
    {
        (Number, First, Last, Validators, Seed, Kind) = (number, first, last, validators, seed, kind);
        Leaders = LeaderTable.Of(kind, validators, seed);
    }

    public ulong Number { get; }

    /// <summary>The first sequence number of the epoch.</summary>
    public ulong First { get; }

    /// <summary>The last sequence number of the epoch; <see cref="ulong.MaxValue"/> where sets never change.</summary>
    public ulong Last { get; }

    public ValidatorSet Validators { get; }

    /// <summary>What the leader sequence is drawn from.</summary>
    public Hash256 Seed { get; }

    /// <summary>How the leader sequence is drawn; the same in all epochs of a chain.</summary>
    public ConsensusKind Kind { get; }

    internal LeaderTable Leaders { get; }

    /// <summary>Epoch 0 as genesis lists it; sequence numbers begin at 1.</summary>
    public static Epoch Genesis(
        ValidatorSet validators, in Hash256 genesisHash, ulong epochLength, ConsensusKind kind = ConsensusKind.Pbft) =>
        new(0, 1, epochLength == 0 ? ulong.MaxValue : epochLength, validators, NextSeed(genesisHash, 0), kind);

    /// <summary>The epoch that follows the attested border block with this hash.</summary>
    public Epoch Next(ValidatorSet validators, in Hash256 borderBlock, ulong epochLength) =>
        new(Number + 1, Last + 1, Last + epochLength, validators, NextSeed(borderBlock, Number + 1), Kind);

    public bool Contains(ulong sequence) => sequence >= First && sequence <= Last;

    internal void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        writer.WriteUInt64(Number);
        writer.WriteUInt64(First);
        writer.WriteUInt64(Last);
        Validators.Write(writer);
        writer.WriteHash256(Seed);
        writer.WriteUInt64((ulong)Kind);
        writer.EndList(list);
    }

    internal static Epoch Read(ref RlpReader reader)
    {
        var list = reader.ReadList();
        return new Epoch(
            list.ReadUInt64(), list.ReadUInt64(), list.ReadUInt64(), ValidatorSet.Read(ref list), list.ReadHash256(),
            (ConsensusKind)list.ReadUInt64());
    }

    private static Hash256 NextSeed(in Hash256 block, ulong number)
    {
        Span<byte> input = stackalloc byte[40];
        block.CopyTo(input);
        BinaryPrimitives.WriteUInt64BigEndian(input[32..], number);
        return Keccak256.Hash(input);
    }
}

/// <summary>View labels: the epoch's number in the high 32 bits, the view's number in it in the low ones.</summary>
/// <remarks>Labels compare as numbers: every view of an epoch lies above all views of the epochs before.</remarks>
public static class ViewLabel
{
    public static ulong Of(ulong epoch, uint number) => (epoch << 32) | number;

    public static ulong EpochOf(ulong view) => view >> 32;

    public static uint NumberOf(ulong view) => (uint)view;
}
