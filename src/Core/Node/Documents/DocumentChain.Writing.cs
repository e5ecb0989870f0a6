using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>Blocks made here, out of ordered batches; and blocks from elsewhere that follow the head.</summary>
public sealed partial class DocumentChain
{
    /// <summary>Tries of one block after others moved the head.</summary>
    private const int MostAttempts = 4;

    /// <summary>
    /// Makes the block with the number out of candidates, in their order and without those that are invalid at their
    /// turn; where it is there already, answers it. May be called any number of times, from any number of processes.
    /// </summary>
    /// <param name="number">The block's.</param>
    /// <param name="attributes">What execution does not say.</param>
    /// <param name="candidates">In order.</param>
    /// <param name="beforeHead">
    /// Called when the block is executed and nobody sees it yet, perhaps again with equal content: what it writes is
    /// there when the block is. It must not call members that write, refresh or build.
    /// </param>
    /// <param name="cancellation">Ends early; a reader sees nothing of it.</param>
    /// <exception cref="StoreException">
    /// A service failed; what was written is not seen by anybody, or is the whole block: call again.
    /// </exception>
    public Task<ProduceResult> ProduceAsync(
        ulong number,
        BlockAttributes attributes,
        IReadOnlyList<Transaction> candidates,
        Func<ProducedBlock, CancellationToken, Task>? beforeHead = null,
        CancellationToken cancellation = default)
        => AloneAsync(async () =>
        {
            for (var attempt = 0; attempt < MostAttempts; attempt++)
            {
                if (number > _view.Block.Number + 1)
                {
                    await RefreshNowAsync(cancellation);
                }

                if (number <= _view.Block.Number)
                {
                    return new ProduceResult(ProduceStatus.AlreadyThere, GetBlock(number), null);
                }

                if (number > _view.Block.Number + 1)
                {
                    return new ProduceResult(ProduceStatus.Gap, null, null);
                }

                var work = await TryAsync(() => MakeAsync(attributes, candidates, cancellation), cancellation);
                if (work is not null && beforeHead is not null)
                {
                    var made = work;
                    work = await TryAsync(
                        async () =>
                        {
                            var state = new PreparedState(ReaderAt(made.Parent.Number), made.Made.Transition);
                            await beforeHead(made.Made.On(state), cancellation);
                            return made;
                        },
                        cancellation);
                }

                if (work is not null && await CommitAsync(work, cancellation))
                {
                    return new ProduceResult(
                        ProduceStatus.Made, work.Made.Sealed.Block, work.Made.On(ReaderAt(number)));
                }
            }

            return new ProduceResult(ProduceStatus.HeadMoved, null, null);
        });

    /// <summary>As <see cref="ProduceAsync"/> on top of the head, whatever its number.</summary>
    public ProducedBlock Produce(BlockAttributes attributes, IReadOnlyList<Transaction> candidates) =>
        Wait(ProduceAsync(_view.Block.Number + 1, attributes, candidates)).Made
        ?? throw new StoreException("Another executor moved the head.");

    public ProducedBlock Build(BlockAttributes attributes, IReadOnlyList<Transaction> candidates) =>
        Wait(AloneAsync(async () =>
        {
            for (var attempt = 0; attempt < MostAttempts; attempt++)
            {
                if (await TryAsync(() => MakeAsync(attributes, candidates, default), default) is { } work)
                {
                    var state = new PreparedState(ReaderAt(work.Parent.Number), work.Made.Transition);
                    work.Tries.Recycle(work.Made.Transition.Update!);
                    return work.Made.On(state);
                }
            }

            throw new StoreException("The head moves faster than a block can be built on it.");
        }));

    /// <summary>Validates and executes a block that follows the head; there are no side chains here.</summary>
    public ImportResult Import(Block block) => Wait(AloneAsync(() => ImportAsync(block)));

    /// <summary>Blocks are final here.</summary>
    /// <exception cref="NotSupportedException">The number is below the head's.</exception>
    public RewindStatus Rewind(ulong number) => number == _view.Block.Number ? RewindStatus.Done
        : number > _view.Block.Number ? RewindStatus.UnknownBlock
        : throw new NotSupportedException("A chain over documents does not go back: its blocks are final.");

