using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Mempool;

/// <summary>A transaction that a block left out because it was invalid at its turn, and the rule it broke.</summary>
public readonly record struct InvalidTransaction(Transaction Transaction, string Rule);

/// <summary>What the pool does when the head of the chain moves.</summary>
public sealed partial class TransactionPool
{
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromMinutes(1);

    private long _lastExpiry;

    /// <summary>
    /// Takes the state after a new block: its transactions leave, and so do those that it made invalid.
    /// </summary>
    /// <param name="state">The state after the block.</param>
    /// <param name="included">The block's transactions, senders known.</param>
    /// <param name="invalid">Those that were tried and are to be dropped with a reason.</param>
    public void OnHead(
        IStateReader state, IReadOnlyList<Transaction> included, IReadOnlyList<InvalidTransaction> invalid)
    {
        var senders = new HashSet<Address>();
        foreach (var transaction in included)
        {
            senders.Add(SenderOf(transaction));
        }

        foreach (var refused in invalid)
        {
            senders.Add(SenderOf(refused.Transaction));
        }

        // Read before the lock: only a writer of the chain calls this, so nothing overtakes it.
        var accounts = ReadAll(state, senders);
        lock (_gate)
        {
            _state = state;
            foreach (var refused in invalid)
            {
                if (_byHash.TryGetValue(refused.Transaction.Hash, out var entry))
                {
                    TakeOut(entry, DropCause.Invalid, refused.Rule);
                }
            }

            var inBlock = new HashSet<Hash256>(included.Count);
            foreach (var transaction in included)
            {
                inBlock.Add(transaction.Hash);
            }

            foreach (var (sender, account) in accounts)
            {
                Refresh(sender, account, inBlock);
            }

            ExpireQueued();
        }
    }

    /// <summary>Takes another state, after a rewind or a reorganisation: every sender is looked at again.</summary>
    public void Reset(IStateReader state)
    {
        for (; ; )
        {
            List<Address> senders;
            long version;
            lock (_gate)
            {
                senders = [.. _senders.Keys];
                version = _version;
            }

            var accounts = ReadAll(state, senders);
            lock (_gate)
            {
                if (version != _version)
                {
                    continue;
                }

                _state = state;
                foreach (var (sender, account) in accounts)
                {
                    Refresh(sender, account, []);
                }

                return;
            }
        }
    }

    /// <summary>Takes a transaction out because its submitter wants so; false where it is not in the pool.</summary>
    public bool Remove(in Hash256 hash, string reason)
    {
        lock (_gate)
        {
            if (!_byHash.TryGetValue(hash, out var entry))
            {
                return false;
            }

            TakeOut(entry, DropCause.Invalid, reason);
            return true;
        }
    }

    /// <summary>Takes everything out.</summary>
    public void Clear(string reason)
    {
        lock (_gate)
        {
            foreach (var entry in _byHash.Values.ToList())
            {
                TakeOut(entry, DropCause.Invalid, reason);
            }
        }
    }

    private static List<(Address Sender, Account? Account)> ReadAll(
        IStateReader state, IReadOnlyCollection<Address> senders)
    {
        var accounts = new List<(Address, Account?)>(senders.Count);
        foreach (var sender in senders)
        {
            var status = state.ReadAccount(sender, out var account);
            accounts.Add((sender, status == ReadStatus.NotLoaded ? null : account));
        }

        return accounts;
    }

    /// <summary>Takes a sender's account over; an account that is not loaded keeps what was known of it.</summary>
    private void Refresh(in Address sender, Account? account, HashSet<Hash256> inBlock)
    {
        if (account is not { } known || !_senders.TryGetValue(sender, out var queue))
        {
            return;
        }

        var passed = new List<PooledTransaction>();
        queue.SetAccount(known.Nonce, known.Balance, passed);
        foreach (var entry in passed)
        {
            Forget(entry);
            if (!inBlock.Contains(entry.Transaction.Hash))
            {
                _drops.Add(entry.Transaction.Hash, new DropRecord(DropCause.NonceUsed, null));
            }
        }

        if (queue.TotalCost > queue.Balance)
        {
            foreach (var entry in queue.All.Where(entry => entry.Cost > known.Balance).ToList())
            {
                TakeOut(entry, DropCause.InsufficientFunds, null, queue);
            }
        }

        if (queue.Count == 0)
        {
            _senders.Remove(sender);
        }
    }

    private void ExpireQueued()
    {
        var now = _clock.GetTimestamp();
        if (_clock.GetElapsedTime(_lastExpiry, now) < ExpiryInterval)
        {
            return;
        }

        _lastExpiry = now;
        var old = new List<PooledTransaction>();
        foreach (var queue in _senders.Values)
        {
            if (queue.QueuedCount > 0)
            {
                old.AddRange(queue.All.Where(entry => entry.Transaction.Nonce > queue.PendingEnd
                    && _clock.GetElapsedTime(entry.ArrivedAt, now) > _options.QueuedLifetime));
            }
        }

        foreach (var entry in old)
        {
            TakeOut(entry, DropCause.Expired, null);
        }
    }
}
