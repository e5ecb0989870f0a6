using System.Net.Http.Headers;
using System.Threading.Channels;
using SuperVm.Core.Consensus;

namespace SuperVm.Hosting.Consensus;

/// <summary>The way to one peer: a bounded queue, and a task that posts what waits.</summary>
internal sealed class PeerLink : IAsyncDisposable
{
    private const int MaximumWaiting = 4_096;
    private const long MaximumWaitingBytes = 64L << 20;

    /// <summary>Tries of one body, and how long the pauses between them grow.</summary>
    private const int Tries = 4;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(MaximumWaiting) { SingleReader = true });

    private readonly CancellationTokenSource _stopping = new();
    private readonly ulong _chainId;
    private readonly IConsensusSigner _signer;
    private readonly ValidatorPeer _peer;
    private readonly Uri _target;
    private readonly HttpClient _client;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private readonly Task _sending;
    private ulong _counter;
    private long _waitingBytes;
    private bool _isReached = true;
    private TimeSpan _pause = FirstPause;

    internal PeerLink(
        ulong chainId, IConsensusSigner signer, ValidatorPeer peer, HttpClient client, TimeProvider clock,
        Action<string> log)
    {
        (_chainId, _signer, _peer, _client, _clock, _log) = (chainId, signer, peer, client, clock, log);
        _target = new Uri(peer.Url, PeerServer.Path);

        // Microseconds: a validator that starts again goes on above what it counted before.
        _counter = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds() * 1_000;
        _sending = Task.Run(SendAllAsync);
    }

    /// <summary>Queues a message; it is dropped where too many wait.</summary>
    internal void Send(byte[] message)
    {
        if (Interlocked.Add(ref _waitingBytes, message.Length) > MaximumWaitingBytes
            || !_waiting.Writer.TryWrite(message))
        {
            Interlocked.Add(ref _waitingBytes, -message.Length);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _stopping.CancelAsync();
        await _sending;
        _stopping.Dispose();
    }

    private async Task SendAllAsync()
    {
        var messages = new List<byte[]>();
        try
        {
            while (await _waiting.Reader.WaitToReadAsync(_stopping.Token))
            {
                Gather(messages);
                var body = PeerEnvelope.Seal(_chainId, _signer, _peer.Address, _counter++, messages);
                if (!await PostAsync(body))
                {
                    DropWaiting();
                }

                messages.Clear();
            }
        }
        catch (OperationCanceledException)
        {
            // The validator stops.
        }
    }

    private void Gather(List<byte[]> messages)
    {
        const int Overhead = 256;
        var bytes = Overhead;
        while (messages.Count < PeerEnvelope.MaximumMessages && _waiting.Reader.TryPeek(out var next)
            && (messages.Count == 0 || bytes + next.Length + 4 <= PeerEnvelope.MaximumBytes)
            && _waiting.Reader.TryRead(out next))
        {
            messages.Add(next);
            bytes += next.Length + 4;
            Interlocked.Add(ref _waitingBytes, -next.Length);
        }
    }

    private void DropWaiting()
    {
        while (_waiting.Reader.TryRead(out var dropped))
        {
            Interlocked.Add(ref _waitingBytes, -dropped.Length);
        }
    }

    /// <summary>Whether the peer has the body, or refused it; false where it cannot be reached.</summary>
    private async Task<bool> PostAsync(byte[] body)
    {
        for (var tried = 1; ; tried++)
        {
            try
            {
                using var content = new ByteArrayContent(body);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                using var answer = await _client.PostAsync(_target, content, _stopping.Token);
                Report(reached: true);
                return true;
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException
                && !_stopping.IsCancellationRequested)
            {
                Report(reached: false);
            }

            await Task.Delay(_pause, _clock, _stopping.Token);
            _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
            if (tried == Tries)
            {
                return false;
            }
        }
    }

    private void Report(bool reached)
    {
        if (reached)
        {
            _pause = FirstPause;
        }

        if (reached != _isReached)
        {
            _isReached = reached;
            _log($"validator {_peer.Address} is {(reached ? "there again" : "not reached")}");
        }
    }
}
