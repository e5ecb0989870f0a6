using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>Signs with a secp256k1 key: r ‖ s ‖ parity of y, 65 bytes, s low, deterministic (RFC 6979).</summary>
public sealed class Secp256k1Signer : IConsensusSigner
{
    private readonly byte[] _privateKey;

    /// <exception cref="ArgumentException">Not a private key.</exception>
    public Secp256k1Signer(ReadOnlySpan<byte> privateKey32)
    {
        _privateKey = privateKey32.ToArray();
        Address = Secp256k1.AddressOf(privateKey32);
    }

    public Address Address { get; }

    public byte[] Sign(in Hash256 digest)
    {
        var (r, s, parity) = Secp256k1.Sign(digest, _privateKey);
        var signature = new byte[Limits.SignatureBytes];
        r.WriteBigEndian(signature);
        s.WriteBigEndian(signature.AsSpan(32));
        signature[64] = parity;
        return signature;
    }
}

/// <summary>
/// Checks <see cref="Secp256k1Signer"/>'s signatures by recovery, and remembers the ones that held: votes come again
/// inside certificates, and a certificate inside view changes.
/// </summary>
/// <remarks>
/// One encoding for a signature: high s and a parity other than 0 and 1 are refused. Safe for concurrent use: whoever
/// receives a vote may check it (<see cref="Prepare"/>) before the replica's thread asks, which then need not. Threads
/// share nothing but signatures that held, under a lock, and a message's digest (<see cref="DigestCache"/>): the answer
/// is the same whoever asks first.
/// </remarks>
/// <param name="remembered">Signatures remembered; the oldest fall out.</param>
public sealed class Secp256k1Verifier(int remembered = Secp256k1Verifier.Remembered) : ISignatureVerifier
{
    /// <summary>Signatures remembered where nothing else is said.</summary>
    public const int Remembered = 8192;

    private readonly Lock _gate = new();
    private readonly Dictionary<(Address Signer, Hash256 Digest), byte[]> _known = [];
    private readonly Queue<(Address Signer, Hash256 Digest)> _order = [];

    public bool Verify(in Address signer, in Hash256 digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != Limits.SignatureBytes)
        {
            return false;
        }

        lock (_gate)
        {
            if (_known.TryGetValue((signer, digest), out var known) && signature.SequenceEqual(known))
            {
                return true;
            }
        }

        var s = UInt256.FromBigEndian(signature[32..64]);
        if (!Secp256k1.IsLowS(s) || !Secp256k1.TryRecover(
            digest, UInt256.FromBigEndian(signature[..32]), s, signature[64], out var recovered)
            || recovered != signer)
        {
            return false;
        }

        lock (_gate)
        {
            if (_known.TryAdd((signer, digest), signature.ToArray()))
            {
                _order.Enqueue((signer, digest));
                if (_order.Count > remembered)
                {
                    _known.Remove(_order.Dequeue());
                }
            }
        }

        return true;
    }

    /// <summary>
    /// Checks what a message's sender signed in it, on the thread that received it. A signature that does not hold is
    /// the replica's to drop, with the reason.
    /// </summary>
    public void Prepare(in Address from, ConsensusMessage message, ulong chainId)
    {
        switch (message)
        {
            case Vote vote:
                Verify(from, vote.Statement(chainId), vote.Signature);
                break;
            case Checkpoint checkpoint:
                Verify(from, checkpoint.Digest(chainId), checkpoint.Signature);
                break;
            case PrePrepare { Header: var header } proposal:
                Verify(
                    from,
                    Statements.Vote(chainId, VotePhase.Prepare, proposal.View, header.Sequence, header.Digest),
                    proposal.Signature);
                break;
            default:
                break;
        }
    }
}
