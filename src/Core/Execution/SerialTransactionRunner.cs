using SuperVm.Core.Ledger;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution;

/// <summary>One transaction after another, on one thread. One block at a time.</summary>
public sealed class SerialTransactionRunner(IExecutionEngine engine) : ITransactionRunner
{
    private readonly TransactionProcessor _processor = new(engine);
    private readonly WorldState _world = new();
    private readonly StateChanges _changes = new();
    private readonly BloomPlaces _blooms = new();

    public void Run(BlockInput input, BlockOutcome outcome) => Run(input, outcome, 0, input.Transactions.Count);

    /// <summary>Runs a part of the block: the transactions from the first to before the end.</summary>
    internal void Run(BlockInput input, BlockOutcome outcome, int first, int end)
    {
        var context = input.Context;
        for (var i = first; i < end; i++)
        {
            var transaction = input.Transactions[i];
            var result = BlobsFit(input, outcome, transaction)
                ? Execute(input, outcome, transaction, context.GasLimit - outcome.GasUsed)
                : new TransactionOutcome { Error = TransactionError.BlobGasExceedsBlock };
            if (result.Error == TransactionError.None)
            {
                _world.CollectChanges(_changes);
                outcome.State.Apply(_changes);
                var logs = _world.TakeLogs();
                outcome.Include(input, transaction, result, logs, _blooms.Of(logs));
                continue;
            }

            outcome.LeftOut.Add(new LeftOutTransaction(i, transaction, result.Error));
            if (!input.LeaveOutInvalid)
            {
                outcome.Error = result.Error == TransactionError.BlobGasExceedsBlock
                    ? BlockExecutionError.BlobGasExceeded
                    : BlockExecutionError.InvalidTransaction;
                return;
            }
        }
    }

    private static bool BlobsFit(BlockInput input, BlockOutcome outcome, Transaction transaction)
    {
        if (transaction.BlobGas == 0)
        {
            return true;
        }

        var limit = (input.Context.Rules.Blobs?.Max ?? 0) * BlobSchedule.GasPerBlob;
        return outcome.BlobGasUsed + transaction.BlobGas <= limit;
    }

    private TransactionOutcome Execute(
        BlockInput input, BlockOutcome outcome, Transaction transaction, ulong gasAvailable)
    {
        while (true)
        {
            _world.Reset(outcome.State, input.Context.Rules);
            var result = _processor.Execute(
                transaction, input.Context, _world, gasAvailable, input.TransactionOptions);
            if (!result.IsSuspended)
            {
                return result;
            }

            StateLoading.Load(outcome.State.Parent, _world);
        }
    }
}

/// <summary>Fetches what a suspended execution missed.</summary>
internal static class StateLoading
{
    internal static void Load(IStateReader reader, WorldState world)
    {
        if (reader is not IStateLoader loader || world.Missing.Count == 0)
        {
            throw new InvalidOperationException("A state reader answered NotLoaded but cannot load.");
        }

        loader.Load(world.Missing);
    }
}
