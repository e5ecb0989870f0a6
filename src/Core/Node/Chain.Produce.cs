using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Node;

/// <summary>Blocks made here: from a development node's pool, or from a batch that consensus ordered.</summary>
public sealed partial class Chain
{
    public ProducedBlock Build(BlockAttributes attributes, IReadOnlyList<Transaction> candidates)
    {
        lock (_writing)
        {
            var made = Make(attributes, candidates);
            var state = new PreparedState(_state.Latest, made.Transition);
            _state.Discard(made.Transition);
            return made.On(state);
        }
    }

    public Hash256? RootOf(ulong number, BlockState changes)
    {
        lock (_writing)
        {
            if (number == _head.Number)
            {
                return _state.RootOf(changes);
            }

            return _state.At(number) is null ? null : _state.Prepare(changes, _state.OverlayAt(number, [])).Root;
        }
    }

    /// <summary>Transactions from which on a block's roots are worked out on two threads.</summary>
    private const int ParallelRoots = 32;

    public ProducedBlock Produce(BlockAttributes attributes, IReadOnlyList<Transaction> candidates)
    {
        lock (_writing)
        {
            var made = Make(attributes, candidates);
            CommitOnHead(made.Sealed, new ExecutedBlock(made.Transition, made.Receipts));
            return made.On(_state.Latest);
        }
    }

    private MadeBlock Make(BlockAttributes attributes, IReadOnlyList<Transaction> candidates)
    {
        var draft = new BlockDraft(Spec, _head, attributes, candidates, BlockHashes, _state.RootOf);
        return draft.Seal(_processor.Execute(draft.Input, _state.Latest), RootsOf);
    }

    /// <summary>The three roots; those of the lists beside that of the state where there is enough to do.</summary>
    private (StateTransition Transition, Hash256 Transactions, Hash256 Receipts) RootsOf(BlockOutcome outcome)
    {
        if (outcome.Included.Count < ParallelRoots)
        {
            return (_state.Prepare(outcome.State), TransactionsRoot(outcome.Included), ReceiptsRoot(outcome.Receipts));
        }

        var lists = Aside<(Hash256, Hash256)>.Begin(
            () => (TransactionsRoot(outcome.Included), ReceiptsRoot(outcome.Receipts)));
        var transition = _state.Prepare(outcome.State);
        var (transactions, receipts) = lists.Result();
        return (transition, transactions, receipts);
    }
}
