using SuperVm.Core.Execution;

namespace SuperVm.Core.Parallel;

/// <summary>Runs blocks serially or in parallel, whichever costs less a gas, and finds out by itself.</summary>
/// <remarks>
/// Small blocks always run serially and teach nothing. One block at a time.
/// </remarks>
public sealed class TunedTransactionRunner : ITransactionRunner
{
    /// <summary>Blocks below this many transactions run serially: workers cost more than they bring.</summary>
    public const int SmallestParallelBlock = 64;

    private readonly ITransactionRunner[] _runners;
    private readonly AutoTuner _tuner;
    private readonly TimeProvider _clock;
    private long _blocks;
    private long _parallelBlocks;
    private long _executions;
    private long _aborts;
    private long _dependencies;
    private long _suspensions;

    /// <param name="engines">Makes an engine for each worker.</param>
    /// <param name="maximumWorkers">Threads at most; with 1 everything runs serially.</param>
    /// <param name="clock">Measures how long blocks take.</param>
    public TunedTransactionRunner(Func<IExecutionEngine> engines, int maximumWorkers, TimeProvider clock)
    {
        _clock = clock;
        var runners = new List<ITransactionRunner> { new SerialTransactionRunner(engines()) };
        var names = new List<string> { "serial" };
        for (var workers = 2; workers <= Math.Min(maximumWorkers, BlockStmOptions.MaxWorkers); workers *= 2)
        {
            runners.Add(new ParallelTransactionRunner(
                engines, new ParallelRunnerOptions(workers, ValidateAhead: workers > 2, SmallestParallelBlock)));
            names.Add($"{workers} workers");
        }

        _runners = [.. runners];
        _tuner = new AutoTuner(names);
    }

    public void Run(BlockInput input, BlockOutcome outcome)
    {
        if (_runners.Length == 1 || input.Transactions.Count < SmallestParallelBlock)
        {
            _runners[0].Run(input, outcome);
            Count(0);
            return;
        }

        var choice = _tuner.Choose();
        var started = _clock.GetTimestamp();
        _runners[choice].Run(input, outcome);
        _tuner.Observe(choice, outcome.GasUsed, _clock.GetElapsedTime(started).TotalMicroseconds);
        Count(choice);
    }

    /// <summary>Counters since the start, for metrics; a conflict is an execution that was thrown away.</summary>
    public IReadOnlyDictionary<string, double> Statistics() => new Dictionary<string, double>
    {
        ["blocks"] = Volatile.Read(ref _blocks),
        ["parallel_blocks"] = Volatile.Read(ref _parallelBlocks),
        ["parallel_executions"] = Volatile.Read(ref _executions),
        ["conflicts"] = Volatile.Read(ref _aborts),
        ["dependencies"] = Volatile.Read(ref _dependencies),
        ["suspensions"] = Volatile.Read(ref _suspensions),
        ["tuner_changes"] = _tuner.Changes,
    };

    private void Count(int choice)
    {
        _blocks++;
        if (_runners[choice] is ParallelTransactionRunner { Statistics: { } run })
        {
            _parallelBlocks++;
            _executions += run.Executions;
            _aborts += run.Aborts;
            _dependencies += run.Dependencies;
            _suspensions += run.Suspensions;
        }
    }

    /// <summary>What it runs with now, and why.</summary>
    public string Explain() => _tuner.Explain("µs/gas");
}
