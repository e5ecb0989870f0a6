using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Roles.Consortium;

/// <summary>Who decides on a chain of several operators.</summary>
/// <param name="Validators">
/// Where they are reached; without a registry they are the set, equal and in equal order on all of them.
/// </param>
/// <param name="Registry">The registry in genesis, which fixes the first set and the epochs; null for a set that never
/// changes.</param>
public sealed record ConsortiumSet(IReadOnlyList<ValidatorPeer> Validators, ValidatorRegistry? Registry)
{
    /// <summary>Where every validator that is registered is reached.</summary>
    internal PeerDirectory DirectoryOf(IRoleChain chain) => new(chain.Chain, Validators, Registry is not null);

    /// <summary>The surroundings of the replica that signs.</summary>
    internal ReplicaContext ContextOf(IRoleChain chain, IConsensusSigner signer, ITransactionInspector inspector) =>
        ConsensusGenesis.ContextOf(chain.Chain, Limits, Registry, Validators, signer, inspector);

    /// <summary>What proves finality, for an app that signs nothing.</summary>
    internal IFinalityProofs Proofs(RolePorts ports, IRoleChain chain)
    {
        var inspector = new TransactionCache(chain.Chain.ChainId);
        ports.Caches.Add(inspector.Forget);
        return new CommittedProofs(
            new(ports.Blobs, new(ports.Blobs, inspector)), chain.Chain, ContextOf(chain, NoSigner.Instance, inspector));
    }

    /// <summary>How often a replica that is no validator asks how far the others are.</summary>
    internal TimeSpan WatchPeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How states are given and taken.</summary>
    public SnapshotLimits Snapshots { get; init; } = new();

    /// <summary>Smaller than a process's: a document has to hold the state, and messages cost money.</summary>
    internal ConsensusParameters Limits { get; init; } = new()
    {
        Window = 8,
        BatchTransactions = 1_000,
        BatchBytes = 256 << 10,
        BatchAgeMs = 50,
        FetchDelayMs = 100,
        StatusPeriodMs = 2_000,
        ProgressTimeoutMs = 8_000,
        CensorTimeoutMs = 30_000,
        PoolTransactions = 16_384,
        PoolBytes = 8 << 20,
        PoolPerPeer = 4_096,
        PoolOwn = 3_072,
        RecentTransactions = 16_384,
    };

    private sealed class NoSigner : IConsensusSigner
    {
        internal static readonly NoSigner Instance = new();

        public Core.Primitives.Address Address => default;

        public byte[] Sign(in Core.Primitives.Hash256 digest) =>
            throw new InvalidOperationException("This app reads, and signs nothing.");
    }
}
