using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>
/// An ECDSA signature with the parity of the nonce point's y, from which the signer's key can be recovered.
/// </summary>
public readonly record struct Secp256k1Signature(UInt256 R, UInt256 S, byte YParity);

/// <summary>One signature whose signer is asked for: a digest, r, s and the parity of y (0 or 1).</summary>
public readonly record struct RecoveryRequest(Hash256 Message, UInt256 R, UInt256 S, byte YParity);

/// <summary>ECDSA on secp256k1 as Ethereum uses it (SEC 1, section 4.1; Yellow Paper, appendix F).</summary>
/// <remarks>
/// <code>
///   Secp256k1 ── native:  libsecp256k1, where it is installed (probed once, at first use)
///             └─ managed: C#, equal in every answer
/// </code>
/// Keys are 32 bytes, public keys 64 bytes (x, y; no leading 0x04), all big-endian. A high s is accepted everywhere;
/// callers that check transactions (EIP-2) ask <see cref="IsLowS"/> as well.
/// </remarks>
public static class Secp256k1
{
    /// <summary>Bytes of a public key.</summary>
    public const int PublicKeySize = 64;

    /// <summary>Bytes of a private key.</summary>
    public const int PrivateKeySize = 32;

    /// <summary>Signatures a worker of a batch takes at a time.</summary>
    private const int BatchChunk = 16;

    internal static readonly ISecp256k1Backend Managed = new ManagedSecp256k1();

    internal static readonly ISecp256k1Backend? Native = NativeSecp256k1.TryCreate();

    private static readonly ISecp256k1Backend Backend = Native ?? Managed;

    /// <summary>From this many signatures on, eight side by side take less time than one after another.</summary>
    private static readonly int VectorMinimum = Native is null ? 2 : 4;

    /// <summary>Which implementation runs, in one line for the log.</summary>
    public static string BackendDescription => SecpField8.IsSupported
        ? Backend.Description + "; batches eight side by side in AVX-512"
        : Backend.Description;

    /// <summary>The order of the group, n.</summary>
    public static UInt256 Order => SecpScalar.Order;

    /// <summary>Whether r, s or a private key is in 1..n-1.</summary>
    public static bool IsInRange(in UInt256 value) => SecpScalar.IsInRange(value);

    /// <summary>Whether s is at most (n - 1) / 2, as transactions need it since Homestead (EIP-2).</summary>
    public static bool IsLowS(in UInt256 s) => s <= SecpScalar.HalfOrder;

    /// <summary>Whether these are 32 bytes that number 1..n-1.</summary>
    public static bool IsPrivateKey(ReadOnlySpan<byte> privateKey32) =>
        privateKey32.Length == PrivateKeySize && IsInRange(UInt256.FromBigEndian(privateKey32));

    /// <summary>
    /// The address whose key signed the digest. False where r or s is out of 1..n-1, the parity is not 0 or 1, r is no
    /// x of a point or the key would be infinity.
    /// </summary>
    public static bool TryRecover(
        in Hash256 message, in UInt256 r, in UInt256 s, byte yParity, out Address address)
    {
        Span<byte> key = stackalloc byte[PublicKeySize];
        if (!TryRecoverPublicKey(message, r, s, yParity, key))
        {
            address = default;
            return false;
        }

        address = AddressOfPublicKey(key);
        return true;
    }

    /// <summary>
    /// As <see cref="TryRecover(in Hash256, in UInt256, in UInt256, byte, out Address)"/>, but writes the key.
    /// </summary>
    /// <param name="message">The digest that was signed.</param>
    /// <param name="r">The signature's r.</param>
    /// <param name="s">The signature's s, high or low.</param>
    /// <param name="yParity">0 or 1: whether the nonce point's y is odd.</param>
    /// <param name="publicKey64">Room for 64 bytes; undefined where the answer is false.</param>
    public static bool TryRecoverPublicKey(
        in Hash256 message, in UInt256 r, in UInt256 s, byte yParity, Span<byte> publicKey64) =>
        yParity <= 1 && IsInRange(r) && IsInRange(s)
        && Backend.TryRecover(message, r, s, yParity == 1, publicKey64[..PublicKeySize]);

    /// <summary>
    /// Whether the signature over the digest is this public key's; false too for what is no key or out of range.
    /// </summary>
    public static bool Verify(in Hash256 message, in UInt256 r, in UInt256 s, ReadOnlySpan<byte> publicKey64) =>
        publicKey64.Length == PublicKeySize && IsInRange(r) && IsInRange(s)
        && Backend.Verify(message, r, s, publicKey64);

