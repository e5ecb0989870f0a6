using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Node;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Nodes;

/// <summary>A chain with its pool, its block producer and what answers questions about it.</summary>
/// <remarks>
/// <code>
///   JSON-RPC ─▶ SubmissionQueue ─▶ TransactionIngest ─▶ TransactionPool ─▶ BlockProducer ─▶ IChain
///        └────▶ CallRunner, FeeOracle, PendingBlocks ────────────────────▶ IChain (reads)
/// </code>
/// </remarks>
public sealed class Node : IDisposable
{
    /// <summary>A node over a chain; call <see cref="Start"/> to make it produce.</summary>
    /// <param name="chain">The chain; it stays the caller's.</param>
    /// <param name="spec">Its rules.</param>
    /// <param name="newEngine">Makes an engine for calls.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="clock">The time of blocks.</param>
    /// <param name="log">Takes one line an event; must not block.</param>
    public Node(
        IChain chain, ChainSpec spec, Func<IExecutionEngine> newEngine, NodeOptions options, TimeProvider clock,
        Action<string> log)
    {
        (Chain, Spec, Options, Log) = (chain, spec, options, log);
        var state = chain.StateAt(chain.Head.Number).State
            ?? throw new InvalidOperationException("The newest state of a chain can always be read.");
        WallClock = clock;
        Clock = new DevClock(clock);
        Events = new ChainEvents(chain);
        Pool = new TransactionPool(options.Pool, clock, state);
        Pool.Left += (_, waited) => PoolWait.Observe(waited);
        Journal = options.Journal is { } store ? new PoolJournal(store, Pool) : null;
        Producer = new BlockProducer(chain, spec, Pool, Clock, options, log) { OnProduced = () => Journal?.Forget() };
        Guard = new SubmissionGuard(options.Security, clock);
        var onAccepted = Journal is { } journal ? options.OnAccepted + journal.Keep : options.OnAccepted;
        Ingest = new TransactionIngest(
            Pool, () => Producer.Next, Producer.Signal, Guard, onAccepted + Events.OnAccepted);
        Submissions = new SubmissionQueue(Ingest);
        Calls = new CallRunner(newEngine, clock, options.CallTimeout);
        Fees = new FeeOracle(chain);
        Pending = new PendingBlocks(chain, Pool, Producer);
    }

    public IChain Chain { get; }

    public ChainSpec Spec { get; }

    public NodeOptions Options { get; }

    public TransactionPool Pool { get; }

    internal Action<string> Log { get; }

    internal DevClock Clock { get; }

    /// <summary>The time of limits, which no development method moves.</summary>
    internal TimeProvider WallClock { get; }

    internal SubmissionGuard Guard { get; }

    /// <summary>What happened last, for filters and subscriptions.</summary>
    internal ChainEvents Events { get; }

    internal BlockProducer Producer { get; }

    internal TransactionIngest Ingest { get; }

    /// <summary>How long transactions were in the pool.</summary>
    internal LatencyHistogram PoolWait { get; } = new();

    /// <summary>Keeps the pool over a restart; null where nothing does.</summary>
    internal PoolJournal? Journal { get; }

    internal SubmissionQueue Submissions { get; }

    /// <summary>Whom a development node sends for without a key.</summary>
    internal Impersonations Impersonations { get; } = new();

    internal CallRunner Calls { get; }

    internal FeeOracle Fees { get; }

    internal PendingBlocks Pending { get; }

    /// <summary>The consensus that makes the chain's blocks; null where this node makes them alone.</summary>
    internal Consensus.ConsensusView? Consensus { get; init; }

    /// <summary>What proves finality, where another process keeps it; else <see cref="Consensus"/>.</summary>
    internal Consensus.IFinalityProofs? Finality
    {
        get => field ?? Consensus;
        init;
    }

    /// <summary>Takes up what an earlier process left in the journal, and begins to make blocks.</summary>
    public void Start()
    {
        if (Journal?.Replay(Ingest) is > 0 and var count)
        {
            Log($"{count} transactions of an earlier run wait again");
        }

        Producer.Start();
    }

    /// <summary>Ends the block under way and makes no more.</summary>
    public void Dispose()
    {
        Producer.Dispose();
        Journal?.Dispose();
    }
}
