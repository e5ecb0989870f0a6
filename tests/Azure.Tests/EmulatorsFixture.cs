using System.Diagnostics;
using System.Text.Json;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

/// <summary>The emulators of tests/Emulators, started once for all tests of this project.</summary>
/// <remarks>Installed by <c>npm ci</c> where they are not. They end when their standard input closes.</remarks>
public sealed class EmulatorsFixture : IAsyncLifetime
{
    internal const string Reason = "Node 20 or newer is not installed: the emulators of Azure run on it";

    /// <summary>Azurite's well-known account, which is public (Microsoft Learn, "Use the Azurite emulator").</summary>
    private const string Account = "devstoreaccount1";
    private const string AccountKey =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// <summary>The document emulator takes any key; this is the well-known one of Microsoft's.</summary>
    private const string DocumentKey =
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";

    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(1);
    private static int _names;
    private Process? _process;

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

        var folder = Folder();
        await InstallAsync(folder);
        _process = Start(folder, "node", "start.mjs");
        using var patience = new CancellationTokenSource(LongestStart);
        var line = await _process.StandardOutput.ReadLineAsync(patience.Token)
            ?? throw new InvalidOperationException("The emulators ended before they began.");
        using var ports = JsonDocument.Parse(line);
        Uri At(string name, string path = "")
            => new($"http://127.0.0.1:{ports.RootElement.GetProperty(name).GetInt32()}/{path}");
        Settings = new()
        {
            QueueEndpoint = At("queue", Account),
            BlobEndpoint = At("blob", Account),
            TableEndpoint = At("table", Account),
            DocumentEndpoint = At("documents"),
            Database = "supervm",
            BlobContainer = "bodies",
            StorageKey = new(Account, AccountKey),
            DocumentKey = DocumentKey,
        };
    }

    public Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.StandardInput.Close();
            _process.Kill(entireProcessTree: true);
            _process.Dispose();
        }

        return Task.CompletedTask;
    }

    private static async Task InstallAsync(string folder)
    {
        if (File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            return;
        }

        using var npm = Start(folder, "npm", "ci", "--no-audit", "--no-fund");
        npm.StandardInput.Close();
        var words = await npm.StandardOutput.ReadToEndAsync();
        await npm.WaitForExitAsync();
        if (npm.ExitCode != 0)
        {
            throw new InvalidOperationException($"npm ci failed in tests/Emulators: {words}");
        }
    }

    private static Process Start(string folder, string program, params string[] arguments)
        => Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException($"{program} does not start.");

    private static string Folder()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests lie outside of the repository.");
        }

        return Path.Combine(at.FullName, "tests", "Emulators");
    }
}

/// <summary>The tests that share the emulators.</summary>
[CollectionDefinition(Name)]
public sealed class EmulatorsCollection : ICollectionFixture<EmulatorsFixture>
{
    public const string Name = "emulators";
}
