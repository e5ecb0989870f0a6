using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>
/// Seals or opens the frames of one direction of a session, in order: AES-256-GCM, a counter as nonce.
/// </summary>
/// <remarks>
/// <code>
///   length 4 (of what follows) │ ciphertext │ tag 16
/// </code>
/// A frame that is changed, left out, repeated or moved does not open. One thread at a time.
/// </remarks>
internal sealed class PeerCipher(ReadOnlySpan<byte> key32) : IDisposable
{
    internal const int KeyBytes = 32;
    internal const int LengthBytes = 4;
    internal const int TagBytes = 16;

    private readonly AesGcm _aes = new(key32, TagBytes);
    private ulong _counter;

    internal static int SealedBytes(int plain) => LengthBytes + plain + TagBytes;

    /// <summary>Writes the sealed frame; answers its size.</summary>
    internal int Seal(ReadOnlySpan<byte> plain, Span<byte> into)
    {
        BinaryPrimitives.WriteInt32BigEndian(into, plain.Length + TagBytes);
        Span<byte> nonce = stackalloc byte[12];
        NextNonce(nonce);
        _aes.Encrypt(
            nonce, plain, into.Slice(LengthBytes, plain.Length), into.Slice(LengthBytes + plain.Length, TagBytes));
        return SealedBytes(plain.Length);
    }

    /// <summary>Opens what follows the length; false where it is not the next frame of this direction.</summary>
    internal bool TryOpen(ReadOnlySpan<byte> ciphertextAndTag, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[12];
        NextNonce(nonce);
        try
        {
            _aes.Decrypt(
                nonce, ciphertextAndTag[..^TagBytes], ciphertextAndTag[^TagBytes..],
                plain[..(ciphertextAndTag.Length - TagBytes)]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();

    private void NextNonce(Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], _counter++);
    }
}
