using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;

namespace SuperVm.Hosting.Nodes;

/// <summary>Transactions that are submitted one by one at the same time are checked together.</summary>
/// <remarks>
/// <code>
///   submitter 1 ─▶ nothing else to do: checks its own at once ───────┐ then hands over to another thread
///   submitter 2 ─▶ ┐                                                 ▼
///   submitter 3 ─▶ ┴ wait in the queue meanwhile ─────▶ checked as one group: eight signatures side by side
/// </code>
/// So an idle node adds no delay, and under load a signature costs a third: a group recovers its senders in the lanes
/// of vectors and takes the pool's lock once. Groups form by themselves, of what came while the last one was checked.
/// A submitter whose turn comes works for itself and those in its group alone, never for ever.
/// </remarks>
internal sealed class SubmissionQueue(TransactionIngest ingest)
{
    /// <summary>Transactions of a group at most.</summary>
    internal const int MaximumGroup = 64;

    /// <summary>Kept objects of submissions that are over.</summary>
    private const int MaximumIdle = 256;

    private readonly ConcurrentQueue<Waiting> _waiting = new();
    private readonly ConcurrentQueue<Waiting> _idle = new();
    private readonly TransactionIngest.Candidate[] _candidates = new TransactionIngest.Candidate[MaximumGroup];
    private readonly Submission[] _answers = new Submission[MaximumGroup];
    private readonly Waiting[] _group = new Waiting[MaximumGroup];
    private int _isBusy;
    private long _groups;
    private long _submissions;

    /// <summary>Submissions that wait for their turn.</summary>
    internal int Depth => _waiting.Count;

    /// <summary>Groups that were checked, and transactions in them, for metrics.</summary>
    internal (long Groups, long Submissions) Counts => (Volatile.Read(ref _groups), Volatile.Read(ref _submissions));

    /// <summary>Checks the transaction and puts it into the pool, with others where others come at the time.</summary>
    internal ValueTask<Submission> SubmitAsync(in TransactionIngest.Candidate candidate)
    {
        if (!_idle.TryDequeue(out var mine))
        {
            mine = new Waiting(this);
        }

        mine.Candidate = candidate;
        var answer = new ValueTask<Submission>(mine, mine.Version);
        _waiting.Enqueue(mine);
        if (Interlocked.CompareExchange(ref _isBusy, 1, 0) == 0)
        {
            Begin();
        }

        return answer;
    }

    /// <summary>
    /// At once where no other work waits for a thread; else behind it, as it may bring more transactions.
    /// </summary>
    private void Begin()
    {
        if (ThreadPool.PendingWorkItemCount == 0)
        {
            WorkOnce();
        }
        else
        {
            BeginLater();
        }
    }

    private void BeginLater() =>
        ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.WorkOnce(), this, preferLocal: false);

    /// <summary>Checks one group; the next, where one waits, is another thread's.</summary>
    private void WorkOnce()
    {
        try
        {
            CheckGroup();
        }
        finally
        {
            Volatile.Write(ref _isBusy, 0);
            // Whoever enqueued before the flag fell did not work itself.
            Interlocked.MemoryBarrier();
            if (!_waiting.IsEmpty && Interlocked.CompareExchange(ref _isBusy, 1, 0) == 0)
            {
                BeginLater();
            }
        }
    }

    private void CheckGroup()
    {
        var count = 0;
        while (count < MaximumGroup && _waiting.TryDequeue(out var next))
        {
            _group[count] = next;
            _candidates[count++] = next.Candidate;
        }

        if (count == 0)
        {
            return;
        }

        Exception? defect = null;
        try
        {
            ingest.Submit(_candidates.AsSpan(0, count), _answers.AsSpan(0, count));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            defect = failure;
        }

        Interlocked.Increment(ref _groups);
        Interlocked.Add(ref _submissions, count);
        for (var i = 0; i < count; i++)
        {
            var waiting = _group[i];
            _group[i] = null!;
            _candidates[i] = default;
            waiting.Complete(_answers[i], defect);
        }
    }

    private void Return(Waiting waiting)
    {
        if (_idle.Count < MaximumIdle)
        {
            _idle.Enqueue(waiting);
        }
    }

    /// <summary>A submission on its way; used again once its answer was taken.</summary>
    private sealed class Waiting(SubmissionQueue owner) : IValueTaskSource<Submission>
    {
        private ManualResetValueTaskSourceCore<Submission> _core = new() { RunContinuationsAsynchronously = true };

        internal TransactionIngest.Candidate Candidate { get; set; }

        internal short Version => _core.Version;

        internal void Complete(in Submission answer, Exception? defect)
        {
            Candidate = default;
            if (defect is null)
            {
                _core.SetResult(answer);
            }
            else
            {
                _core.SetException(defect);
            }
        }

        public Submission GetResult(short token)
        {
            try
            {
                return _core.GetResult(token);
            }
            finally
            {
                _core.Reset();
                owner.Return(this);
            }
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
