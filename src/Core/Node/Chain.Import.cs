using SuperVm.Core.Encoding;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.Node;

/// <summary>Validation, execution and fork choice of blocks from outside.</summary>
public sealed partial class Chain
{
    public ImportResult Import(Block block)
    {
        lock (_writing)
        {
            var encoded = BlockCodec.Encode(block);
            var hash = HeaderCodec.Hash(block.Header);
            if (GetBlock(hash) is not null)
            {
                return ImportKnown(hash);
            }

            var result = ImportNew(block, encoded, hash);
            if (result.Accepted)
            {
                ImportOrphansOf(hash);
            }

            return result;
        }
    }

    private ImportResult ImportNew(Block block, byte[] encoded, in Hash256 hash)
    {
        if (GetBlock(block.Header.ParentHash) is not { } parent || PathTo(parent) is not { } path)
        {
            KeepOrphan(block, encoded.Length);
            return new ImportResult(
                ImportStatus.UnknownParent, null, $"The parent {block.Header.ParentHash} is unknown.");
        }

        var rules = Spec.RulesAt(block.Header.Number, block.Header.Timestamp, parent.TotalDifficulty);
        if (CheckWithoutState(Spec, block, encoded.Length, parent, rules, hash => GetBlock(hash)?.Block) is { } refusal)
        {
            return refusal;
        }

        if (path.Ancestor < _state.OldestNumber)
        {
            return Refused(
                BlockImportRule.ParentStatePruned, $"The oldest state kept is of block {_state.OldestNumber}.");
        }

        var total = parent.TotalDifficulty + block.Header.Difficulty;
        var sealedBlock = new SealedBlock(new ChainBlock(block, hash, total, encoded.Length), encoded);
        if (Execute(sealedBlock, parent, path, rules, out var executed) is { } failure)
        {
            return failure;
        }

        if (parent.Hash == _head.Hash && Wins(total, rules))
        {
            CommitOnHead(sealedBlock, executed!);
            return new ImportResult(ImportStatus.Head);
        }

        if (executed!.Transition.Update is not null)
        {
            // Prepared on the head, but it is not to be the head (an easier block of equal height never is).
            _state.Discard(executed.Transition);
        }

        var side = new SideBlock(sealedBlock, rules) { Executed = executed };
        KeepSide(side);
        if (!Wins(total, rules))
        {
            return new ImportResult(ImportStatus.SideChain);
        }

        SwitchTo(side);
        return new ImportResult(ImportStatus.Head);
    }

    /// <summary>
    /// A block that was valid before: after the merge the last valid block is the head, be it an old one.
    /// </summary>
    private ImportResult ImportKnown(in Hash256 hash)
    {
        if (_side.TryGetValue(hash, out var side) && IsMerged(side.Sealed.Block.TotalDifficulty, side.Rules)
            && PathTo(side.Sealed.Block) is not null)
        {
            SwitchTo(side);
        }

        return new ImportResult(ImportStatus.AlreadyKnown);
    }

    private bool Wins(in UInt256 totalDifficulty, ForkRules rules) =>
        IsMerged(totalDifficulty, rules) || totalDifficulty > _head.TotalDifficulty;

    private bool IsMerged(in UInt256 totalDifficulty, ForkRules rules) =>
        rules.Eip3675 || (Spec.TerminalTotalDifficulty is { } terminal && totalDifficulty >= terminal);

    internal static ImportResult? CheckWithoutState(
        ChainSpec spec, Block block, int encodedSize, ChainBlock parent, ForkRules rules,
        Func<Hash256, Block?> blockOf)
    {
        var headerError = HeaderValidator.Validate(block.Header, parent.Header, rules, spec);
        if (headerError != HeaderError.None)
        {
            return Refused(headerError);
        }

        var bodyError = BodyValidator.Validate(block, encodedSize, rules);
        if (bodyError == BodyError.None)
        {
            bodyError = BodyValidator.ValidateUncles(block, spec, blockOf);
        }

        if (bodyError != BodyError.None)
        {
            return Refused(bodyError);
        }

        var transactionsRoot = TransactionsRoot(block.Transactions);
        if (transactionsRoot != block.Header.TransactionsRoot)
        {
            return Refused(BlockImportRule.WrongTransactionsRoot, $"The transactions give {transactionsRoot}.");
        }

        if (block.Withdrawals is { } withdrawals && WithdrawalsRoot(withdrawals) != block.Header.WithdrawalsRoot)
        {
            return Refused(BlockImportRule.WrongWithdrawalsRoot);
        }

        return TransactionSigner.RecoverSenders(block.Transactions)
            ? null
            : Refused(TransactionError.InvalidSignature);
    }

    /// <summary>Runs the block on its parent's state; answers the refusal, or null and what came of it.</summary>
    private ImportResult? Execute(
        SealedBlock sealedBlock, ChainBlock parent, SidePath path, ForkRules rules, out ExecutedBlock? executed)
    {
        executed = null;
        var (block, header) = (sealedBlock.Block.Block, sealedBlock.Block.Header);
        var overlay = parent.Hash == _head.Hash ? null : OverlayOf(path);
        Func<BlockState, Hash256> rootOf = overlay is null
            ? _state.RootOf
            : state => _state.Prepare(state, overlay).Root;
        var outcome = _processor.Execute(
            InputOf(Spec, block, rules, HashesOn(path), rootOf), overlay ?? _state.Latest);
        if ((RefusalOf(outcome) ?? CheckOutcome(header, outcome)) is { } refusal)
        {
            return refusal;
        }

        var transition = overlay is null ? _state.Prepare(outcome.State) : _state.Prepare(outcome.State, overlay);
        if (transition.Root != header.StateRoot)
        {
            _state.Discard(transition);
            return WrongRoot(header, transition.Root);
        }

        executed = new ExecutedBlock(transition, outcome.Receipts);
        return null;
    }

