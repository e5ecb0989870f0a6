using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>What is known of one peer, at one moment. Counts are since the start of the process.</summary>
/// <param name="Address">The validator.</param>
/// <param name="Url">Where its consensus port is.</param>
/// <param name="IsReached">Whether messages go to it now.</param>
/// <param name="IsHeard">Whether it sends to this validator now.</param>
/// <param name="RoundTripMs">From a frame to its acknowledgement: smoothed over the last ones; null before the
/// first.</param>
/// <param name="Reconnects">Times a link to it was made again.</param>
/// <param name="Waiting">Messages that wait to be sent.</param>
/// <param name="Unsent">Messages that were dropped because the peer was not reached or too slow.</param>
/// <param name="Sent">What went to it.</param>
/// <param name="Received">What came from it.</param>
/// <param name="Score">Penalty points; at <see cref="PeerBook.MuteScore"/> it is muted.</param>
/// <param name="IsMuted">Whether its messages are refused for the time being.</param>
/// <param name="Dropped">Messages dropped, by reason, in the order of <see cref="DropReason"/>.</param>
public sealed record PeerReport(
    Address Address, Uri Url, bool IsReached, bool IsHeard, double? RoundTripMs, long Reconnects, int Waiting,
    long Unsent, PeerTraffic Sent, PeerTraffic Received, int Score, bool IsMuted, IReadOnlyList<long> Dropped);

/// <summary>Traffic of one direction.</summary>
/// <param name="Messages">Messages.</param>
/// <param name="Frames">Frames that they went in.</param>
/// <param name="MessageBytes">Bytes of the messages, as they are.</param>
/// <param name="FrameBytes">Bytes of the frames, compressed and sealed.</param>
public readonly record struct PeerTraffic(long Messages, long Frames, long MessageBytes, long FrameBytes)
{
    public static PeerTraffic operator +(PeerTraffic left, PeerTraffic right) => new(
        left.Messages + right.Messages, left.Frames + right.Frames, left.MessageBytes + right.MessageBytes,
        left.FrameBytes + right.FrameBytes);
}

/// <summary>Health, traffic and penalty points of every peer. Safe for concurrent use.</summary>
/// <remarks>
/// Penalties of the boundary (what cannot be opened, decoded or taken) and of the replica (what it drops) are counted
/// together. Like the replica's own book, never more than a third of the power is muted at once.
/// </remarks>
internal sealed class PeerBoard
{
    private static readonly int Reasons = Enum.GetValues<DropReason>().Length;

    private readonly Lock _gate = new();
    private readonly PeerBook _book = new();
    private readonly Dictionary<Address, Entry> _entries = [];
    private readonly ValidatorSet _set;

    internal PeerBoard(IReadOnlyList<ValidatorPeer> validators, Address self)
    {
        _set = new ValidatorSet([.. validators.Select(peer => new Validator(peer.Address, peer.Power))]);
        foreach (var peer in validators.Where(peer => peer.Address != self))
        {
            _entries.Add(peer.Address, new Entry(peer));
        }
    }

    internal bool Knows(in Address peer) => _entries.ContainsKey(peer);

    /// <summary>Whether the peer's messages are refused now.</summary>
    internal bool IsMuted(in Address peer, long nowMs)
    {
        lock (_gate)
        {
            if (!_book.IsMuted(peer, nowMs))
            {
                return false;
            }

            ulong power = 0;
            foreach (var validator in _set.Validators)
            {
                power += _book.IsMuted(validator.Address, nowMs) ? validator.Power : 0;
            }

            return !_set.IsWeakQuorum(power);
        }
    }

    /// <summary>A message was dropped, here or by the replica.</summary>
    internal void Drop(in Address peer, DropReason reason, long nowMs)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(peer, out var entry))
            {
                entry.Dropped[(int)reason]++;
                _book.Record(peer, reason, nowMs);
            }
        }
    }

    internal void Count(in Address peer, bool isSent, in PeerTraffic traffic)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(peer, out var entry))
            {
                if (isSent)
                {
                    entry.Sent += traffic;
                }
                else
                {
                    entry.Received += traffic;
                }
            }
        }
    }

    internal void RoundTrip(in Address peer, double milliseconds)
    {
        lock (_gate)
        {
            var entry = _entries[peer];
            entry.RoundTripMs = entry.RoundTripMs is { } old ? old + ((milliseconds - old) / 8) : milliseconds;
        }
    }

    internal void Reached(in Address peer, bool isReached)
    {
        lock (_gate)
        {
            var entry = _entries[peer];
            entry.Links += isReached && !entry.IsReached ? 1 : 0;
            entry.IsReached = isReached;
        }
    }

    /// <summary>A session of the peer began (1) or ended (-1).</summary>
    internal void Heard(in Address peer, int change)
    {
        lock (_gate)
        {
            _entries[peer].Sessions += change;
        }
    }

    internal void Follow(in Address peer, OutgoingQueue queue) => _entries[peer].Queue = queue;

    internal IReadOnlyList<PeerReport> Reports(long nowMs)
    {
        lock (_gate)
        {
            return
            [
                .. _entries.Values.Select(entry => new PeerReport(
                    entry.Peer.Address, entry.Peer.Url, entry.IsReached, entry.Sessions > 0, entry.RoundTripMs,
                    Math.Max(0, entry.Links - 1), entry.Queue?.Waiting ?? 0, entry.Queue?.Dropped ?? 0, entry.Sent,
                    entry.Received, _book[entry.Peer.Address].Score, _book.IsMuted(entry.Peer.Address, nowMs),
                    [.. entry.Dropped])),
            ];
        }
    }

    private sealed class Entry(ValidatorPeer peer)
    {
        internal ValidatorPeer Peer { get; } = peer;

        internal OutgoingQueue? Queue { get; set; }

        internal bool IsReached { get; set; }

        internal int Sessions { get; set; }

        internal long Links { get; set; }

        internal double? RoundTripMs { get; set; }

        internal PeerTraffic Sent { get; set; }

        internal PeerTraffic Received { get; set; }

        internal long[] Dropped { get; } = new long[Reasons];
    }
}
