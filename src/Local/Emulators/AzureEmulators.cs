using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;

namespace SuperVm.Local.Emulators;

/// <summary>The emulators cannot be installed or started; the message says why.</summary>
public sealed class EmulatorException(string message) : Exception(message);

/// <summary>Where the emulators listen.</summary>
public sealed record EmulatorPorts(int Blob, int Queue, int Table, int Documents)
{
    /// <summary>Azurite's and the Cosmos DB emulator's own, which local.settings.json names.</summary>
    public static EmulatorPorts Usual { get; } = new(10000, 10001, 10002, 8081);
}

/// <summary>The emulators of Azure's storage and of Cosmos DB, as one process of Node on free ports.</summary>
/// <remarks>
/// Azurite and @vercel/cosmosdb-server, exact versions by the lock file beside this class, installed by <c>npm ci</c>
/// where they are not. They end when their standard input closes, so they never outlive who started them.
/// </remarks>
public sealed class AzureEmulators : IAsyncDisposable
{
    /// <summary>What to say where Node is missing.</summary>
    public const string Reason = "Node 20 or newer is not installed: the emulators of Azure run on it";

    /// <summary>Azurite's well-known account, which is public (Microsoft Learn, "Use the Azurite emulator").</summary>
    public const string Account = "devstoreaccount1";

    /// <summary>That account's key; other accounts of the emulator are given the same.</summary>
    public const string AccountKey =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// <summary>The document emulator takes any key; this is the well-known one of Microsoft's.</summary>
    public const string DocumentKey =
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==";

    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    private AzureEmulators(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                _lines.Writer.TryComplete();
            }
            else
            {
                _lines.Writer.TryWrite(line.Data);
            }
        };
        process.BeginOutputReadLine();
    }

    /// <summary>The process that runs the document emulator; storage's is its child.</summary>
    public int ProcessId => _process.Id;

    public Uri Queue { get; private set; } = null!;

    public Uri Blob { get; private set; } = null!;

    public Uri Table { get; private set; } = null!;

    public Uri Documents { get; private set; } = null!;

    /// <summary>Installs them where they are not, and starts them.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="accounts">Storage accounts; null for the well-known one.</param>
    /// <param name="data">Where storage keeps its data; null for in memory.</param>
    /// <param name="at">Where they listen; null for free ports.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="EmulatorException">Node or npm is missing, or what they do fails.</exception>
    public static async Task<AzureEmulators> StartAsync(
        string root, IReadOnlyList<string>? accounts = null, string? data = null, EmulatorPorts? at = null,
        CancellationToken cancellation = default)
    {
        var folder = Path.Combine(root, "src", "Local", "Emulators");
        await InstallAsync(folder, cancellation);
        List<string> arguments = ["start.mjs", .. data is null ? Array.Empty<string>() : ["--data", data]];
        if (at is not null)
        {
            arguments.AddRange(["--ports", string.Create(
                CultureInfo.InvariantCulture, $"{at.Blob},{at.Queue},{at.Table},{at.Documents}")]);
        }

        var process = Start(folder, "node", arguments, info =>
        {
            if (accounts is not null)
            {
                info.Environment["AZURITE_ACCOUNTS"] =
                    string.Join(';', accounts.Select(account => $"{account}:{AccountKey}"));
            }
        });
        var emulators = new AzureEmulators(process);
        try
        {
            using var ports = JsonDocument.Parse(await emulators.LineAsync(cancellation));
            Uri At(string name) => new($"http://127.0.0.1:{ports.RootElement.GetProperty(name).GetInt32()}/");
            (emulators.Queue, emulators.Blob, emulators.Table) = (At("queue"), At("blob"), At("table"));
            emulators.Documents = At("documents");
            return emulators;
        }
        catch
        {
            await emulators.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes "storage" or "documents" away and brings it back with its data.</summary>
    public async Task RestartAsync(string service, CancellationToken cancellation = default)
    {
        await _process.StandardInput.WriteLineAsync($"restart {service}".AsMemory(), cancellation);
        await _process.StandardInput.FlushAsync(cancellation);
        await LineAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> LineAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(LongestStart);
        try
        {
            return await _lines.Reader.ReadAsync(patience.Token);
        }
        catch (ChannelClosedException)
        {
            throw new EmulatorException("The emulators ended before they began; their words are above.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new EmulatorException($"The emulators did not start within {LongestStart}.");
        }
    }

    private static async Task InstallAsync(string folder, CancellationToken cancellation)
    {
        // What was installed is known by the lock file's content: its time changes with every checkout.
        var wanted = Convert.ToHexStringLower(
            SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, "package-lock.json"), cancellation)));
        var installed = Path.Combine(folder, "node_modules", ".supervm-installed");
        if (await IsInstalledAsync())
        {
            return;
        }

        var changedAt = Directory.GetLastWriteTimeUtc(folder);
        // Two at once would take each other's files away: the second waits, and finds everything there.
        await using var turn = await TakeTurnAsync(Path.Combine(folder, ".supervm-install.lock"), cancellation);
        if (await IsInstalledAsync())
        {
            return;
        }

        using var npm = Start(folder, "npm", ["ci", "--no-audit", "--no-fund"], _ => { });
        npm.StandardInput.Close();
        var words = await npm.StandardOutput.ReadToEndAsync(cancellation);
        await npm.WaitForExitAsync(cancellation);
        if (npm.ExitCode != 0)
        {
            throw new EmulatorException(
                $"npm ci failed in {folder}; its words are above. It needs npm's registry, or a cache, once. {words}");
        }

        // What is installed is no source: the launcher would build anew.
        Directory.SetLastWriteTimeUtc(folder, changedAt);

        await File.WriteAllTextAsync(installed, wanted, cancellation);

        async Task<bool> IsInstalledAsync() =>
            File.Exists(installed) && await File.ReadAllTextAsync(installed, cancellation) == wanted;
    }

    /// <summary>A file that one process at a time holds open; given back with it, also when it is killed.</summary>
    private static async Task<FileStream> TakeTurnAsync(string path, CancellationToken cancellation)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                await pause.WaitForNextTickAsync(cancellation);
            }
        }
    }

    private static Process Start(
        string folder, string program, IEnumerable<string> arguments, Action<ProcessStartInfo> shape)
    {
        var info = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        shape(info);
        try
        {
            return Process.Start(info) ?? throw new EmulatorException($"{program} does not start.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new EmulatorException($"{Reason} ('{program}' is not on the PATH).");
        }
    }
}
