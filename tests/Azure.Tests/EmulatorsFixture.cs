using SuperVm.Local.Emulators;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

/// <summary>The emulators of src/Local/Emulators, started once for all tests of this project.</summary>
public sealed class EmulatorsFixture : IAsyncLifetime
{
    internal const string Reason = AzureEmulators.Reason;

    private static int _names;
    private AzureEmulators? _emulators;

    public CloudCounters Counters { get; } = new();

    internal CloudSettings Settings { get; private set; } = null!;

    /// <summary>A name that no other test of this run uses.</summary>
    public static string NextName(string prefix) => $"{prefix}{Interlocked.Increment(ref _names)}";

    public async Task InitializeAsync()
    {
        if (!PortFactDiscoverer.IsInstalled("npm"))
        {
            return; // every test that would ask for the emulators is skipped
        }

        _emulators = await AzureEmulators.StartAsync(Root());
        Settings = new()
        {
            QueueEndpoint = new(_emulators.Queue, AzureEmulators.Account),
            BlobEndpoint = new(_emulators.Blob, AzureEmulators.Account),
            TableEndpoint = new(_emulators.Table, AzureEmulators.Account),
            DocumentEndpoint = _emulators.Documents,
            Database = "supervm",
            BlobContainer = "bodies",
            StorageKey = new(AzureEmulators.Account, AzureEmulators.AccountKey),
            DocumentKey = AzureEmulators.DocumentKey,
        };
    }

    public async Task DisposeAsync()
    {
        if (_emulators is not null)
        {
            await _emulators.DisposeAsync();
        }
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests lie outside of the repository.");
        }

        return at.FullName;
    }
}

/// <summary>The tests that share the emulators.</summary>
[CollectionDefinition(Name)]
public sealed class EmulatorsCollection : ICollectionFixture<EmulatorsFixture>
{
    public const string Name = "emulators";
}
