using System.Diagnostics.CodeAnalysis;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>
/// Messages that wait for a replica: one bounded queue for each peer, taken from in turn, so that a flood from one peer
/// fills its own queue only and delays nobody else by more than one message a round.
/// </summary>
/// <remarks>
/// Bytes are bounded as well as counts. What does not fit is refused, and the sender's protocol sends it again. Not
/// thread-safe: the host guards it.
/// </remarks>
public sealed class FairInbox<T>(int messagesPerPeer, long bytesPerPeer, int maximumPeers)
{
    private readonly Dictionary<Address, Queue<(T Item, int Bytes)>> _queues = [];
    private readonly Dictionary<Address, long> _bytes = [];
    private readonly Queue<Address> _turns = [];

    /// <summary>Messages that wait, of all peers.</summary>
    public int Count { get; private set; }

    /// <summary>Messages refused since the start.</summary>
    public long Refused { get; private set; }

    /// <summary>Takes a message in; false where the peer's queue is full, or there are too many peers.</summary>
    public bool TryAdd(in Address peer, T item, int bytes)
    {
        if (!_queues.TryGetValue(peer, out var queue))
        {
            if (_queues.Count >= maximumPeers)
            {
                Refused++;
                return false;
            }

            _queues.Add(peer, queue = new Queue<(T, int)>());
            _turns.Enqueue(peer);
        }

        var held = _bytes.GetValueOrDefault(peer);
        if (queue.Count >= messagesPerPeer || held + bytes > bytesPerPeer)
        {
            Refused++;
            return false;
        }

        queue.Enqueue((item, bytes));
        _bytes[peer] = held + bytes;
        Count++;
        return true;
    }

    /// <summary>The next message, of the peer whose turn it is; false where none waits.</summary>
    public bool TryTake(out Address peer, [MaybeNullWhen(false)] out T item)
    {
        while (_turns.TryDequeue(out peer))
        {
            var queue = _queues[peer];
            if (!queue.TryDequeue(out var next))
            {
                // An empty queue leaves the round; its peer joins again with its next message.
                _queues.Remove(peer);
                _bytes.Remove(peer);
                continue;
            }

            _turns.Enqueue(peer);
            _bytes[peer] -= next.Bytes;
            Count--;
            item = next.Item;
            return true;
        }

        item = default;
        return false;
    }
}
