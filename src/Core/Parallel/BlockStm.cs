using System.Buffers;

namespace SuperVm.Core.Parallel;

/// <summary>
/// Executes a block of transactions optimistically on several workers with the result of a serial run.
/// </summary>
/// <remarks>
/// Source: Gelashvili et al., "Block-STM" (arXiv 2203.06871), with two deviations.
/// <code>
///             TryIncarnate            finish              commit (in order, validated against final state)
///   Ready ──────────────▶ Executing ─────────▶ Executed ─────────────────────────────▶ Committed
///     ▲                     │    ▲               │ validation fails
///     │ dependency done,    │    │               ▼
///     │ keys loaded         ▼    └────────── Aborting (writes become estimates, incarnation + 1)
///     └───────────────── Blocked
/// </code>
/// 1. Commit is a rolling prefix: the lowest uncommitted transaction is validated once more when everything below it
///    is final, and executed again on the spot where that fails. Correctness rests on this check alone; validation
///    ahead of it only finds conflicts earlier, so it may be switched off where there are few workers.
/// 2. Transactions known to follow another (same sender) wait for it from the start instead of aborting first.
/// 3. A worker takes some transactions at a time (a batch), and what it executed it also commits when their turn comes:
///    records and versions then stay in its core's cache. Only who has nothing else to do commits for others.
/// Races: any worker may call anything; the state word of a transaction is changed by compare-and-swap only, and one
/// worker at a time executes, validates for commit, or commits a transaction.
/// </remarks>
internal sealed partial class BlockStm
{
    private const int Ready = 0, Executing = 1, Executed = 2, Committing = 3, Blocked = 4, Done = 5;
    private const int StateMask = 7, IncarnationShift = 3;
    private const int NoDependent = -1, Closed = -2;

    private readonly IBlockStmClient _client;
    private readonly BlockStmOptions _options;
    private readonly Slot[] _slots;
    private readonly int _count;
    private Counters _shared;
    private int _stopped;
    private long _waited;
    private Exception? _failure;

    internal BlockStm(IBlockStmClient client, int count, BlockStmOptions options)
    {
        _client = client;
        _options = options;
        _count = count;
        _shared.ValidatesAhead = options.ValidateAhead ? 1 : 0;
        _slots = ArrayPool<Slot>.Shared.Rent(count);
        for (var i = 0; i < count; i++)
        {
            _slots[i] = new Slot { DependentsHead = NoDependent };
        }
    }

    /// <summary>What happened, for metrics and the tuner; whole once <see cref="Run"/> returned.</summary>
    internal BlockStmStatistics Statistics { get; } = new();

    /// <summary>Transactions that are committed: the first so many.</summary>
    internal int Committed => Volatile.Read(ref _shared.CommitIndex);

