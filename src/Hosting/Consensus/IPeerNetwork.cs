using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>Takes a message of an authenticated peer; false where its queue is full.</summary>
/// <param name="from">The peer.</param>
/// <param name="message">What it says.</param>
/// <param name="bytes">The length of its encoding, which counts against the peer's quota.</param>
public delegate bool PeerMessageHandler(Address from, ConsensusMessage message, int bytes);

/// <summary>The way between validators: over HTTP (<see cref="HttpPeerNetwork"/>) or within a process.</summary>
/// <remarks>Best effort, in order for each peer where it can. Sending and receiving may happen on any thread.</remarks>
public interface IPeerNetwork : IConsensusTransport, IAsyncDisposable
{
    /// <summary>Begins to hand over what comes in.</summary>
    /// <exception cref="IOException">The port cannot be bound.</exception>
    Task StartAsync(PeerMessageHandler receive, CancellationToken cancellation);

    /// <summary>Who is spoken to and listened to from now on; called again when the validators change.</summary>
    void SetPeers(IReadOnlyList<ValidatorPeer> peers);

    /// <summary>Health and traffic of the peers, where the network keeps account of them.</summary>
    IReadOnlyList<PeerReport> Reports => [];

    /// <summary>The replica dropped a message.</summary>
    void Note(MessageDropped dropped)
    {
    }
}
