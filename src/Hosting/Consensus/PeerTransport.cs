using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>
/// Sends to other validators over HTTP: one queue and one connection a peer, so that messages keep their order.
/// </summary>
/// <remarks>
/// What waits for a peer goes in one body. A peer that does not answer is tried again with growing pauses; after some
/// tries what waited for it is dropped, because the protocol sends what still matters again.
/// </remarks>
internal sealed class PeerTransport : IConsensusTransport, IAsyncDisposable
{
    private readonly Dictionary<Address, PeerLink> _links = [];
    private readonly SocketsHttpHandler _handler = new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(1), PooledConnectionLifetime = TimeSpan.FromHours(1), UseProxy = false,
    };

    private readonly HttpClient _client;

    internal PeerTransport(
        ulong chainId, IConsensusSigner signer, IEnumerable<ValidatorPeer> peers, TimeProvider clock,
        Action<string> log)
    {
        _client = new HttpClient(_handler) { Timeout = TimeSpan.FromSeconds(10) };
        foreach (var peer in peers.Where(peer => peer.Address != signer.Address))
        {
            _links.Add(peer.Address, new PeerLink(chainId, signer, peer, _client, clock, log));
        }
    }

    public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded)
    {
        encoded ??= MessageCodec.Encode(message);
        foreach (var peer in to)
        {
            if (_links.TryGetValue(peer, out var link))
            {
                link.Send(encoded);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links.Values)
        {
            await link.DisposeAsync();
        }

        _client.Dispose();
        _handler.Dispose();
    }
}
