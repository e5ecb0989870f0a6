using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>
/// Where the peers' messages come together: each is taken once, whatever connections bring it, and waits in the queue
/// of its peer. A peer whose queue is full is not read from until there is room. Safe for concurrent use.
/// </summary>
internal sealed class PeerInbox(PeerBoard board, TransactionGossip gossip, TimeProvider clock)
{
    /// <summary>How long a peer whose queue is full is left alone.</summary>
    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(5);

    /// <summary>Places remembered, of peers that are listened to and of some that left.</summary>
    private const int MaximumPlaces = 4 * ValidatorSet.MaximumValidators;

    private readonly Lock _gate = new();
    private readonly Dictionary<Address, Place> _places = [];

    /// <summary>Takes what comes in; set before the first session.</summary>
    internal PeerMessageHandler Receive { get; set; } = static (_, _, _) => true;

    /// <summary>
    /// The number of the last message taken from the peer in this life of its process; 0 before the first.
    /// </summary>
    internal ulong LastMessage(in Address peer, ulong run)
    {
        lock (_gate)
        {
            return _places.TryGetValue(peer, out var place) && place.Run == run ? place.Last : 0;
        }
    }

    /// <summary>The peer speaks over this connection from now on.</summary>
    internal void Enter(in Address peer, ulong run, PeerSession session)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(peer, out var place))
            {
                if (_places.Count >= MaximumPlaces)
                {
                    foreach (var gone in _places.Keys.Where(address => !board.Knows(address)).ToList())
                    {
                        _places.Remove(gone);
                    }
                }

                _places.Add(peer, place = new Place());
            }

            place.Session?.End();
            (place.Session, place.Last, place.Run) = (session, place.Run == run ? place.Last : 0, run);
        }
    }

    internal void Leave(in Address peer, PeerSession session)
    {
        lock (_gate)
        {
            if (_places.TryGetValue(peer, out var place) && ReferenceEquals(place.Session, session))
            {
                place.Session = null;
            }
        }
    }

    /// <summary>
    /// Takes a frame's messages, the first of which has the number; waits while the peer's queue is full.
    /// </summary>
    internal async ValueTask TakeAsync(
        Address peer, ulong run, ulong number, List<(ConsensusMessage Message, int Bytes)> messages,
        CancellationToken cancellation)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (message, bytes) in messages)
        {
            if (!IsNext(peer, run, number++))
            {
                board.Drop(peer, DropReason.Repeated, now);
                continue;
            }

            if (gossip.Passed(peer, message) is { } passed)
            {
                while (!Receive(peer, passed, bytes))
                {
                    await Task.Delay(FullPause, clock, cancellation);
                }
            }
        }
    }

    private bool IsNext(in Address peer, ulong run, ulong number)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(peer, out var place) || place.Run != run || number <= place.Last)
            {
                return false;
            }

            place.Last = number;
            return true;
        }
    }

    private sealed class Place
    {
        internal PeerSession? Session { get; set; }

        internal ulong Run { get; set; }

        internal ulong Last { get; set; }
    }
}
