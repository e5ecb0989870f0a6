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
    private readonly Address _self;
    private ulong _power;

    internal PeerBoard(in Address self) => _self = self;

    internal bool Knows(in Address peer)
    {
        lock (_gate)
        {
            return _entries.ContainsKey(peer);
        }
    }

    /// <summary>Who is known from now on; those who stay keep their figures.</summary>
    internal void SetPeers(IReadOnlyList<ValidatorPeer> peers)
    {
        lock (_gate)
        {
            foreach (var gone in _entries.Keys.Except(peers.Select(peer => peer.Address)).ToList())
            {
                _entries.Remove(gone);
            }

            _power = 0;
            foreach (var peer in peers)
            {
                _power += Math.Max(1, peer.Power);
                if (peer.Address == _self)
                {
                    continue;
                }

                if (!_entries.TryGetValue(peer.Address, out var entry))
                {
                    _entries.Add(peer.Address, entry = new Entry());
                }

                entry.Peer = peer;
            }
        }
    }

    /// <summary>Whether the peer's messages are refused now.</summary>
    internal bool IsMuted(in Address peer, long nowMs)
    {
        lock (_gate)
        {
            if (!_book.IsMuted(peer, nowMs))
            {
                return false;
            }

            ulong muted = 0;
            foreach (var entry in _entries.Values)
            {
                muted += _book.IsMuted(entry.Peer.Address, nowMs) ? Math.Max(1, entry.Peer.Power) : 0;
            }

            return muted <= _power / 3;
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
            if (_entries.TryGetValue(peer, out var entry))
            {
                entry.RoundTripMs = entry.RoundTripMs is { } old ? old + ((milliseconds - old) / 8) : milliseconds;
            }
        }
    }

    internal void Reached(in Address peer, bool isReached)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(peer, out var entry))
            {
                entry.Links += isReached && !entry.IsReached ? 1 : 0;
                entry.IsReached = isReached;
            }
        }
    }

    /// <summary>A session of the peer began (1) or ended (-1).</summary>
    internal void Heard(in Address peer, int change)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(peer, out var entry))
            {
                entry.Sessions = Math.Max(0, entry.Sessions + change);
            }
        }
    }

    internal void Follow(in Address peer, OutgoingQueue queue)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(peer, out var entry))
            {
                entry.Queue = queue;
            }
        }
    }

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

    private sealed class Entry
    {
        internal ValidatorPeer Peer { get; set; } = null!;

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
