using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus;

/// <summary>What became of a transaction that was offered to the pool.</summary>
internal enum PoolAnswer
{
    Added,
    Known,
    Full,
    PeerQuota,
    Invalid,
}

/// <summary>
/// Transactions that wait for their batch, first come first served, bounded in all and for each peer.
/// </summary>
/// <remarks>
/// An entry is waiting, or proposed (in a batch of the current view); a new view makes all proposed ones wait again in
/// their first order. Hashes of ordered transactions are remembered for a while so that late copies are dropped.
/// </remarks>
internal sealed class RequestPool(ConsensusParameters parameters, ITransactionInspector inspector)
{
    private readonly Dictionary<Hash256, Entry> _entries = [];
    private readonly LinkedList<Entry> _waiting = [];
    private readonly Dictionary<Address, int> _perPeer = [];
    private readonly HashSet<Hash256> _recent = [];
    private readonly Queue<Hash256> _recentOrder = [];
    private ulong _arrivals;
    private long _bytes;

    internal int Count => _entries.Count;

    internal int Waiting => _waiting.Count;

    internal long Bytes => _bytes;

    internal int Recent => _recentOrder.Count;

    /// <summary>
    /// The hashes that were added or removed since the last save and belong to this validator's clients.
    /// </summary>
    internal List<Hash256> Changed { get; } = [];

    /// <summary>When the transaction that waits longest arrived, or null.</summary>
    internal long? OldestWaitingMs => _waiting.First?.Value.ArrivedMs;

    internal Entry? Find(in Hash256 hash) => _entries.GetValueOrDefault(hash);

    internal PoolAnswer Add(
        byte[] transaction, in Address source, bool local, long nowMs, out Hash256 hash, bool isRestored = false)
    {
        hash = default;
        if (transaction.Length > parameters.BatchBytes
            || !inspector.TryInspect(transaction, out hash, out var gas) || gas > parameters.GasLimit)
        {
            return PoolAnswer.Invalid;
        }

        if (_entries.TryGetValue(hash, out var known))
        {
            // Now this validator's own to keep, however it came first.
            if (local && !known.Local)
            {
                known.Local = true;
                Changed.Add(hash);
            }

            return PoolAnswer.Known;
        }

        if (_recent.Contains(hash))
        {
            return PoolAnswer.Known;
        }

        if (_entries.Count >= parameters.PoolTransactions || _bytes + transaction.Length > parameters.PoolBytes)
        {
            return PoolAnswer.Full;
        }

        var held = _perPeer.GetValueOrDefault(source);
        if (!local && held >= parameters.PoolPerPeer)
        {
            return PoolAnswer.PeerQuota;
        }

        if (local && !isRestored && held >= parameters.PoolOwn)
        {
            return PoolAnswer.Full;
        }

        _perPeer[source] = held + 1;
        Insert(new Entry(hash, transaction, gas, _arrivals++, nowMs, source, local));
        if (local)
        {
            Changed.Add(hash);
        }

        return PoolAnswer.Added;
    }

    /// <summary>Takes the next batch's transactions, oldest first, within the limits of count, bytes and gas.</summary>
    /// <param name="onlyFull">Take nothing where the waiting ones do not fill a batch.</param>
    internal List<Entry>? Take(bool onlyFull)
    {
        var taken = new List<Entry>(Math.Min(_waiting.Count, parameters.BatchTransactions));
        long bytes = 0;
        ulong gas = 0;
        var full = false;
        for (var node = _waiting.First; node is not null; node = node.Next)
        {
            var entry = node.Value;
            full = taken.Count == parameters.BatchTransactions
                || bytes + entry.Transaction.Length > parameters.BatchBytes || gas + entry.Gas > parameters.GasLimit;
            if (full)
            {
                break;
            }

            taken.Add(entry);
            bytes += entry.Transaction.Length;
            gas += entry.Gas;
        }

        if (taken.Count == 0 || (onlyFull && !full && taken.Count < parameters.BatchTransactions))
        {
            return null;
        }

        foreach (var entry in taken)
        {
            MarkProposed(entry.Hash);
        }

        return taken;
    }

    internal void MarkProposed(in Hash256 hash)
    {
        if (_entries.TryGetValue(hash, out var entry) && entry.Node is not null)
        {
            _waiting.Remove(entry.Node);
            entry.Node = null;
        }
    }

    /// <summary>Makes every proposed transaction wait again, in the order of arrival.</summary>
    internal void ClearProposed()
    {
        if (_waiting.Count == _entries.Count)
        {
            return;
        }

        _waiting.Clear();
        foreach (var entry in _entries.Values.OrderBy(entry => entry.Arrival))
        {
            entry.Node = _waiting.AddLast(entry);
        }
    }

    /// <summary>The transaction is ordered for good.</summary>
    internal void Ordered(in Hash256 hash)
    {
        if (_entries.Remove(hash, out var entry))
        {
            Release(entry);
        }

        if (_recent.Add(hash))
        {
            _recentOrder.Enqueue(hash);
            if (_recentOrder.Count > parameters.RecentTransactions)
            {
                _recent.Remove(_recentOrder.Dequeue());
            }
        }
    }

    /// <summary>The oldest transactions, to be sent again: those that wait, or the proposed ones too.</summary>
    internal List<byte[]> Oldest(int count, int bytes, bool onlyWaiting)
    {
        var oldest = new List<byte[]>();
        foreach (var entry in onlyWaiting ? _waiting : InOrder())
        {
            bytes -= entry.Transaction.Length;
            if (oldest.Count == count || (bytes < 0 && oldest.Count > 0))
            {
                break;
            }

            oldest.Add(entry.Transaction);
        }

        return oldest;
    }

    internal IEnumerable<Entry> InOrder() => _entries.Values.OrderBy(entry => entry.Arrival);

    internal IEnumerable<Hash256> RecentInOrder() => _recentOrder;

    internal void Restore(byte[] transaction, in Address source, bool local, long nowMs, bool waiting)
    {
        if (Add(transaction, source, local, nowMs, out var hash, isRestored: true) == PoolAnswer.Added && !waiting)
        {
            MarkProposed(hash);
        }
    }

    private void Insert(Entry entry)
    {
        _entries.Add(entry.Hash, entry);
        entry.Node = _waiting.AddLast(entry);
        _bytes += entry.Transaction.Length;
    }

    private void Release(Entry entry)
    {
        _bytes -= entry.Transaction.Length;
        if (entry.Node is not null)
        {
            _waiting.Remove(entry.Node);
        }

        var held = _perPeer[entry.Source] - 1;
        if (held == 0)
        {
            _perPeer.Remove(entry.Source);
        }
        else
        {
            _perPeer[entry.Source] = held;
        }

        if (entry.Local)
        {
            Changed.Add(entry.Hash);
        }
    }

    internal sealed class Entry(
        Hash256 hash, byte[] transaction, ulong gas, ulong arrival, long arrivedMs, Address source, bool local)
    {
        internal Hash256 Hash { get; } = hash;

        internal byte[] Transaction { get; } = transaction;

        internal ulong Gas { get; } = gas;

        internal ulong Arrival { get; } = arrival;

        internal long ArrivedMs { get; } = arrivedMs;

        internal Address Source { get; } = source;

        internal bool Local { get; set; } = local;

        /// <summary>The place among the waiting; null while proposed.</summary>
        internal LinkedListNode<Entry>? Node { get; set; }
    }
}
