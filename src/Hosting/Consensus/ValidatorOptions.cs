using System.Net;
using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>A validator as the others reach it.</summary>
/// <param name="Address">The address of its key.</param>
/// <param name="Power">Its voting power.</param>
/// <param name="Url">Where its consensus port is.</param>
public sealed record ValidatorPeer(Address Address, ulong Power, Uri Url);

/// <summary>How one validator of a chain behaves.</summary>
public sealed record ValidatorOptions
{
    /// <summary>The key that it signs votes with, 32 bytes.</summary>
    public required byte[] PrivateKey { get; init; }

    /// <summary>
    /// The validator set, equal and in equal order on all; this one may be among them or watch.
    /// </summary>
    public required IReadOnlyList<ValidatorPeer> Validators { get; init; }

    /// <summary>Where the consensus port listens.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port of the consensus port.</summary>
    public required int Port { get; init; }

    /// <summary>Whether each write waits for the disk; without, a power failure may forget votes.</summary>
    public bool Sync { get; init; }

    /// <summary>Limits and times; chain id and gas limit are the genesis' own.</summary>
    public ConsensusParameters Parameters { get; init; } = new();
}
