using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Solo;

/// <summary>A batch by its place and its name.</summary>
public readonly record struct BatchPlace(ulong Sequence, Hash256 Digest);

/// <summary>
/// What an operator alone has to remember to order transactions: the last batch, and which messages were taken.
/// </summary>
/// <param name="Last">The last batch; at first number 0 and the genesis batch's digest.</param>
/// <param name="Timestamp">Its time, seconds since 1970.</param>
/// <param name="Taken">The last messages taken, oldest first, by the first 16 bytes of their names' Keccak-256.</param>
/// <remarks>
/// A batch names the one before, so announcing the last one announces them all; whoever loads the state announces it
/// again.
/// </remarks>
public sealed record SoloState(BatchPlace Last, ulong Timestamp, IReadOnlyList<UInt128> Taken)
{
    /// <summary>
    /// Messages remembered. One that comes again later is ordered again, and its transactions are left out of the
    /// block because their nonces are used.
    /// </summary>
    public const int MostTaken = 256;

    private const byte Version = 1;

    /// <summary>The state before the first batch.</summary>
    public static SoloState Begin(in Hash256 genesisBlock, ulong timestamp, ulong gasLimit) =>
        new(new(0, BatchHeader.Genesis(genesisBlock, timestamp, gasLimit).Digest), timestamp, []);

    /// <summary>How a message is remembered.</summary>
    public static UInt128 Mark(string messageId)
    {
        var hash = Keccak256.Hash(System.Text.Encoding.UTF8.GetBytes(messageId));
        return BinaryPrimitives.ReadUInt128BigEndian(hash.Bytes);
    }

    public byte[] Encode()
    {
        var writer = new RlpWriter(8_192);
        var list = writer.BeginList();
        writer.WriteUInt64(Version);
        writer.WriteUInt64(Last.Sequence);
        writer.WriteHash256(Last.Digest);
        writer.WriteUInt64(Timestamp);
        var taken = new byte[Taken.Count * 16];
        for (var i = 0; i < Taken.Count; i++)
        {
            BinaryPrimitives.WriteUInt128BigEndian(taken.AsSpan(i * 16), Taken[i]);
        }

        writer.WriteBytes(taken);
        writer.EndList(list);
        return writer.ToArray();
    }

    /// <exception cref="RlpException">The bytes are no state of this version.</exception>
    public static SoloState Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        var list = reader.ReadList();
        reader.RequireEnd();
        if (list.ReadUInt64() != Version)
        {
            throw new RlpException("The state of the order is of another version.");
        }

        var last = new BatchPlace(list.ReadUInt64(), list.ReadHash256());
        var timestamp = list.ReadUInt64();
        var marks = list.ReadBytes();
        list.RequireEnd();
        if (marks.Length % 16 != 0 || marks.Length / 16 > MostTaken)
        {
            throw new RlpException("The state of the order is damaged.");
        }

        var taken = new UInt128[marks.Length / 16];
        for (var i = 0; i < taken.Length; i++)
        {
            taken[i] = BinaryPrimitives.ReadUInt128BigEndian(marks[(i * 16)..]);
        }

        return new(last, timestamp, taken);
    }
}