    /// <summary>Runs to the last commit, once; the calling thread is worker 0. Rethrows what a worker threw.</summary>
    internal void Run()
    {
        var helpers = Math.Min(_options.Workers, Math.Max(_count, 1)) - 1;
        var tasks = new Task[helpers];
        for (var i = 0; i < helpers; i++)
        {
            var worker = i + 1;
            tasks[i] = Task.Run(() => Guard(worker));
        }

        Guard(0);
        Task.WaitAll(tasks);
        ArrayPool<Slot>.Shared.Return(_slots);
        Statistics.Waited = _options.Clock?.GetElapsedTime(0, _waited) ?? TimeSpan.Zero;
        if (_failure is { } failure)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void Guard(int worker)
    {
        try
        {
            Work(worker);
            if (Volatile.Read(ref _stopped) == 0)
            {
                _client.Conclude(worker);
            }
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
            Volatile.Write(ref _stopped, 1);
        }
    }

    private bool IsDone => Volatile.Read(ref _shared.CommitIndex) >= _count || Volatile.Read(ref _stopped) != 0;

    private void Work(int worker)
    {
        var spinner = default(SpinWait);
        var batch = default(Range);
        var onlyOwn = _options.Batch > 1;
        var (waitingSince, waited) = (0L, 0L);
        while (!IsDone)
        {
            _options.Interleaving?.Invoke(worker);
            if (TryCommit(worker, onlyOwn) || TryValidateNext(worker) || TryExecuteNext(worker, ref batch)
                || (onlyOwn && TryCommit(worker, onlyOwn: false)) || _client.TryLoad(worker))
            {
                spinner.Reset();
                if (waitingSince != 0)
                {
                    waited += _options.Clock!.GetTimestamp() - waitingSince;
                    waitingSince = 0;
                }

                continue;
            }

            if (_options.Clock is { } clock && waitingSince == 0)
            {
                waitingSince = clock.GetTimestamp();
            }

            spinner.SpinOnce(sleep1Threshold: -1);
        }

        Interlocked.Add(ref _waited, waited);
    }

    private bool TryExecuteNext(int worker, ref Range batch)
    {
        while (true)
        {
            if (batch.Next >= batch.End)
            {
                if (Volatile.Read(ref _shared.ExecutionIndex) >= _count || !IsWithinWindow)
                {
                    return false;
                }

                batch.End = Interlocked.Add(ref _shared.ExecutionIndex, _options.Batch);
                batch.Next = batch.End - _options.Batch;
                batch.End = Math.Min(batch.End, _count);
                continue;
            }

            var next = batch.Next++;
            if (TryIncarnate(next) && !WaitsForKnown(next))
            {
                Execute(worker, next);
                return true;
            }
        }
    }

    /// <summary>
    /// Far ahead of the commits nearly everything read is stale, and version chains grow long; near is also cheaper.
    /// </summary>
    private bool IsWithinWindow =>
        Volatile.Read(ref _shared.ExecutionIndex) - Volatile.Read(ref _shared.CommitIndex) < _options.Window;

    private bool TryIncarnate(int transaction)
    {
        ref var status = ref _slots[transaction].Status;
        var current = Volatile.Read(ref status);
        return (current & StateMask) == Ready
            && Interlocked.CompareExchange(ref status, (current & ~StateMask) | Executing, current) == current;
    }

    private bool WaitsForKnown(int transaction)
    {
        var predecessor = _client.KnownDependency(transaction);
        return predecessor >= 0 && TryBlockOn(transaction, predecessor);
    }

    /// <summary>
    /// Executes what this worker has put into state Executing; true where the incarnation was finished.
    /// </summary>
    private bool Execute(int worker, int transaction)
    {
        while (true)
        {
            _options.Interleaving?.Invoke(worker);
            var step = _client.Execute(worker, transaction);
            Statistics.CountExecution(worker);
            switch (step.Kind)
            {
                case ExecutionStepKind.Executed:
                    _slots[transaction].Owner = worker;
                    Finish(transaction);
                    return true;
                case ExecutionStepKind.Blocked when TryBlockOn(transaction, step.BlockedOn):
                    Volatile.Write(ref _slots[transaction].IsHindered, 1);
                    Statistics.CountDependency(worker);
                    return false;
                case ExecutionStepKind.Suspended:
                    Statistics.CountSuspension(worker);
                    SetState(transaction, Blocked);
                    _client.AwaitLoad(worker, transaction);
                    return false;
                default:
                    continue;
            }
        }
    }

    /// <summary>Resumes who waited for the transaction and has readers above it validated again.</summary>
    /// <remarks>The state comes last but one: from then on another worker may abort the incarnation.</remarks>
    private void Finish(int transaction)
    {
        ResumeDependents(transaction);
        SetState(transaction, Executed);
        if (ValidatesAhead)
        {
            Lower(ref _shared.ValidationIndex, transaction);
        }
    }

    /// <summary>Turns the writes into estimates and starts the next incarnation.</summary>
    private void Abort(int worker, int transaction)
    {
        Statistics.CountAbort(worker);
        Volatile.Write(ref _slots[transaction].DependentsHead, NoDependent);
        _client.MarkEstimates(transaction);
        ref var status = ref _slots[transaction].Status;
        Volatile.Write(ref status, ((status >> IncarnationShift) + 1) << IncarnationShift | Executing);
    }

    /// <summary>Commits what is next and ready; where asked for, only what the worker itself executed.</summary>
    private bool TryCommit(int worker, bool onlyOwn)
    {
        var first = Volatile.Read(ref _shared.CommitIndex);
        if (first >= _count || (Volatile.Read(ref _slots[first].Status) & StateMask) != Executed
            || (onlyOwn && _slots[first].Owner != worker) || Interlocked.Exchange(ref _shared.CommitLock, 1) != 0)
        {
            return false;
        }

        var next = _shared.CommitIndex;
        first = next;
        while (next < _count && Volatile.Read(ref _stopped) == 0
            && (!onlyOwn || _slots[next].Owner == worker) && TryCommitOne(worker, next))
        {
            Volatile.Write(ref _shared.CommitIndex, ++next);
            Sample(next);
        }

        Volatile.Write(ref _shared.CommitLock, 0);
        return next != first;
    }

    /// <summary>Gives up where nearly all of the last transactions had to wait or to be executed again.</summary>
    private void Sample(int committed)
    {
        if (committed - _shared.SampleStart < BlockStmOptions.SampleSize)
        {
            return;
        }

        if (_options.MayGiveUp && _shared.Hindered >= BlockStmOptions.HinderedToGiveUp && committed < _count)
        {
            Statistics.GaveUp = true;
            Volatile.Write(ref _stopped, 1);
        }

        AdaptValidation(committed);
        (_shared.SampleStart, _shared.Hindered) = (committed, 0);
    }

    private bool TryCommitOne(int worker, int transaction)
    {
        ref var status = ref _slots[transaction].Status;
        var current = Volatile.Read(ref status);
        if ((current & StateMask) != Executed
            || Interlocked.CompareExchange(ref status, (current & ~StateMask) | Committing, current) != current)
        {
            return false;
        }

        _options.Interleaving?.Invoke(worker);
        _shared.Hindered += _slots[transaction].IsHindered;
        if (!_client.Validate(worker, transaction))
        {
            _shared.Hindered += 1 - _slots[transaction].IsHindered;
            Abort(worker, transaction);
            if (!Execute(worker, transaction))
            {
                return false;
            }

            // Everything below is final, so what this incarnation read is final too.
            current = Volatile.Read(ref status);
            if ((current & StateMask) != Executed
                || Interlocked.CompareExchange(ref status, (current & ~StateMask) | Committing, current) != current)
            {
                return false;
            }
        }

        if (!_client.Commit(worker, transaction))
        {
            Volatile.Write(ref _stopped, 1);
        }

        SetState(transaction, Done);
        return true;
    }

    /// <summary>
    /// Lets the transaction wait for another; false where that one is finished, so that there is no need.
    /// </summary>
    private bool TryBlockOn(int transaction, int predecessor)
    {
        ref var head = ref _slots[predecessor].DependentsHead;
        SetState(transaction, Blocked);
        while (true)
        {
            var current = Volatile.Read(ref head);
            if (current == Closed)
            {
                SetState(transaction, Executing);
                return false;
            }

            _slots[transaction].NextDependent = current;
            if (Interlocked.CompareExchange(ref head, transaction, current) == current)
            {
                return true;
            }
        }
    }

    private void ResumeDependents(int transaction)
    {
        var next = Interlocked.Exchange(ref _slots[transaction].DependentsHead, Closed);
        while (next >= 0)
        {
            var after = _slots[next].NextDependent;
            Resume(next);
            next = after;
        }
    }

    /// <summary>Makes a blocked transaction ready again and has it picked up.</summary>
    /// <remarks>
    /// The full fence keeps the state's store before the index's load: without it a worker that passes the index at
    /// the same moment may still see the transaction blocked, and nobody would come back to it.
    /// </remarks>
    internal void Resume(int transaction)
    {
        SetState(transaction, Ready);
        Interlocked.MemoryBarrier();
        Lower(ref _shared.ExecutionIndex, transaction);
    }

    private void SetState(int transaction, int state)
    {
        ref var status = ref _slots[transaction].Status;
        Volatile.Write(ref status, (status & ~StateMask) | state);
    }

    private static void Lower(ref int index, int target)
    {
        var current = Volatile.Read(ref index);
        while (current > target)
        {
            var seen = Interlocked.CompareExchange(ref index, target, current);
            if (seen == current)
            {
                return;
            }

            current = seen;
        }
    }
}
