using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>One connection from a peer: its frames in, acknowledgements out.</summary>
internal sealed class PeerSession(PeerInbox inbox, PeerBoard board, TimeProvider clock, PeerHello hello) : IDisposable
{
    /// <summary>A peer says something every second; after this silence it is gone.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    /// <summary>Bytes after which an acknowledgement goes, and how long it may wait for more.</summary>
    private const long AcknowledgedBytes = 256 << 10;
    private static readonly TimeSpan AcknowledgedAfter = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _ending = new();
    private readonly List<(ConsensusMessage Message, int Bytes)> _messages = [];
    private readonly List<byte[]> _nothing = [];
    private byte[] _unpacked = [];
    private bool _isHeard;

    /// <summary>Ends the connection; the peer has another one.</summary>
    internal void End() => _ending.Cancel();

    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">Bytes that are no frame of this connection.</exception>
    /// <exception cref="OperationCanceledException">The connection was ended.</exception>
    internal async Task RunAsync(
        Stream stream, PeerCipher caller, PeerCipher answering, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping, _ending.Token);
        var reader = new PeerFrameReader(stream, caller);
        var writer = new PeerFrameWriter(answering, PeerCodec.None);
        var (acknowledged, acknowledgedAt) = (0L, clock.GetTimestamp());
        var read = 0L;
        while (true)
        {
            limit.CancelAfter(Silence);
            if (await reader.ReadAsync(limit.Token) is not { } frame)
            {
                return;
            }

            limit.CancelAfter(Timeout.InfiniteTimeSpan);
            if (!TryUnpack(frame, out var head, out var refusal))
            {
                board.Drop(hello.From, refusal, Now);
                return;
            }

            Begin();
            board.Count(hello.From, isSent: false, new PeerTraffic(
                _messages.Count, 1, _messages.Sum(entry => 4L + entry.Bytes), reader.Bytes - read));
            read = reader.Bytes;
            await inbox.TakeAsync(hello.From, hello.Run, head.Number, _messages, limit.Token);
            if (head.WantsAnswer || reader.Bytes - acknowledged > AcknowledgedBytes
                || clock.GetElapsedTime(acknowledgedAt) > AcknowledgedAfter)
            {
                (acknowledged, acknowledgedAt) = (reader.Bytes, clock.GetTimestamp());
                await stream.WriteAsync(
                    writer.Write(
                        head.WantsAnswer, inbox.LastMessage(hello.From, hello.Run), head.Stamp, _nothing),
                    limit.Token);
            }
        }
    }

    public void Dispose()
    {
        if (_isHeard)
        {
            inbox.Leave(hello.From, this);
            board.Heard(hello.From, -1);
        }

        _ending.Dispose();
    }

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>With the first frame the peer has shown that it holds the keys.</summary>
    private void Begin()
    {
        if (!_isHeard)
        {
            _isHeard = true;
            board.Heard(hello.From, 1);
            inbox.Enter(hello.From, hello.Run, this);
        }
    }

    /// <summary>
    /// Decodes a frame's messages; false with the reason where an honest peer would not have sent it.
    /// </summary>
    private bool TryUnpack(ReadOnlyMemory<byte> frame, out PeerFrame head, out DropReason refusal)
    {
        _messages.Clear();
        refusal = DropReason.Malformed;
        if (!PeerFrame.TryRead(frame.Span, out head, out var size))
        {
            return false;
        }

        var packed = frame[PeerFrame.HeadBytes..];
        var messages = packed.Span;
        if (head.Codec != PeerCodec.None)
        {
            if (_unpacked.Length < size)
            {
                _unpacked = new byte[size];
            }

            messages = _unpacked.AsSpan(0, size);
            if (!PeerCompression.TryDecompress(head.Codec, packed, _unpacked.AsSpan(0, size)))
            {
                return false;
            }
        }

        while (PeerFrame.TryTake(ref messages, out var message, out var bytes, out var reason) || reason is not null)
        {
            if (reason is { } why)
            {
                refusal = why;
                return false;
            }

            _messages.Add((message!, bytes));
        }

        return true;
    }
}
