using SuperVm.Core.Proving;
using SuperVm.Core.Storage;
using SuperVm.Gpu;
using SuperVm.Hosting.Proving;
using SuperVm.Hosting.Roles;
using SuperVm.Local.Proofs;

namespace SuperVm.Cli.Commands;

/// <summary>The proof service inside of a development node: its queue and its records are in memory.</summary>
internal sealed class DevProofs : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    private readonly ProofService _service;
    private readonly ProofWorker _worker;

    private DevProofs(RolePorts ports, string folder, Action<string> log)
    {
        var limits = new ProofLimits();
        var engine = new LazyProofEngine(() => new DirectProofEngine(
            GpuProofBackend.Best(new CpuProofBackend(), log), new SystemRandomSource()));
        _service = new ProofService(ports, engine, new FolderKeyFiles(folder), limits);
        _worker = new ProofWorker(ports, _service, LongestPause);
        Door = new ProofEndpoint(ports, limits);
    }

    /// <summary>What answers under /api/v1/proofs.</summary>
    internal ProofEndpoint Door { get; }

    /// <summary>Serves the circuits whose keys lie in a folder.</summary>
    internal static DevProofs Start(string folder, Action<string> log)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidConfigurationException($"--circuits: there is no folder {folder}");
        }

        var ports = new RolePorts
        {
            Bus = new InMemoryMessageBus(TimeProvider.System),
            Documents = new InMemoryDocumentStore(),
            Blobs = new InMemoryBlobStore(),
            Names = new RoleNames("inbox", "batches", "proofs", "replica", "proof-records"),
            Clock = TimeProvider.System,
            Log = log,
        };
        return new DevProofs(ports, folder, log);
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        _service.Dispose();
    }
}
