using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Parallel;

/// <summary>A part of a block under Block-STM: executes, validates and commits its transactions for the scheduler.</summary>
internal sealed class ParallelBlock : IBlockStmClient
{
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

    internal ParallelBlock(
        BlockInput input, BlockOutcome outcome, int first, int end, ParallelTransactionRunner.Worker[] workers,
        StateTransactionRecord[] records, ParallelRunnerOptions options)
    {
        _first = first;
        _count = end - first;
        _input = input;
        _outcome = outcome;
        _workers = workers;
        _memory = new StateMemory(new FrozenBlockState(outcome.State));
        _views = [.. workers.Select(
            (worker, i) => new ParallelStateView(_memory, worker.Arena, i, options.Interleaving))];
        _records = records;
        _predecessors = PredecessorsBySender(input.Transactions, first, _count);

        // With a database at a distance every transaction is begun at once, to learn what it needs.
        var isDistant = outcome.State.Parent is IStateLoader;
        var window = isDistant ? _count : options.Workers * BlockStmOptions.WindowPerWorker;
        _scheduler = new BlockStm(
            this, _count, new BlockStmOptions(options.Workers, options.ValidateAhead, window, options.Interleaving));
        _missing = new MissingKeys(outcome.State.Parent as IStateLoader, _scheduler);
    }

    internal BlockStmStatistics Run()
    {
        _scheduler.Run();
        if (_outcome.Error == BlockExecutionError.None)
        {
            TakeOver();
        }

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
        world.Reset(view, _input.Context.Rules);
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

    public bool Validate(int worker, int transaction) => _records[transaction].Revalidate(transaction);

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

    /// <summary>The final values become the block's changes.</summary>
    private void TakeOver()
    {
        foreach (var location in _memory.Accounts)
        {
            if (location.IsTouched)
            {
                TakeOver(location);
            }
        }

        for (var i = 0; i < _count; i++)
        {
            if (_records[i].Outcome.Error == TransactionError.None)
            {
                _outcome.State.AddCode(_records[i].NewCode);
            }
        }
    }

    private void TakeOver(AccountLocation location)
    {
        location.TryResolve(int.MaxValue, AccountPart.Life, out var life);
        location.TryResolve(int.MaxValue, AccountPart.Nonce, out var nonce);
        location.TryResolve(int.MaxValue, AccountPart.Balance, out var balance);
        location.TryResolve(int.MaxValue, AccountPart.CodeHash, out var code);
        var account = new Account(
            nonce.Value.U0, balance.Value, new Hash256(code.Value.ToBigEndian()), Life.HasStorage(life.Value));
        var target = _outcome.State.Adopt(location.Address, location.BaseExists, location.Base);
        target.Replace(Life.Exists(life.Value), account, Life.ClearedBy(life.Value) != 0);
        if (!location.HasSlots)
        {
            return;
        }

        foreach (var slot in location.Slots.Values)
        {
            slot.TryResolve(int.MaxValue, AccountPart.Life, out var value);
            target.ReplaceSlot(slot.Key, slot.Base, value.Value);
        }
    }

    private static int[] PredecessorsBySender(IReadOnlyList<Transaction> transactions, int first, int count)
    {
        var predecessors = new int[count];
        var last = new Dictionary<Address, int>(count);
        for (var i = 0; i < predecessors.Length; i++)
        {
            var sender = transactions[first + i].Sender.GetValueOrDefault();
            predecessors[i] = last.TryGetValue(sender, out var before) ? before : -1;
            last[sender] = i;
        }

        return predecessors;
    }
}
