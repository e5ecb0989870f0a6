using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;

namespace SuperVm.Core.Parallel;

/// <summary>Runs blocks on as many workers as cost the least, and finds out by itself how many that is.</summary>
/// <remarks>
/// <code>
///   block ─▶ store at a distance? ▶ the most workers, which fetch in bulk
///              ├ small? ────────────▶ one worker
///              ├ mostly transfers? ─▶ tuner of transfers ─┐
///              └ otherwise ─────────▶ tuner of calls ─────┴▶ 1, 2, 4 … workers ─▶ time a gas back to the tuner
/// </code>
/// Blocks of the two kinds cost so differently that one tuner would compare kinds and not workers. Within a block the
/// runner itself turns serial where speculation cannot win. Small blocks teach nothing. One block at a time.
/// </remarks>
public sealed class TunedTransactionRunner : ITransactionRunner
{
    /// <summary>Blocks below this many transactions run on one worker.</summary>
    public const int SmallestParallelBlock = 8;

    /// <summary>
    /// As do blocks whose transactions ask for less gas: half a millisecond of work, of which waking workers is
    /// a good part.
    /// </summary>
    public const ulong SmallestParallelGas = 2_000_000;

    private readonly ParallelTransactionRunner[] _runners;
    private readonly AutoTuner _transfers, _calls;
    private readonly TimeProvider _clock;
    private long _blocks, _parallelBlocks, _small, _distant;
    private long _executions, _aborts, _dependencies, _suspensions, _givenUp;

    /// <param name="engines">Makes an engine for each worker.</param>
    /// <param name="maximumWorkers">Threads at most; with 1 everything runs on one.</param>
    /// <param name="clock">Measures how long blocks take.</param>
    public TunedTransactionRunner(Func<IExecutionEngine> engines, int maximumWorkers, TimeProvider clock)
    {
        _clock = clock;
        var runners = new List<ParallelTransactionRunner>();
        var names = new List<string>();
        for (var workers = 1; workers <= Math.Clamp(maximumWorkers, 1, BlockStmOptions.MaxWorkers); workers *= 2)
        {
            runners.Add(new ParallelTransactionRunner(
                engines, new ParallelRunnerOptions(workers, ValidateAhead: workers > 2, SmallestParallelBlock)));
            names.Add(workers == 1 ? "1 worker" : $"{workers} workers");
        }

        _runners = [.. runners];
        _transfers = new AutoTuner(names);
        _calls = new AutoTuner(names);
    }

    public void Run(BlockInput input, BlockOutcome outcome)
    {
        if (outcome.State.Parent is IStateLoader && input.Transactions.Count > 1)
        {
            // Only workers that go on while keys are fetched can fetch many keys at once; nothing is to be tried here.
            _distant++;
            _runners[^1].Run(input, outcome);
            Count(_runners.Length - 1);
            return;
        }

        if (_runners.Length == 1 || TunerOf(input) is not { } tuner)
        {
            _small++;
            _runners[0].Run(input, outcome);
            Count(0);
            return;
        }

        var choice = tuner.Choose();
        var started = _clock.GetTimestamp();
        _runners[choice].Run(input, outcome);
        tuner.Observe(choice, outcome.GasUsed, _clock.GetElapsedTime(started).TotalMicroseconds);
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
        ["given_up"] = Volatile.Read(ref _givenUp),
        ["tuner_changes"] = _transfers.Changes + _calls.Changes,
    };

    private void Count(int choice)
    {
        _blocks++;
        _parallelBlocks += choice > 0 ? 1 : 0;
        var run = _runners[choice].Statistics;
        _executions += run.Executions;
        _aborts += run.Aborts;
        _dependencies += run.Dependencies;
        _suspensions += run.Suspensions;
        _givenUp += run.GaveUp ? 1 : 0;
    }

    /// <summary>What it runs with now, and why.</summary>
    public string Explain() =>
        $"transfers:\n{_transfers.Explain("µs/gas")}\ncalls:\n{_calls.Explain("µs/gas")}\n"
        + $"{_small} small blocks on one worker, {_distant} blocks from a store at a distance on the most";

    /// <summary>The tuner of the block's kind; null for a small block.</summary>
    private AutoTuner? TunerOf(BlockInput input)
    {
        var count = input.Transactions.Count;
        if (count < SmallestParallelBlock)
        {
            return null;
        }

        var (gas, plain) = (0UL, 0);
        foreach (var transaction in input.Transactions)
        {
            gas += Math.Min(transaction.GasLimit, SmallestParallelGas);
            plain += TransferRuns.IsPlain(transaction, input.Context) ? 1 : 0;
        }

        return gas < SmallestParallelGas ? null : plain * 2 > count ? _transfers : _calls;
    }
}
