using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>A part of a block under Block-STM: what the scheduler has executed, validated and committed.</summary>
internal sealed class ParallelBlock : IBlockStmClient
{
    /// <summary>How many of the memory's buckets a worker takes over at a time.</summary>
    private const int BucketsAtATime = 64;

    private readonly BlockInput _input;
    private readonly BlockOutcome _outcome;
    private readonly int _first;
    private readonly int _count;
    private readonly ParallelTransactionRunner.Worker[] _workers;
    private readonly ParallelStateView[] _views;
    private readonly StateTransactionRecord[] _records;
    private readonly int[] _predecessors;
    private readonly StateMemory _memory;
    private readonly MissingKeys _missing;
    private readonly BlockStm _scheduler;
    private readonly List<BlockAccount>?[] _taken;
    private int _nextBucket;

    internal ParallelBlock(
        BlockInput input, BlockOutcome outcome, int first, int end, ParallelTransactionRunner.Worker[] workers,
        StateMemory memory, int[] predecessors, StateTransactionRecord[] records, ParallelRunnerOptions options)
    {
        _first = first;
        _count = end - first;
        _input = input;
        _outcome = outcome;
        _workers = workers;
        _memory = memory;
        _memory.Begin(new FrozenBlockState(outcome.State), _count);
        _memory.DeferFees(input.Context.Coinbase, records, _count);
        _views = [.. workers.Select(
            (worker, i) => new ParallelStateView(_memory, worker.Arena, i, options.Interleaving))];
        _taken = new List<BlockAccount>[workers.Length];
        _records = records;
        _predecessors = predecessors;

        // With a database at a distance every transaction is begun at once, to learn what it needs.
        var isDistant = outcome.State.Parent is IStateLoader;
        var window = isDistant ? _count : options.Workers * BlockStmOptions.WindowPerWorker;
        _scheduler = new BlockStm(
            this, _count, new BlockStmOptions(
                options.Workers, options.ValidateAhead, window, isDistant ? 1 : options.Batch,
                MayGiveUp: !isDistant && options.SerialBelow > 0, Interleaving: options.Interleaving));
        _missing = new MissingKeys(outcome.State.Parent as IStateLoader, _scheduler);
    }

    /// <summary>How many transactions are done: all, or so many that the rest had better run serially.</summary>
    internal int Done => _scheduler.Committed;

    internal BlockStmStatistics Run()
    {
        _scheduler.Run();
        if (_scheduler.Statistics.GaveUp)
        {
            Conclude(0);
        }

        if (_outcome.Error == BlockExecutionError.None)
        {
            AdoptTaken();
        }

        _memory.End();

        foreach (var worker in _workers)
        {
            worker.Arena.Reset();
        }

        return _scheduler.Statistics;
    }

    public int KnownDependency(int transaction) => _predecessors[transaction];

    public ExecutionStep Execute(int worker, int transaction)
    {
        var (view, world) = (_views[worker], _workers[worker].World);
        view.Begin(transaction);
        world.Reset(view, _input.Context.Rules, view.DefersFees);
        var result = _workers[worker].Processor.Execute(
            _input.Transactions[_first + transaction], _input.Context, world, _input.Context.GasLimit,
            _input.TransactionOptions);
        if (result.IsSuspended)
        {
            return view.BlockedOn >= 0
                ? new ExecutionStep(ExecutionStepKind.Blocked, view.BlockedOn)
                : new ExecutionStep(ExecutionStepKind.Suspended);
        }

        var record = _records[transaction];
        var executed = result.Error == TransactionError.None;
        view.Publish(record, world, withChanges: executed);
        record.Outcome = result;
        record.Logs = executed ? world.TakeLogs() : [];
        record.Bloom = _workers[worker].Blooms.Of(record.Logs);
        return ExecutionStep.Done;
    }

    public bool Validate(int worker, int transaction)
    {
        var record = _records[transaction];
        return record.Revalidate(transaction) && MayDefer(record);
    }

    /// <summary>A fee recipient that comes to an end or into being must be paid in order after all.</summary>
    private bool MayDefer(StateTransactionRecord record) =>
        _memory.FeeRecipient is not { LifeChain.IsEmpty: false } || record.Fee.Read().IsZero;

    public void MarkEstimates(int transaction) => _records[transaction].MarkEstimates();

