using System.Collections.Concurrent;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>Connects validators of one process with each other.</summary>
/// <remarks>
/// Messages go in their encoding and are decoded by each receiver, as over a wire: no object is shared between two
/// replicas' threads. Nothing is signed, as nobody else is in the process.
/// </remarks>
public sealed class LocalPeerHub
{
    private readonly ConcurrentDictionary<Address, PeerMessageHandler> _receivers = [];

    /// <summary>The network as the validator with this key sees it.</summary>
    public IPeerNetwork Connect(Address self) => new Connection(this, self);

    private sealed class Connection(LocalPeerHub hub, Address self) : IPeerNetwork
    {
        public Task StartAsync(PeerMessageHandler receive, CancellationToken cancellation)
        {
            hub._receivers[self] = receive;
            return Task.CompletedTask;
        }

        /// <summary>Everybody in the process is reached.</summary>
        public void SetPeers(IReadOnlyList<ValidatorPeer> peers)
        {
        }

        public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
        {
            encoded ??= MessageCodec.Encode(message);
            foreach (var peer in to)
            {
                if (hub._receivers.TryGetValue(peer, out var receive)
                    && MessageCodec.TryDecode(encoded, out var decoded))
                {
                    receive(self, decoded, encoded.Length);
                }
            }
        }

        public ValueTask DisposeAsync()
        {
            hub._receivers.TryRemove(self, out _);
            return ValueTask.CompletedTask;
        }
    }
}
