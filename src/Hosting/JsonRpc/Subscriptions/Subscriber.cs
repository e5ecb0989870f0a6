using System.Threading.Channels;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Subscriptions;

/// <summary>The subscriptions of one WebSocket, and the messages that tell of them.</summary>
/// <remarks>
/// <code>
///   node's event ─▶ a flag ─▶ RunAsync: each subscription reads on from where it is ─▶ send
/// </code>
/// Nothing queues up for a slow client: its readers fall behind in the node's rings, and once they are overtaken the
/// connection is closed. A subscription tells nothing before its own answer was sent (<see cref="Activate"/>).
/// </remarks>
internal sealed class Subscriber : IDisposable
{
    private readonly Node _node;
    private readonly RpcLimits _limits;
    private readonly Dictionary<UInt128, Subscription> _subscriptions = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    internal Subscriber(Node node, RpcLimits limits)
    {
        (_node, _limits) = (node, limits);
        node.Events.Noted += Wake;
    }

    internal int Count
    {
        get
        {
            lock (_subscriptions)
            {
                return _subscriptions.Count;
            }
        }
    }

    /// <summary>Takes a subscription; null where the connection has too many.</summary>
    internal UInt128? Add(EventReader reader, bool wholeTransactions)
    {
        lock (_subscriptions)
        {
            if (_subscriptions.Count >= _limits.MaximumSubscriptions)
            {
                return null;
            }

            var id = FilterTable.NewId();
            _subscriptions.Add(id, new Subscription(id, reader, wholeTransactions));
            return id;
        }
    }

    internal bool Remove(UInt128 id)
    {
        lock (_subscriptions)
        {
            if (!_subscriptions.Remove(id, out var removed))
            {
                return false;
            }

            removed.Reader.Dispose();
            return true;
        }
    }

    /// <summary>The answers to what was subscribed so far are sent.</summary>
    internal void Activate()
    {
        var isNew = false;
        lock (_subscriptions)
        {
            foreach (var subscription in _subscriptions.Values)
            {
                isNew |= !subscription.IsActive;
                subscription.IsActive = true;
            }
        }

        if (isNew)
        {
            Wake();
        }
    }

    /// <summary>Sends until it is cancelled; false where the client is too slow.</summary>
    /// <param name="send">Sends one message.</param>
    /// <param name="cancellation">The end of the connection.</param>
    internal async Task<bool> RunAsync(Func<ReadOnlyMemory<byte>, ValueTask> send, CancellationToken cancellation)
    {
        using var reply = new RpcReply(_limits);
        var messages = new List<Range>();
        while (await _wake.Reader.WaitToReadAsync(cancellation))
        {
            _wake.Reader.TryRead(out _);
            reply.Clear();
            messages.Clear();
            if (!WriteAll(reply, messages))
            {
                return false;
            }

            if (messages.Count > 0)
            {
                // There may be more than one step's events.
                Wake();
            }

            foreach (var message in messages)
            {
                await send(reply.Written[message]);
            }
        }

        return true;
    }

    public void Dispose()
    {
        _node.Events.Noted -= Wake;
        lock (_subscriptions)
        {
            foreach (var subscription in _subscriptions.Values)
            {
                subscription.Reader.Dispose();
            }

            _subscriptions.Clear();
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private bool WriteAll(RpcReply reply, List<Range> messages)
    {
        lock (_subscriptions)
        {
            foreach (var subscription in _subscriptions.Values)
            {
                if (subscription.IsActive && !Write(subscription, reply, messages))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private bool Write(Subscription subscription, RpcReply reply, List<Range> messages)
    {
        var json = reply.Json;
        return subscription.Reader.Kind switch
        {
            EventKind.Blocks => subscription.Reader.ReadBlocks(head => Message(subscription, reply, messages, () =>
            {
                var block = head.Content?.Block ?? _node.Chain.GetBlock(head.Hash);
                if (block is null)
                {
                    json.WriteNullValue();
                }
                else
                {
                    BlockJson.WriteHead(json, block);
                }
            })),
            EventKind.Transactions => subscription.Reader.ReadTransactions(
                hash => Message(subscription, reply, messages, () =>
                {
                    if (subscription.WholeTransactions && _node.Pool.Find(hash) is { } transaction)
                    {
                        TransactionJson.Write(json, transaction, null);
                    }
                    else
                    {
                        json.WriteHexValue(hash.Bytes);
                    }
                })),
            _ => subscription.Reader.ReadLogs((log, block, index, logIndex, isRemoved) =>
                Message(subscription, reply, messages, () =>
                    ReceiptJson.WriteLog(json, log, block, index, logIndex, isRemoved))),
        };
    }

    private static void Message(Subscription subscription, RpcReply reply, List<Range> messages, Action writeResult)
    {
        var start = reply.Length;
        reply.BeginNotification(subscription.Id);
        writeResult();
        reply.EndNotification();
        messages.Add(start..reply.Length);
    }

    private sealed class Subscription(UInt128 id, EventReader reader, bool wholeTransactions)
    {
        internal UInt128 Id => id;

        internal EventReader Reader => reader;

        internal bool WholeTransactions => wholeTransactions;

        internal bool IsActive { get; set; }
    }
}
