using System.Threading.Tasks.Sources;

namespace SuperVm.Hosting.Server.Loop;

/// <summary>Waited for by one, given by any number of threads; given before it is waited for, it is not lost.</summary>
/// <remarks>
/// <code>
///   None ──wait──▶ Awaited ──give──▶ None, the waiter goes on within the giver's call
///   None ──give──▶ Given ──wait──▶ None, the waiter goes on at once
/// </code>
/// </remarks>
internal sealed class ReadySignal : IValueTaskSource
{
    private const int None = 0;
    private const int Given = 1;
    private const int Awaited = 2;

    private ManualResetValueTaskSourceCore<bool> _core;
    private int _state;

    /// <summary>Done when the signal has been given since the last wait.</summary>
    internal ValueTask WaitAsync()
    {
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Awaited, None) == None)
        {
            return new ValueTask(this, _core.Version);
        }

        Volatile.Write(ref _state, None);
        return ValueTask.CompletedTask;
    }

    /// <summary>Lets the waiter go on, now or when it comes.</summary>
    internal void Give()
    {
        for (; ; )
        {
            var before = Interlocked.CompareExchange(ref _state, None, Awaited);
            if (before == Awaited)
            {
                _core.SetResult(true);
                return;
            }

            if (before == Given || Interlocked.CompareExchange(ref _state, Given, None) != Awaited)
            {
                return;
            }
        }
    }

    public void GetResult(short token) => _core.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
