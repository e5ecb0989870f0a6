using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>Requests, batching and the leader's part.</summary>
public sealed partial class Replica
{
    /// <summary>Transactions sent to the leader again with one status.</summary>
    private const int ResentRequests = 256;

    /// <summary>Bytes of them.</summary>
    private const int ResentRequestBytes = 256 * 1024;

    /// <summary>Transactions of this validator's clients: kept until they are ordered, and told to all.</summary>
    private void OnSubmitted(IReadOnlyList<byte[]> transactions)
    {
        var added = new List<byte[]>();
        foreach (var transaction in transactions)
        {
            var answer = _pool.Add(transaction, Address, local: true, _now, out var hash);
            if (answer == PoolAnswer.Added)
            {
                added.Add(transaction);
                FillMissing(hash, transaction);
            }
            else if (answer != PoolAnswer.Known)
            {
                Emit(new RequestRefused(transaction, answer == PoolAnswer.Invalid));
            }

            if (added.Count == Limits.RequestTransactions)
            {
                Emit(new Broadcast(new Request([.. added])));
                added.Clear();
            }
        }

        if (added.Count > 0)
        {
            Emit(new Broadcast(new Request(added)));
        }
    }

    private void OnRequest(in Address from, Request m)
    {
        if (m.Transactions.Count > Limits.RequestTransactions)
        {
            Drop(from, m.Kind, DropReason.Oversized);
            return;
        }

        var refused = PoolAnswer.Added;
        foreach (var transaction in m.Transactions)
        {
            var answer = _pool.Add(transaction, from, local: false, _now, out var hash);
            if (answer == PoolAnswer.Added)
            {
                FillMissing(hash, transaction);
            }

            refused = answer is PoolAnswer.Added or PoolAnswer.Known ? refused : answer;
        }

        if (refused != PoolAnswer.Added)
        {
            Drop(from, m.Kind, refused == PoolAnswer.Invalid ? DropReason.Malformed : DropReason.Quota);
        }
    }

    /// <summary>Gives a body to the proposals that wait for it.</summary>
    private void FillMissing(in Hash256 hash, byte[] transaction)
    {
        if (CountWaiting() == 0)
        {
            return;
        }

        var completed = 0UL;
        foreach (var slot in _slots.Values)
        {
            if (slot.Missing is null || !slot.Missing.Remove(hash))
            {
                continue;
            }

            (slot.Fetched ??= [])[hash] = transaction;
            _pool.MarkProposed(hash);
            if (slot.Missing.Count == 0)
            {
                Assemble(slot);
                completed = completed == 0 ? slot.Sequence : completed;
            }
        }

        if (completed != 0)
        {
            // What is asked for is answered: nobody is slow.
            _fetchTries = 0;
            TryAccept(completed);
            AdvanceCommitted();
        }
    }

    private int CountWaiting()
    {
        var count = 0;
        foreach (var slot in _slots.Values)
        {
            count += slot.Missing is null ? 0 : 1;
        }

        return count;
    }

    /// <summary>The place that would be proposed next in this view.</summary>
    private ulong NextPlace()
    {
        var next = _committed + 1;
        while (_slots.TryGetValue(next, out var slot)
            && (slot.Decided is not null || (slot.View == _view && slot.Proposal is not null)))
        {
            next++;
        }

        return next;
    }

    private uint LeaderPosition()
    {
        var next = NextPlace();
        return HeaderAt(next - 1) is { } parent
            ? _skips.Position(_epoch, parent, _view, next)
            : ViewLabel.NumberOf(_view);
    }

    private bool LeadsNext(out ulong next, out BatchHeader? parent)
    {
        next = 0;
        parent = null;
        if (!_active || !IsValidator)
        {
            return false;
        }

        next = NextPlace();
        parent = next <= High ? HeaderAt(next - 1) : null;
        return parent is not null
            && _epoch.Leaders.At(_skips.Position(_epoch, parent, _view, next)) == _self;
    }

    /// <summary>
    /// Proposes every full batch that the window has room for, and with a due timer one that is not full.
    /// </summary>
    private void ProposeWhatIsDue()
    {
        while (_pool.Waiting > 0 && LeadsNext(out var next, out var parent))
        {
            var entries = _pool.Take(onlyFull: !_batchDue && _parameters.BatchAgeMs > 0);
            if (entries is null)
            {
                return;
            }

            _batchDue = false;
            Lead(next, parent!, entries);
        }

        _batchDue &= _pool.Waiting > 0;
    }

    private void Lead(ulong sequence, BatchHeader parent, List<RequestPool.Entry> entries)
    {
        var hashes = entries.Select(entry => entry.Hash).ToArray();
        var header = new BatchHeader(
            sequence, _view, _skips.Position(_epoch, parent, _view, sequence), parent.Digest, Address,
            Math.Max(parent.Timestamp, (ulong)_now / 1000), BatchHeader.RandaoAfter(parent.Digest, sequence),
            _parameters.GasLimit, BatchHeader.HashOf(hashes), hashes.Length);
        header = _work is null ? header : header with { Nonce = _work.Solve(ClaimOf(header)).Nonce };
        var statement = Statements.Vote(
            _parameters.ChainId, VotePhase.Prepare, _view, sequence, header.Digest);
        var signature = _context.Signer.Sign(statement);
        var slot = GetSlot(sequence);
        KeepBody(new Batch(header, hashes, [.. entries.Select(entry => entry.Transaction)]));
        Propose(slot, header, hashes, signature);
        slot.Prepares.Put(_self, header.Digest, signature);
        Emit(new Broadcast(new PrePrepare(_view, header, hashes, signature)));
        TryAccept(sequence);
    }

    /// <summary>
    /// A leader that lets a transaction wait while its batches have room for it is left: a transaction waiting longer
    /// than the censor time-out since this view began counts.
    /// </summary>
    private void SuspectCensor(Batch batch)
    {
        if (_active && IsValidator && batch.Header.View == _view
            && batch.Header.TransactionCount < _parameters.BatchTransactions
            && _pool.OldestWaitingMs is { } oldest
            && _now - Math.Max(oldest, _viewSinceMs) > _parameters.CensorTimeoutMs)
        {
            StartViewChange(NextView());
        }
    }
}
