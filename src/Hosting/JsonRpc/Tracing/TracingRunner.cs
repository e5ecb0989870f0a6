using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.State;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>Executes a block's transactions again, some of them watched.</summary>
/// <param name="engine">Its tracer is set and taken back.</param>
/// <param name="only">The place of the one that is watched; null for all.</param>
/// <param name="create">Makes a tracer for a transaction.</param>
internal sealed class TracingRunner(EvmEngine engine, int? only, Func<ITransactionTracer> create) : ITransactionRunner
{
    private readonly TransactionProcessor _processor = new(engine);
    private readonly WorldState _world = new();
    private readonly StateChanges _changes = new();

    /// <summary>The transactions that were watched.</summary>
    internal List<(Transaction Transaction, ITransactionTracer Tracer, TracedOutcome Outcome)> Traces { get; } = [];

    /// <summary>An execution was stopped, or what is kept became too large.</summary>
    internal bool IsBrokenOff { get; private set; }

    public void Run(BlockInput input, BlockOutcome outcome)
    {
        var count = only is { } one ? one + 1 : input.Transactions.Count;
        for (var i = 0; i < count && !IsBrokenOff; i++)
        {
            RunOne(input, outcome, input.Transactions[i], only is null || i == only);
        }

        engine.Tracer = null;
    }

    private void RunOne(BlockInput input, BlockOutcome outcome, Transaction transaction, bool isWatched)
    {
        var tracer = isWatched ? create() : null;
        engine.Tracer = tracer;
        _world.Reset(outcome.State, input.Context.Rules);
        var result = _processor.Execute(
            transaction, input.Context, _world, input.Context.GasLimit - outcome.GasUsed,
            ProcessingOptions.SkipStatelessChecks);
        if (result.IsSuspended || result.Error != TransactionError.None)
        {
            IsBrokenOff = true;
            return;
        }

        var traced = TracedOutcome.Of(result.Status, result.GasUsed, result.Output);
        _world.CollectChanges(_changes);
        tracer?.OnExecuted(transaction, input.Context, outcome.State);
        outcome.State.Apply(_changes);
        tracer?.OnApplied(outcome.State);
        outcome.Include(input, transaction, result, [], Bloom.Empty);
        if (tracer is not null)
        {
            Traces.Add((transaction, tracer, traced));
            IsBrokenOff = tracer.IsTooLarge;
        }
    }
}
