using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Messages of one validator for another in one HTTP body, signed by the sender.</summary>
/// <remarks>
/// <code>
///   version 1 │ signature 65 │ from 20 │ to 20 │ counter 8 │ { length 4 │ message }…      (integers big-endian)
/// </code>
/// The signature covers the chain id and all that follows it. Votes carry signatures of their own; the letter's also
/// vouches for requests, fetches and statuses, so that nobody can spend another's quota. Counters rise, so that a copy
/// is refused.
/// </remarks>
internal sealed record PeerLetter(
    Address From, Address To, ulong Counter, IReadOnlyList<(ConsensusMessage Message, int Bytes)> Messages)
{
    /// <summary>What is asked for, and answered for in the answer to the letter; null for any other letter.</summary>
    internal FetchState? Question => Messages is [var only] ? only.Message as FetchState : null;

    /// <summary>The longest body: one message of the greatest size, or several smaller ones.</summary>
    internal const int MaximumBytes = Limits.MessageBytes + (1 << 20);

    /// <summary>The most messages of one body.</summary>
    internal const int MaximumMessages = 1_024;

    private const byte Version = 1;
    private const int SignedFrom = 1 + Limits.SignatureBytes;
    private const int HeadBytes = SignedFrom + Address.Size + Address.Size + 8;

    internal static byte[] Seal(
        ulong chainId, IConsensusSigner signer, in Address to, ulong counter, IReadOnlyList<byte[]> messages)
    {
        var body = new byte[HeadBytes + messages.Sum(message => 4 + message.Length)];
        body[0] = Version;
        signer.Address.CopyTo(body.AsSpan(SignedFrom));
        to.CopyTo(body.AsSpan(SignedFrom + Address.Size));
        BinaryPrimitives.WriteUInt64BigEndian(body.AsSpan(HeadBytes - 8), counter);
        var place = HeadBytes;
        foreach (var message in messages)
        {
            BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(place), message.Length);
            message.CopyTo(body, place + 4);
            place += 4 + message.Length;
        }

        signer.Sign(Digest(chainId, body)).CopyTo(body, 1);
        return body;
    }

    /// <summary>False where the body is malformed or not signed by the validator that it names.</summary>
    internal static bool TryOpen(ulong chainId, ReadOnlySpan<byte> body, [NotNullWhen(true)] out PeerLetter? letter)
    {
        letter = null;
        if (body.Length < HeadBytes || body[0] != Version)
        {
            return false;
        }

        var from = new Address(body.Slice(SignedFrom, Address.Size));
        var verifier = new Secp256k1Verifier();
        if (!verifier.Verify(from, Digest(chainId, body), body.Slice(1, Limits.SignatureBytes)))
        {
            return false;
        }

        var messages = new List<(ConsensusMessage, int)>();
        for (var rest = body[HeadBytes..]; rest.Length > 0;)
        {
            if (rest.Length < 4 || messages.Count == MaximumMessages)
            {
                return false;
            }

            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            if (length < 0 || length > rest.Length - 4 || length > Limits.MessageBytes
                || !MessageCodec.TryDecode(rest.Slice(4, length), out var message))
            {
                return false;
            }

            messages.Add((message, length));
            rest = rest[(4 + length)..];
        }

        letter = new PeerLetter(
            from, new Address(body.Slice(SignedFrom + Address.Size, Address.Size)),
            BinaryPrimitives.ReadUInt64BigEndian(body[(HeadBytes - 8)..]), messages);
        return true;
    }

    private static Hash256 Digest(ulong chainId, ReadOnlySpan<byte> body)
    {
        Span<byte> parts = stackalloc byte[16 + Hash256.Size];
        "SuperVM1"u8.CopyTo(parts);
        BinaryPrimitives.WriteUInt64BigEndian(parts[8..], chainId);
        Keccak256.Hash(body[SignedFrom..]).CopyTo(parts[16..]);
        return Keccak256.Hash(parts);
    }
}
