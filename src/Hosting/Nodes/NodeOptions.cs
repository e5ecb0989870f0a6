using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Nodes;

/// <summary>How a node that makes its own blocks behaves.</summary>
public sealed record NodeOptions
{
    /// <summary>Seconds between blocks; null mines as soon as there is something to mine.</summary>
    public TimeSpan? BlockTime { get; init; }

    /// <summary>Gas of a block; null keeps the genesis block's.</summary>
    public ulong? GasLimit { get; init; }

    /// <summary>Who receives the fees.</summary>
    public Address Coinbase { get; init; }

    /// <summary>The pool's limits.</summary>
    public MempoolOptions Pool { get; init; } = new();

    /// <summary>Keys that the node signs with for its users (development only).</summary>
    public IReadOnlyList<DevAccount> Accounts { get; init; } = [];

    /// <summary>The newest block counts as safe and finalized, because there is but one validator.</summary>
    public bool IsInstantlyFinal { get; init; } = true;

    /// <summary>
    /// Told of transactions that the pool took, before their sender is answered: where others order them, they are kept
    /// and passed on here. Called on many threads at once.
    /// </summary>
    public Action<IReadOnlyList<PooledAnswer>>? OnAccepted { get; init; }

    /// <summary>
    /// Keeps what the pool took until it is in a block, and offers it again at the next start; null keeps it in memory
    /// only. The store stays the caller's.
    /// </summary>
    public IKeyValueStore? Journal { get; init; }

    /// <summary>Rates, fee floor, keys, audit: what the node guards itself with.</summary>
    public Security.SecurityOptions Security { get; init; } = new();

    /// <summary>How long one call, estimate, simulation or trace may execute; zero for no limit.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Why a transaction is in no block, where others than this node's pool know; null where there are none.
    /// </summary>
    public Func<Hash256, string?>? FindDropped { get; init; }

    /// <summary>Where filters are kept when other nodes answer for them too; null keeps them in memory.</summary>
    public SharedFilters? SharedFilters { get; init; }

    /// <summary>Methods that build blocks to order, for test fixtures.</summary>
    public bool AllowTestingMethods { get; init; }

    /// <summary>
    /// Counters of what stands below the node (state, store, executor), by family, read when /metrics is asked for.
    /// </summary>
    public IReadOnlyDictionary<string, Func<IReadOnlyDictionary<string, double>>> Statistics { get; init; } =
        new Dictionary<string, Func<IReadOnlyDictionary<string, double>>>();

    /// <summary>Methods that change time, accounts and history.</summary>
    public bool AllowDevelopmentMethods { get; init; }
}

/// <summary>Where the filters of several nodes of one chain lie, whose blocks never leave it.</summary>
/// <param name="Documents">The store.</param>
/// <param name="Container">The container; what nobody uses may be forgotten there after an hour.</param>
public sealed record SharedFilters(IDocumentStore Documents, string Container);
