namespace SuperVm.Core.Parallel;

/// <summary>How an attempt to execute a transaction went.</summary>
internal enum ExecutionStepKind : byte
{
    /// <summary>To its end; its writes are in the multi-version memory.</summary>
    Executed,

    /// <summary>It read an estimate and must wait for the transaction that will write there.</summary>
    Blocked,

    /// <summary>It read a key that is not loaded.</summary>
    Suspended,
}

/// <summary>The answer of <see cref="IBlockStmClient.Execute"/>.</summary>
internal readonly record struct ExecutionStep(ExecutionStepKind Kind, int BlockedOn = -1)
{
    internal static ExecutionStep Done => new(ExecutionStepKind.Executed);
}

/// <summary>What the scheduler schedules. Calls about one transaction never overlap.</summary>
internal interface IBlockStmClient
{
    /// <summary>A lower transaction that this one certainly depends on, or −1.</summary>
    int KnownDependency(int transaction);

    /// <summary>
    /// Executes on what lower transactions wrote, and publishes reads and writes where it comes to its end.
    /// </summary>
    ExecutionStep Execute(int worker, int transaction);

    /// <summary>Whether the reads of the last incarnation would be answered the same now.</summary>
    bool Validate(int worker, int transaction);

    /// <summary>Marks what the last incarnation wrote as about to change.</summary>
    void MarkEstimates(int transaction);

    /// <summary>Takes the transaction's result as final; called in order. False stops the run.</summary>
    bool Commit(int worker, int transaction);

    /// <summary>Remembers a suspended transaction until its keys are there.</summary>
    void AwaitLoad(int worker, int transaction);

    /// <summary>Fetches missing keys and resumes who waited for them; false where nothing is missing.</summary>
    bool TryLoad(int worker);

    /// <summary>All is committed: called once by each worker, to share what is left to do.</summary>
    void Conclude(int worker);
}

/// <summary>How a block is run.</summary>
/// <param name="Workers">Threads, the caller's among them; at least 1.</param>
/// <param name="ValidateAhead">
/// Whether workers validate above the commit index from the start; otherwise once conflicts are many.
/// </param>
/// <param name="Window">Transactions above the commit index that may be executed.</param>
/// <param name="Batch">Transactions that a worker takes at a time; more than 1 where they are short.</param>
/// <param name="MayGiveUp">Whether a chain of dependencies ends the run, the rest to be run serially.</param>
/// <param name="Clock">Measures how long workers have nothing to do; null: not measured.</param>
/// <param name="Interleaving">Called at every scheduling point with the worker; tests yield or delay there.</param>
internal sealed record BlockStmOptions(
    int Workers, bool ValidateAhead, int Window, int Batch = 1, bool MayGiveUp = false,
    TimeProvider? Clock = null, Action<int>? Interleaving = null)
{
    /// <summary>Commits after which it is looked at whether workers gain anything.</summary>
    internal const int SampleSize = 32;

    /// <summary>
    /// So many of them that waited for a lower transaction or were executed again mean that they do not.
    /// </summary>
    internal const int HinderedToGiveUp = 26;

    /// <summary>So many of them mean that it pays to validate ahead of the commits.</summary>
    internal const int HinderedToValidateAhead = 8;

    /// <summary>How far ahead of the commits a worker may go, for each worker.</summary>
    internal const int WindowPerWorker = 32;

    /// <summary>The most workers that the per-worker counters have room for.</summary>
    internal const int MaxWorkers = 64;
}

/// <summary>Counters of a run, kept a cache line apart a worker and added up on reading.</summary>
public sealed class BlockStmStatistics
{
    private const int Stride = 16;
    private readonly int[] _counts = new int[BlockStmOptions.MaxWorkers * Stride];

    /// <summary>Incarnations that were executed, whole or in part.</summary>
    public long Executions => Sum(0);

    /// <summary>Incarnations that a validation threw away.</summary>
    public long Aborts => Sum(1);

    /// <summary>Executions that met an estimate and waited.</summary>
    public long Dependencies => Sum(2);

    /// <summary>Executions that met a key that was not loaded.</summary>
    public long Suspensions => Sum(3);

    /// <summary>Incarnations that were thrown away although the next one wrote exactly the same.</summary>
    public long FalseConflicts => Sum(4);

    /// <summary>How long workers had nothing to do, all together; zero where no clock was given.</summary>
    public TimeSpan Waited { get; internal set; }

    /// <summary>Whether the run ended early, because what it ran was a chain of dependencies.</summary>
    public bool GaveUp { get; internal set; }

    internal void CountExecution(int worker) => _counts[worker * Stride]++;

    internal void CountAbort(int worker) => _counts[(worker * Stride) + 1]++;

    internal void CountDependency(int worker) => _counts[(worker * Stride) + 2]++;

    internal void CountSuspension(int worker) => _counts[(worker * Stride) + 3]++;

    internal void CountFalseConflict(int worker) => _counts[(worker * Stride) + 4]++;

    private long Sum(int counter)
    {
        long sum = 0;
        for (var i = counter; i < _counts.Length; i += Stride)
        {
            sum += _counts[i];
        }

        return sum;
    }
}
