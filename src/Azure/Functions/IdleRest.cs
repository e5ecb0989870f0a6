using System.Runtime;

namespace SuperVm.Azure.Functions;

/// <summary>Gives memory back once nothing came for a while after something did.</summary>
/// <remarks>
/// <code>
///   the last request ends ─▶ <see cref="After"/> without another ─▶ caches emptied, heaps given back
///                            <see cref="Later"/> more ─▶ the same: what pools of arrays gave up
/// </code>
/// One timer that is set when the last request ends, and once more: a process that rests has none and does nothing. An
/// instance that waits for work is paid for by its memory, and what its caches held would be old by then.
/// </remarks>
internal sealed class IdleRest : IDisposable
{
    /// <summary>How long nothing came.</summary>
    internal static readonly TimeSpan After = TimeSpan.FromSeconds(5);

    /// <summary>And then: the runtime's pool of arrays gives up what nobody rented for a minute.</summary>
    internal static readonly TimeSpan Later = TimeSpan.FromSeconds(65);

    private readonly Action _forget;
    private readonly ITimer _timer;
    private int _underWay;
    private bool _isLate;

    /// <param name="forget">Empties the caches.</param>
    /// <param name="clock">Says when.</param>
    internal IdleRest(Action forget, TimeProvider clock)
    {
        _forget = forget;
        _timer = clock.CreateTimer(_ => Rest(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How often it gave memory back.</summary>
    internal int Rests { get; private set; }

    /// <summary>A request begins.</summary>
    internal void Begin() => Interlocked.Increment(ref _underWay);

    /// <summary>It ended.</summary>
    internal void End()
    {
        if (Interlocked.Decrement(ref _underWay) == 0)
        {
            _isLate = false;
            _timer.Change(After, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Rest()
    {
        if (Volatile.Read(ref _underWay) > 0)
        {
            return; // its end sets the timer again
        }

        _forget();
        GC.Collect();
        GC.WaitForPendingFinalizers(); // the runtime's pools of arrays learn of a collection by a finalizer
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeHeap.Trim();
        Rests++;
        if (!_isLate)
        {
            _isLate = true;
            _timer.Change(Later, Timeout.InfiniteTimeSpan);
        }
    }
}
