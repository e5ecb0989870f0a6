using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>The bounded shapes that consensus messages share, on top of canonical RLP.</summary>
internal static class Rlp
{
    internal static uint ReadUInt32(ref RlpReader reader)
    {
        var value = reader.ReadUInt64();
        return value <= uint.MaxValue ? (uint)value : throw new RlpException("A number has more than 32 bits.");
    }

    /// <summary>A count of list items.</summary>
    internal static int ReadCount(ref RlpReader reader)
    {
        var value = reader.ReadUInt64();
        return value <= Limits.ListItems ? (int)value : throw new RlpException("A count is above its limit.");
    }

    internal static int ReadIndex(ref RlpReader reader)
    {
        var value = reader.ReadUInt64();
        return value < ValidatorSet.MaximumValidators
            ? (int)value
            : throw new RlpException("A validator index is above its limit.");
    }

    internal static bool ReadFlag(ref RlpReader reader) => reader.ReadUInt64() switch
    {
        0 => false,
        1 => true,
        _ => throw new RlpException("A flag is neither 0 nor 1."),
    };

    internal static void WriteFlag(RlpWriter writer, bool flag) => writer.WriteUInt64(flag ? 1UL : 0UL);

    internal static byte[] ReadSignature(ref RlpReader reader)
    {
        var bytes = reader.ReadBytes();
        return bytes.Length <= Limits.SignatureBytes
            ? bytes.ToArray()
            : throw new RlpException("A signature is too long.");
    }

    internal static void WriteHashes(RlpWriter writer, IReadOnlyList<Hash256> hashes)
    {
        var bytes = new byte[hashes.Count * Hash256.Size];
        for (var i = 0; i < hashes.Count; i++)
        {
            hashes[i].CopyTo(bytes.AsSpan(i * Hash256.Size));
        }

        writer.WriteBytes(bytes);
    }

    internal static Hash256[] ReadHashes(ref RlpReader reader)
    {
        var bytes = reader.ReadBytes();
        if (bytes.Length % Hash256.Size != 0 || bytes.Length / Hash256.Size > Limits.ListItems)
        {
            throw new RlpException("A list of hashes has a wrong length.");
        }

        var hashes = new Hash256[bytes.Length / Hash256.Size];
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = new Hash256(bytes.Slice(i * Hash256.Size, Hash256.Size));
        }

        return hashes;
    }

    internal static void WriteBlobs(RlpWriter writer, IReadOnlyList<byte[]> blobs)
    {
        var list = writer.BeginList();
        foreach (var blob in blobs)
        {
            writer.WriteBytes(blob);
        }

        writer.EndList(list);
    }

    internal static byte[][] ReadBlobs(ref RlpReader reader)
    {
        var list = reader.ReadList();
        var blobs = new List<byte[]>();
        while (!list.AtEnd)
        {
            RequireItems(blobs.Count);
            blobs.Add(list.ReadBytes().ToArray());
        }

        return [.. blobs];
    }

    internal static void RequireItems(int count)
    {
        if (count >= Limits.ListItems)
        {
            throw new RlpException("A list has too many items.");
        }
    }
}
