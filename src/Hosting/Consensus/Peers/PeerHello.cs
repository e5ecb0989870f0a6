using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>What the two ends of a link say to each other once, signed with their validators' keys.</summary>
/// <remarks>
/// <code>
///   caller   version 1 │ chain id 8 │ from 20 │ to 20 │ run 8 │ codecs 1 │ key 64 │ signature 65
///   answer   version 1 │ from 20 │ codec 1 │ last message 8 │ key 64 │ signature 65       (integers big-endian)
/// </code>
/// Both name a fresh P-256 key; the keys of the frames follow from the two (ephemeral Diffie-Hellman) and from all that
/// was said. The answer's signature covers the caller's hello, so that neither end can be talked into another's
/// session:
/// SIGMA without identity protection (H. Krawczyk, CRYPTO 2003). A copied hello opens nothing, because the first
/// frame needs the keys. The run tells one life of the caller's process from the next: messages are numbered within it.
/// </remarks>
internal sealed record PeerHello(
    ulong ChainId, Address From, Address To, ulong Run, PeerCodecs Codecs, byte[] Key)
{
    internal const byte Version = 2;
    internal const int Bytes = Signed + Limits.SignatureBytes;
    internal const int AnswerBytes = AnswerSigned + Limits.SignatureBytes;

    private const int KeyBytes = 64;
    private const int Signed = 1 + 8 + Address.Size + Address.Size + 8 + 1 + KeyBytes;
    private const int AnswerSigned = 1 + Address.Size + 1 + 8 + KeyBytes;

    /// <summary>A fresh key for one session.</summary>
    internal static ECDiffieHellman NewKey() => ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    internal static byte[] PublicKey(ECDiffieHellman key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return [.. point.X!, .. point.Y!];
    }

    /// <summary>The caller's hello on the wire.</summary>
    internal byte[] Seal(IConsensusSigner signer)
    {
        var bytes = new byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(1), ChainId);
        From.CopyTo(bytes.AsSpan(9));
        To.CopyTo(bytes.AsSpan(29));
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(49), Run);
        bytes[57] = (byte)Codecs;
        Key.CopyTo(bytes, 58);
        signer.Sign(Digest("caller"u8, bytes.AsSpan(0, Signed), [])).CopyTo(bytes, Signed);
        return bytes;
    }

    /// <summary>False where the bytes are malformed or not signed by the validator that they name.</summary>
    internal static bool TryOpen(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PeerHello? hello)
    {
        hello = null;
        if (bytes.Length != Bytes || bytes[0] != Version)
        {
            return false;
        }

        var from = new Address(bytes.Slice(9, Address.Size));
        if (!new Secp256k1Verifier().Verify(from, Digest("caller"u8, bytes[..Signed], []), bytes[Signed..]))
        {
            return false;
        }

        hello = new PeerHello(
            BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]), from, new Address(bytes.Slice(29, Address.Size)),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[49..]), (PeerCodecs)bytes[57],
            bytes.Slice(58, KeyBytes).ToArray());
        return true;
    }

    /// <summary>The answer to a hello.</summary>
    internal static byte[] Answer(
        IConsensusSigner signer, ReadOnlySpan<byte> hello, PeerCodec codec, ulong lastMessage, byte[] key)
    {
        var bytes = new byte[AnswerBytes];
        bytes[0] = Version;
        signer.Address.CopyTo(bytes.AsSpan(1));
        bytes[21] = (byte)codec;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(22), lastMessage);
        key.CopyTo(bytes, 30);
        signer.Sign(Digest("answer"u8, bytes.AsSpan(0, AnswerSigned), hello)).CopyTo(bytes, AnswerSigned);
        return bytes;
    }

    /// <summary>False where the answer is not the expected validator's to this very hello.</summary>
    internal static bool TryOpenAnswer(
        ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> hello, in Address from, out PeerCodec codec, out ulong lastMessage,
        out byte[] key)
    {
        (codec, lastMessage, key) = (default, 0, []);
        if (bytes.Length != AnswerBytes || bytes[0] != Version || new Address(bytes.Slice(1, Address.Size)) != from
            || !new Secp256k1Verifier().Verify(
                from, Digest("answer"u8, bytes[..AnswerSigned], hello), bytes[AnswerSigned..]))
        {
            return false;
        }

        codec = (PeerCodec)bytes[21];
        lastMessage = BinaryPrimitives.ReadUInt64BigEndian(bytes[22..]);
        key = bytes.Slice(30, KeyBytes).ToArray();
        return true;
    }

    /// <summary>
    /// The keys of a session's frames: the caller's and the answering side's. Null where the other key is no point of
    /// the curve.
    /// </summary>
    internal static (PeerCipher Caller, PeerCipher Answering)? Ciphers(
        ECDiffieHellman own, byte[] other, ReadOnlySpan<byte> hello, ReadOnlySpan<byte> answer)
    {
        byte[] secret;
        try
        {
            using var imported = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = other[..32], Y = other[32..] },
            });
            using var theirs = imported.PublicKey;
            secret = own.DeriveRawSecretAgreement(theirs);
        }
        catch (CryptographicException)
        {
            return null;
        }

        byte[] said = [.. hello, .. answer];
        var keys = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, secret, 2 * PeerCipher.KeyBytes, SHA256.HashData(said),
            "SuperVM frames"u8.ToArray());
        CryptographicOperations.ZeroMemory(secret);
        return (new PeerCipher(keys.AsSpan(0, PeerCipher.KeyBytes)), new PeerCipher(keys.AsSpan(PeerCipher.KeyBytes)));
    }

    private static Hash256 Digest(ReadOnlySpan<byte> role, ReadOnlySpan<byte> said, ReadOnlySpan<byte> answered) =>
        Keccak256.Hash([.. "SuperVM peer "u8, .. role, .. said, .. answered]);
}
