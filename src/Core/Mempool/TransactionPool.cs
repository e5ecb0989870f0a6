using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Mempool;

/// <summary>Transactions that wait for a block: ordered by nonce within a sender, by fee between senders.</summary>
/// <remarks>
/// <code>
///   Add ──▶ sender's queue: pending │ queued ──Select (heap of heads by tip, arrival)──▶ block
///              ▲ replacement +10 %       └─ limits: the lowest fee cap leaves first        │
///              └──────────────── OnHead: nonces and balances of the new state ◀────────────┘
/// </code>
/// One lock guards it all; it is held for well under a microsecond a transaction, never while state is read or a
/// signature checked. A transaction that <see cref="PoolAnswer.IsIn"/> leaves only through <see cref="OnHead"/>, a
/// replacement, the limits or old age, and then leaves a reason (<see cref="WhyDropped"/>) unless it is in a block.
/// </remarks>
public sealed partial class TransactionPool
{
    private readonly Lock _gate = new();
    private readonly MempoolOptions _options;
    private readonly TimeProvider _clock;
    private readonly Dictionary<Address, SenderQueue> _senders = [];
    private readonly Dictionary<Hash256, PooledTransaction> _byHash = [];
    private readonly DropLog _drops;
    private IStateReader _state;
    private long _bytes;
    private long _arrivals;
    private long _version;

    /// <summary>An empty pool over a state.</summary>
    public TransactionPool(MempoolOptions options, TimeProvider clock, IStateReader state)
    {
        _options = options;
        _clock = clock;
        _state = state;
        _lastExpiry = clock.GetTimestamp();
        _drops = new DropLog(options.MaximumDropRecords, options.DropRecordLifetime, clock);
    }

    /// <summary>
    /// Told of every transaction that leaves, be it in a block or dropped, and how long it was here; called under the
    /// lock, so it must not block and must not call back.
    /// </summary>
    public event Action<Hash256, TimeSpan>? Left;

