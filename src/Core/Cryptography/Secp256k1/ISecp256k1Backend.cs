using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>
/// One implementation of secp256k1. The facade has checked lengths and ranges; both must answer alike.
/// </summary>
internal interface ISecp256k1Backend
{
    /// <summary>One line for the log: what it is and, where it matters, how to get a faster one.</summary>
    string Description { get; }

    /// <summary>
    /// The key whose signature this is; r and s in 1..n-1. False where r is no x of a point or the key is infinity.
    /// </summary>
    bool TryRecover(in Hash256 message, in UInt256 r, in UInt256 s, bool odd, Span<byte> publicKey64);

    /// <summary>Whether the signature is this key's; r and s in 1..n-1, s high or low.</summary>
    bool Verify(in Hash256 message, in UInt256 r, in UInt256 s, ReadOnlySpan<byte> publicKey64);

    /// <summary>Signs with the nonce of RFC 6979 and SHA-256, s low; the key is in range.</summary>
    Secp256k1Signature Sign(in Hash256 message, ReadOnlySpan<byte> privateKey32);

    /// <summary>Writes x and y; the key is in range.</summary>
    void WritePublicKey(ReadOnlySpan<byte> privateKey32, Span<byte> publicKey64);
}
