using SuperVm.Core.Consensus.Runner;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Consensus;

/// <summary>
/// Ordered transactions that their block had to leave out, because a nonce before them, room or a lower fee was
/// missing: they come again with the next blocks.
/// </summary>
/// <remarks>
/// Which transactions are candidates of a block follows from the batches alone: the batch's own, then those of the
/// <see cref="Span"/> batches before it that are in no block, have a sender and a nonce that is not used yet, oldest
/// first; within a sender by nonce. So a validator that starts again makes the same list from its archive.
/// </remarks>
internal sealed class DeferredTransactions
{
    /// <summary>Batches after which an ordered transaction is given up.</summary>
    internal const ulong Span = 128;

    private List<(ulong Batch, Transaction Transaction)> _waiting = [];

    internal int Count => _waiting.Count;

    /// <summary>What waits, oldest batch first: the list itself, for a host that keeps it beside its chain.</summary>
    internal IReadOnlyList<(ulong Batch, Transaction Transaction)> Waiting => _waiting;

    /// <summary>Goes on from a list that was kept.</summary>
    internal void Load(IEnumerable<(ulong Batch, Transaction Transaction)> waiting) => _waiting = InOrder([.. waiting]);

    /// <summary>Makes the list anew, after a start.</summary>
    internal void Restore(IChain chain, ConsensusArchive archive, TransactionCache transactions)
    {
        var head = chain.Head.Number;
        var state = chain.StateAt(head).State
            ?? throw new InvalidOperationException("The newest state of a chain can always be read.");
        for (var number = head > Span ? head - Span + 1 : 1; number <= head; number++)
        {
            if (archive.Batch(number)?.Batch is not { } batch)
            {
                continue;
            }

            for (var i = 0; i < batch.Hashes.Count; i++)
            {
                if (chain.FindTransaction(batch.Hashes[i]) is null
                    && transactions.TryGet(batch.Hashes[i], batch.Transactions[i], out var transaction)
                    && MayCome(transaction, state))
                {
                    _waiting.Add((number, transaction));
                }
            }
        }

        _waiting = InOrder(_waiting);
    }

    /// <summary>The candidates of a block: the batch's own first, within a sender in the order of nonces.</summary>
    internal List<Transaction> CandidatesWith(List<Transaction> own)
    {
        var candidates = new List<Transaction>(own.Count + _waiting.Count);
        candidates.AddRange(own);
        foreach (var (_, transaction) in _waiting)
        {
            candidates.Add(transaction);
        }

        TransactionSigner.RecoverSenders(candidates);
        SortNonces(candidates);
        return candidates;
    }

    /// <summary>Takes what the block left out; answers those that are given up.</summary>
    internal List<(Transaction Transaction, TransactionError Error)> Update(
        ulong number, IReadOnlyList<LeftOutTransaction> leftOut, IStateReader state)
    {
        var since = new Dictionary<Hash256, ulong>(_waiting.Count);
        foreach (var (batch, transaction) in _waiting)
        {
            since.TryAdd(transaction.Hash, batch);
        }

        var next = new List<(ulong Batch, Transaction Transaction)>();
        var dropped = new List<(Transaction, TransactionError)>();
        foreach (var left in leftOut)
        {
            var batch = since.GetValueOrDefault(left.Transaction.Hash, number);
            if (batch + Span <= number || !MayCome(left.Transaction, state))
            {
                dropped.Add((left.Transaction, left.Error));
            }
            else
            {
                next.Add((batch, left.Transaction));
            }
        }

        _waiting = InOrder(next);
        return dropped;
    }

    /// <summary>Whether the transaction has a sender, and a nonce that is not used yet.</summary>
    internal static bool MayCome(Transaction transaction, IStateReader state)
    {
        if (!TransactionSigner.TryRecoverSender(transaction, out var sender))
        {
            return false;
        }

        state.ReadAccount(sender, out var account);
        return account.Nonce <= transaction.Nonce;
    }

    private static List<(ulong Batch, Transaction Transaction)> InOrder(
        List<(ulong Batch, Transaction Transaction)> entries) =>
        [.. entries.DistinctBy(entry => entry.Transaction.Hash)
            .OrderBy(entry => entry.Batch).ThenBy(entry => entry.Transaction.Hash)];

    /// <summary>Puts each sender's transactions into the order of their nonces, on the places that they hold.</summary>
    private static void SortNonces(List<Transaction> candidates)
    {
        var places = new Dictionary<Address, List<int>>();
        var isSorted = true;
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Sender is not { } sender)
            {
                continue;
            }

            if (!places.TryGetValue(sender, out var held))
            {
                places.Add(sender, held = []);
            }

            isSorted &= held.Count == 0 || candidates[held[^1]].Nonce <= candidates[i].Nonce;
            held.Add(i);
        }

        if (isSorted)
        {
            return;
        }

        foreach (var held in places.Values)
        {
            var sorted = held.Select(place => candidates[place]).OrderBy(transaction => transaction.Nonce).ToList();
            for (var i = 0; i < held.Count; i++)
            {
                candidates[held[i]] = sorted[i];
            }
        }
    }
}
