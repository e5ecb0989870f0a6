using System.Net.Http.Headers;
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

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _waiting = [];
    private ulong _counter;
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
        _counter = Math.Max(_counter + 1, (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds() << 16);
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
