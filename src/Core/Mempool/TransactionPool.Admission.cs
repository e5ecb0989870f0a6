using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Mempool;

/// <summary>Admission, replacement and the limits; everything here runs under the lock.</summary>
public sealed partial class TransactionPool
{
    /// <summary>Built when the pool is full for the first time, and given up when it is half empty again.</summary>
    private PriorityQueue<PooledTransaction, EvictionRank>? _cheapest;

    private PoolAnswer AddOne(Transaction transaction, Dictionary<Address, Account?> accounts)
    {
        var sender = SenderOf(transaction);
        var isNewSender = !_senders.TryGetValue(sender, out var queue);
        if (queue is null)
        {
            if (accounts[sender] is not { } account)
            {
                return new PoolAnswer(PoolStatus.AccountNotLoaded, 0, default, default);
            }

            queue = new SenderQueue(sender, account.Nonce, account.Balance);
        }

        var affordable = TransactionProcessor.TryMaximumCost(transaction, out var cost);
        var total = cost;
        var status = Check(transaction, queue, cost, out var replaced, ref total);
        if (status == PoolStatus.Pending && (!affordable || total > queue.Balance))
        {
            status = PoolStatus.InsufficientFunds;
        }

        if (status == PoolStatus.Pending)
        {
            var entry = new PooledTransaction(transaction, cost, _arrivals, _clock.GetTimestamp());
            status = MakeRoom(entry, queue, replaced);
            if (status == PoolStatus.Pending)
            {
                _arrivals++;
                if (isNewSender)
                {
                    _senders.Add(sender, queue);
                }

                Put(entry, queue, replaced);
                status = transaction.Nonce < queue.PendingEnd ? PoolStatus.Pending : PoolStatus.Queued;
            }
        }

        return new PoolAnswer(status, queue.StateNonce, queue.Balance, total);
    }

    private PoolStatus Check(
        Transaction transaction, SenderQueue queue, in UInt256 cost, out PooledTransaction? replaced, ref UInt256 total)
    {
        replaced = null;
        if (_byHash.ContainsKey(transaction.Hash))
        {
            return PoolStatus.AlreadyKnown;
        }

        if (transaction.Nonce < queue.StateNonce)
        {
            return PoolStatus.NonceTooLow;
        }

        replaced = queue.Find(transaction.Nonce);
        var others = queue.TotalCost - (replaced?.Cost ?? UInt256.Zero);
        if (UInt256.AddWithCarry(others, cost, out total))
        {
            total = UInt256.MaxValue;
        }

        if (replaced is not null)
        {
            return ReplacementPays(replaced.Transaction, transaction)
                ? PoolStatus.Pending
                : PoolStatus.ReplacementUnderpriced;
        }

        var queues = transaction.Nonce > queue.PendingEnd;
        return queue.Count >= _options.MaximumPerSender
            || (queues && queue.QueuedCount >= _options.MaximumQueuedPerSender)
            ? PoolStatus.SenderLimit
            : PoolStatus.Pending;
    }

    /// <summary>Whether both fees, and the blob fee where there are blobs, rise by the needed percentage.</summary>
    private bool ReplacementPays(Transaction old, Transaction next)
    {
        if ((old.Type == TransactionType.Blob) != (next.Type == TransactionType.Blob))
        {
            return false;
        }

        var percent = old.Type == TransactionType.Blob ? _options.BlobReplacementPercent : _options.ReplacementPercent;
        return Rises(old.MaxFeePerGas, next.MaxFeePerGas, percent)
            && Rises(old.MaxPriorityFeePerGas, next.MaxPriorityFeePerGas, percent)
            && (old.Type != TransactionType.Blob || Rises(old.MaxFeePerBlobGas, next.MaxFeePerBlobGas, percent));
    }

    private static bool Rises(in UInt256 old, in UInt256 next, uint percent)
    {
        // next * 100 >= old * (100 + percent), both in 512 bits; and above the old one, be that zero.
        var nextHigh = UInt256.BigMul(next, 100, out var nextLow);
        var oldHigh = UInt256.BigMul(old, 100 + percent, out var oldLow);
        var enough = nextHigh > oldHigh || (nextHigh == oldHigh && nextLow >= oldLow);
        return enough && next > old;
    }