    public bool Commit(int worker, int transaction)
    {
        var record = _records[transaction];
        var subject = _input.Transactions[_first + transaction];
        var error = CheckRoom(subject, record.Outcome.Error);
        if (error == TransactionError.None)
        {
            record.Finish(transaction);
            _outcome.Include(_input, subject, record.Outcome, record.Logs, record.Bloom);
            return true;
        }

        record.Withdraw();
        _outcome.LeftOut.Add(new LeftOutTransaction(_first + transaction, subject, error));
        if (!_input.LeaveOutInvalid)
        {
            _outcome.Error = error == TransactionError.BlobGasExceedsBlock
                ? BlockExecutionError.BlobGasExceeded
                : BlockExecutionError.InvalidTransaction;
        }

        return _input.LeaveOutInvalid;
    }

    public void AwaitLoad(int worker, int transaction) =>
        _missing.Add(transaction, _workers[worker].World.Missing);

    public bool TryLoad(int worker) => _missing.TryLoad();

    /// <summary>What depends on the transactions before it and not on state: room for gas and blobs.</summary>
    private TransactionError CheckRoom(Transaction transaction, TransactionError error)
    {
        var blobLimit = (_input.Context.Rules.Blobs?.Max ?? 0) * BlobSchedule.GasPerBlob;
        if (transaction.BlobGas > 0 && _outcome.BlobGasUsed + transaction.BlobGas > blobLimit)
        {
            return TransactionError.BlobGasExceedsBlock;
        }

        var hasRoom = transaction.GasLimit <= _input.Context.GasLimit - _outcome.GasUsed;
        return hasRoom || IsStateless(error) ? error : TransactionError.GasLimitExceedsBlock;
    }

    /// <summary>Errors that the serial runner finds before it looks at the room in the block.</summary>
    private static bool IsStateless(TransactionError error) =>
        error is > TransactionError.None and < TransactionError.FeeCapBelowBaseFee;

    /// <summary>Makes the final values ready to become the block's changes; the workers share the accounts.</summary>
    public void Conclude(int worker)
    {
        var taken = _taken[worker] = [];
        while (true)
        {
            var end = Interlocked.Add(ref _nextBucket, BucketsAtATime);
            if (end - BucketsAtATime >= _memory.AccountBuckets)
            {
                return;
            }

            for (var bucket = end - BucketsAtATime; bucket < end; bucket++)
            {
                for (var location = _memory.AccountsIn(bucket); location is not null; location = location.Next)
                {
                    if ((!location.IsPristine || location.Slots is not null) && TakeOver(location) is { } account)
                    {
                        taken.Add(account);
                    }
                }
            }
        }
    }

    private void AdoptTaken()
    {
        _outcome.State.Expect(_taken.Sum(taken => taken?.Count ?? 0));
        foreach (var taken in _taken)
        {
            _outcome.State.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(taken));
        }

        for (var i = 0; i < _scheduler.Committed; i++)
        {
            if (_records[i].NewCode.Count > 0 && _records[i].Outcome.Error == TransactionError.None)
            {
                _outcome.State.AddCode(_records[i].NewCode);
            }
        }
    }

    /// <summary>Gives the account its final values; answers it where the block had not known it.</summary>
    private BlockAccount? TakeOver(AccountLocation location)
    {
        // Where the run ended early, what stands above the last commit does not count.
        var end = _scheduler.Committed;
        var known = _outcome.State.Known(location.Address);
        var target = known ?? new BlockAccount(location.Address, location.BaseExists, location.Base);
        if (!location.IsPristine)
        {
            location.TryResolve(end, AccountPart.Life, out var life);
            location.TryResolve(end, AccountPart.Nonce, out var nonce);
            location.TryResolve(end, AccountPart.Balance, out var balance);
            location.TryResolve(end, AccountPart.CodeHash, out var code);
            var account = new Account(
                nonce.Value.U0, balance.Value,
                System.Runtime.CompilerServices.Unsafe.BitCast<UInt256, Hash256>(code.Value),
                Life.HasStorage(life.Value));
            target.Replace(Life.Exists(life.Value), account, Life.ClearedBy(life.Value) != 0);
        }

        for (var slot = location.Slots; slot is not null; slot = slot.NextOfOwner)
        {
            slot.TryResolve(end, out var value);
            target.ReplaceSlot(slot.Key, slot.Base, value.Value);
        }

        return known is null ? target : null;
    }
}