    /// <summary>Grows with every change; equal versions mean equal content.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Transactions in the pool.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byHash.Count;
            }
        }
    }

    /// <summary>Offers one transaction; see <see cref="Add(ReadOnlySpan{Transaction}, Span{PoolAnswer})"/>.</summary>
    public PoolAnswer Add(Transaction transaction)
    {
        PoolAnswer answer = default;
        Add([transaction], new Span<PoolAnswer>(ref answer));
        return answer;
    }

    /// <summary>
    /// Offers transactions in their order; each answer stands at its transaction's place. The caller has recovered the
    /// senders and checked what does not depend on the state.
    /// </summary>
    public void Add(ReadOnlySpan<Transaction> transactions, Span<PoolAnswer> answers)
    {
        var accounts = new Dictionary<Address, Account?>();
        for (; ; )
        {
            IStateReader state;
            lock (_gate)
            {
                state = _state;
                if (HasAllSenders(transactions, accounts))
                {
                    for (var i = 0; i < transactions.Length; i++)
                    {
                        answers[i] = AddOne(transactions[i], accounts);
                    }

                    return;
                }
            }

            // The state is read without the lock; where the head moved meanwhile, what was read is void.
            ReadAccounts(state, transactions, accounts);
            lock (_gate)
            {
                if (!ReferenceEquals(state, _state))
                {
                    accounts.Clear();
                }
            }
        }
    }

    /// <summary>The transaction with the hash; null where the pool has none.</summary>
    public Transaction? Find(in Hash256 hash)
    {
        lock (_gate)
        {
            return _byHash.GetValueOrDefault(hash)?.Transaction;
        }
    }

    /// <summary>
    /// The nonce after the sender's pending transactions; null where the pool has none of the sender.
    /// </summary>
    public ulong? NextNonce(in Address sender)
    {
        lock (_gate)
        {
            return _senders.GetValueOrDefault(sender)?.PendingEnd;
        }
    }

    /// <summary>Why a transaction is no longer in the pool; null where nothing is remembered.</summary>
    public DropRecord? WhyDropped(in Hash256 hash)
    {
        lock (_gate)
        {
            return _drops.Find(hash);
        }
    }

    /// <summary>Counts for metrics and txpool_status.</summary>
    public PoolCounts Counts()
    {
        lock (_gate)
        {
            var pending = 0;
            foreach (var queue in _senders.Values)
            {
                pending += queue.PendingCount;
            }

            return new PoolCounts(pending, _byHash.Count - pending, _senders.Count, _bytes);
        }
    }

    /// <summary>Everything in the pool by sender and nonce, for txpool_content.</summary>
    public IReadOnlyList<PoolContent> Content()
    {
        lock (_gate)
        {
            return
            [
                .. _byHash.Values.Select(entry => (entry, queue: _senders[entry.Transaction.Sender!.Value]))
                    .Select(pair => new PoolContent(
                        pair.entry.Transaction, pair.entry.Transaction.Nonce < pair.queue.PendingEnd))
                    .OrderBy(item => item.Transaction.Sender!.Value).ThenBy(item => item.Transaction.Nonce),
            ];
        }
    }

    /// <summary>
    /// Pending transactions for a block: the higher effective tip first, then the earlier arrival, a sender's by nonce.
    /// They stay in the pool until <see cref="OnHead"/> tells of the block.
    /// </summary>
    public List<Transaction> Select(in PoolSelection selection)
    {
        var selected = new List<Transaction>();
        lock (_gate)
        {
            var heads = new PriorityQueue<SelectionHead, SelectionHead>(_senders.Count);
            foreach (var queue in _senders.Values)
            {
                PushHead(heads, queue, queue.StateNonce, selection);
            }

            var gas = 0UL;
            while (selected.Count < selection.MaximumCount && gas < selection.GasLimit
                && heads.TryDequeue(out var head, out _))
            {
                selected.Add(head.Entry.Transaction);
                gas = checked(gas + Math.Min(head.Entry.Transaction.GasLimit, long.MaxValue / 2));
                PushHead(heads, head.Queue, head.Entry.Transaction.Nonce + 1, selection);
            }
        }

        return selected;
    }

    private static void PushHead(
        PriorityQueue<SelectionHead, SelectionHead> heads, SenderQueue queue, ulong nonce, in PoolSelection selection)
    {
        if (nonce >= queue.PendingEnd || queue.Find(nonce) is not { } entry)
        {
            return;
        }

        var transaction = entry.Transaction;
        var paysBlobs = transaction.Type != TransactionType.Blob
            || transaction.MaxFeePerBlobGas >= selection.BlobBaseFee;
        if (transaction.MaxFeePerGas >= selection.BaseFee && paysBlobs)
        {
            var head = new SelectionHead(queue, entry, selection.BaseFee);
            heads.Enqueue(head, head);
        }
    }

    /// <summary>
    /// Whether the pool or what was read has every sender's account; those that are missing are noted.
    /// </summary>
    private bool HasAllSenders(ReadOnlySpan<Transaction> transactions, Dictionary<Address, Account?> accounts)
    {
        foreach (var transaction in transactions)
        {
            var sender = SenderOf(transaction);
            if (!_senders.ContainsKey(sender) && !accounts.ContainsKey(sender))
            {
                return false;
            }
        }

        return true;
    }

    private static void ReadAccounts(
        IStateReader state, ReadOnlySpan<Transaction> transactions, Dictionary<Address, Account?> accounts)
    {
        foreach (var transaction in transactions)
        {
            var sender = SenderOf(transaction);
            if (!accounts.ContainsKey(sender))
            {
                var status = state.ReadAccount(sender, out var account);
                accounts.Add(sender, status == ReadStatus.NotLoaded ? null : account);
            }
        }
    }

    private static Address SenderOf(Transaction transaction) => transaction.Sender
        ?? throw new InvalidOperationException("The sender of a transaction is recovered before it is offered.");
}

/// <summary>How full the pool is.</summary>
public readonly record struct PoolCounts(int Pending, int Queued, int Senders, long Bytes);

/// <summary>A transaction in the pool and whether it is executable (else it waits behind a gap).</summary>
public readonly record struct PoolContent(Transaction Transaction, bool IsPending);