    /// <summary>Signs a digest: deterministic (RFC 6979, SHA-256), s low.</summary>
    /// <exception cref="ArgumentException">Not a private key.</exception>
    public static Secp256k1Signature Sign(in Hash256 message, ReadOnlySpan<byte> privateKey32)
    {
        CheckPrivateKey(privateKey32);
        return Backend.Sign(message, privateKey32);
    }

    /// <summary>The public key of a private key: x and y, 64 bytes.</summary>
    /// <exception cref="ArgumentException">Not a private key.</exception>
    public static byte[] PublicKeyOf(ReadOnlySpan<byte> privateKey32)
    {
        CheckPrivateKey(privateKey32);
        var key = new byte[PublicKeySize];
        Backend.WritePublicKey(privateKey32, key);
        return key;
    }

    /// <summary>The address of a private key.</summary>
    /// <exception cref="ArgumentException">Not a private key.</exception>
    public static Address AddressOf(ReadOnlySpan<byte> privateKey32) => AddressOfPublicKey(PublicKeyOf(privateKey32));

    /// <summary>The low twenty bytes of the key's Keccak-256.</summary>
    public static Address AddressOfPublicKey(ReadOnlySpan<byte> publicKey64)
    {
        Span<byte> digest = stackalloc byte[Hash256.Size];
        Keccak256.Hash(publicKey64, digest);
        return new Address(digest[12..]);
    }

    /// <summary>
    /// Recovers many signers on several threads. Each answer stands at its request's place, null where there is no
    /// signer (see <see cref="TryRecover"/>). Answers how many were found.
    /// </summary>
    /// <param name="requests">The signatures.</param>
    /// <param name="signers">Room for as many answers.</param>
    /// <param name="workers">Threads at most, the caller's included; 0 for one a core.</param>
    /// <exception cref="ArgumentException">Fewer places for answers than requests.</exception>
    public static int RecoverMany(ReadOnlyMemory<RecoveryRequest> requests, Memory<Address?> signers, int workers = 0)
    {
        if (signers.Length < requests.Length)
        {
            throw new ArgumentException("There must be a place for every answer.", nameof(signers));
        }

        var chunks = (requests.Length + BatchChunk - 1) / BatchChunk;
        var threads = Math.Min(workers > 0 ? workers : Environment.ProcessorCount, chunks);
        if (threads <= 1)
        {
            return RecoverRange(requests.Span, signers.Span);
        }

        var found = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads };
        System.Threading.Tasks.Parallel.For(0, chunks, options, chunk =>
        {
            var start = chunk * BatchChunk;
            var count = Math.Min(BatchChunk, requests.Length - start);
            Interlocked.Add(
                ref found, RecoverRange(requests.Span.Slice(start, count), signers.Span.Slice(start, count)));
        });
        return found;
    }

    private static int RecoverRange(ReadOnlySpan<RecoveryRequest> requests, Span<Address?> signers)
    {
        var found = 0;
        while (SecpField8.IsSupported && requests.Length >= VectorMinimum)
        {
            var count = Math.Min(SecpBatch.Lanes, requests.Length);
            found += RecoverSideBySide(requests[..count], signers);
            requests = requests[count..];
            signers = signers[count..];
        }

        for (var i = 0; i < requests.Length; i++)
        {
            found += RecoverOne(requests[i], out signers[i]);
        }

        return found;
    }

    private static int RecoverSideBySide(ReadOnlySpan<RecoveryRequest> requests, Span<Address?> signers)
    {
        Span<byte> keys = stackalloc byte[SecpBatch.Lanes * PublicKeySize];
        Span<Hash256> digests = stackalloc Hash256[SecpBatch.Lanes];
        keys.Clear();
        var lanes = SecpBatch.Recover(requests, keys);
        Keccak256.HashMany(keys, PublicKeySize, digests);
        var found = 0;
        for (var i = 0; i < requests.Length; i++)
        {
            if ((lanes & (1 << i)) == 0)
            {
                found += RecoverOne(requests[i], out signers[i]);
                continue;
            }

            signers[i] = new Address(digests[i].Bytes[12..]);
            found++;
        }

        return found;
    }

    private static int RecoverOne(in RecoveryRequest request, out Address? signer)
    {
        var ok = TryRecover(request.Message, request.R, request.S, request.YParity, out var address);
        signer = ok ? address : null;
        return ok ? 1 : 0;
    }

    private static void CheckPrivateKey(ReadOnlySpan<byte> privateKey32)
    {
        if (!IsPrivateKey(privateKey32))
        {
            throw new ArgumentException("A private key is 32 bytes that number 1 to n - 1.");
        }
    }
}
