using System.Collections.Concurrent;

namespace SuperVm.Hosting.Server.Loop;

/// <summary>Told by the loop that a descriptor has become ready.</summary>
internal interface ILoopHandler
{
    /// <summary>Runs on the loop's thread; may come while an earlier call has not returned.</summary>
    void OnReady(Readiness readiness);
}

/// <summary>One thread that waits for connections and serves each request where it arrives.</summary>
/// <remarks>
/// Waking another thread for a request costs more than most requests: so what comes in is read, answered and sent by
/// the thread that noticed it. That would let one slow request hold up all connections. Therefore leadership changes
/// hands:
/// <code>
///   leader     wait ─▶ event ─▶ serve ─▶ event ─▶ serve ─▶ wait …      the turn is checked before each event
///   watchman   same event as a look ago? ─▶ next turn, a new leader ─▶ takes the events that are left and waits
///   old leader                   … serve ends ─▶ not its turn any more ─▶ the thread ends
/// </code>
/// An event is told once (edge-triggered), so the two do not get in each other's way; a connection that is being served
/// notes that there is more and looks again. The watchman rests while nothing comes. With so many slow requests that
/// <see cref="MaximumThreads"/> serve at once, the loop waits for one of them.
/// </remarks>
internal sealed class EventLoop : IDisposable
{
    /// <summary>Threads of a loop at most: the leader and those that still serve something slow.</summary>
    internal const int MaximumThreads = 64;

    private const int EventsAtOnce = 64;

    /// <summary>After so many looks without an event the watchman rests until one comes.</summary>
    private const int LooksUntilRest = 20;

    /// <summary>An event that takes longer than one to two of these has the loop taken from it.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(1);

    [ThreadStatic]
    private static bool _isLoopThread;

    private readonly Epoll _epoll = new(EventsAtOnce);
    private readonly ConcurrentDictionary<ulong, ILoopHandler> _handlers = new();
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(initialState: false);

    // Guarded by the gate: whose turn it is, what the last wait brought and how much of it is taken, whether the leader
    // serves an event, and how many it took.
    private int _turn;
    private int _next;
    private int _count;
    private bool _isServing;
    private long _taken;
    private int _threads;

    private ulong _lastKey = Epoll.WakeKey;
    private bool _isWatchmanResting;
    private volatile bool _isEnding;

    internal EventLoop()
    {
        lock (_gate)
        {
            StartLeader();
        }

        new Thread(Watch) { IsBackground = true, Name = "Loop watch" }.Start();
    }

    /// <summary>Whether this thread is one of a loop's: others wait while it works.</summary>
    internal static bool IsLoopThread => _isLoopThread;

    /// <summary>How often leadership was taken from a slow request.</summary>
    internal int Takeovers { get; private set; }

    /// <summary>Connections that the loop serves.</summary>
    internal int Handlers => _handlers.Count;

    /// <summary>Tells the handler of what becomes ready from now on; the key takes it out again.</summary>
    /// <exception cref="ObjectDisposedException">The loop has been ended.</exception>
    internal ulong Add(int descriptor, ILoopHandler handler)
    {
        var key = Interlocked.Increment(ref _lastKey);
        _handlers[key] = handler;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isEnding, this);
            _epoll.Watch(descriptor, key);
        }

        return key;
    }

    /// <summary>The kernel forgets a descriptor when it is closed; this forgets its handler.</summary>
    internal void Remove(ulong key) => _handlers.TryRemove(key, out _);

    /// <summary>Ends the threads when they have served what they are at.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isEnding)
            {
                return;
            }

            _isEnding = true;
            _epoll.Wake();
        }

        _wake.Set();
    }

    /// <summary>Under the gate.</summary>
    private void StartLeader()
    {
        _threads++;
        var turn = _turn;
        new Thread(() => Lead(turn)) { IsBackground = true, Name = "Loop" }.Start();
    }

    private void Lead(int turn)
    {
        _isLoopThread = true;
        while (TryTake(turn, out var key, out var readiness))
        {
            if (_handlers.TryGetValue(key, out var handler))
            {
                handler.OnReady(readiness);
            }
        }

        lock (_gate)
        {
            _threads--;
            if (_isEnding && _threads == 0)
            {
                _epoll.Dispose();
            }
        }
    }

    /// <summary>The next event, waited for if need be; false where the turn is another's, or the loop ends.</summary>
    private bool TryTake(int turn, out ulong key, out Readiness readiness)
    {
        for (; ; )
        {
            lock (_gate)
            {
                if (turn != _turn || _isEnding)
                {
                    (key, readiness) = (Epoll.WakeKey, Readiness.None);
                    return false;
                }

                _isServing = _next < _count;
                if (_isServing)
                {
                    (key, readiness) = _epoll[_next++];
                    Volatile.Write(ref _taken, _taken + 1);
                    break;
                }
            }

            // A leader that waits serves nothing, so nobody takes its turn meanwhile.
            var count = _epoll.Wait();
            lock (_gate)
            {
                (_next, _count) = (0, count);
            }
        }

        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isWatchmanResting))
        {
            _wake.Set();
        }

        return true;
    }

    private void Watch()
    {
        var (seen, quiet) = (0L, 0);
        while (!_isEnding)
        {
            if (quiet > LooksUntilRest)
            {
                Rest(seen);
                quiet = 0;
            }

            _wake.WaitOne(LookInterval);
            var taken = Volatile.Read(ref _taken);
            quiet = taken == seen ? quiet + 1 : 0;
            if (taken == seen && TryTakeOver(taken))
            {
                quiet = 0;
            }

            seen = taken;
        }
    }

    /// <summary>Until an event comes. Either the leader sees that the watchman rests, or this sees its event.</summary>
    private void Rest(long seen)
    {
        Volatile.Write(ref _isWatchmanResting, true);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _taken) == seen && !_isEnding)
        {
            _wake.WaitOne();
        }

        Volatile.Write(ref _isWatchmanResting, false);
    }

    /// <summary>Where the leader still serves the event of a look ago, another thread leads from now on.</summary>
    private bool TryTakeOver(long seen)
    {
        lock (_gate)
        {
            if (!_isServing || _taken != seen || _isEnding)
            {
                return false;
            }

            if (_threads < MaximumThreads)
            {
                _isServing = false;
                _turn++;
                Takeovers++;
                StartLeader();
            }

            return true;
        }
    }
}
