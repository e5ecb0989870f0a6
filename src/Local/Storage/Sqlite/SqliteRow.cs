using System.Buffers.Binary;
using System.Numerics;

namespace SuperVm.Local.Storage.Sqlite;

/// <summary>How a pair lies in a table: the key, and the value followed by a checksum over both.</summary>
/// <remarks>
/// SQLite has no checksums of its own: a flipped byte on the disk would come back as another value, or under another
/// key. CRC-32C (RFC 3720, appendix B.4), as RocksDB has it on its blocks.
/// </remarks>
internal static class SqliteRow
{
    private const int ChecksumSize = sizeof(uint);

    internal static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var stored = new byte[value.Length + ChecksumSize];
        value.CopyTo(stored);
        BinaryPrimitives.WriteUInt32LittleEndian(stored.AsSpan(value.Length), Checksum(key, value));
        return stored;
    }

    /// <summary>The value within what is stored; false where key, value or checksum are damaged.</summary>
    internal static bool TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored, out ReadOnlySpan<byte> value)
    {
        if (stored.Length < ChecksumSize)
        {
            value = default;
            return false;
        }

        value = stored[..^ChecksumSize];
        return BinaryPrimitives.ReadUInt32LittleEndian(stored[^ChecksumSize..]) == Checksum(key, value);
    }

    private static uint Checksum(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
        => ~Extend(Extend(BitOperations.Crc32C(uint.MaxValue, (uint)key.Length), key), value);

    private static uint Extend(uint checksum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var one in bytes)
        {
            checksum = BitOperations.Crc32C(checksum, one);
        }

        return checksum;
    }
}
