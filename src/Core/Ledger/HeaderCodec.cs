using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>RLP of block headers: 15 fields, to which London, Shanghai, Cancun and Prague each add some.</summary>
/// <remarks>
/// A later field never stands without the ones before it (EIP-1559, 4895, 4844, 4788, 7685); which ones a fork asks
/// for is the header validator's. The hash of a block is Keccak-256 of these bytes.
/// </remarks>
public static class HeaderCodec
{
    private const int NonceSize = 8;

    public static Decoded<BlockHeader> Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new RlpReader(bytes);
            var header = Read(ref reader);
            reader.RequireEnd();
            return header;
        }
        catch (RlpException refusal)
        {
            return Decoded<BlockHeader>.Refused(refusal.Message);
        }
    }

    public static byte[] Encode(BlockHeader header)
    {
        var writer = new RlpWriter(700);
        Write(writer, header);
        return writer.ToArray();
    }

    /// <summary>The block hash.</summary>
    public static Hash256 Hash(BlockHeader header)
    {
        var writer = new RlpWriter(700);
        Write(writer, header);
        return Keccak256.Hash(writer.Written);
    }

    /// <exception cref="RlpException">No header.</exception>
    internal static BlockHeader Read(ref RlpReader outer)
    {
        var fields = outer.ReadList();
        var header = new BlockHeader
        {
            ParentHash = fields.ReadHash256(),
            UnclesHash = fields.ReadHash256(),
            Coinbase = fields.ReadAddress(),
            StateRoot = fields.ReadHash256(),
            TransactionsRoot = fields.ReadHash256(),
            ReceiptsRoot = fields.ReadHash256(),
            LogsBloom = ReadBloom(ref fields),
            Difficulty = fields.ReadUInt256(),
            Number = fields.ReadUInt64(),
            GasLimit = fields.ReadUInt64(),
            GasUsed = fields.ReadUInt64(),
            Timestamp = fields.ReadUInt64(),
            ExtraData = fields.ReadBytes().ToArray(),
            MixHash = fields.ReadHash256(),
            Nonce = ReadNonce(ref fields),
        };
        return fields.AtEnd ? header : ReadLaterFields(header, ref fields);
    }

    internal static void Write(RlpWriter writer, BlockHeader header)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        BinaryPrimitives.WriteUInt64BigEndian(nonce, header.Nonce);
        var list = writer.BeginList();
        writer.WriteHash256(header.ParentHash);
        writer.WriteHash256(header.UnclesHash);
        writer.WriteAddress(header.Coinbase);
        writer.WriteHash256(header.StateRoot);
        writer.WriteHash256(header.TransactionsRoot);
        writer.WriteHash256(header.ReceiptsRoot);
        writer.WriteBytes(header.LogsBloom.Bytes);
        writer.WriteUInt256(header.Difficulty);
        writer.WriteUInt64(header.Number);
        writer.WriteUInt64(header.GasLimit);
        writer.WriteUInt64(header.GasUsed);
        writer.WriteUInt64(header.Timestamp);
        writer.WriteBytes(header.ExtraData.Span);
        writer.WriteHash256(header.MixHash);
        writer.WriteBytes(nonce);
        WriteLaterFields(writer, header);
        writer.EndList(list);
    }

    private static BlockHeader ReadLaterFields(BlockHeader header, ref RlpReader fields)
    {
        header = header with { BaseFeePerGas = fields.ReadUInt256() };
        if (fields.AtEnd)
        {
            return header;
        }

        header = header with { WithdrawalsRoot = fields.ReadHash256() };
        if (fields.AtEnd)
        {
            return header;
        }

        header = header with
        {
            BlobGasUsed = fields.ReadUInt64(),
            ExcessBlobGas = fields.ReadUInt64(),
            ParentBeaconBlockRoot = fields.ReadHash256(),
        };
        if (fields.AtEnd)
        {
            return header;
        }

        header = header with { RequestsHash = fields.ReadHash256() };
        fields.RequireEnd();
        return header;
    }

    private static void WriteLaterFields(RlpWriter writer, BlockHeader header)
    {
        if (header.BaseFeePerGas is not { } baseFee)
        {
            return;
        }

        writer.WriteUInt256(baseFee);
        if (header.WithdrawalsRoot is not { } withdrawalsRoot)
        {
            return;
        }

        writer.WriteHash256(withdrawalsRoot);
        if (header is not
            {
                BlobGasUsed: { } blobGasUsed, ExcessBlobGas: { } excessBlobGas, ParentBeaconBlockRoot: { } beaconRoot,
            })
        {
            return;
        }

        writer.WriteUInt64(blobGasUsed);
        writer.WriteUInt64(excessBlobGas);
        writer.WriteHash256(beaconRoot);
        if (header.RequestsHash is { } requestsHash)
        {
            writer.WriteHash256(requestsHash);
        }
    }

    private static Bloom ReadBloom(ref RlpReader fields)
    {
        var bytes = fields.ReadBytes();
        if (bytes.Length != Bloom.Size)
        {
            throw new RlpException("A logs bloom has 256 bytes.");
        }

        return bytes.ContainsAnyExcept((byte)0) ? new Bloom(bytes) : Bloom.Empty;
    }

    private static ulong ReadNonce(ref RlpReader fields)
    {
        var bytes = fields.ReadBytes();
        return bytes.Length == NonceSize
            ? BinaryPrimitives.ReadUInt64BigEndian(bytes)
            : throw new RlpException("A header's nonce has 8 bytes.");
    }
}
