using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>Why a message was dropped.</summary>
public enum DropReason : byte
{
    Malformed = 0,
    Oversized = 1,
    WrongSignature = 2,
    UnknownSender = 3,
    Stale = 4,
    Repeated = 5,
    BeyondWindow = 6,
    WrongLeader = 7,
    InvalidHeader = 8,
    InvalidProof = 9,
    Conflicting = 10,
    Quota = 11,
    Muted = 12,
    Unsolicited = 13,
    ClockAhead = 14,
}

/// <summary>What is known of one peer's behaviour.</summary>
/// <param name="Score">Penalty points; halved every <see cref="PeerBook.HalfLifeMs"/>.</param>
/// <param name="Dropped">Messages dropped in all.</param>
/// <param name="MutedUntilMs">Messages are dropped unread until then.</param>
/// <param name="ScoredAtMs">When the score was last brought up to date.</param>
public readonly record struct PeerRecord(int Score, long Dropped, long MutedUntilMs, long ScoredAtMs);

/// <summary>Penalty scores of peers: who sends what no honest validator sends is muted for a while.</summary>
/// <remarks>
/// Stale, repeated and early messages cost nothing, the network makes those. Safety never depends on this book.
/// </remarks>
public sealed class PeerBook
{
    /// <summary>Points at which a peer is muted.</summary>
    public const int MuteScore = 200;

    /// <summary>How long a mute lasts.</summary>
    public const int MuteMs = 10_000;

    /// <summary>Points halve in this time.</summary>
    public const int HalfLifeMs = 10_000;

    /// <summary>Peers remembered; unknown ones beyond it are dropped without a record.</summary>
    public const int MaximumPeers = 2 * ValidatorSet.MaximumValidators;

    private readonly SortedDictionary<Address, PeerRecord> _peers = [];

    /// <summary>All records in the order of addresses.</summary>
    public IEnumerable<KeyValuePair<Address, PeerRecord>> Records => _peers;

    public PeerRecord this[in Address peer] => _peers.GetValueOrDefault(peer);

    public bool IsMuted(in Address peer, long nowMs) =>
        _peers.Count > 0 && _peers.TryGetValue(peer, out var record) && record.MutedUntilMs > nowMs;

    public void Record(in Address peer, DropReason reason, long nowMs)
    {
        if (!_peers.TryGetValue(peer, out var record) && _peers.Count >= MaximumPeers)
        {
            return;
        }

        var halvings = Math.Clamp((nowMs - record.ScoredAtMs) / HalfLifeMs, 0, 31);
        var score = (record.Score >> (int)halvings) + Points(reason);
        var at = halvings > 0 || record.ScoredAtMs == 0 ? nowMs : record.ScoredAtMs;
        var muted = score >= MuteScore ? nowMs + MuteMs : record.MutedUntilMs;
        _peers[peer] = new PeerRecord(score >= MuteScore ? MuteScore / 2 : score, record.Dropped + 1, muted, at);
    }

    internal void Restore(in Address peer, in PeerRecord record) => _peers[peer] = record;

    internal void Clear() => _peers.Clear();

    private static int Points(DropReason reason) => reason switch
    {
        DropReason.Malformed or DropReason.Oversized or DropReason.WrongSignature => 20,
        DropReason.InvalidHeader or DropReason.InvalidProof or DropReason.Conflicting => 20,
        DropReason.Unsolicited or DropReason.Quota => 1,
        _ => 0,
    };
}
