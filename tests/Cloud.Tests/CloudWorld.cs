using SuperVm.Cli.Cloud;
using SuperVm.Local.Emulators;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>The emulated cloud with one validator, started once for the tests of this project.</summary>
public sealed class CloudWorld : IAsyncLifetime
{
    internal const string Reason = AzureEmulators.Reason;

    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "cloud", Guid.NewGuid().ToString("N"));
    private CloudStack? _stack;

    internal CloudStack Stack => _stack!;

    internal CloudValidator Validator => Stack.Validators[0];

    internal CloudClient Client { get; private set; } = null!;

    internal string FailPoints => Path.Combine(_folder, "fail");

    public async Task InitializeAsync()
    {
        if (!PortFactDiscoverer.IsInstalled("npm"))
        {
            return; // every test is skipped
        }

        Directory.CreateDirectory(FailPoints);
        _stack = await CloudStack.StartAsync(
            new CloudOptions
            {
                Root = Root(),
                Logs = Path.Combine(_folder, "logs"),
                FailPoints = FailPoints,
                StorageData = Directory.CreateDirectory(Path.Combine(_folder, "storage")).FullName,
                MostFailures = int.MaxValue,
                Visibility = TimeSpan.FromSeconds(4),
            },
            CancellationToken.None);
        Client = new(Validator);
    }

    public async Task DisposeAsync()
    {
        if (_stack is not null)
        {
            await _stack.DisposeAsync();
        }
    }

    internal static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests lie outside of the repository.");
        }

        return at.FullName;
    }
}

/// <summary>The tests that share the emulated cloud.</summary>
[CollectionDefinition(Name)]
public sealed class CloudCollection : ICollectionFixture<CloudWorld>
{
    public const string Name = "cloud";
}
