using System.Collections.Concurrent;
using System.Globalization;
using SuperVm.Azure;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Cosmos;
using SuperVm.Azure.Functions;
using SuperVm.Azure.Queues;
using SuperVm.Azure.Tables;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Local.Emulators;
using SuperVm.Local.Functions;

namespace SuperVm.Cli.Cloud;

/// <summary>One validator of the emulated cloud: its account, its database, its four apps.</summary>
internal sealed class CloudValidator : IAsyncDisposable
{
    private const string GenesisName = "genesis.json";

    internal const string Ingest = "Ingest";
    internal const string Consensus = "Consensus";
    internal const string Execute = "Execute";
    internal const string Prover = "Prover";

    /// <summary>The function apps, folders under functions.</summary>
    internal static IReadOnlyList<string> Apps { get; } = [Execute, Consensus, Prover, Ingest];

    private readonly ConcurrentDictionary<string, LocalFunctionsHost> _hosts = new();
    private readonly ConcurrentBag<IAsyncDisposable> _logs = [];
    private readonly HttpClient _client = new();
    private readonly CloudCounters _hostCounters = new();
    private long _failures;
    private long _head;
    private long _transactions;

    private CloudValidator(CloudSeat seat, CloudSettings settings)
    {
        (Seat, Settings) = (seat, settings);
        Bus = new(settings, _hostCounters);
    }

    internal CloudSeat Seat { get; }

    internal CloudSettings Settings { get; }

    /// <summary>Its queues, as the Functions hosts use them.</summary>
    internal StorageQueueBus Bus { get; }

    /// <summary>Where JSON-RPC is.</summary>
    internal Uri Rpc => _hosts[Ingest].Address!;

    /// <summary>Invocations that failed.</summary>
    internal long Failures => Interlocked.Read(ref _failures);

    /// <summary>The newest block that execution told of.</summary>
    internal long Head => Interlocked.Read(ref _head);

    /// <summary>Transactions in blocks that execution told of.</summary>
    internal long Transactions => Interlocked.Read(ref _transactions);

    /// <summary>What the Functions hosts asked of queues.</summary>
    internal long HostLooks => _hostCounters.QueueOperations;

    internal LocalFunctionsHost Host(string app) => _hosts[app];

    /// <summary>Makes what templates make in the cloud, and starts the apps.</summary>
    internal static async Task<CloudValidator> StartAsync(
        CloudSeat seat, AzureEmulators emulators, byte[] genesis, CloudOptions options, CancellationToken cancellation)
    {
        var settings = new CloudSettings
        {
            QueueEndpoint = new(emulators.Queue, seat.Account),
            BlobEndpoint = new(emulators.Blob, seat.Account),
            TableEndpoint = new(emulators.Table, seat.Account),
            DocumentEndpoint = emulators.Documents,
            Database = string.Create(CultureInfo.InvariantCulture, $"supervm{seat.Index}"),
            BlobContainer = CloudNames.BlobContainers.Bodies,
            StorageKey = new(seat.Account, AzureEmulators.AccountKey),
            DocumentKey = AzureEmulators.DocumentKey,
        };
        var validator = new CloudValidator(seat, settings);
        try
        {
            await validator.PrepareAsync(genesis, cancellation);
            await Task.WhenAll(options.Apps.Select(app => validator.StartAppAsync(app, options, cancellation)));
            return validator;
        }
        catch
        {
            await validator.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_hosts.Values.Select(host => host.DisposeAsync().AsTask()));

        foreach (var log in _logs)
        {
            await log.DisposeAsync();
        }

        _client.Dispose();
    }

    /// <summary>Ends an app that runs, its handler as kill -9 does.</summary>
    internal async Task StopAppAsync(string app)
    {
        if (_hosts.TryRemove(app, out var host))
        {
            await host.DisposeAsync();
        }
    }

    /// <summary>What its apps and their hosts asked of the cloud; what killed processes asked is forgotten.</summary>
    internal async Task<CloudCosts> CostsAsync(CancellationToken cancellation)
    {
        var sum = new CloudCosts(HostLooks, 0, 0, 0);
        foreach (var app in _hosts.Keys)
        {
            foreach (var address in await _hosts[app].HandlersAsync(cancellation))
            {
                sum += CloudCosts.In(await _client.GetStringAsync(new Uri(address, "metrics"), cancellation));
            }
        }

        return sum;
    }

    /// <summary>Messages that its queues hold, and those that nobody could handle.</summary>
    internal async Task<(long Inbox, long Batches, long Poison)> DepthsAsync(CancellationToken cancellation)
    {
        var poison = 0L;
        foreach (var queue in CloudNames.Queues.All)
        {
            poison += await Bus.CountAsync(Core.Storage.BusLimits.PoisonQueue(queue), cancellation);
        }

        return (
            await Bus.CountAsync(CloudNames.Queues.Inbox, cancellation),
            await Bus.CountAsync(CloudNames.Queues.Batches, cancellation), poison);
    }

