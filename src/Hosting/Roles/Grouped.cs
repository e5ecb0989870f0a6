namespace SuperVm.Hosting.Roles;

/// <summary>
/// Handles what comes from many callers in groups, one group at a time: what comes while a group is handled makes the
/// next one. A caller's task ends, or fails, with its group.
/// </summary>
/// <remarks>Group commit: no timer, and the larger the load, the larger the groups.</remarks>
internal sealed class Grouped<T>(Func<IReadOnlyList<T>, Task> handle, int mostInGroup)
{
    private readonly Lock _gate = new();
    private readonly Queue<(T Item, TaskCompletionSource End)> _waiting = [];
    private bool _running;

    internal Task AddAsync(T item)
    {
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _waiting.Enqueue((item, end));
            if (_running)
            {
                return end.Task;
            }

            _running = true;
        }

        _ = RunAsync();
        return end.Task;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var group = new List<(T Item, TaskCompletionSource End)>();
            lock (_gate)
            {
                while (group.Count < mostInGroup && _waiting.TryDequeue(out var next))
                {
                    group.Add(next);
                }

                if (group.Count == 0)
                {
                    _running = false;
                    return;
                }
            }

            try
            {
                await handle(group.ConvertAll(entry => entry.Item));
                group.ForEach(entry => entry.End.SetResult());
            }
            catch (Exception failure)
            {
                group.ForEach(entry => entry.End.SetException(failure));
            }
        }
    }
}
