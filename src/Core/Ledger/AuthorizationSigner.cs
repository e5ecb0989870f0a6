using SuperVm.Core.Cryptography;
using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>Signs and checks the permissions of set-code transactions (EIP-7702).</summary>
public static class AuthorizationSigner
{
    /// <summary>The byte before what is signed, so that it is no transaction.</summary>
    private const byte Magic = 0x05;

    /// <summary>The account that gave the permission. False where s is high or no key made the signature.</summary>
    public static bool TryRecover(Authorization authorization, out Address authority)
    {
        authority = default;
        return authorization.YParity <= UInt256.One && Secp256k1.IsLowS(authorization.S)
            && Secp256k1.TryRecover(
                SigningHash(authorization.ChainId, authorization.Address, authorization.Nonce),
                authorization.R, authorization.S, (byte)authorization.YParity.U0, out authority);
    }

    /// <summary>A permission for an account's code, valid at one nonce.</summary>
    /// <param name="chainId">0 for every chain.</param>
    /// <param name="codeOf">Whose code runs; the zero address takes the delegation back.</param>
    /// <param name="nonce">The signer's nonce when the permission is used.</param>
    /// <param name="privateKey">32 bytes that number 1 to n - 1.</param>
    /// <exception cref="ArgumentException">Not a private key.</exception>
    public static Authorization Sign(
        in UInt256 chainId, in Address codeOf, ulong nonce, ReadOnlySpan<byte> privateKey)
    {
        var signature = Secp256k1.Sign(SigningHash(chainId, codeOf, nonce), privateKey);
        return new Authorization(chainId, codeOf, nonce, signature.YParity, signature.R, signature.S);
    }

    private static Hash256 SigningHash(in UInt256 chainId, in Address codeOf, ulong nonce)
    {
        var writer = new RlpWriter(80);
        writer.WriteRaw([Magic]);
        var list = writer.BeginList();
        writer.WriteUInt256(chainId);
        writer.WriteAddress(codeOf);
        writer.WriteUInt64(nonce);
        writer.EndList(list);
        return Keccak256.Hash(writer.Written);
    }
}