    /// <summary>What is to be executed of a block whose header is there already.</summary>
    /// <param name="spec">The chain's rules.</param>
    /// <param name="block">With senders.</param>
    /// <param name="rules">Those at the block.</param>
    /// <param name="hashes">For BLOCKHASH.</param>
    /// <param name="rootOf">
    /// The root of a state in between, for receipts before Byzantium; null where there are none.
    /// </param>
    internal static BlockInput InputOf(
        ChainSpec spec, Block block, ForkRules rules, IBlockHashSource hashes, Func<BlockState, Hash256>? rootOf) =>
        new()
        {
            Context = BlockContext.Of(rules, spec.ChainId, block.Header, hashes),
            Transactions = block.Transactions,
            ParentHash = block.Header.ParentHash,
            ParentBeaconBlockRoot = block.Header.ParentBeaconBlockRoot,
            Withdrawals = block.Withdrawals,
            Uncles = block.Uncles,
            DepositContract = spec.DepositContract,
            IsDaoFork = spec.DaoForkBlock == block.Header.Number,
            IntermediateRoot = rules.Eip658 ? null : rootOf,
        };

    /// <summary>Why execution broke off; null where it did not.</summary>
    internal static ImportResult? RefusalOf(BlockOutcome outcome) => outcome.Error switch
    {
        BlockExecutionError.None => null,
        BlockExecutionError.InvalidTransaction when outcome.LeftOut.Count > 0 =>
            Refused(outcome.LeftOut[0].Error, $"Transaction {outcome.LeftOut[0].Index} is invalid."),
        var error => Refused(error),
    };

    internal static ImportResult WrongRoot(BlockHeader header, in Hash256 actual) =>
        Refused(BlockImportRule.WrongStateRoot, $"The header has {header.StateRoot}, not {actual}.");

    internal static ImportResult? CheckOutcome(BlockHeader header, BlockOutcome outcome)
    {
        if (outcome.GasUsed != header.GasUsed)
        {
            return Refused(BlockImportRule.WrongGasUsed, $"The header has {header.GasUsed}, not {outcome.GasUsed}.");
        }

        if (header.BlobGasUsed is { } blobGas && blobGas != outcome.BlobGasUsed)
        {
            return Refused(BlockImportRule.WrongBlobGasUsed);
        }

        if (!outcome.LogsBloom.Equals(header.LogsBloom))
        {
            return Refused(BlockImportRule.WrongLogsBloom);
        }

        if (header.RequestsHash != outcome.RequestsHash)
        {
            return Refused(BlockImportRule.WrongRequestsHash);
        }

        var receiptsRoot = ReceiptsRoot(outcome.Receipts);
        return receiptsRoot == header.ReceiptsRoot
            ? null
            : Refused(BlockImportRule.WrongReceiptsRoot, $"The header has {header.ReceiptsRoot}, not {receiptsRoot}.");
    }

    private void CommitOnHead(SealedBlock sealedBlock, ExecutedBlock executed)
    {
        Commit(sealedBlock, executed);
        HeadChanged?.Invoke(new HeadChange([], [new AddedBlock(sealedBlock.Block, executed.Receipts)]));
    }

    private void Commit(SealedBlock sealedBlock, ExecutedBlock executed)
    {
        using var batch = _store.CreateBatch();
        ChainRecords.Write(batch, sealedBlock, executed.Receipts);
        var old = _head;
        _state.Commit(executed.Transition, batch, _options.SyncWrites);
        _blocks.Set(old.Number, old, old.Size + BlockOverhead);
        _receipts.Set(sealedBlock.Block.Number, executed.Receipts, CostOf(executed.Receipts));
        _head = sealedBlock.Block;
    }

    /// <summary>The root of a block's transactions (Yellow Paper, 4.3.2).</summary>
    public static Hash256 TransactionsRoot(IReadOnlyList<Transaction> transactions) =>
        OrderedTrieRoot.Of(transactions, static (item, writer) => writer.WriteRaw(TransactionCodec.Encode(item)));

    /// <summary>The root of a block's receipts.</summary>
    public static Hash256 ReceiptsRoot(IReadOnlyList<Receipt> receipts) =>
        OrderedTrieRoot.Of(receipts, static (item, writer) => writer.WriteRaw(ReceiptCodec.Encode(item)));

    /// <summary>The root of a block's withdrawals (EIP-4895).</summary>
    public static Hash256 WithdrawalsRoot(IReadOnlyList<Withdrawal> withdrawals) =>
        OrderedTrieRoot.Of(withdrawals, static (item, writer) => writer.WriteRaw(BlockCodec.Encode(item)));

    internal static ImportResult Refused<TRule>(TRule rule, string? detail = null)
        where TRule : struct, Enum => new(ImportStatus.Invalid, rule.ToString(), detail);
}

/// <summary>What executing a block gave.</summary>
internal sealed record ExecutedBlock(StateTransition Transition, IReadOnlyList<Receipt> Receipts);
