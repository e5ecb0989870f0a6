using System.Net;
using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>The way to one peer: a connection that stays, over which what waits goes in frames.</summary>
/// <remarks>
/// A GET that asks for an upgrade brings the connection; the hellos go in headers. A broken connection is made again
/// with growing pauses, and what was not acknowledged is sent again; after some tries nothing is kept until the peer is
/// there, because the protocol sends what still matters again. A peer that acknowledges nothing for
/// <see cref="Patience"/> counts as gone.
/// </remarks>
internal sealed class PeerLink : IAsyncDisposable
{
    /// <summary>Tries to connect after which nothing is kept for the peer.</summary>
    private const int KeptTries = 6;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>How often an answer is asked for where there is nothing to say.</summary>
    private static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(1);

    /// <summary>How long the peer may leave a question unanswered.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _stopping = new();
    private readonly OutgoingQueue _queue = new();
    private readonly PeerIdentity _self;
    private readonly ValidatorPeer _peer;
    private readonly PeerBoard _board;
    private readonly HttpMessageInvoker _client;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private readonly Task _running;
    private bool _wasReached = true;

    internal PeerLink(
        PeerIdentity self, ValidatorPeer peer, PeerBoard board, TimeProvider clock, Action<string> log)
    {
        (_self, _peer, _board, _clock, _log) = (self, peer, board, clock, log);
        _client = new HttpMessageInvoker(PeerTls.HandlerOf(peer, self.Options));
        board.Follow(peer.Address, _queue);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Where the peer is called.</summary>
    internal Uri Url => _peer.Url;

    /// <summary>Queues a message; votes and view changes overtake the rest.</summary>
    internal void Send(byte[] message, MessageKind kind) => _queue.Add(message, kind is MessageKind.Vote
        or MessageKind.Checkpoint or MessageKind.ViewChange or MessageKind.NewView or MessageKind.Status);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _client.Dispose();
        _queue.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var pause = FirstPause;
        for (var tried = 0; !_stopping.IsCancellationRequested;)
        {
            try
            {
                using var session = await ConnectAsync();
                (pause, tried) = (FirstPause, 0);
                await ServeAsync(session);
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidDataException
                or OperationCanceledException or CryptographicException)
            {
                // Tried again below.
            }

            Report(isReached: false);
            if (++tried >= KeptTries)
            {
                _queue.Close();
            }

            await PauseAsync(pause);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            // Half of it by lot, so that many do not knock at once.
            var jitter = RandomNumberGenerator.GetInt32((int)pause.TotalMilliseconds / 2 + 1);
            await Task.Delay((pause / 2) + TimeSpan.FromMilliseconds(jitter), _clock, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop ends.
        }
    }

    private async Task<Session> ConnectAsync()
    {
        using var key = PeerHello.NewKey();
        var hello = new PeerHello(
            _self.ChainId, _self.Signer.Address, _peer.Address, _self.Run, PeerCompression.SetOf(_self.Options.Codec),
            PeerHello.PublicKey(key)).Seal(_self.Signer);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(Patience);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_peer.Url, PeerServer.Path))
        {
            Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Connection.Add("Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", PeerServer.Protocol);
        request.Headers.TryAddWithoutValidation(PeerServer.HelloHeader, Convert.ToBase64String(hello));
        var answer = await _client.SendAsync(request, limit.Token);
        try
        {
            Span<byte> said = stackalloc byte[PeerHello.AnswerBytes];
            if (answer.StatusCode != HttpStatusCode.SwitchingProtocols
                || !answer.Headers.TryGetValues(PeerServer.HelloHeader, out var values)
                || !Convert.TryFromBase64String(values.First(), said, out var length)
                || !PeerHello.TryOpenAnswer(
                    said[..length], hello, _peer.Address, out var codec, out var last, out var theirs)
                || PeerHello.Ciphers(key, theirs, hello, said[..length]) is not { } ciphers)
            {
                throw new InvalidDataException($"validator {_peer.Address} answers {(int)answer.StatusCode}");
            }

            _queue.Reopen(last);
            return new Session(answer, ciphers.Caller, ciphers.Answering, codec);
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    private async Task ServeAsync(Session session)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var stream = await session.Answer.Content.ReadAsStreamAsync(ending.Token);
        var asked = new Question();
        var reading = ReadAsync(new PeerFrameReader(stream, session.Answering), asked, ending.Token);
        var writing = WriteAsync(stream, new PeerFrameWriter(session.Caller, session.Codec), asked, ending.Token);
        Report(isReached: true);
        try
        {
            await await Task.WhenAny(reading, writing);
        }
        finally
        {
            await ending.CancelAsync();
            await stream.DisposeAsync();
            await Task.WhenAll(reading, writing).ContinueWith(
                _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task WriteAsync(
        Stream stream, PeerFrameWriter writer, Question asked, CancellationToken cancellation)
    {
        var messages = new List<byte[]>();
        while (true)
        {
            var now = _clock.GetTimestamp();
            if (asked.UnansweredSince is { } since && _clock.GetElapsedTime(since, now) > Patience)
            {
                throw new IOException($"validator {_peer.Address} acknowledges nothing");
            }

            var asks = asked.Last is not { } last || _clock.GetElapsedTime(last, now) >= PingPeriod;
            messages.Clear();
            var number = _queue.Gather(messages);
            if (messages.Count == 0 && !asks)
            {
                await _queue.WaitAsync(PingPeriod - _clock.GetElapsedTime(asked.Last!.Value, now), cancellation);
                continue;
            }

            if (asks)
            {
                asked.Ask(now);
            }

            var frame = writer.Write(asks, number, now, messages);
            await stream.WriteAsync(frame, cancellation);
            _board.Count(
                _peer.Address, isSent: true, new PeerTraffic(messages.Count, 1, writer.Sizes.Raw, frame.Length));
        }
    }

    private async Task ReadAsync(PeerFrameReader reader, Question asked, CancellationToken cancellation)
    {
        while (await reader.ReadAsync(cancellation) is { } frame)
        {
            if (!PeerFrame.TryRead(frame.Span, out var head, out _))
            {
                throw new InvalidDataException("a malformed acknowledgement");
            }

            asked.Answered(head.Stamp);
            _queue.Acknowledge(head.Number);
            if (head.WantsAnswer)
            {
                // The answer to a question, given at once: its stamp went there and back.
                _board.RoundTrip(_peer.Address, _clock.GetElapsedTime(head.Stamp).TotalMilliseconds);
            }
        }

        throw new IOException($"validator {_peer.Address} closed the connection");
    }

    private void Report(bool isReached)
    {
        _board.Reached(_peer.Address, isReached);
        if (isReached != _wasReached)
        {
            _wasReached = isReached;
            _log($"validator {_peer.Address} is {(isReached ? "there again" : "not reached")}");
        }
    }

    private sealed record Session(
        HttpResponseMessage Answer, PeerCipher Caller, PeerCipher Answering, PeerCodec Codec) : IDisposable
    {
        public void Dispose()
        {
            Caller.Dispose();
            Answering.Dispose();
            Answer.Dispose();
        }
    }

    /// <summary>The questions whether the peer is there: written by one task, answered by the other.</summary>
    private sealed class Question
    {
        private readonly Lock _gate = new();
        private long? _last;
        private long? _unanswered;

        internal long? Last
        {
            get
            {
                lock (_gate)
                {
                    return _last;
                }
            }
        }

        internal long? UnansweredSince
        {
            get
            {
                lock (_gate)
                {
                    return _unanswered;
                }
            }
        }

        internal void Ask(long now)
        {
            lock (_gate)
            {
                _last = now;
                _unanswered ??= now;
            }
        }

        internal void Answered(long stamp)
        {
            lock (_gate)
            {
                _unanswered = _unanswered is { } since && since > stamp ? since : null;
            }
        }
    }
}