    private async Task PrepareAsync(byte[] genesis, CancellationToken cancellation)
    {
        var counters = new CloudCounters();
        List<string> queues = [.. CloudNames.Queues.All, .. CloudNames.Queues.All.Select(
            Core.Storage.BusLimits.PoisonQueue)];
        await Bus.CreateQueuesAsync(queues, cancellation);
        var tables = new TableStore(Settings, counters, TimeProvider.System);
        foreach (var table in CloudNames.Tables.All)
        {
            await tables.CreateTableAsync(table, cancellation);
        }

        foreach (var container in CloudNames.BlobContainers.All)
        {
            var blobs = new AzureBlobStore(Settings with { BlobContainer = container }, counters);
            await blobs.CreateContainerAsync(cancellation);
            if (container == CloudNames.BlobContainers.Config)
            {
                await blobs.PutAsync(GenesisName, genesis, cancellation);
            }
        }

        using var documents = new CosmosDocumentStore(Settings, counters, TimeProvider.System);
        await documents.CreateContainersAsync(CloudNames.DocumentContainers.All, cancellation);
    }

    /// <summary>Starts an app that does not run; it serves when this ends.</summary>
    internal async Task StartAppAsync(string app, CloudOptions options, CancellationToken cancellation)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"validator{Seat.Index}-{app}.log");
        var file = new StreamWriter(new FileStream(
            Path.Combine(options.Logs, name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite));
        var log = new Commands.LineLog(file);
        _logs.Add(log);
        _logs.Add(file);
        var settings = Variables(options);
        var host = await LocalFunctionsHost.StartAsync(
            FunctionApp.Load(Path.Combine(options.Root, "functions", app), settings),
            Bus,
            new LocalHostOptions
            {
                Settings = settings,
                HttpPort = app switch { Ingest => Seat.RpcPort, Consensus => Seat.PeerPort, _ => 0 },
                Instances = options.Instances.GetValueOrDefault(app, 1),
                MostFailures = options.MostFailures,
                Visibility = options.Visibility,
                Log = line => Take(app, line, log, options),
                Observe = end =>
                {
                    options.Observe(end);
                    if (end.Failure is not null)
                    {
                        Interlocked.Increment(ref _failures);
                    }
                },
            },
            cancellation);
        _hosts[app] = host;
        await host.HandlersAsync(cancellation);
    }

    /// <summary>Its adapters and its chain, as a process of its apps has them.</summary>
    internal CloudRoles Roles() =>
        new(new RoleSettings { Cloud = Settings, Genesis = GenesisName, Key = Seat.Key }, _ => { });

    private Dictionary<string, string> Variables(CloudOptions options)
    {
        var settings = new Dictionary<string, string>
        {
            [CloudNames.Settings.QueueUri] = Settings.QueueEndpoint.AbsoluteUri,
            [CloudNames.Settings.BlobUri] = Settings.BlobEndpoint.AbsoluteUri,
            [CloudNames.Settings.TableUri] = Settings.TableEndpoint.AbsoluteUri,
            [CloudNames.Settings.DocumentUri] = Settings.DocumentEndpoint.AbsoluteUri,
            [CloudNames.Settings.Database] = Settings.Database,
            [CloudNames.Settings.Genesis] = GenesisName,
            [CloudNames.Settings.ValidatorKey] = Hex.Encode(Seat.Key),
            [CloudNames.Settings.RpcOpen] = "true",
            [CloudNames.Settings.EmulatorAccount] = Seat.Account,
            [CloudNames.Settings.EmulatorStorageKey] = AzureEmulators.AccountKey,
            [CloudNames.Settings.EmulatorDocumentKey] = AzureEmulators.DocumentKey,
            [CloudNames.Settings.EmulatorMnemonic] = Mnemonic.Development,
            [CloudNames.Settings.EmulatorTied] = "true",
        };
        if (Seat.Validators is { } validators)
        {
            settings[CloudNames.Settings.Validators] = validators;
        }

        if (options.SnapshotBehind is { } behind)
        {
            settings[CloudNames.Settings.SnapshotBehind] = behind.ToString(CultureInfo.InvariantCulture);
        }

        if (options.FailPoints is { } folder)
        {
            settings[CloudNames.Settings.EmulatorFailPoints] = folder;
        }

        // The handler's own starter looks for .NET there; `dotnet` may run from anywhere.
        if (Path.GetDirectoryName(Environment.ProcessPath) is { } runtime
            && Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            settings["DOTNET_ROOT"] = runtime;
        }

        return settings;
    }

    private void Take(string app, string line, Commands.LineLog log, CloudOptions options)
    {
        log.Write(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} {line}"));
        if (app == Execute && line.StartsWith(CloudNames.Events.HeadMoved, StringComparison.Ordinal))
        {
            var words = line.Split(' ');
            Interlocked.Exchange(ref _head, long.Parse(words[2], CultureInfo.InvariantCulture));
            Interlocked.Add(ref _transactions, long.Parse(words[4], CultureInfo.InvariantCulture));
            if (Seat.Index == 0)
            {
                // The batch's digest is for who follows a transaction through the logs.
                var end = line.IndexOf(", batch", StringComparison.Ordinal);
                options.Log(line[(CloudNames.Events.HeadMoved.Length + 1)..(end < 0 ? line.Length : end)]);
            }
        }
        else if (line.StartsWith("the handler ", StringComparison.Ordinal)
            || line.StartsWith(CloudNames.Events.AttestationMismatch, StringComparison.Ordinal))
        {
            options.Log(string.Create(CultureInfo.InvariantCulture, $"validator {Seat.Index} {app}: {line}"));
        }
    }
}
