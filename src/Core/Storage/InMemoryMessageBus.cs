using System.Globalization;

namespace SuperVm.Core.Storage;

/// <summary>The message bus of one process; what is in it dies with the process.</summary>
/// <remarks>
/// Messages become visible in the order of their times, equal ones in the order of sending. One lock: the bus is for
/// development and tests, where a message costs microseconds. <see cref="MostMessages"/> bounds it.
/// </remarks>
public sealed class InMemoryMessageBus(TimeProvider clock) : IMessageBus
{
    /// <summary>Messages in all queues; sending beyond it fails.</summary>
    public const int MostMessages = 1_000_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue> _queues = [];
    private long _sent;
    private long _delivered;
    private int _held;

    public Task SendAsync(
        string queue, ReadOnlyMemory<byte> body, TimeSpan delay = default, CancellationToken cancellation = default)
    {
        BusLimits.RequireSend(queue, body.Length, delay);
        cancellation.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (_held == MostMessages)
            {
                throw new StoreException($"The message bus holds {MostMessages} messages, its most.");
            }

            _held++;
            var now = clock.GetUtcNow();
            var entry = new Entry(++_sent, body.ToArray(), now) { VisibleAt = now + WholeSeconds(delay) };
            QueueOf(queue).Add(entry);
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<BusMessage>> ReceiveAsync(
        string queue, int most, TimeSpan visibility, CancellationToken cancellation = default)
    {
        BusLimits.RequireReceive(queue, most, visibility);
        cancellation.ThrowIfCancellationRequested();
        var received = new List<BusMessage>();
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            var from = QueueOf(queue);
            while (received.Count < most && from.First is { } entry && entry.VisibleAt <= now)
            {
                if (entry.InsertedAt + BusLimits.TimeToLive <= now)
                {
                    from.Remove(entry);
                    _held--;
                    continue;
                }

                entry.DequeueCount++;
                received.Add(Hide(from, entry, now + WholeSeconds(visibility)));
            }
        }

        return Task.FromResult<IReadOnlyList<BusMessage>>(received);
    }

    public Task<BusMessage?> RenewAsync(
        string queue, BusMessage message, TimeSpan visibility, CancellationToken cancellation = default)
    {
        BusLimits.RequireSend(queue, 0, visibility);
        lock (_gate)
        {
            var from = QueueOf(queue);
            return Task.FromResult(from.Find(message) is { } entry
                ? Hide(from, entry, clock.GetUtcNow() + WholeSeconds(visibility))
                : null);
        }
    }

    public Task<bool> CompleteAsync(string queue, BusMessage message, CancellationToken cancellation = default)
    {
        BusLimits.RequireQueue(queue);
        lock (_gate)
        {
            var from = QueueOf(queue);
            if (from.Find(message) is not { } entry)
            {
                return Task.FromResult(false);
            }

            from.Remove(entry);
            _held--;
            return Task.FromResult(true);
        }
    }

    public Task<long> CountAsync(string queue, CancellationToken cancellation = default)
    {
        BusLimits.RequireQueue(queue);
        lock (_gate)
        {
            return Task.FromResult((long)QueueOf(queue).Count);
        }
    }

    private static TimeSpan WholeSeconds(TimeSpan time) => TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds));

    private Queue QueueOf(string name)
    {
        if (!_queues.TryGetValue(name, out var queue))
        {
            _queues.Add(name, queue = new());
        }

        return queue;
    }

    private BusMessage Hide(Queue queue, Entry entry, DateTimeOffset until)
    {
        queue.Remove(entry);
        entry.VisibleAt = until;
        entry.Receipt = (++_delivered).ToString(CultureInfo.InvariantCulture);
        queue.Add(entry);
        return new(
            entry.Id,
            entry.Body,
            entry.Receipt,
            entry.DequeueCount,
            entry.InsertedAt,
            entry.InsertedAt + BusLimits.TimeToLive,
            until);
    }

    private sealed class Entry(long number, byte[] body, DateTimeOffset insertedAt)
    {
        public long Number { get; } = number;

        public string Id { get; } = number.ToString(CultureInfo.InvariantCulture);

        public byte[] Body { get; } = body;

        public DateTimeOffset InsertedAt { get; } = insertedAt;

        public DateTimeOffset VisibleAt { get; set; }

        public int DequeueCount { get; set; }

        public string Receipt { get; set; } = "";
    }

    private sealed class Queue
    {
        private readonly Dictionary<string, Entry> _byId = [];

        private readonly SortedSet<Entry> _byTime = new(Comparer<Entry>.Create(
            (a, b) => (a.VisibleAt, a.Number).CompareTo((b.VisibleAt, b.Number))));

        public int Count => _byId.Count;

        public Entry? First => _byTime.Min;

        public void Add(Entry entry)
        {
            _byId.Add(entry.Id, entry);
            _byTime.Add(entry);
        }

        public void Remove(Entry entry)
        {
            _byId.Remove(entry.Id);
            _byTime.Remove(entry);
        }

        public Entry? Find(BusMessage message)
            => _byId.TryGetValue(message.Id, out var entry) && entry.Receipt == message.Receipt ? entry : null;
    }
}
