using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Node;

/// <summary>A row of blocks, each executing while the roots of the one before it are worked out.</summary>
/// <remarks>
/// <code>
///   this thread    check, senders, execute N ─▶ check, senders, execute N+1  ─▶ check, senders, execute N+2
///   another                                     receipts, trie, root, commit N ─▶ …             commit N+1
/// </code>
/// <para>A header names its parent's hash, so N+1 can begin before N's root is known; it reads N's changes from N's
/// execution (<see cref="PendingState"/>). One block is ahead at a time, as tries grow from tries.</para>
/// <para>A commit is one batch as ever, in order, so a crash leaves whole blocks. Where N turns out to be wrong, what
/// was executed above it is thrown away and nothing of it was written.</para>
/// </remarks>
public sealed partial class Chain
{
    /// <summary>
    /// Imports blocks of which each is the parent of the next; they are refused as by <see cref="Import"/>, and the
    /// first refusal ends it. Others that write wait until it is over; <see cref="HeadChanged"/> comes on this thread.
    /// </summary>
    public SequenceResult ImportSequence(IEnumerable<Block> blocks)
    {
        lock (_writing)
        {
            var accepted = 0;
            PendingBlock? pending = null;
            ImportResult? refusal = null;
            try
            {
                foreach (var block in blocks)
                {
                    // Runs beside the completion of the block before, which is waited for then.
                    var next = Begin(block, pending, out refusal);
                    refusal = Settle(ref pending, ref accepted) ?? refusal;
                    if (refusal is null && next is null)
                    {
                        // Not on top of what came before, or of a fork whose receipts hold roots.
                        var result = Import(block);
                        refusal = result.Accepted ? null : result;
                        accepted += result.Accepted ? 1 : 0;
                    }

                    if (refusal is not null)
                    {
                        return new SequenceResult(accepted, refusal);
                    }

                    pending = next;
                    pending?.Complete(this);
                }
            }
            finally
            {
                // Also where the source of blocks failed: nothing writes once the lock is given up.
                refusal = Settle(ref pending, ref accepted) ?? refusal;
            }

            ImportOrphansOf(_head.Hash);
            return new SequenceResult(accepted, refusal);
        }
    }

    /// <summary>
    /// Checks and executes a block on top of the pending one or of the head; null without a refusal where it does not
    /// stand there.
    /// </summary>
    private PendingBlock? Begin(Block block, PendingBlock? pending, out ImportResult? refusal)
    {
        refusal = null;
        var parent = pending?.Sealed.Block ?? _head;
        var header = block.Header;
        var hash = HeaderCodec.Hash(header);
        if (header.ParentHash != parent.Hash || block.Uncles.Count > 0 || _side.ContainsKey(hash))
        {
            return null;
        }

        var rules = Spec.RulesAt(header.Number, header.Timestamp, parent.TotalDifficulty);
        var total = parent.TotalDifficulty + header.Difficulty;
        if (!rules.Eip658 || !(IsMerged(total, rules) || total > parent.TotalDifficulty))
        {
            return null;
        }

        var encoded = BlockCodec.Encode(block);
        refusal = CheckWithoutState(Spec, block, encoded.Length, parent, rules, blockOf: static _ => null);
        if (refusal is not null)
        {
            return null;
        }

        IBlockHashSource hashes = pending is null ? BlockHashes : new HashesAbove(this, pending.Sealed.Block);
        IStateReader state = pending is null ? _state.Latest : new PendingState(pending.Outcome.State, _state);
        var outcome = _processor.Execute(InputOf(Spec, block, rules, hashes, rootOf: null), state);
        refusal = RefusalOf(outcome);
        return refusal is null
            ? new PendingBlock(new SealedBlock(new ChainBlock(block, hash, total, encoded.Length), encoded), outcome)
            : null;
    }

    /// <summary>Waits for the pending block, tells of it where it is the head now, else why it is not.</summary>
    private ImportResult? Settle(ref PendingBlock? pending, ref int accepted)
    {
        if (pending is null)
        {
            return null;
        }

        var settled = pending;
        pending = null;
        if (settled.Wait() is { } refusal)
        {
            return refusal;
        }

        accepted++;
        HeadChanged?.Invoke(new HeadChange([], [new AddedBlock(settled.Sealed.Block, settled.Outcome.Receipts)]));
        return null;
    }

    /// <summary>Works out the roots of an executed block, compares them with its header's, and commits it.</summary>
    private ImportResult? CompletePending(PendingBlock pending)
    {
        var header = pending.Sealed.Block.Header;
        if (CheckOutcome(header, pending.Outcome) is { } refusal)
        {
            return refusal;
        }

        var transition = _state.Prepare(pending.Outcome.State);
        if (transition.Root != header.StateRoot)
        {
            _state.Discard(transition);
            return WrongRoot(header, transition.Root);
        }

        Commit(pending.Sealed, new ExecutedBlock(transition, pending.Outcome.Receipts));
        return null;
    }

    /// <summary>A block that was executed and is being completed.</summary>
    private sealed class PendingBlock(SealedBlock sealedBlock, BlockOutcome outcome)
    {
        private Aside<ImportResult?>? _completion;

        internal SealedBlock Sealed => sealedBlock;

        internal BlockOutcome Outcome => outcome;

        internal void Complete(Chain chain) =>
            _completion = Aside<ImportResult?>.Begin(() => chain.CompletePending(this));

        internal ImportResult? Wait() => _completion?.Result();
    }

    /// <summary>Hashes of the ancestors of the block that follows a pending one.</summary>
    private sealed class HashesAbove(Chain chain, ChainBlock pending) : IBlockHashSource
    {
        public Hash256 HashOf(ulong number) => number == pending.Number
            ? pending.Hash
            : number + 1 == pending.Number
                ? pending.Header.ParentHash
                : chain.HashOf(number) ?? Hash256.Zero;
    }
}
