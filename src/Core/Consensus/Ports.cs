using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>
/// Signs digests with one validator's key. Must be deterministic (RFC 6979): Step replays bit-exactly.
/// </summary>
public interface IConsensusSigner
{
    /// <summary>The address of the key.</summary>
    Address Address { get; }

    /// <summary>The signature, at most <see cref="Limits.SignatureBytes"/> bytes.</summary>
    byte[] Sign(in Hash256 digest);
}

/// <summary>Checks signatures; a pure function of its arguments.</summary>
public interface ISignatureVerifier
{
    bool Verify(in Address signer, in Hash256 digest, ReadOnlySpan<byte> signature);
}

/// <summary>What consensus needs to know of a transaction's bytes; a pure function.</summary>
public interface ITransactionInspector
{
    /// <summary>False for bytes that are no transaction of this chain.</summary>
    bool TryInspect(ReadOnlySpan<byte> transaction, out Hash256 hash, out ulong gas);
}

/// <summary>Takes any bytes as a transaction of 21,000 gas, named by their Keccak-256.</summary>
public sealed class OpaqueTransactions : ITransactionInspector
{
    public bool TryInspect(ReadOnlySpan<byte> transaction, out Hash256 hash, out ulong gas)
    {
        hash = Keccak256.Hash(transaction);
        gas = 21_000;
        return true;
    }
}

/// <summary>Sizes that bound what one message may hold.</summary>
public static class Limits
{
    /// <summary>The longest signature: 65 bytes of a recoverable secp256k1 signature.</summary>
    public const int SignatureBytes = 65;

    /// <summary>The longest message on the wire.</summary>
    public const int MessageBytes = 8 << 20;

    /// <summary>Items in any list of a message.</summary>
    public const int ListItems = 65_536;

    /// <summary>Transactions in one request message.</summary>
    public const int RequestTransactions = 4096;
}
