using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>What waits for the replica: its own events first, then the peers' messages in turn.</summary>
/// <remarks>
/// Messages are bounded for each peer (<see cref="FairInbox{T}"/>); own events are bounded by their causes: four
/// timers, the window's executed batches, and the pool's transactions. Safe for concurrent use.
/// </remarks>
internal sealed class EventQueue : IDisposable
{
    private const int MessagesPerPeer = 4_096;
    private const long BytesPerPeer = 64L << 20;

    /// <summary>Transactions of clients that one event hands over.</summary>
    private const int SubmittedAtOnce = 1_024;

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly FairInbox<MessageArrived> _messages =
        new(MessagesPerPeer, BytesPerPeer, ValidatorSet.MaximumValidators);

    private readonly Queue<ReplicaEvent> _own = [];
    private readonly Queue<byte[]> _submitted = [];
    private bool _isDisposed;

    /// <summary>Takes a peer's message; false where its queue is full.</summary>
    internal bool TryAdd(in Address peer, MessageArrived message, int bytes)
    {
        bool taken;
        lock (_gate)
        {
            taken = _messages.TryAdd(peer, message, bytes);
        }

        Wake();
        return taken;
    }

    internal void Add(ReplicaEvent happened)
    {
        lock (_gate)
        {
            _own.Enqueue(happened);
        }

        Wake();
    }

    internal void Submit(IEnumerable<byte[]> transactions)
    {
        lock (_gate)
        {
            foreach (var transaction in transactions)
            {
                _submitted.Enqueue(transaction);
            }
        }

        Wake();
    }

    internal void Wake()
    {
        // A peer of the same process may still have something to say while this validator stops.
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _wake.Set();
            }
        }
    }

    internal void Wait() => _wake.WaitOne();

    /// <summary>Moves up to a number of events into the list.</summary>
    internal void Take(List<ReplicaEvent> into, int maximum, long nowMs)
    {
        lock (_gate)
        {
            while (into.Count < maximum && _own.TryDequeue(out var own))
            {
                into.Add(own);
            }

            if (_submitted.Count > 0)
            {
                var transactions = new List<byte[]>(Math.Min(_submitted.Count, SubmittedAtOnce));
                while (transactions.Count < SubmittedAtOnce && _submitted.TryDequeue(out var transaction))
                {
                    transactions.Add(transaction);
                }

                into.Add(new RequestsSubmitted(nowMs, transactions));
            }

            while (into.Count < maximum && _messages.TryTake(out _, out var message))
            {
                into.Add(message);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _wake.Dispose();
        }
    }
}
