using System.Diagnostics;
using System.Globalization;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.Nodes;

/// <summary>Makes blocks out of the pool: at once when something waits there, or every so many seconds.</summary>
/// <remarks>
/// <code>
///   Signal ──▶ [ wait ] ──▶ select ──▶ IChain.Produce ──▶ pool.OnHead ──┐
///                 ▲ nothing waits any more                               │ more waits
///                 └──────────────────────────────────────────────────────┘
/// </code>
/// While a block is being made, transactions gather in the pool, so blocks grow with the load by themselves. One thread
/// makes them; <see cref="Mine"/> may be called from any other and takes turns with it.
/// </remarks>
internal sealed class BlockProducer : IDisposable
{
    /// <summary>Candidates of a block; what is left out for want of room comes with the next.</summary>
    private const int MaximumCandidates = 50_000;

    /// <summary>
    /// How often an empty block is made while all that waits pays less than the base fee, so that it falls.
    /// </summary>
    private static readonly TimeSpan PricedOutInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long nothing must happen after a load before memory is given back.</summary>
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(5);

    /// <summary>Transactions that count as a load.</summary>
    private const long LoadTransactions = 1_000;

    private readonly Lock _gate = new();
    private readonly IChain _chain;
    private readonly ChainSpec _spec;
    private readonly TransactionPool _pool;
    private readonly DevClock _clock;
    private readonly NodeOptions _options;
    private readonly Action<string> _log;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private volatile bool _stopping;
    private volatile bool _isAutomatic = true;
    private TimeSpan? _interval;
    private long _trimmedAt;
    private ulong? _gasLimit;
    private Address _coinbase;
    private NextBaseFee? _nextBaseFee;
    private NextRandao? _nextRandao;
    private CachedNext? _next;

    internal BlockProducer(
        IChain chain, ChainSpec spec, TransactionPool pool, DevClock clock, NodeOptions options, Action<string> log)
    {
        (_chain, _spec, _pool, _clock, _options, _log) = (chain, spec, pool, clock, options, log);
        _interval = options.BlockTime;
        _gasLimit = options.GasLimit;
        _coinbase = options.Coinbase;
        _thread = new Thread(Run) { IsBackground = true, Name = "block producer" };
    }

    /// <summary>Whether transactions are mined as soon as they come, where there is no interval.</summary>
    internal bool IsAutomatic
    {
        get => _isAutomatic;
        set
        {
            _isAutomatic = value;
            Signal();
        }
    }

    /// <summary>Blocks made and transactions in them since the start, for metrics.</summary>
    internal ProducerCounts Counts { get; private set; }

    /// <summary>How long blocks took to be made.</summary>
    internal LatencyHistogram Took { get; } = new();

    /// <summary>Called after the pool has learnt of a new block, on the thread that made it.</summary>
    internal Action? OnProduced { get; init; }

    /// <summary>Whether blocks are told to the log.</summary>
    internal bool IsQuiet { get; set; }

    /// <summary>The time between blocks; null where they are made as transactions come.</summary>
    internal TimeSpan? Interval => _interval;

    internal Address Coinbase
    {
        get => _coinbase;
        set => _coinbase = value;
    }

    /// <summary>What is known of the next block; cheap, worked out once a head.</summary>
    internal NextBlock Next
    {
        get
        {
            var head = _chain.Head;
            var known = _next;
            if (known is null || known.Head != head.Hash || known.Overridden != _nextBaseFee)
            {
                _next = known = new CachedNext(head.Hash, _nextBaseFee, WorkOutNext(head));
            }

            return known.Next;
        }
    }

    internal void Start() => _thread.Start();

    /// <summary>Something waits in the pool.</summary>
    internal void Signal() => _wake.Set();

    /// <summary>Makes a block every so many seconds; null or zero ends that.</summary>
    internal void SetInterval(TimeSpan? interval)
    {
        lock (_gate)
        {
            _interval = interval is { } given && given > TimeSpan.Zero ? given : null;
        }

        Signal();
    }

    /// <summary>The gas limit of the blocks from now on.</summary>
    internal void SetGasLimit(ulong gasLimit)
    {
        lock (_gate)
        {
            _gasLimit = gasLimit;
            _next = null;
        }
    }

    /// <summary>The base fee of the next block alone.</summary>
    internal void SetNextBaseFee(in UInt256 baseFee) => _nextBaseFee = new NextBaseFee(baseFee);

