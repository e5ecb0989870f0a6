namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>
/// Messages on their way to one peer: those that wait, and those that were sent but not acknowledged yet, which are
/// sent
/// again over the next connection.
/// </summary>
/// <remarks>
/// <code>
///   urgent (votes, view changes) ─┐
///   the rest, in order ───────────┴─▶ numbered ─▶ sent ─▶ acknowledged
///                                        ▲  lost link │
///                                        └────────────┘
/// </code>
/// Urgent messages overtake the rest, so that a backlog of transactions does not hold votes up. What is too much drops
/// the oldest: the protocol says again what still matters. Safe for concurrent use; one task gathers.
/// </remarks>
internal sealed class OutgoingQueue : IDisposable
{
    internal const int MaximumWaiting = 8_192;
    internal const long MaximumBytes = 64L << 20;

    /// <summary>Bytes that may be under way without an acknowledgement.</summary>
    internal const long MaximumUnacknowledged = 32L << 20;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Queue<byte[]> _urgent = [];
    private readonly Queue<byte[]> _bulk = [];
    private readonly LinkedList<byte[]> _sent = [];
    private LinkedListNode<byte[]>? _again;
    private ulong _acknowledged;
    private ulong _next = 1;
    private long _waitingBytes;
    private long _sentBytes;
    private bool _isOpen = true;

    /// <summary>Messages dropped since the start.</summary>
    internal long Dropped { get; private set; }

    internal int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _urgent.Count + _bulk.Count;
            }
        }
    }

    internal void Add(byte[] message, bool isUrgent)
    {
        lock (_gate)
        {
            if (!_isOpen)
            {
                Dropped++;
                return;
            }

            (isUrgent ? _urgent : _bulk).Enqueue(message);
            _waitingBytes += message.Length;
            while (_urgent.Count + _bulk.Count > MaximumWaiting || _waitingBytes > MaximumBytes)
            {
                _waitingBytes -= (_bulk.Count > 0 ? _bulk : _urgent).Dequeue().Length;
                Dropped++;
            }
        }

        Wake();
    }

    /// <summary>Waits until something may be sent, or the time is over.</summary>
    internal Task WaitAsync(TimeSpan limit, CancellationToken cancellation) => _wake.WaitAsync(limit, cancellation);

    /// <summary>Moves the next messages of a frame into the list; answers the first one's number.</summary>
    internal ulong Gather(List<byte[]> into)
    {
        lock (_gate)
        {
            var bytes = 0;
            if (_again is { } repeated)
            {
                var first = _next - CountFrom(repeated);
                while (_again is { } node && Fits(node.Value, into, ref bytes))
                {
                    into.Add(node.Value);
                    _again = node.Next;
                }

                return first;
            }

            var number = _next;
            while (_sentBytes < MaximumUnacknowledged
                && (_urgent.TryPeek(out var next) || _bulk.TryPeek(out next)) && Fits(next, into, ref bytes))
            {
                _ = (_urgent.Count > 0 ? _urgent : _bulk).Dequeue();
                into.Add(next);
                _sent.AddLast(next);
                _next++;
                _waitingBytes -= next.Length;
                _sentBytes += next.Length;
            }

            return number;
        }
    }

    /// <summary>Whether something is ready to be gathered.</summary>
    internal bool HasReady
    {
        get
        {
            lock (_gate)
            {
                return _again is not null
                    || (_urgent.Count + _bulk.Count > 0 && _sentBytes < MaximumUnacknowledged);
            }
        }
    }

    /// <summary>The peer has every message up to this number.</summary>
    internal void Acknowledge(ulong number)
    {
        lock (_gate)
        {
            while (_acknowledged < number && _sent.First is { } first)
            {
                _again = ReferenceEquals(_again, first) ? first.Next : _again;
                _sent.RemoveFirst();
                _sentBytes -= first.Value.Length;
                _acknowledged++;
            }
        }

        Wake();
    }

    /// <summary>A new connection: what the peer has not is sent again before all else.</summary>
    internal void Reopen(ulong acknowledged)
    {
        Acknowledge(acknowledged);
        lock (_gate)
        {
            _isOpen = true;
            _again = _sent.First;
        }

        Wake();
    }

    /// <summary>The peer is not reached: nothing is kept until it is.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _isOpen = false;
            Dropped += _urgent.Count + _bulk.Count + _sent.Count;
            _urgent.Clear();
            _bulk.Clear();
            _sent.Clear();
            (_again, _waitingBytes, _sentBytes) = (null, 0, 0);
            _acknowledged = _next - 1;
        }
    }

    public void Dispose() => _wake.Dispose();

    private static bool Fits(byte[] message, List<byte[]> gathered, ref int bytes)
    {
        bytes += message.Length + 4;
        return gathered.Count == 0
            || (bytes <= PeerFrame.GatheredBytes && gathered.Count < PeerFrame.MaximumMessages);
    }

    private static ulong CountFrom(LinkedListNode<byte[]> node)
    {
        var count = 0UL;
        for (var at = node; at is not null; at = at.Next)
        {
            count++;
        }

        return count;
    }

    private void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
        catch (Exception late) when (late is SemaphoreFullException or ObjectDisposedException)
        {
            // Somebody else woke the task, or the link is closed.
        }
    }
}
