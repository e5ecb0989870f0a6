using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Node;

/// <summary>
/// A block that is being made on a parent: what it is to execute, and, from what that gives, the sealed block. Every
/// chain makes its blocks so; how a block is executed and where its state lies is the chain's.
/// </summary>
internal sealed class BlockDraft
{
    private readonly ChainBlock _parent;
    private readonly ForkRules _rules;
    private readonly BlockHeader _header;
    private readonly List<int>? _places;
    private readonly List<LeftOutTransaction> _leftOut = [];

    /// <param name="spec">The chain's rules.</param>
    /// <param name="parent">The block below.</param>
    /// <param name="attributes">What the block cannot derive.</param>
    /// <param name="candidates">What is to be in it, in this order.</param>
    /// <param name="hashes">For BLOCKHASH.</param>
    /// <param name="rootOf">The root of a state in between, for receipts before Byzantium.</param>
    /// <exception cref="ArgumentException">The timestamp is below the parent's.</exception>
    internal BlockDraft(
        ChainSpec spec, ChainBlock parent, BlockAttributes attributes, IReadOnlyList<Transaction> candidates,
        IBlockHashSource hashes, Func<BlockState, Hash256> rootOf)
    {
        if (attributes.Timestamp < parent.Header.Timestamp)
        {
            throw new ArgumentException("A block's timestamp is not below its parent's.", nameof(attributes));
        }

        _parent = parent;
        _rules = spec.RulesAt(parent.Number + 1, attributes.Timestamp, parent.TotalDifficulty);
        var withdrawals = _rules.Eip4895 ? attributes.Withdrawals ?? [] : null;
        _header = HeaderOf(attributes, withdrawals);
        (var signed, _places) = WithSenders(candidates);
        Input = new BlockInput
        {
            Context = BlockContext.Of(_rules, spec.ChainId, _header, hashes),
            Transactions = signed,
            ParentHash = parent.Hash,
            ParentBeaconBlockRoot = _header.ParentBeaconBlockRoot,
            Withdrawals = withdrawals,
            DepositContract = spec.DepositContract,
            LeaveOutInvalid = true,
            Edits = attributes.Edits,
            IntermediateRoot = _rules.Eip658 ? null : rootOf,
        };
    }

    /// <summary>What is to be executed.</summary>
    internal BlockInput Input { get; }

    /// <summary>The block that executing gives.</summary>
    /// <param name="outcome">What executing <see cref="Input"/> gave.</param>
    /// <param name="rootsOf">The state's transition, the roots of the transactions and of the receipts.</param>
    /// <exception cref="InvalidOperationException">The genesis lacks a system contract of the fork.</exception>
    internal MadeBlock Seal(
        BlockOutcome outcome,
        Func<BlockOutcome, (StateTransition State, Hash256 Transactions, Hash256 Receipts)> rootsOf)
    {
        if (outcome.Error != BlockExecutionError.None)
        {
            throw new InvalidOperationException(
                $"No block can be made on this chain: {outcome.Error}. Its genesis lacks what the fork requires.");
        }

        foreach (var refused in outcome.LeftOut)
        {
            _leftOut.Add(refused with { Index = _places?[refused.Index] ?? refused.Index });
        }

        _leftOut.Sort(static (left, right) => left.Index.CompareTo(right.Index));
        var roots = rootsOf(outcome);
        var header = _header with
        {
            StateRoot = roots.State.Root,
            TransactionsRoot = roots.Transactions,
            ReceiptsRoot = roots.Receipts,
            LogsBloom = outcome.LogsBloom,
            GasUsed = outcome.GasUsed,
            BlobGasUsed = _rules.Eip4844 ? outcome.BlobGasUsed : null,
            RequestsHash = outcome.RequestsHash,
        };
        var block = new Block(header, outcome.Included, [], Input.Withdrawals);
        var encoded = BlockCodec.Encode(block);
        var total = _parent.TotalDifficulty + header.Difficulty;
        var sealedBlock = new SealedBlock(
            new ChainBlock(block, HeaderCodec.Hash(header), total, encoded.Length), encoded);
        return new MadeBlock(sealedBlock, roots.State, outcome.Receipts, _leftOut, outcome.Requests ?? []);
    }

    /// <summary>The header as far as it does not depend on execution.</summary>
    private BlockHeader HeaderOf(BlockAttributes attributes, IReadOnlyList<Withdrawal>? withdrawals) => new()
    {
        ParentHash = _parent.Hash,
        UnclesHash = BlockCodec.EmptyUnclesHash,
        Coinbase = attributes.Coinbase,
        Difficulty = _rules.Eip3675
            ? UInt256.Zero
            : Difficulty.After(_parent.Header, attributes.Timestamp, _rules),
        Number = _parent.Number + 1,
        GasLimit = attributes.GasLimit ?? BaseFee.GasLimitBefore(_parent.Header, _rules),
        Timestamp = attributes.Timestamp,
        ExtraData = attributes.ExtraData,
        MixHash = attributes.PrevRandao,
        BaseFeePerGas = _rules.Eip1559 ? attributes.BaseFeePerGas ?? BaseFee.After(_parent.Header) : null,
        WithdrawalsRoot = withdrawals is null ? null : Chain.WithdrawalsRoot(withdrawals),
        ExcessBlobGas = BlobFee.ExcessAfter(_parent.Header, _rules),
        ParentBeaconBlockRoot = _rules.Eip4788 ? attributes.ParentBeaconBlockRoot : null,
    };

    /// <summary>
    /// The candidates that have a sender, with their places among all; without places where that is every one.
    /// </summary>
    private (IReadOnlyList<Transaction> Signed, List<int>? Places) WithSenders(IReadOnlyList<Transaction> candidates)
    {
        if (TransactionSigner.RecoverSenders(candidates))
        {
            return (candidates, null);
        }

        var signed = new List<Transaction>(candidates.Count);
        var places = new List<int>(candidates.Count);
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Sender is null)
            {
                _leftOut.Add(new LeftOutTransaction(i, candidates[i], TransactionError.InvalidSignature));
            }
            else
            {
                signed.Add(candidates[i]);
                places.Add(i);
            }
        }

        return (signed, places);
    }
}

/// <summary>A block with what executing it gave; nothing of it is written.</summary>
/// <param name="Sealed">The block.</param>
/// <param name="Transition">What it does to the state.</param>
/// <param name="Receipts">One a transaction.</param>
/// <param name="LeftOut">Candidates that are not in it, in the candidates' order.</param>
/// <param name="Requests">Those of EIP-7685, each with its type in front.</param>
internal sealed record MadeBlock(
    SealedBlock Sealed,
    StateTransition Transition,
    IReadOnlyList<Receipt> Receipts,
    IReadOnlyList<LeftOutTransaction> LeftOut,
    IReadOnlyList<byte[]> Requests)
{
    /// <param name="state">The state after it.</param>
    internal ProducedBlock On(IStateReader state) =>
        new(Sealed.Block, Receipts, LeftOut, state) { Requests = Requests };
}