    /// <summary>What PREVRANDAO answers in the next block alone.</summary>
    internal void SetNextRandao(in Hash256 value) => _nextRandao = new NextRandao(value);

    /// <summary>Makes a block now, be it empty.</summary>
    internal ProducedBlock Mine(ulong? timestamp = null)
    {
        lock (_gate)
        {
            return Produce(timestamp);
        }
    }

    /// <summary>Makes a block that changes the state by hand and has no transactions.</summary>
    /// <param name="edits">Answers the changes for the newest state.</param>
    internal ProducedBlock Edit(Func<IStateReader, StateChanges> edits)
    {
        lock (_gate)
        {
            var state = _chain.StateAt(_chain.Head.Number).State
                ?? throw new InvalidOperationException("The newest state of a chain can always be read.");
            var made = Produce(null, [], edits(state));
            _pool.Reset(_chain.StateAt(made.Block.Number).State ?? made.State);
            return made;
        }
    }

    /// <summary>What the next block would be if it were made now.</summary>
    internal ProducedBlock Preview() => _chain.Build(Attributes(null), Candidates());

    /// <summary>Runs an action that changes the chain while no block is being made.</summary>
    internal T Exclusively<T>(Func<T> action)
    {
        lock (_gate)
        {
            return action();
        }
    }

    /// <summary>Ends; what was accepted and could be mined is mined before.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (_thread.IsAlive && _thread != Thread.CurrentThread)
        {
            _thread.Join();
            while (_isAutomatic && TryMine(out _))
            {
            }
        }

