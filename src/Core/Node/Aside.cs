using System.Runtime.ExceptionServices;

namespace SuperVm.Core.Node;

/// <summary>Work for another core where one is free, and for the caller else.</summary>
/// <remarks>
/// A pool thread takes it up; where none has by the time that the result is wanted, the caller does it. So a busy
/// machine, on which such a thread may come late, never makes a block wait for one.
/// </remarks>
internal sealed class Aside<T> : IThreadPoolWorkItem
{
    private readonly Func<T> _work;
    private readonly ManualResetEventSlim _done = new();
    private ExceptionDispatchInfo? _failure;
    private T _result = default!;
    private int _isTaken;

    private Aside(Func<T> work) => _work = work;

    /// <summary>Offers the work to the pool's threads.</summary>
    internal static Aside<T> Begin(Func<T> work)
    {
        var aside = new Aside<T>(work);
        ThreadPool.UnsafeQueueUserWorkItem(aside, preferLocal: false);
        return aside;
    }

    /// <summary>The result, or what the work threw; once.</summary>
    internal T Result()
    {
        ((IThreadPoolWorkItem)this).Execute();
        _done.Wait();
        _failure?.Throw();
        return _result;
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (Interlocked.Exchange(ref _isTaken, 1) != 0)
        {
            return;
        }

        try
        {
            _result = _work();
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }

        _done.Set();
    }
}
