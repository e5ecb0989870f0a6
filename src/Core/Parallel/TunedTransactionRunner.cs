using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;

namespace SuperVm.Core.Parallel;

/// <summary>Runs blocks on as many workers as cost the least, and finds out by itself how many that is.</summary>
/// <remarks>
/// <code>
///   block ─▶ store at a distance? ▶ the most workers, which fetch in bulk
///              ├ small? ────────────▶ one worker
///              ├ mostly transfers? ─▶ tuner of transfers: 1, 2, 4 … workers, 2 or 8 shards each ─┐
///              └ otherwise ─────────▶ tuner of calls: 1, 2, 4 … workers, 1 or 4 at a time ───────┤
///                                                  time a gas back to the tuner ◀────────────────┘
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

    /// <summary>Transactions that a worker takes at a time where it takes several; 0 leaves it to the plan.</summary>
    private const int LargeBatch = 4, PlannedBatch = 0;

    /// <summary>How many transactions are looked at to tell a block's kind.</summary>
    private const int Looked = 64;

    /// <summary>Parts for each worker into which a run of transfers deals accounts out.</summary>
    private const int FewShards = 2, ManyShards = 8;

    private readonly ParallelTransactionRunner[] _runners;
    private readonly Habit[] _transferHabits, _callHabits;
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
        for (var workers = 1; workers <= Math.Clamp(maximumWorkers, 1, BlockStmOptions.MaxWorkers); workers *= 2)
        {
            runners.Add(new ParallelTransactionRunner(
                engines, new ParallelRunnerOptions(workers, ValidateAhead: workers > 2, SmallestParallelBlock)));
        }

        _runners = [.. runners];
        var alone = new Habit("1 worker", 0, PlannedBatch, FewShards);
        _transferHabits = [alone, .. runners.Skip(1).SelectMany((runner, i) => new[]
        {
            new Habit($"{2 << i} workers, {FewShards} shards each", i + 1, PlannedBatch, FewShards),
            new Habit($"{2 << i} workers, {ManyShards} shards each", i + 1, PlannedBatch, ManyShards),
        })];
        _callHabits = [alone, .. runners.Skip(1).SelectMany((runner, i) => new[]
        {
            new Habit($"{2 << i} workers, 1 transaction at a time", i + 1, 1, FewShards),
            new Habit($"{2 << i} workers, {LargeBatch} transactions at a time", i + 1, LargeBatch, FewShards),
        })];
        _transfers = new AutoTuner([.. _transferHabits.Select(habit => habit.Name)]);
        _calls = new AutoTuner([.. _callHabits.Select(habit => habit.Name)]);
    }

    public void Run(BlockInput input, BlockOutcome outcome)
    {
        if (outcome.State.Parent is IStateLoader && input.Transactions.Count > 1)
        {
            // Only workers that go on while keys are fetched can fetch many keys at once; nothing is to be tried here.
            _distant++;
            Run(input, outcome, _callHabits[^1] with { Batch = PlannedBatch });
            return;
        }

        if (_runners.Length == 1 || KindOf(input) is not { } kind)
        {
            _small++;
            Run(input, outcome, _callHabits[0]);
            return;
        }

        var (tuner, habits) = kind == Kind.Transfers ? (_transfers, _transferHabits) : (_calls, _callHabits);
        var choice = tuner.Choose();
        var started = _clock.GetTimestamp();
        Run(input, outcome, habits[choice]);
        tuner.Observe(choice, outcome.GasUsed, _clock.GetElapsedTime(started).TotalMicroseconds);
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

    private void Run(BlockInput input, BlockOutcome outcome, in Habit habit)
    {
        var runner = _runners[habit.Runner];
        runner.Run(input, outcome, habit.Batch, habit.Shards);
        _blocks++;
        _parallelBlocks += habit.Runner > 0 ? 1 : 0;
        var run = runner.Statistics;
        _executions += run.Executions;
        _aborts += run.Aborts;
        _dependencies += run.Dependencies;
        _suspensions += run.Suspensions;
        _givenUp += run.GaveUp ? 1 : 0;
    }

    /// <summary>What it runs with now, and why.</summary>
    public string Explain() =>
        $"transfers:\n{_transfers.Explain("µs/gas")}\ncalls:\n{_calls.Explain("µs/gas")}\n"
        + $"{_small} small blocks on one worker; {_distant} blocks from a store at a distance on the most, with what "
        + $"they read first fetched ahead; {_givenUp} blocks whose dependencies made the rest of them run serially";

    /// <summary>Of which kind a block is; null for a small block.</summary>
    private static Kind? KindOf(BlockInput input)
    {
        var count = input.Transactions.Count;
        if (count < SmallestParallelBlock)
        {
            return null;
        }

        // A few of many tell enough; to look at all would cost a good part of what a second worker saves.
        var step = Math.Max(1, count / Looked);
        var (gas, plain, looked) = (0UL, 0, 0);
        for (var i = 0; i < count; i += step, looked++)
        {
            var transaction = input.Transactions[i];
            gas += Math.Min(transaction.GasLimit, SmallestParallelGas) * (ulong)step;
            plain += TransferRuns.IsPlain(transaction, input.Context) ? 1 : 0;
        }

        return gas < SmallestParallelGas ? null : plain * 2 > looked ? Kind.Transfers : Kind.Calls;
    }

    private enum Kind : byte
    {
        Transfers,
        Calls,
    }

    /// <summary>A way to run a block: by which runner, how many transactions at a time, how many shards.</summary>
    private readonly record struct Habit(string Name, int Runner, int Batch, int Shards);
}
