namespace SuperVm.Azure.Functions;

/// <summary>
/// Something that is opened once, in the background from the start on; where that failed, the next who asks opens it
/// again.
/// </summary>
public sealed class Opening<T>(Func<Task<T>> open)
{
    private readonly Lock _gate = new();
    private Task<T>? _task;

    /// <summary>Whether it is open.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_gate)
            {
                return _task?.IsCompletedSuccessfully == true;
            }
        }
    }

    /// <summary>Begins, without waiting.</summary>
    public Opening<T> Begin()
    {
        _ = GetAsync();
        return this;
    }

    public Task<T> GetAsync()
    {
        lock (_gate)
        {
            if (_task is null || _task.IsFaulted || _task.IsCanceled)
            {
                _task = Task.Run(open);
            }

            return _task;
        }
    }
}