    /// <summary>
    /// Pushes cheaper ones out until the newcomer fits; <see cref="PoolStatus.Pending"/> where it does.
    /// </summary>
    private PoolStatus MakeRoom(PooledTransaction entry, SenderQueue queue, PooledTransaction? replaced)
    {
        if (entry.Size > _options.MaximumBytes)
        {
            return PoolStatus.TooLarge;
        }

        var count = _byHash.Count + (replaced is null ? 1 : 0);
        var bytes = _bytes + entry.Size - (replaced?.Size ?? 0);
        if (count <= _options.MaximumCount && bytes <= _options.MaximumBytes)
        {
            return PoolStatus.Pending;
        }

        var victims = new List<PooledTransaction>();
        var heap = CheapestFirst();
        var status = PoolStatus.Pending;
        while (count > _options.MaximumCount || bytes > _options.MaximumBytes)
        {
            if (!heap.TryDequeue(out var victim, out var rank))
            {
                status = PoolStatus.Underpriced;
                break;
            }

            if (!victim.IsIn)
            {
                continue;
            }

            victims.Add(victim);
            if (ReferenceEquals(victim, replaced))
            {
                continue;
            }

            if (rank.CompareTo(new EvictionRank(entry)) >= 0 || IsBefore(victim, entry))
            {
                status = PoolStatus.Underpriced;
                break;
            }

            count--;
            bytes -= victim.Size;
        }

        Evict(victims, status == PoolStatus.Pending, heap, queue, replaced);
        return status;
    }

    /// <summary>Whether the newcomer would lose its own predecessor: then it gains nothing by pushing it out.</summary>
    private static bool IsBefore(PooledTransaction victim, PooledTransaction entry) =>
        victim.Transaction.Sender == entry.Transaction.Sender && victim.Transaction.Nonce < entry.Transaction.Nonce;

    private void Evict(
        List<PooledTransaction> victims, bool really, PriorityQueue<PooledTransaction, EvictionRank> heap,
        SenderQueue newcomers, PooledTransaction? replaced)
    {
        foreach (var victim in victims)
        {
            if (really && !ReferenceEquals(victim, replaced))
            {
                TakeOut(victim, DropCause.Evicted, null, newcomers);
            }
            else if (!really)
            {
                heap.Enqueue(victim, new EvictionRank(victim));
            }
        }
    }

    private PriorityQueue<PooledTransaction, EvictionRank> CheapestFirst()
    {
        _cheapest ??= new PriorityQueue<PooledTransaction, EvictionRank>(
            _byHash.Values.Select(entry => (entry, new EvictionRank(entry))));
        return _cheapest;
    }

    private void Put(PooledTransaction entry, SenderQueue queue, PooledTransaction? replaced)
    {
        if (replaced is not null)
        {
            TakeOut(replaced, DropCause.Replaced, entry.Transaction.Hash.ToString(), queue);
        }

        queue.Add(entry);
        _byHash.Add(entry.Transaction.Hash, entry);
        _bytes += entry.Size;
        _version++;
        _drops.Remove(entry.Transaction.Hash);
        _cheapest?.Enqueue(entry, new EvictionRank(entry));
    }

    /// <summary>Removes a transaction with a reason; its sender's queue too where that is empty then.</summary>
    private void TakeOut(PooledTransaction entry, DropCause cause, string? detail, SenderQueue? keep = null)
    {
        var queue = _senders[SenderOf(entry.Transaction)];
        queue.Remove(entry);
        Forget(entry);
        _drops.Add(entry.Transaction.Hash, new DropRecord(cause, detail));
        if (queue.Count == 0 && !ReferenceEquals(queue, keep))
        {
            _senders.Remove(queue.Sender);
        }
    }

    private void Forget(PooledTransaction entry)
    {
        _byHash.Remove(entry.Transaction.Hash);
        _bytes -= entry.Size;
        _version++;
        Left?.Invoke(entry.Transaction.Hash, _clock.GetElapsedTime(entry.ArrivedAt));
        var half = _byHash.Count * 2 < _options.MaximumCount && _bytes * 2 < _options.MaximumBytes;
        if (half || _cheapest?.Count > 2 * (_byHash.Count + 16))
        {
            _cheapest = null;
        }
    }

    /// <summary>The order in which a full pool gives up: lowest fee cap, lowest priority fee, latest arrival.</summary>
    private readonly struct EvictionRank(PooledTransaction entry) : IComparable<EvictionRank>
    {
        private readonly UInt256 _cap = entry.Transaction.MaxFeePerGas;
        private readonly UInt256 _tip = entry.Transaction.MaxPriorityFeePerGas;
        private readonly long _arrival = entry.Arrival;

        public int CompareTo(EvictionRank other)
        {
            var byCap = _cap.CompareTo(other._cap);
            var byTip = byCap != 0 ? byCap : _tip.CompareTo(other._tip);
            return byTip != 0 ? byTip : other._arrival.CompareTo(_arrival);
        }
    }
}
