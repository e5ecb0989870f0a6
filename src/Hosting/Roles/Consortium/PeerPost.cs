using System.Net.Http.Headers;
using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Takes messages to one peer: what waits while a letter is on its way shares the next one.</summary>
/// <remarks>
/// Best effort: where the peer does not answer, the letter is given up, and the replica's statuses send again what
/// matters.
/// </remarks>
internal sealed class PeerPost(
    HttpClient client, ulong chainId, IConsensusSigner signer, ValidatorPeer peer, TimeProvider clock,
    Action<string> log)
{
    /// <summary>The path of a validator's consensus function.</summary>
    internal const string Path = "consensus";

    /// <summary>Messages that wait; the oldest are given up when more come.</summary>
    private const int MostWaiting = 2_048;

    /// <summary>Bytes of a letter with more than one message.</summary>
    private const int MostLetterBytes = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>How long the answer to a question may take: a part of a state is read from hundreds of pages.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _waiting = [];

    /// <summary>Letters of two instances in the same millisecond have two numbers.</summary>
    private readonly ulong _salt = (ulong)RandomNumberGenerator.GetInt32(1 << 16);

    private ulong _counter;
    private ulong _asked;
    private bool _sending;
    private bool _isDown;

    internal void Send(byte[] message)
    {
        lock (_gate)
        {
            if (_waiting.Count == MostWaiting)
            {
                _waiting.Dequeue();
            }

            _waiting.Enqueue(message);
            if (_sending)
            {
                return;
            }

            _sending = true;
        }

        _ = Task.Run(SendAllAsync);
    }

    /// <summary>Asks one question and waits for its answer; null where there is none. One at a time.</summary>
    internal async Task<PeerLetter?> AskAsync(byte[] message, CancellationToken cancellation)
    {
        _asked = Math.Max(_asked + 1, (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds() << 16);
        var counter = _asked;
        var body = PeerLetter.Seal(chainId, signer, peer.Address, counter, [message]);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(AnswerPatience);
        try
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(peer.Url, Path)) { Content = content };
            using var answer = await client.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (!answer.IsSuccessStatusCode || answer.Content.Headers.ContentLength > PeerLetter.MaximumBytes)
            {
                return null;
            }

            await answer.Content.LoadIntoBufferAsync(PeerLetter.MaximumBytes, patience.Token);
            var bytes = await answer.Content.ReadAsByteArrayAsync(patience.Token);
            return PeerLetter.TryOpen(chainId, bytes, out var letter) && letter.From == peer.Address
                && letter.To == signer.Address && letter.Counter == counter
                ? letter
                : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException
            || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    private async Task SendAllAsync()
    {
        while (true)
        {
            var letter = new List<byte[]>();
            lock (_gate)
            {
                var bytes = 0;
                while (letter.Count < PeerLetter.MaximumMessages && _waiting.TryPeek(out var next)
                    && (letter.Count == 0 || bytes + next.Length <= MostLetterBytes))
                {
                    bytes += next.Length;
                    letter.Add(_waiting.Dequeue());
                }

                if (letter.Count == 0)
                {
                    _sending = false;
                    return;
                }
            }

            await PostAsync(letter);
        }
    }

    private async Task PostAsync(List<byte[]> messages)
    {
        // Rises over restarts too: a copy of an old letter is refused.
        _counter = Math.Max(_counter + 1, ((ulong)clock.GetUtcNow().ToUnixTimeMilliseconds() << 16) | _salt);
        var body = PeerLetter.Seal(chainId, signer, peer.Address, _counter, messages);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            using var answer = await client.PostAsync(new Uri(peer.Url, Path), content, patience.Token);
            Note(!answer.IsSuccessStatusCode, $"answers {(int)answer.StatusCode}");
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or IOException)
        {
            Note(true, failure.Message);
        }
    }

    /// <summary>One line when the peer goes, one when it comes back.</summary>
    private void Note(bool isDown, string reason)
    {
        if (isDown != _isDown)
        {
            _isDown = isDown;
            log(isDown ? $"peer {peer.Address} {reason}" : $"peer {peer.Address} answers again");
        }
    }
}
