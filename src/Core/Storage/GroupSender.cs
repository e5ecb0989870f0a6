namespace SuperVm.Core.Storage;

/// <summary>
/// Sends items that arrive one by one in few messages: what arrives while a message is on its way shares the next one.
/// </summary>
/// <remarks>
/// Group commit (J. Gray, A. Reuter, <i>Transaction Processing</i>, 1993): no timer, no added wait for a lone item, and
/// the larger the load, the fuller the messages. An item's task ends when its message is in the queue; where sending
/// failed, it fails with the reason, and the caller may send again (at least once).
/// </remarks>
public sealed class GroupSender(ClaimCheck sender, string queue)
{
    /// <summary>Items that wait at once; more are refused.</summary>
    public const int MostWaiting = 65_536;

    private readonly Lock _gate = new();
    private List<(ReadOnlyMemory<byte> Item, TaskCompletionSource End)> _waiting = [];
    private bool _sending;
    private long _messages;

    /// <summary>Messages sent so far.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>
    /// Ends with true when the item is in the queue; false where <see cref="MostWaiting"/> items wait already.
    /// </summary>
    public async Task<bool> SendAsync(ReadOnlyMemory<byte> item)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = false;
        lock (_gate)
        {
            if (_waiting.Count >= MostWaiting)
            {
                return false;
            }

            _waiting.Add((item, end));
            if (!_sending)
            {
                _sending = first = true;
            }
        }

        if (first)
        {
            _ = SendWaitingAsync();
        }

        await end.Task;
        return true;
    }

    private async Task SendWaitingAsync()
    {
        while (true)
        {
            List<(ReadOnlyMemory<byte> Item, TaskCompletionSource End)> group;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _sending = false;
                    return;
                }

                (group, _waiting) = (_waiting, []);
            }

            await SendGroupAsync(group);
        }
    }

    private async Task SendGroupAsync(List<(ReadOnlyMemory<byte> Item, TaskCompletionSource End)> group)
    {
        var sent = 0;
        try
        {
            foreach (var body in ItemPacking.Pack(group.ConvertAll(waiting => waiting.Item)))
            {
                var items = ItemPacking.Unpack(body)!.Count;
                await sender.SendAsync(queue, body);
                Interlocked.Increment(ref _messages);
                for (var i = 0; i < items; i++)
                {
                    group[sent++].End.SetResult();
                }
            }
        }
        catch (Exception failure)
        {
            for (; sent < group.Count; sent++)
            {
                group[sent].End.SetException(new StoreException($"Not sent to {queue}: {failure.Message}", failure));
            }
        }
    }
}
