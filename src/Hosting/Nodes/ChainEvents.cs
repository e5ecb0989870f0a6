using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>A block that came to the canonical chain or left it.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="IsRemoved">Whether it left.</param>
/// <param name="Content">Block and receipts where they are kept; a removed block has no other place.</param>
internal readonly record struct HeadEvent(ulong Number, Hash256 Hash, bool IsRemoved, AddedBlock? Content);

/// <summary>What happened last, for filters and subscriptions, which read it from where they are.</summary>
/// <remarks>
/// <code>
///   HeadChanged ─▶ ring of heads ──────┐   a reader holds a position in each ring and nothing else,
///   pool took   ─▶ ring of hashes ─────┴─▶ so a slow or forgotten reader costs no memory
/// </code>
/// A reader that is overtaken by the ring is told so. Transactions are noted only while somebody is interested.
/// </remarks>
internal sealed class ChainEvents
{
    /// <summary>Head events that are kept.</summary>
    internal const int MaximumHeads = 16_384;

    /// <summary>Transaction hashes that are kept.</summary>
    internal const int MaximumTransactions = 65_536;

    /// <summary>
    /// Transactions of the newest blocks that are kept whole, so that their logs can be told of when they leave.
    /// </summary>
    private const int MaximumWhole = 4_096;

    private readonly Lock _gate = new();
    private readonly HeadEvent[] _heads = new HeadEvent[MaximumHeads];
    private readonly Queue<(long Position, int Transactions)> _whole = new();
    private Hash256[] _transactions = [];
    private int _wholeTransactions;
    private long _headEnd;
    private long _transactionEnd;
    private int _interested;

    /// <summary>Raised after something was noted; must not block.</summary>
    internal event Action? Noted;

    internal ChainEvents(IChain chain) => chain.HeadChanged += OnHead;

    /// <summary>The position after the newest head event.</summary>
    internal long HeadEnd
    {
        get
        {
            lock (_gate)
            {
                return _headEnd;
            }
        }
    }

    /// <summary>The position after the newest transaction; from now on transactions are noted.</summary>
    internal long BeginTransactions()
    {
        lock (_gate)
        {
            _interested++;
            if (_transactions.Length == 0)
            {
                _transactions = new Hash256[MaximumTransactions];
            }

            return _transactionEnd;
        }
    }

    /// <summary>One less is interested in transactions.</summary>
    internal void EndTransactions() => Interlocked.Decrement(ref _interested);

    /// <summary>Notes transactions that the pool took.</summary>
    internal void OnAccepted(IReadOnlyList<PooledAnswer> taken)
    {
        if (Volatile.Read(ref _interested) == 0)
        {
            return;
        }

        lock (_gate)
        {
            foreach (var (transaction, _) in taken)
            {
                _transactions[_transactionEnd++ % MaximumTransactions] = transaction.Hash;
            }
        }

        Noted?.Invoke();
    }

    /// <summary>Some head events from a position on, which goes past them; false where older ones are lost.</summary>
    internal bool ReadHeads(ref long position, List<HeadEvent> events, int maximum)
    {
        lock (_gate)
        {
            var start = Math.Max(position, _headEnd - MaximumHeads);
            var isWhole = start == position;
            for (position = start; position < _headEnd && events.Count < maximum; position++)
            {
                events.Add(_heads[position % MaximumHeads]);
            }

            return isWhole;
        }
    }

    /// <summary>Some transactions from a position on, which goes past them; false where older ones are lost.</summary>
    internal bool ReadTransactions(ref long position, List<Hash256> hashes, int maximum)
    {
        lock (_gate)
        {
            var start = Math.Max(position, _transactionEnd - MaximumTransactions);
            var isWhole = start == position;
            for (position = start; position < _transactionEnd && hashes.Count < maximum; position++)
            {
                hashes.Add(_transactions[position % MaximumTransactions]);
            }

            return isWhole;
        }
    }

    private void OnHead(HeadChange change)
    {
        lock (_gate)
        {
            // The newest one leaves first.
            for (var i = change.Removed.Count - 1; i >= 0; i--)
            {
                var block = change.Removed[i];
                Note(new HeadEvent(block.Number, block.Hash, IsRemoved: true, ContentOf(block)));
            }

            foreach (var added in change.Added)
            {
                var transactions = added.Block.Block.Transactions.Count;
                _whole.Enqueue((_headEnd, transactions));
                _wholeTransactions += transactions;
                Note(new HeadEvent(added.Block.Number, added.Block.Hash, IsRemoved: false, added));
                Trim();
            }
        }

        Noted?.Invoke();
    }

    private void Note(in HeadEvent happened) => _heads[_headEnd++ % MaximumHeads] = happened;

    /// <summary>
    /// Lets go of the content of all blocks: for a chain whose blocks never leave and can be read again.
    /// </summary>
    internal void Forget()
    {
        lock (_gate)
        {
            while (_whole.TryDequeue(out var kept))
            {
                ref var head = ref _heads[kept.Position % MaximumHeads];
                if (!head.IsRemoved && _headEnd - kept.Position <= MaximumHeads)
                {
                    head = head with { Content = null };
                }
            }

            _wholeTransactions = 0;
        }
    }

    /// <summary>Lets go of the content of blocks above the limit, the newest one kept.</summary>
    private void Trim()
    {
        while (_whole.Count > 1 && (_wholeTransactions > MaximumWhole || _whole.Count > MaximumHeads))
        {
            var (position, transactions) = _whole.Dequeue();
            _wholeTransactions -= transactions;
            ref var head = ref _heads[position % MaximumHeads];
            if (!head.IsRemoved && _headEnd - position <= MaximumHeads)
            {
                head = head with { Content = null };
            }
        }
    }

    private AddedBlock? ContentOf(ChainBlock removed)
    {
        for (var i = _headEnd - 1; i >= Math.Max(0, _headEnd - MaximumHeads); i--)
        {
            ref readonly var head = ref _heads[i % MaximumHeads];
            if (head.Hash == removed.Hash && !head.IsRemoved)
            {
                return head.Content;
            }
        }

        return null;
    }
}
