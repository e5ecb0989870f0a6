using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State;

/// <summary>An account as it is committed: with the root of its storage (Yellow Paper, 4.1).</summary>
internal readonly record struct AccountRecord(ulong Nonce, UInt256 Balance, Hash256 StorageRoot, Hash256 CodeHash)
{
    /// <summary>The most bytes that either encoding has.</summary>
    internal const int MaximumBytes = 112;

    internal Account ToAccount() => new(Nonce, Balance, CodeHash, StorageRoot != TrieUpdater.EmptyRoot);

    internal static AccountRecord Of(in Account account, in Hash256 storageRoot) =>
        new(account.Nonce, account.Balance, storageRoot, account.CodeHash);

    /// <summary>The value in the trie of accounts: rlp([nonce, balance, storage root, code hash]).</summary>
    internal int WriteTrieValue(Span<byte> destination) => Write(destination, StorageRoot.Bytes, CodeHash.Bytes);

    /// <summary>The flat value: as in the trie, but an empty string for no storage and for no code.</summary>
    internal int WriteFlat(Span<byte> destination) => Write(
        destination,
        StorageRoot == TrieUpdater.EmptyRoot ? default : StorageRoot.Bytes,
        CodeHash == Keccak256.OfEmpty ? default : CodeHash.Bytes);

    /// <summary>Reads what <see cref="WriteFlat"/> wrote.</summary>
    /// <exception cref="RlpException">The bytes are damaged.</exception>
    internal static AccountRecord ReadFlat(ReadOnlySpan<byte> bytes)
    {
        var reader = new RlpReader(bytes);
        var fields = reader.ReadList();
        reader.RequireEnd();
        var record = new AccountRecord(
            fields.ReadUInt64(),
            fields.ReadUInt256(),
            ReadHashOr(ref fields, TrieUpdater.EmptyRoot),
            ReadHashOr(ref fields, Keccak256.OfEmpty));
        fields.RequireEnd();
        return record;
    }

    private static Hash256 ReadHashOr(ref RlpReader fields, in Hash256 absent)
    {
        var bytes = fields.ReadBytes();
        return bytes.Length switch
        {
            0 => absent,
            Hash256.Size => new Hash256(bytes),
            _ => throw new RlpException("An account record has a hash of another length than 32 bytes."),
        };
    }

    private int Write(Span<byte> destination, ReadOnlySpan<byte> storageRoot, ReadOnlySpan<byte> codeHash)
    {
        Span<byte> number = stackalloc byte[32];
        var position = 2;
        ((UInt256)Nonce).WriteBigEndian(number);
        position += WriteString(destination[position..], number[(32 - ((UInt256)Nonce).ByteLength)..]);
        Balance.WriteBigEndian(number);
        position += WriteString(destination[position..], number[(32 - Balance.ByteLength)..]);
        position += WriteString(destination[position..], storageRoot);
        position += WriteString(destination[position..], codeHash);
        var payload = position - 2;
        if (payload > 55)
        {
            destination[0] = 0xF8;
            destination[1] = (byte)payload;
            return position;
        }

        destination[0] = (byte)(0xC0 + payload);
        destination.Slice(2, payload).CopyTo(destination[1..]);
        return payload + 1;
    }

    private static int WriteString(Span<byte> destination, ReadOnlySpan<byte> value)
    {
        if (value.Length == 1 && value[0] < 0x80)
        {
            destination[0] = value[0];
            return 1;
        }

        destination[0] = (byte)(0x80 + value.Length);
        value.CopyTo(destination[1..]);
        return value.Length + 1;
    }
}
