using SuperVm.Core.Consensus.Stake;
using SuperVm.Local.Emulators;

namespace SuperVm.Cli.Cloud;

/// <summary>How the emulated cloud is set up.</summary>
internal sealed record CloudOptions
{
    /// <summary>The repository: the function apps and the emulators lie there.</summary>
    public required string Root { get; init; }

    /// <summary>Where each app's lines go, a file each.</summary>
    public required string Logs { get; init; }

    /// <summary>1, or 3f + 1 of a consortium.</summary>
    public int Validators { get; init; } = 1;

    /// <summary>Deployments beside the validators that follow the chain and are registered by nobody yet.</summary>
    public int Watchers { get; init; }

    /// <summary>Blocks of an epoch; 0 keeps the first set for ever.</summary>
    public ulong EpochLength { get; init; } = new RegistryParameters().EpochLength;

    /// <summary>Blocks behind from which on a state is offered; null for the setting's own value.</summary>
    public ulong? SnapshotBehind { get; init; }

    /// <summary>The first validator's JSON-RPC port, the others' follow; 0 takes free ones.</summary>
    public int Port { get; init; }

    public ulong ChainId { get; init; } = Core.Ledger.ChainSpec.DevelopmentChainId;

    /// <summary>The genesis file; null for one with the development accounts.</summary>
    public byte[]? Genesis { get; init; }

    /// <summary>The apps that are started at once; others are when they are asked for.</summary>
    public IReadOnlyList<string> Apps { get; init; } = CloudValidator.Apps;

    /// <summary>Instances of the apps that have more than one, by their names.</summary>
    public IReadOnlyDictionary<string, int> Instances { get; init; } = new Dictionary<string, int>();

    /// <summary>The folder of armed fail points; null for none.</summary>
    public string? FailPoints { get; init; }

    /// <summary>Where the storage emulator keeps its data; null for in memory.</summary>
    public string? StorageData { get; init; }

    /// <summary>Where the emulators listen; null for free ports.</summary>
    public EmulatorPorts? EmulatorPorts { get; init; }

    /// <summary>Deaths of a handler within half an hour after which its app is started no more.</summary>
    public int MostFailures { get; init; } = 3;

    /// <summary>
    /// How long a message is hidden while it is handled. Shorter than the cloud's ten minutes: what a killed machine
    /// held comes again soon.
    /// </summary>
    public TimeSpan Visibility { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Told of each invocation that ended.</summary>
    public Action<Local.Functions.InvocationEnd> Observe { get; init; } = _ => { };

    /// <summary>Takes what an operator wants to see.</summary>
    public Action<string> Log { get; init; } = _ => { };
}