        _wake.Dispose();
    }

    private void Run()
    {
        WarmUp();
        long? nextDue = null;
        while (!_stopping)
        {
            try
            {
                if (_interval is { } interval)
                {
                    nextDue = WaitForInterval(nextDue, interval);
                }
                else
                {
                    MineWhatWaits();
                    nextDue = null;
                }
            }
            catch (Exception defect) when (defect is not OutOfMemoryException)
            {
                // The pool keeps its transactions: they are tried again with the next block.
                _log($"making a block failed: {defect}");
                _wake.WaitOne(PricedOutInterval);
            }
        }
    }

    /// <summary>Makes a block and forgets it, so that the first real one does not wait for the compiler.</summary>
    private void WarmUp()
    {
        try
        {
            _chain.Build(Attributes(null), WarmUpTransfers.Of(_options.Accounts, Next, _pool));
        }
        catch (InvalidOperationException problem)
        {
            _log($"no block can be made: {problem.Message}");
        }
    }

    /// <summary>Makes the block that is due, or waits for it; the first is due one interval after the start.</summary>
    private long WaitForInterval(long? lastDue, TimeSpan interval)
    {
        var now = Stopwatch.GetTimestamp();
        var whole = (long)(interval.TotalSeconds * Stopwatch.Frequency);
        // No later than an interval from now: the interval may have become shorter.
        var due = Math.Min(lastDue ?? long.MaxValue, now + whole);
        if (due > now)
        {
            // A signal only means that the mode may have changed: what waits is mined when it is time.
            _wake.WaitOne(Stopwatch.GetElapsedTime(now, due));
            return due;
        }

        Mine();
        return Math.Max(due, Stopwatch.GetTimestamp() - Stopwatch.Frequency) + whole;
    }

    private void MineWhatWaits()
    {
        var isPricedOut = false;
        while (!_stopping && _interval is null && _isAutomatic && TryMine(out isPricedOut))
        {
        }

        var isLoaded = Counts.Transactions - _trimmedAt >= LoadTransactions;
        var patience = isPricedOut ? PricedOutInterval : isLoaded ? IdleInterval : Timeout.InfiniteTimeSpan;
        if (_wake.WaitOne(patience) || _stopping)
        {
            return;
        }

        if (isPricedOut)
        {
            Mine();
        }
        else
        {
            GiveMemoryBack();
        }
    }

    /// <summary>What a load left in the heap goes back to the system once the load is over.</summary>
    private void GiveMemoryBack()
    {
        _trimmedAt = Counts.Transactions;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>Makes a block where something can be in it; whether it may be worth trying again at once.</summary>
    private bool TryMine(out bool isPricedOut)
    {
        lock (_gate)
        {
            isPricedOut = false;
            var candidates = Candidates();
            if (candidates.Count == 0)
            {
                isPricedOut = _pool.Counts().Pending > 0;
                return false;
            }

            var made = Produce(null, candidates);
            return made.Block.Block.Transactions.Count > 0;
        }
    }

    private ProducedBlock Produce(
        ulong? timestamp, List<Transaction>? candidates = null, StateChanges? edits = null)
    {
        candidates ??= Candidates();
        var started = Stopwatch.GetTimestamp();
        var made = _chain.Produce(Attributes(timestamp) with { Edits = edits }, candidates);
        (_nextBaseFee, _nextRandao) = (null, null);
        _clock.OnBlock(made.Block.Header.Timestamp);
        var invalid = new List<InvalidTransaction>();
        foreach (var left in made.LeftOut)
        {
            if (!MayComeLater(left, made.Block.Header))
            {
                invalid.Add(new InvalidTransaction(left.Transaction, left.Error.ToString()));
            }
        }

        var transactions = made.Block.Block.Transactions;
        _pool.OnHead(_chain.StateAt(made.Block.Number).State ?? made.State, transactions, invalid);
        OnProduced?.Invoke();
        Took.ObserveSince(started);
        Report(made.Block, Stopwatch.GetElapsedTime(started));
        return made;
    }

    /// <summary>Whether only room, an earlier transaction or a lower base fee was missing.</summary>
    private static bool MayComeLater(in LeftOutTransaction left, BlockHeader block) => left.Error switch
    {
        TransactionError.GasLimitExceedsBlock => left.Transaction.GasLimit <= block.GasLimit,
        TransactionError.BlobGasExceedsBlock or TransactionError.NonceTooHigh
            or TransactionError.FeeCapBelowBaseFee or TransactionError.BlobFeeTooLow => true,
        _ => false,
    };

    private void Report(ChainBlock block, TimeSpan took)
    {
        var count = block.Block.Transactions.Count;
        Counts = new ProducerCounts(Counts.Blocks + 1, Counts.Transactions + count, Counts.Gas + block.Header.GasUsed);
        if (IsQuiet)
        {
            return;
        }

        _log(string.Create(
            CultureInfo.InvariantCulture,
            $"block {block.Number} {block.Hash.ToString().AsSpan(0, 10)}… {count} tx {block.Header.GasUsed} gas " +
            $"{took.TotalMilliseconds:F1} ms"));
    }

    internal List<Transaction> Candidates()
    {
        var next = Next;
        return _pool.Select(new PoolSelection
        {
            BaseFee = next.BaseFee,
            BlobBaseFee = next.BlobBaseFee,
            GasLimit = next.GasLimit > ulong.MaxValue / 2 ? ulong.MaxValue : next.GasLimit * 2,
            MaximumCount = MaximumCandidates,
        });
    }

    private BlockAttributes Attributes(ulong? timestamp)
    {
        var head = _chain.Head;
        var least = _spec.AllowsEqualTimestamps ? 0UL : 1UL;
        return new BlockAttributes
        {
            Coinbase = _coinbase,
            Timestamp = timestamp is { } given
                ? Math.Max(given, head.Header.Timestamp + least)
                : _clock.TimeAfter(head.Header.Timestamp, least),
            PrevRandao = _nextRandao?.Value ?? Keccak256.Hash(head.Hash.Bytes),
            GasLimit = _gasLimit,
            BaseFeePerGas = _nextBaseFee?.Wei,
        };
    }

    private NextBlock WorkOutNext(ChainBlock head)
    {
        var number = head.Number + 1;
        var time = _clock.TimeAfter(head.Header.Timestamp, 0);
        var rules = _spec.RulesAt(number, time, head.TotalDifficulty);
        var excess = BlobFee.ExcessAfter(head.Header, rules);
        return new NextBlock(
            rules,
            _spec.ChainId,
            _gasLimit ?? head.Header.GasLimit,
            _nextBaseFee?.Wei ?? (rules.Eip1559 ? BaseFee.After(head.Header) : UInt256.Zero),
            excess is { } blobs && rules.Blobs is { } schedule ? BlobFee.Of(blobs, schedule) : UInt256.Zero);
    }

    private sealed record NextBaseFee(UInt256 Wei);

    private sealed record NextRandao(Hash256 Value);

    private sealed record CachedNext(Hash256 Head, NextBaseFee? Overridden, NextBlock Next);
}

/// <summary>What was made since the start.</summary>
internal readonly record struct ProducerCounts(long Blocks, long Transactions, ulong Gas);
