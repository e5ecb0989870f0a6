using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Consensus;

/// <summary>How several validators of one process are put together.</summary>
public sealed record LocalValidatorsOptions
{
    /// <summary>The chain; it holds a registry.</summary>
    public required Genesis Genesis { get; init; }

    /// <summary>A key for each validator of the process, 32 bytes.</summary>
    public required IReadOnlyList<byte[]> Keys { get; init; }

    /// <summary>Opens the store of a validator; it is disposed with the validators.</summary>
    public required Func<int, IKeyValueStore> OpenStore { get; init; }

    /// <summary>Makes an engine for calls.</summary>
    public required Func<IExecutionEngine> NewEngine { get; init; }

    /// <summary>Makes the processor of a validator's blocks.</summary>
    public required Func<int, BlockProcessor> NewProcessor { get; init; }

    /// <summary>How the first validator's node behaves, which clients speak to; the others have no accounts.</summary>
    public NodeOptions Node { get; init; } = new();

    public ConsensusParameters Parameters { get; init; } = new();

    /// <inheritdoc cref="ValidatorOptions.KeepBatches"/>
    public ulong KeepBatches { get; init; } = 100_000;

    /// <summary>Takes a line of a validator's log.</summary>
    public Action<int, string> Log { get; init; } = (_, _) => { };

    /// <summary>Puts something between a validator and its peers (tests).</summary>
    public Func<int, IPeerNetwork, IPeerNetwork> Between { get; init; } = (_, network) => network;
}

/// <summary>Validators of one chain in one process, each with its own key, store and threads.</summary>
/// <remarks>
/// They agree with each other as processes do; only the wire is missing (<see cref="LocalPeerHub"/>).
/// </remarks>
public sealed class LocalValidators : IAsyncDisposable
{
    private readonly List<IKeyValueStore> _stores = [];
    private readonly List<Chain> _chains = [];
    private readonly List<ValidatorNode> _nodes = [];

    private LocalValidators()
    {
    }

    /// <summary>In the order of the keys.</summary>
    public IReadOnlyList<ValidatorNode> Nodes => _nodes;

    /// <exception cref="ArgumentException">The genesis has no registry, or a key is none.</exception>
    /// <exception cref="StoreException">A store cannot be opened, or is another chain's.</exception>
    public static async Task<LocalValidators> StartAsync(
        LocalValidatorsOptions options, TimeProvider clock, CancellationToken cancellation = default)
    {
        var registry = ValidatorRegistry.Read(options.Genesis)
            ?? throw new ArgumentException("The genesis has no validator registry.");
        var validators = new LocalValidators();
        try
        {
            var hub = new LocalPeerHub();
            for (var i = 0; i < options.Keys.Count; i++)
            {
                validators.Add(i, options, registry, hub, clock);
            }

            foreach (var node in validators._nodes)
            {
                await node.StartAsync(cancellation);
            }

            return validators;
        }
        catch
        {
            await validators.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends when one of them cannot go on, with its reason.</summary>
    public Task<Task> AnyEnded() => Task.WhenAny(_nodes.Select(node => node.Completion));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        foreach (var chain in _chains)
        {
            chain.Dispose();
        }

        foreach (var store in _stores)
        {
            store.Dispose();
        }
    }

    private void Add(
        int index, LocalValidatorsOptions options, ValidatorRegistry registry, LocalPeerHub hub, TimeProvider clock)
    {
        var store = options.OpenStore(index);
        _stores.Add(store);
        var chain = Chain.Open(store, options.Genesis, new ChainOptions { Processor = options.NewProcessor(index) });
        _chains.Add(chain);
        var address = new Secp256k1Signer(options.Keys[index]).Address;
        _nodes.Add(new ValidatorNode(
            chain, store, options.NewEngine, index == 0 ? options.Node : new NodeOptions(),
            new ValidatorOptions
            {
                PrivateKey = options.Keys[index], Validators = [], Registry = registry,
                Parameters = options.Parameters, KeepBatches = options.KeepBatches,
                Network = options.Between(index, hub.Connect(address)),
            },
            clock, line => options.Log(index, line)));
    }
}
