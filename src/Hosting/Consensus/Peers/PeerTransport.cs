using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>Who speaks, and for which chain.</summary>
/// <param name="ChainId">Part of every hello.</param>
/// <param name="Signer">The validator's key.</param>
/// <param name="Run">Tells this life of the process from others.</param>
/// <param name="Options">Peers, codec, certificates.</param>
internal sealed record PeerIdentity(ulong ChainId, IConsensusSigner Signer, ulong Run, ValidatorOptions Options);

/// <summary>Sends to the other validators: a queue and a connection each.</summary>
/// <remarks>
/// A message is encoded once, whoever gets it. Transactions go to whom <see cref="TransactionGossip"/> chooses.
/// </remarks>
internal sealed class PeerTransport : IConsensusTransport, IAsyncDisposable
{
    private readonly Dictionary<Address, PeerLink> _links = [];
    private readonly TransactionGossip _gossip;

    internal PeerTransport(
        PeerIdentity self, PeerBoard board, TransactionGossip gossip, TimeProvider clock, Action<string> log)
    {
        _gossip = gossip;
        foreach (var peer in self.Options.Validators.Where(peer => peer.Address != self.Signer.Address))
        {
            _links.Add(peer.Address, new PeerLink(self, peer, board, clock, log));
        }

        gossip.Relay = (to, request) => Post(to, request, null);
    }

    /// <summary>Tells the leader of the moment, for requests that go to it alone.</summary>
    internal Func<Address?> Leader { get; set; } = () => null;

    public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded) =>
        Post(
            message is Request request && to.Count > 1 ? _gossip.Receivers(request, to, Leader()) : to, message,
            encoded);

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links.Values)
        {
            await link.DisposeAsync();
        }
    }

    private void Post(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
    {
        if (to.Count == 0)
        {
            return;
        }

        encoded ??= MessageCodec.Encode(message);
        foreach (var peer in to)
        {
            if (_links.TryGetValue(peer, out var link))
            {
                link.Send(encoded, message.Kind);
            }
        }
    }
}
