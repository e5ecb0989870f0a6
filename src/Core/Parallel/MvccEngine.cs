using System.Collections.Concurrent;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>A transaction over keyed values: reads, writes and adds through the view, and nothing else.</summary>
/// <remarks>
/// It may run several times and see values that never stood together; what it then does is thrown away. It must not
/// touch anything outside of the view, and must come to an end whatever it reads.
/// </remarks>
public delegate void MvccTransaction<TKey, TValue>(MvccView<TKey, TValue> view)
    where TKey : notnull
    where TValue : struct, IAddable<TValue>, IEquatable<TValue>;

/// <summary>Runs batches of closures over a key-value state with Block-STM; the result equals a serial run.</summary>
/// <remarks>One batch at a time; reused, it allocates nothing but for what grows.</remarks>
public sealed class MvccEngine<TKey, TValue>
    where TKey : notnull
    where TValue : struct, IAddable<TValue>, IEquatable<TValue>
{
    private readonly MvccStore<TKey, TValue> _store;
    private readonly ConcurrentDictionary<TKey, MvccLocation<TKey, TValue>> _locations = new();
    private readonly List<MvccView<TKey, TValue>> _views = [];
    private TransactionRecord<TKey, TValue>[] _records = [];

    public MvccEngine(MvccStore<TKey, TValue> store) => _store = store;

    /// <summary>Counters of the last parallel batch.</summary>
    public BlockStmStatistics Statistics { get; private set; } = new();

    /// <summary>Executes the batch and commits its writes as the store's next height.</summary>
    public void Execute(IReadOnlyList<MvccTransaction<TKey, TValue>> batch, MvccOptions options)
    {
        if (options.Workers <= 1)
        {
            ExecuteSerially(batch);
        }
        else
        {
            ExecuteInParallel(batch, options);
        }
    }

    private void ExecuteSerially(IReadOnlyList<MvccTransaction<TKey, TValue>> batch)
    {
        Prepare(1, 0);
        var view = _views[0];
        for (var i = 0; i < batch.Count; i++)
        {
            view.BeginSerial();
            batch[i](view);
            view.EndSerial();
        }

        CommitToStore(_ => true);
    }

    private void ExecuteInParallel(IReadOnlyList<MvccTransaction<TKey, TValue>> batch, MvccOptions options)
    {
        Prepare(options.Workers, batch.Count);
        var client = new Client(this, batch, options);
        var scheduler = new BlockStm(
            client, batch.Count, new BlockStmOptions(
                options.Workers, options.ValidateAhead, options.Workers * BlockStmOptions.WindowPerWorker,
                options.Batch, MayGiveUp: false, options.Clock, options.Interleaving));
        Statistics = scheduler.Statistics;
        scheduler.Run();
        CommitToStore(location => location.TryFinish());
    }

    private void Prepare(int workers, int transactions)
    {
        while (_views.Count < workers)
        {
            _views.Add(new MvccView<TKey, TValue>(this));
        }

        if (_records.Length < transactions)
        {
            var known = _records.Length;
            Array.Resize(ref _records, transactions);
            for (var i = known; i < transactions; i++)
            {
                _records[i] = new TransactionRecord<TKey, TValue>();
            }
        }
    }

    /// <summary>The batch's final values become one height of the store; the workers' arenas are free again.</summary>
    private void CommitToStore(Func<MvccLocation<TKey, TValue>, bool> isWritten)
    {
        var height = _store.BeginCommit();
        foreach (var (key, location) in _locations)
        {
            if (isWritten(location) && location.IsDirty)
            {
                _store.Put(height, key, location.Current);
            }

            location.Chain.Clear();
            location.IsDirty = false;
        }

        _store.EndCommit(height);
        foreach (var view in _views)
        {
            view.Arena.Reset();
        }
    }

    internal MvccLocation<TKey, TValue> Locate(TKey key)
    {
        if (_locations.TryGetValue(key, out var location))
        {
            return location;
        }

        var created = new MvccLocation<TKey, TValue>();
        created.Current = _store.Read(key);
        return _locations.GetOrAdd(key, created);
    }

    /// <summary>Between the scheduler and the views.</summary>
    private sealed class Client(
        MvccEngine<TKey, TValue> engine, IReadOnlyList<MvccTransaction<TKey, TValue>> batch, MvccOptions options)
        : IBlockStmClient
    {
        private readonly WriteLog? _log = options.BloomFilter ? new WriteLog() : null;

        public int KnownDependency(int transaction) => -1;

        public ExecutionStep Execute(int worker, int transaction)
        {
            var view = engine._views[worker];
            var record = engine._records[transaction];
            record.LogPosition = _log?.Position ?? 0;
            view.Begin(transaction);
            batch[transaction](view);
            if (view.BlockedOn >= 0)
            {
                return new ExecutionStep(ExecutionStepKind.Blocked, view.BlockedOn);
            }

            var signature = view.Publish(record);
            if (record.RepeatedItself)
            {
                engine.Statistics.CountFalseConflict(worker);
            }

            _log?.Append(signature);
            return ExecutionStep.Done;
        }

        public bool Validate(int worker, int transaction)
        {
            var record = engine._records[transaction];
            return record.IsUntouchedSince(_log) || record.Revalidate(transaction);
        }

        public void MarkEstimates(int transaction) => engine._records[transaction].MarkEstimates();

        public bool Commit(int worker, int transaction)
        {
            engine._records[transaction].Finish(transaction);
            return true;
        }

        public void AwaitLoad(int worker, int transaction) =>
            throw new InvalidOperationException("Keyed values are always loaded.");

        public bool TryLoad(int worker) => false;

        public void Conclude(int worker)
        {
        }
    }
}

/// <summary>How <see cref="MvccEngine{TKey,TValue}"/> runs a batch.</summary>
/// <param name="Workers">Threads; 1 runs serially without any versions.</param>
/// <param name="LazyAdditions">Whether additions are kept as such until somebody reads.</param>
/// <param name="BloomFilter">Whether validation looks at write signatures before it looks at versions.</param>
/// <param name="ValidateAhead">Whether idle workers validate what cannot be committed yet.</param>
/// <param name="Batch">Transactions that a worker takes at a time.</param>
/// <param name="Clock">Measures how long workers wait; null: not measured.</param>
/// <param name="Interleaving">Called at every scheduling point; for tests.</param>
public sealed record MvccOptions(
    int Workers, bool LazyAdditions = true, bool BloomFilter = false, bool ValidateAhead = false, int Batch = 1,
    TimeProvider? Clock = null, Action<int>? Interleaving = null);

/// <summary>A key with its versions of the batch under way and its committed value.</summary>
internal sealed class MvccLocation<TKey, TValue>
    where TKey : notnull
    where TValue : struct, IAddable<TValue>, IEquatable<TValue>
{
    internal VersionChain<TValue> Chain;

    /// <summary>The value before the batch; in a serial batch the value now.</summary>
    internal TValue Current;

    /// <summary>Whether the batch wrote here.</summary>
    internal bool IsDirty;

    /// <summary>Takes the newest version over as the value; false where no transaction wrote.</summary>
    internal bool TryFinish()
    {
        if (Chain.IsEmpty)
        {
            return false;
        }

        Chain.Resolve(int.MaxValue, out var resolved);
        if (resolved.Status == ResolveStatus.Written)
        {
            Current = resolved.Value;
        }
        else if (resolved.HasSum)
        {
            Current = TValue.Add(Current, resolved.Sum);
        }

        IsDirty = true;
        return true;
    }
}
