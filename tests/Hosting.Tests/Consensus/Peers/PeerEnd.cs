using System.Net;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

/// <summary>One validator's end of the network: what the others send to it lands in its queue.</summary>
internal sealed class PeerEnd : IAsyncDisposable
{
    internal const ulong ChainId = 7;

    private readonly List<ReplicaEvent> _taken = [];
    private readonly PeerServer _server;
    private PeerTransport? _transport;

    internal PeerEnd(
        int number, IReadOnlyList<ValidatorPeer> validators,
        Func<ValidatorOptions, ValidatorOptions>? change = null)
    {
        Options = new ValidatorOptions { PrivateKey = KeyOf(number), Validators = validators, Port = 0 };
        Options = change?.Invoke(Options) ?? Options;
        Identity = new PeerIdentity(ChainId, new Secp256k1Signer(Options.PrivateKey), (ulong)number + 1, Options);
        Board = new PeerBoard(validators, Identity.Signer.Address);
        Gossip = new TransactionGossip(Options.Gossip, Options.FanOut, [], limit => limit - 1);
        Inbox = new PeerInbox(Events, Board, Gossip, TimeProvider.System);
        _server = new PeerServer(Identity, Board, Inbox, TimeProvider.System);
    }

    internal EventQueue Events { get; } = new();

    internal ValidatorOptions Options { get; }

    internal PeerIdentity Identity { get; }

    internal PeerBoard Board { get; }

    internal PeerInbox Inbox { get; }

    internal TransactionGossip Gossip { get; }

    internal int Port => _server.Port;

    internal static byte[] KeyOf(int number) => new UInt256((ulong)number + 100).ToBigEndian();

    internal static Address AddressOf(int number) => new Secp256k1Signer(KeyOf(number)).Address;

    /// <summary>Four validators; the ports of some are known.</summary>
    internal static List<ValidatorPeer> Validators(params int[] ports) =>
    [
        .. Enumerable.Range(0, 4).Select(i => new ValidatorPeer(
            AddressOf(i), 1, new Uri($"http://{IPAddress.Loopback}:{(i < ports.Length ? ports[i] : 1)}"))),
    ];

    internal Task StartAsync() => _server.StartAsync(default);

    internal PeerTransport Dial()
    {
        _transport = new PeerTransport(Identity, Board, Gossip, TimeProvider.System, _ => { });
        return _transport;
    }

    /// <summary>The next messages that came in, as many as asked for.</summary>
    internal async Task<List<MessageArrived>> TakeAsync(int count)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            Events.Take(_taken, count, 0);
            if (_taken.Count >= count)
            {
                var taken = _taken.Take(count).Cast<MessageArrived>().ToList();
                _taken.RemoveRange(0, count);
                return taken;
            }

            await pause.WaitForNextTickAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_transport is not null)
        {
            await _transport.DisposeAsync();
        }

        await _server.DisposeAsync();
        Events.Dispose();
    }

    internal static async Task UntilAsync(Func<bool> holds)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            await pause.WaitForNextTickAsync(limit.Token);
        }
    }
}
