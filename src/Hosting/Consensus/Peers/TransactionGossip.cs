using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>How transactions reach the validators.</summary>
public enum GossipMode : byte
{
    /// <summary>From the validator that took them to every other; nobody passes them on.</summary>
    Broadcast = 0,

    /// <summary>
    /// To every other, and everybody passes on what is new to it: reaches also who has no link to the first.
    /// </summary>
    Flood = 1,

    /// <summary>To some others drawn by lot, who pass on what is new to them the same way.</summary>
    Gossip = 2,

    /// <summary>
    /// To the leader alone, and to the next one when it begins; the others ask for bodies when a batch names them.
    /// </summary>
    Directed = 3,
}

/// <summary>Decides whom transactions go to, and remembers what was seen so that nothing runs in circles.</summary>
/// <remarks>
/// Ordering never depends on it: a body that did not come is asked for, and a transaction that no batch takes is shown
/// to the leader again by who holds it. Safe for concurrent use.
/// </remarks>
internal sealed class TransactionGossip(
    GossipMode mode, int fanOut, Address self, Func<int, int> drawBelow)
{
    /// <summary>Bytes of own transactions kept for the next leader.</summary>
    private const long RecentBytes = 2 << 20;

    private readonly Lock _gate = new();
    private readonly SeenCache _seen = new();
    private IReadOnlyList<Address> _peers = [];
    private readonly Queue<byte[]> _recent = [];
    private long _recentBytes;
    private Address? _leader;

    /// <summary>Sends what is passed on.</summary>
    internal Action<IReadOnlyList<Address>, Request> Relay { get; set; } = static (_, _) => { };

    /// <summary>Transactions that came again and were stopped here.</summary>
    internal long Repeated { get; private set; }

    internal void SetPeers(IReadOnlyList<Address> peers)
    {
        lock (_gate)
        {
            _peers = peers;
        }
    }

    /// <summary>Whom a message goes to: as asked for, but transactions for everybody as the mode says.</summary>
    internal IReadOnlyList<Address> Receivers(ConsensusMessage message, IReadOnlyList<Address> all)
    {
        Observe(message);
        if (message is not Request request || all.Count < 2)
        {
            return all;
        }

        switch (mode)
        {
            case GossipMode.Flood:
                Remember(request);
                return all;
            case GossipMode.Gossip:
                Remember(request);
                return Draw(all, Leader);
            case GossipMode.Directed:
                KeepRecent(request);
                return Leader is { } leader ? [.. all.Where(peer => peer == leader)] : all;
            default:
                return all;
        }
    }

    /// <summary>Who proposed last, as far as was seen; this validator itself may be it.</summary>
    private Address? Leader
    {
        get
        {
            lock (_gate)
            {
                return _leader;
            }
        }
    }

    /// <summary>Learns who leads. A new leader is told what went to the ones before it lately.</summary>
    private void Observe(ConsensusMessage message)
    {
        Address leader;
        Request recent;
        lock (_gate)
        {
            if (message is ViewChange or NewView)
            {
                // Whoever led may be gone.
                _leader = null;
            }

            if (message is not PrePrepare proposal || proposal.Header.Proposer == _leader)
            {
                return;
            }

            leader = proposal.Header.Proposer;
            _leader = leader;
            recent = new Request([.. _recent]);
        }

        if (leader != self && recent.Transactions.Count > 0)
        {
            Relay([leader], recent);
        }
    }

    /// <summary>Keeps this validator's last transactions for the next leader.</summary>
    private void KeepRecent(Request request)
    {
        lock (_gate)
        {
            foreach (var transaction in request.Transactions)
            {
                _recent.Enqueue(transaction);
                _recentBytes += transaction.Length;
                while (_recent.Count > Limits.RequestTransactions || _recentBytes > RecentBytes)
                {
                    _recentBytes -= _recent.Dequeue().Length;
                }
            }
        }
    }

    /// <summary>
    /// What of a peer's message goes on to the replica: all of it, but of transactions only the new ones; null where
    /// nothing is left. New ones are passed on where the mode says so.
    /// </summary>
    internal ConsensusMessage? Passed(in Address from, ConsensusMessage message)
    {
        if (mode is GossipMode.Directed or GossipMode.Gossip)
        {
            Observe(message);
        }

        if (message is not Request request || mode is GossipMode.Broadcast or GossipMode.Directed)
        {
            return message;
        }

        var fresh = new List<byte[]>(request.Transactions.Count);
        lock (_gate)
        {
            foreach (var transaction in request.Transactions)
            {
                if (_seen.Add(Keccak256.Hash(transaction)))
                {
                    fresh.Add(transaction);
                }
                else
                {
                    Repeated++;
                }
            }
        }

        if (fresh.Count == 0)
        {
            // A reminder is for the leader, who knows best what it has: the replica is asked every time.
            return request.Transactions.Count <= Reminded ? request : null;
        }

        var source = from;
        List<Address> others;
        lock (_gate)
        {
            others = [.. _peers.Where(peer => peer != source)];
        }

        var relayed = new Request(fresh);
        Relay(mode == GossipMode.Flood ? others : Draw(others, null), relayed);
        return relayed;
    }

    /// <summary>Transactions that a replica shows to a leader again at once, at most.</summary>
    private const int Reminded = 256;

    private void Remember(Request request)
    {
        lock (_gate)
        {
            foreach (var transaction in request.Transactions)
            {
                _seen.Add(Keccak256.Hash(transaction));
            }
        }
    }

    /// <summary>Some peers by lot, the leader among them where it is known.</summary>
    private List<Address> Draw(IReadOnlyList<Address> all, Address? leader)
    {
        var left = all.ToList();
        var drawn = new List<Address>();
        if (leader is { } first && first != self && left.Remove(first))
        {
            drawn.Add(first);
        }

        while (drawn.Count < fanOut && left.Count > 0)
        {
            var at = drawBelow(left.Count);
            drawn.Add(left[at]);
            left.RemoveAt(at);
        }

        return drawn;
    }
}

/// <summary>The hashes seen last, in two halves: the older one goes when the newer one is full.</summary>
internal sealed class SeenCache
{
    /// <summary>Hashes remembered: between a half of it and all.</summary>
    internal const int Capacity = 131_072;

    private HashSet<Hash256> _newer = [];
    private HashSet<Hash256> _older = [];

    internal int Count => _newer.Count + _older.Count;

    /// <summary>False where the hash was seen.</summary>
    internal bool Add(in Hash256 hash)
    {
        if (_older.Contains(hash) || !_newer.Add(hash))
        {
            return false;
        }

        if (_newer.Count >= Capacity / 2)
        {
            (_older, _newer) = (_newer, []);
        }

        return true;
    }
}
