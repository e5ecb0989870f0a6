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
    private readonly HttpPeerNetwork _network;

    internal PeerEnd(
        int number, IReadOnlyList<ValidatorPeer> validators,
        Func<ValidatorOptions, ValidatorOptions>? change = null)
    {
        var options = new ValidatorOptions { PrivateKey = KeyOf(number), Validators = validators, Port = 0 };
        options = change?.Invoke(options) ?? options;
        _network = new HttpPeerNetwork(
            ChainId, new Secp256k1Signer(options.PrivateKey), options, TimeProvider.System, _ => { });
    }

    internal EventQueue Events { get; } = new();

    internal IPeerNetwork Network => _network;

    internal IReadOnlyList<PeerReport> Reports => _network.Reports;

    internal int Port => _network.Port;

    internal static byte[] KeyOf(int number) => new UInt256((ulong)number + 100).ToBigEndian();

    internal static Address AddressOf(int number) => new Secp256k1Signer(KeyOf(number)).Address;

    /// <summary>Four validators; the ports of some are known.</summary>
    internal static List<ValidatorPeer> Validators(params int[] ports) =>
    [
        .. Enumerable.Range(0, 4).Select(i => new ValidatorPeer(
            AddressOf(i), 1, new Uri($"http://{IPAddress.Loopback}:{(i < ports.Length ? ports[i] : 1)}"))),
    ];

    internal Task StartAsync() => _network.StartAsync(
        (from, message, bytes) => Events.TryAdd(from, new MessageArrived(0, from, message), bytes), default);

    internal PeerReport ReportOf(int number) => Reports.Single(report => report.Address == AddressOf(number));

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
        await _network.DisposeAsync();
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
