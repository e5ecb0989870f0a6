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
    private readonly Lock _gate = new();
    private readonly Dictionary<Address, PeerLink> _links = [];
    private readonly List<Task> _ended = [];
    private readonly PeerIdentity _self;
    private readonly PeerBoard _board;
    private readonly TransactionGossip _gossip;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;

    internal PeerTransport(
        PeerIdentity self, PeerBoard board, TransactionGossip gossip, TimeProvider clock, Action<string> log)
    {
        (_self, _board, _gossip, _clock, _log) = (self, board, gossip, clock, log);
        gossip.Relay = (to, request) => Post(to, request, null);
    }

    /// <summary>Links to new ones are made, those to others end; who moved to another URL is called there.</summary>
    internal void SetPeers(IReadOnlyList<ValidatorPeer> peers)
    {
        var wanted = peers.Where(peer => peer.Address != _self.Signer.Address).ToDictionary(peer => peer.Address);
        lock (_gate)
        {
            _gossip.SetPeers([.. wanted.Keys]);
            foreach (var (address, link) in _links.ToList())
            {
                if (!wanted.TryGetValue(address, out var peer) || peer.Url != link.Url)
                {
                    _links.Remove(address);
                    _ended.RemoveAll(task => task.IsCompleted);
                    _ended.Add(link.DisposeAsync().AsTask());
                }
            }

            foreach (var (address, peer) in wanted)
            {
                if (!_links.ContainsKey(address))
                {
                    _links.Add(address, new PeerLink(_self, peer, _board, _clock, _log));
                }
            }
        }
    }

    public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded) =>
        Post(_gossip.Receivers(message, to), message, encoded);

    public async ValueTask DisposeAsync()
    {
        List<PeerLink> links;
        lock (_gate)
        {
            links = [.. _links.Values];
            _links.Clear();
        }

        await Task.WhenAll([.. _ended, .. links.Select(link => link.DisposeAsync().AsTask())]);
    }

    private void Post(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
    {
        if (to.Count == 0)
        {
            return;
        }

        encoded ??= MessageCodec.Encode(message);
        lock (_gate)
        {
            foreach (var peer in to)
            {
                if (_links.TryGetValue(peer, out var link))
                {
                    link.Send(encoded, message.Kind);
                }
            }
        }
    }
}
