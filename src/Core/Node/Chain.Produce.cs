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
            var state = new PreparedState(_state.Latest, made.Executed.Transition);
            _state.Discard(made.Executed.Transition);
            return new ProducedBlock(made.Sealed.Block, made.Executed.Receipts, made.LeftOut, state)
            {
                Requests = made.Requests,
            };
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
            CommitOnHead(made.Sealed, made.Executed);
            return new ProducedBlock(made.Sealed.Block, made.Executed.Receipts, made.LeftOut, _state.Latest);
        }
    }

    private Made Make(BlockAttributes attributes, IReadOnlyList<Transaction> candidates)
    {
        var parent = _head;
        if (attributes.Timestamp < parent.Header.Timestamp)
        {
            throw new ArgumentException("A block's timestamp is not below its parent's.", nameof(attributes));
        }

        var rules = Spec.RulesAt(parent.Number + 1, attributes.Timestamp, parent.TotalDifficulty);
        var leftOut = new List<LeftOutTransaction>();
        var (signed, places) = WithSenders(candidates, leftOut);
        var draft = Draft(attributes, parent, rules);
        var input = new BlockInput
        {
            Context = ContextOf(Spec, draft, rules, BlockHashes),
            Transactions = signed,
            ParentHash = parent.Hash,
            ParentBeaconBlockRoot = draft.ParentBeaconBlockRoot,
            Withdrawals = WithdrawalsOf(attributes, rules),
            DepositContract = Spec.DepositContract,
            LeaveOutInvalid = true,
            Edits = attributes.Edits,
            IntermediateRoot = rules.Eip658 ? null : _state.RootOf,
        };
        var outcome = _processor.Execute(input, _state.Latest);
        if (outcome.Error != BlockExecutionError.None)
        {
            throw new InvalidOperationException(
                $"No block can be made on this chain: {outcome.Error}. Its genesis lacks what the fork requires.");
        }

        foreach (var refused in outcome.LeftOut)
        {
            leftOut.Add(refused with { Index = places?[refused.Index] ?? refused.Index });
        }

        leftOut.Sort(static (left, right) => left.Index.CompareTo(right.Index));
        var (transition, transactionsRoot, receiptsRoot) = RootsOf(outcome);
        var header = draft with
        {
            StateRoot = transition.Root,
            TransactionsRoot = transactionsRoot,
            ReceiptsRoot = receiptsRoot,
            LogsBloom = outcome.LogsBloom,
            GasUsed = outcome.GasUsed,
            BlobGasUsed = rules.Eip4844 ? outcome.BlobGasUsed : null,
            RequestsHash = outcome.RequestsHash,
        };
        var block = new Block(header, outcome.Included, [], input.Withdrawals);
        var encoded = BlockCodec.Encode(block);
        var total = parent.TotalDifficulty + header.Difficulty;
        var chainBlock = new ChainBlock(block, HeaderCodec.Hash(header), total, encoded.Length);
        return new Made(
            new SealedBlock(chainBlock, encoded), new ExecutedBlock(transition, outcome.Receipts), leftOut,
            outcome.Requests ?? []);
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

    /// <summary>The header as far as it does not depend on execution.</summary>
    internal static BlockHeader Draft(BlockAttributes attributes, ChainBlock parent, ForkRules rules)
    {
        var before = BaseFee.GasLimitBefore(parent.Header, rules);
        var withdrawals = WithdrawalsOf(attributes, rules);
        return new BlockHeader
        {
            ParentHash = parent.Hash,
            UnclesHash = BlockCodec.EmptyUnclesHash,
            Coinbase = attributes.Coinbase,
            Difficulty = rules.Eip3675
                ? UInt256.Zero
                : Difficulty.After(parent.Header, attributes.Timestamp, rules),
            Number = parent.Number + 1,
            GasLimit = attributes.GasLimit ?? before,
            Timestamp = attributes.Timestamp,
            ExtraData = attributes.ExtraData,
            MixHash = attributes.PrevRandao,
            BaseFeePerGas = rules.Eip1559 ? attributes.BaseFeePerGas ?? BaseFee.After(parent.Header) : null,
            WithdrawalsRoot = withdrawals is null ? null : WithdrawalsRoot(withdrawals),
            ExcessBlobGas = BlobFee.ExcessAfter(parent.Header, rules),
            ParentBeaconBlockRoot = rules.Eip4788 ? attributes.ParentBeaconBlockRoot : null,
        };
    }

    internal static IReadOnlyList<Withdrawal>? WithdrawalsOf(BlockAttributes attributes, ForkRules rules) =>
        rules.Eip4895 ? attributes.Withdrawals ?? [] : null;

    /// <summary>
    /// The candidates that have a sender, with their places among all; without places where that is every one.
    /// </summary>
    internal static (IReadOnlyList<Transaction> Signed, List<int>? Places) WithSenders(
        IReadOnlyList<Transaction> candidates, List<LeftOutTransaction> leftOut)
    {
        if (TransactionSigner.RecoverSenders(candidates, candidates.Count < ParallelRecovery ? 1 : 0))
        {
            return (candidates, null);
        }

        var signed = new List<Transaction>(candidates.Count);
        var places = new List<int>(candidates.Count);
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Sender is null)
            {
                leftOut.Add(new LeftOutTransaction(i, candidates[i], TransactionError.InvalidSignature));
            }
            else
            {
                signed.Add(candidates[i]);
                places.Add(i);
            }
        }

        return (signed, places);
    }

    private sealed record Made(
        SealedBlock Sealed, ExecutedBlock Executed, List<LeftOutTransaction> LeftOut, IReadOnlyList<byte[]> Requests);
}