    private async Task<ImportResult> ImportAsync(Block block)
    {
        var encoded = BlockCodec.Encode(block);
        var hash = HeaderCodec.Hash(block.Header);
        var parent = _view.Block;
        if (block.Header.Number <= parent.Number && GetBlock(block.Header.Number) is { } known && known.Hash == hash)
        {
            return new ImportResult(ImportStatus.AlreadyKnown);
        }

        if (block.Header.ParentHash != parent.Hash)
        {
            return new ImportResult(
                ImportStatus.UnknownParent, null, $"The parent {block.Header.ParentHash} is not the head.");
        }

        var rules = Spec.RulesAt(block.Header.Number, block.Header.Timestamp, parent.TotalDifficulty);
        if (Chain.CheckWithoutState(Spec, block, encoded.Length, parent, rules, wanted => GetBlock(wanted)?.Block)
            is { } refusal)
        {
            return refusal;
        }

        var execution = Begin(parent);
        var input = Chain.InputOf(Spec, block, rules, BlockHashes, execution.RootOf);
        var outcome = await ExecuteAsync(execution, input, default);
        if ((Chain.RefusalOf(outcome) ?? Chain.CheckOutcome(block.Header, outcome)) is { } wrong)
        {
            return wrong;
        }

        var transition = execution.Prepare(outcome.State);
        if (transition.Root != block.Header.StateRoot)
        {
            return Chain.WrongRoot(block.Header, transition.Root);
        }

        var total = parent.TotalDifficulty + block.Header.Difficulty;
        var sealedBlock = new SealedBlock(new ChainBlock(block, hash, total, encoded.Length), encoded);
        var work = new Work(
            parent, execution.Reader, execution.Tries,
            new MadeBlock(sealedBlock, transition, outcome.Receipts, LeftOut: [], outcome.Requests ?? []));
        return await CommitAsync(work, default)
            ? new ImportResult(ImportStatus.Head)
            : new ImportResult(ImportStatus.UnknownParent, null, "Another executor moved the head.");
    }

    private async Task<Work> MakeAsync(
        BlockAttributes attributes, IReadOnlyList<Transaction> candidates, CancellationToken cancellation)
    {
        var parent = _view.Block;
        var execution = Begin(parent);
        var draft = new BlockDraft(Spec, parent, attributes, candidates, BlockHashes, execution.RootOf);
        var made = draft.Seal(
            await ExecuteAsync(execution, draft.Input, cancellation),
            outcome => (
                execution.Prepare(outcome.State),
                Chain.TransactionsRoot(outcome.Included),
                Chain.ReceiptsRoot(outcome.Receipts)));
        return new Work(parent, execution.Reader, execution.Tries, made);
    }

    private Execution Begin(ChainBlock parent)
    {
        var pages = Pages;
        var reader = new PagedStateReader(pages, parent.Number, pinned: []);
        var tries = new StateTries(new PagedTrieNodes(pages, reader), _options.State.ParallelChanges);
        return new Execution(reader, tries, new DocumentExecutionState(reader, pages), parent.Header.StateRoot);
    }

    private async Task<BlockOutcome> ExecuteAsync(
        Execution execution, BlockInput input, CancellationToken cancellation)
    {
        await execution.State.PrefetchAsync(input.Context.Coinbase, input.Transactions, cancellation);
        return Processor.Execute(input, execution.State);
    }

    /// <summary>Does work on the head; null, after a look at the head, where that turns out to be an old one.</summary>
    private async Task<Work?> TryAsync(Func<Task<Work>> work, CancellationToken cancellation)
    {
        try
        {
            return await work();
        }
        catch (StaleHeadException stale)
        {
            if (!await RefreshNowAsync(cancellation))
            {
                throw new StoreException($"The store is damaged: {stale.Message}", stale);
            }

            return null;
        }
    }

    private async Task<T> AloneAsync<T>(Func<Task<T>> work)
    {
        await _gate.WaitAsync();
        try
        {
            return await work();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>What executing a block on the head takes.</summary>
    private sealed record Execution(
        PagedStateReader Reader, StateTries Tries, DocumentExecutionState State, Hash256 ParentRoot)
    {
        internal StateTransition Prepare(BlockState state) => StateTransition.Of(state, Reader, Tries, ParentRoot);

        internal Hash256 RootOf(BlockState state)
        {
            var transition = Prepare(state);
            Tries.Recycle(transition.Update!);
            return transition.Root;
        }
    }

    /// <summary>An executed block, with what writing it takes; nothing of it is written.</summary>
    private sealed record Work(ChainBlock Parent, PagedStateReader Reader, StateTries Tries, MadeBlock Made);
}
