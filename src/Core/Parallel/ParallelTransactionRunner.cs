using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>How <see cref="ParallelTransactionRunner"/> runs blocks.</summary>
/// <param name="Workers">Threads; 1 runs one transaction after another.</param>
/// <param name="ValidateAhead">Whether idle workers validate what cannot be committed yet.</param>
/// <param name="SerialBelow">
/// Parts of blocks with fewer transactions run serially, as do those of which the plan says that workers
/// would not gain; with 0 everything that can runs in parallel.
/// </param>
/// <param name="Batch">Transactions that a worker takes at a time; 0: by how short they look.</param>
/// <param name="Shards">
/// Into how many parts for each worker the accounts of a run of transfers are dealt: more even out accounts that are
/// used much more than others.
/// </param>
/// <param name="Interleaving">Called at every scheduling point; for tests.</param>
public sealed record ParallelRunnerOptions(
    int Workers, bool ValidateAhead = false, int SerialBelow = 8, int Batch = 0, int Shards = 2,
    Action<int>? Interleaving = null);

/// <summary>
/// Runs a block's transactions with Block-STM; receipts, gas, logs and state equal the serial runner's.
/// </summary>
/// <remarks>
/// Runs of plain transfers go through <see cref="TransferRuns"/>, all else through Block-STM. Blocks that it cannot run
/// in parallel go to the serial runner: receipts with intermediate roots (before Byzantium) need one state after
/// another. One block at a time.
/// </remarks>
public sealed class ParallelTransactionRunner : ITransactionRunner
{
    /// <summary>Keys that one fetch brings at most.</summary>
    public const int FetchLimit = 100;

    private ParallelRunnerOptions _options;
    private readonly SerialTransactionRunner _serial;
    private readonly TransferRuns _transfers;
    private readonly Worker[] _workers;
    private readonly StateMemory _memory = new();
    private readonly SegmentPlan _plan = new();
    private readonly BlockStmStatistics _none = new();
    private StateTransactionRecord[] _records = [];

    /// <param name="engines">Makes an engine for each worker.</param>
    /// <param name="options">Workers and their habits.</param>
    public ParallelTransactionRunner(Func<IExecutionEngine> engines, ParallelRunnerOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Workers, BlockStmOptions.MaxWorkers);
        _options = options;
        _serial = new SerialTransactionRunner(engines());
        _transfers = new TransferRuns(options.Workers);
        _workers = new Worker[options.Workers];
        for (var i = 0; i < _workers.Length; i++)
        {
            _workers[i] = new Worker(new TransactionProcessor(engines()), new WorldState());
        }
    }

    /// <summary>Counters of the last block's last part that ran under Block-STM; all zero where none did.</summary>
    public BlockStmStatistics Statistics { get; private set; } = new();

    /// <summary>Runs one block with other habits: a batch (0: by how short transactions look) and shards.</summary>
    internal void Run(BlockInput input, BlockOutcome outcome, int batch, int shards)
    {
        if (batch != _options.Batch || shards != _options.Shards)
        {
            _options = _options with { Batch = batch, Shards = shards };
        }

        Run(input, outcome);
    }

    public void Run(BlockInput input, BlockOutcome outcome)
    {
        Statistics = _none;
        _transfers.Shards = _options.Shards;
        MissingKeys.Prefetch(input, outcome.State.Parent as IStateLoader);
        var count = input.Transactions.Count;
        var (done, next, mayShare) = (0, 0, _options.Workers > 1);
        while (next < count && outcome.Error == BlockExecutionError.None)
        {
            var end = TransferRuns.EndOf(input, next, Math.Min(count, next + TransferRuns.ShortestRun));
            if (end - next < TransferRuns.ShortestRun)
            {
                next = end + 1;
                continue;
            }

            if (done < next)
            {
                // What comes before must be finished first; not for nothing, if that can be seen already.
                var before = TransferRuns.EndBeforeCode(input, outcome.State, next, end);
                if (before < end)
                {
                    next = before + 1;
                    continue;
                }

                RunAny(input, outcome, done, next);
                done = next;
            }

            if (outcome.Error == BlockExecutionError.None)
            {
                (done, next) = _transfers.Run(input, outcome, next, count, ref mayShare);
            }
        }

        if (outcome.Error == BlockExecutionError.None)
        {
            RunAny(input, outcome, done, count);
        }
    }

    /// <summary>Runs a part of the block that may hold anything.</summary>
    private void RunAny(BlockInput input, BlockOutcome outcome, int first, int end)
    {
        if (_options.Workers == 1 || end - first < Math.Max(_options.SerialBelow, 1) || !input.Context.Rules.Eip658)
        {
            RunSerially(input, outcome, first, end);
            return;
        }

        _plan.Make(input, first, end, mayBeSerial: _options.SerialBelow > 0);
        if (_plan.IsSerial)
        {
            RunSerially(input, outcome, first, end);
            return;
        }

        PrepareRecords(end - first);
        var options = _options with { Batch = _options.Batch == 0 ? _plan.Batch : _options.Batch };
        var block = new ParallelBlock(
            input, outcome, first, end, _workers, _memory, _plan.Predecessors, _records, options);
        Statistics = block.Run();
        if (outcome.Error == BlockExecutionError.None && first + block.Done < end)
        {
            _serial.Run(input, outcome, first + block.Done, end);
        }
    }

    /// <summary>
    /// One after the other on this thread; neighbours that are plain transfers still go the short way, as few as they
    /// are.
    /// </summary>
    private void RunSerially(BlockInput input, BlockOutcome outcome, int first, int end)
    {
        var (done, next, mayShare) = (first, first, false);
        while (next < end && outcome.Error == BlockExecutionError.None)
        {
            var plain = TransferRuns.EndOf(input, next, Math.Min(end, next + TransferRuns.ShortestAlone));
            if (plain - next < TransferRuns.ShortestAlone)
            {
                next = plain + 1;
                continue;
            }

            var before = TransferRuns.EndBeforeCode(input, outcome.State, next, plain);
            if (before < plain)
            {
                next = before + 1;
                continue;
            }

            _serial.Run(input, outcome, done, next);
            done = next;
            if (outcome.Error == BlockExecutionError.None)
            {
                (done, next) = _transfers.Run(input, outcome, next, end, ref mayShare);
            }
        }

        if (outcome.Error == BlockExecutionError.None)
        {
            _serial.Run(input, outcome, done, end);
        }
    }

    /// <summary>Records are kept from block to block, up to the largest block.</summary>
    private void PrepareRecords(int count)
    {
        var known = _records.Length;
        if (known < count)
        {
            Array.Resize(ref _records, count);
            for (var i = known; i < count; i++)
            {
                _records[i] = new StateTransactionRecord();
            }
        }

        for (var i = 0; i < count; i++)
        {
            _records[i].Reset();
        }
    }

    /// <summary>What a worker keeps from block to block.</summary>
    internal sealed record Worker(TransactionProcessor Processor, WorldState World)
    {
        /// <summary>Versions that the worker writes; free again when the block is done.</summary>
        internal VersionChain<UInt256>.VersionArena Arena { get; } = new();

        internal BloomPlaces Blooms { get; } = new();
    }
}
