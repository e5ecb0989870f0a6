using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution;

/// <summary>Where a new contract comes to lie.</summary>
public static class ContractAddress
{
    /// <summary>The last 20 bytes of keccak256(rlp([creator, nonce])) (Yellow Paper, equation 88).</summary>
    public static Address OfCreate(in Address creator, ulong nonce)
    {
        // [list head, 0x94, 20 bytes, nonce]: at most 1 + 1 + 20 + 9 bytes.
        Span<byte> rlp = stackalloc byte[31];
        rlp[1] = 0x80 + Address.Size;
        creator.CopyTo(rlp[2..]);
        var end = 2 + Address.Size;
        if (nonce is > 0 and < 0x80)
        {
            rlp[end++] = (byte)nonce;
        }
        else
        {
            var bytes = (64 - System.Numerics.BitOperations.LeadingZeroCount(nonce) + 7) / 8;
            rlp[end++] = (byte)(0x80 + bytes);
            for (var i = bytes - 1; i >= 0; i--)
            {
                rlp[end++] = (byte)(nonce >> (8 * i));
            }
        }

        rlp[0] = (byte)(0xC0 + end - 1);
        return LastBytes(Keccak256.Hash(rlp[..end]));
    }

    /// <summary>The last 20 bytes of keccak256(0xff, creator, salt, keccak256(init code)) (EIP-1014).</summary>
    public static Address OfCreate2(in Address creator, in UInt256 salt, ReadOnlySpan<byte> initCode)
    {
        Span<byte> preimage = stackalloc byte[1 + Address.Size + 32 + Hash256.Size];
        preimage[0] = 0xFF;
        creator.CopyTo(preimage[1..]);
        salt.WriteBigEndian(preimage[(1 + Address.Size)..]);
        Keccak256.Hash(initCode, preimage[(1 + Address.Size + 32)..]);
        return LastBytes(Keccak256.Hash(preimage));
    }

    private static Address LastBytes(in Hash256 hash) => new(hash.Bytes[(Hash256.Size - Address.Size)..]);
}
