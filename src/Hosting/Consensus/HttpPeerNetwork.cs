using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Consensus;

/// <summary>Validators in processes of their own, over HTTP: a connection each way between any two.</summary>
/// <remarks>
/// <code>
///   Send ─▶ PeerTransport ─▶ PeerLink, one a peer ═▶ the peer's PeerServer ─▶ PeerSession ─▶ PeerInbox ─▶ handler
///               └── TransactionGossip: whom transactions go to ──────────────────────────────────┘
/// </code>
/// </remarks>
internal sealed class HttpPeerNetwork : IPeerNetwork
{
    private readonly TimeProvider _clock;
    private readonly PeerBoard _board;
    private readonly PeerInbox _inbox;
    private readonly PeerServer _server;
    private readonly PeerTransport _transport;

    internal HttpPeerNetwork(
        ulong chainId, IConsensusSigner signer, ValidatorOptions options, TimeProvider clock, Action<string> log)
    {
        _clock = clock;
        var run = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var self = new PeerIdentity(chainId, signer, run, options);
        var gossip = new TransactionGossip(
            options.Gossip, options.FanOut, signer.Address, RandomNumberGenerator.GetInt32);
        _board = new PeerBoard(signer.Address);
        _inbox = new PeerInbox(_board, gossip, clock);
        _transport = new PeerTransport(self, _board, gossip, clock, log);
        _server = new PeerServer(self, _board, _inbox, clock);
        SetPeers(options.Validators);
    }

    public IReadOnlyList<PeerReport> Reports => _board.Reports(Now);

    /// <summary>The port that is listened on, once started.</summary>
    internal int Port => _server.Port;

    internal PeerInbox Inbox => _inbox;

    public Task StartAsync(PeerMessageHandler receive, CancellationToken cancellation)
    {
        _inbox.Receive = receive;
        return _server.StartAsync(cancellation);
    }

    public void SetPeers(IReadOnlyList<ValidatorPeer> peers)
    {
        _board.SetPeers(peers);
        _transport.SetPeers(peers);
    }

    public void Send(IReadOnlyList<Address> to, ConsensusMessage message, byte[]? encoded) =>
        _transport.Send(to, message, encoded);

    public void Note(MessageDropped dropped) => _board.Drop(dropped.From, dropped.Reason, Now);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _transport.DisposeAsync();
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();
}
