using System.Net;
using System.Security.Cryptography.X509Certificates;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>A validator as the others reach it.</summary>
/// <param name="Address">The address of its key.</param>
/// <param name="Power">Its voting power.</param>
/// <param name="Url">Where its consensus port is; https for TLS.</param>
/// <param name="CertificateSha256">The only certificate that it may show, by SHA-256; null for any that is
/// trusted.</param>
public sealed record ValidatorPeer(Address Address, ulong Power, Uri Url, byte[]? CertificateSha256 = null);

/// <summary>How one validator of a chain behaves.</summary>
public sealed record ValidatorOptions
{
    /// <summary>The key that it signs votes with, 32 bytes.</summary>
    public required byte[] PrivateKey { get; init; }

    /// <summary>
    /// Validators and where they are reached. Without a <see cref="Registry"/> they are the set, equal and in equal
    /// order on all; this one may be among them or watch.
    /// </summary>
    public required IReadOnlyList<ValidatorPeer> Validators { get; init; }

    /// <summary>
    /// The registry that the chain's genesis holds (<see cref="ValidatorRegistry.Read(Core.Ledger.Genesis)"/>): the
    /// first set, the epochs' length and the kind of consensus come from it; null for a set that never changes.
    /// </summary>
    public ValidatorRegistry? Registry { get; init; }

    /// <summary>
    /// Batches before the last final one that are kept for those who were away; who was away longer takes a snapshot.
    /// Never fewer than waiting transactions need.
    /// </summary>
    public ulong KeepBatches { get; init; } = 100_000;

    /// <summary>The way to the others; null for HTTP.</summary>
    public IPeerNetwork? Network { get; init; }

    /// <summary>Where the consensus port listens.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port of the consensus port.</summary>
    public int Port { get; init; }

    /// <summary>TLS on the consensus port: its certificate with the key. Null for none.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// The authority that signed the peers' certificates, where it is not one that the system trusts.
    /// </summary>
    public X509Certificate2? Authority { get; init; }

    /// <summary>How transactions reach the other validators.</summary>
    public GossipMode Gossip { get; init; } = GossipMode.Broadcast;

    /// <summary>Peers that get a transaction at first hand with <see cref="GossipMode.Gossip"/>.</summary>
    public int FanOut { get; init; } = 3;

    /// <summary>Compression of frames of 1 KiB and more, where the other end has it too and it pays.</summary>
    public PeerCodec Codec { get; init; } = PeerCodec.Brotli;

    /// <summary>Whether each write waits for the disk; without, a power failure may forget votes.</summary>
    public bool Sync { get; init; }

    /// <summary>Limits and times; chain id and gas limit are the genesis' own.</summary>
    public ConsensusParameters Parameters { get; init; } = new();
}
