using System.Globalization;
using System.Text;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Cosmos;
using SuperVm.Azure.Queues;
using SuperVm.Azure.Tables;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server;

namespace SuperVm.Azure.Functions;

/// <summary>What a function app's process stands on: its settings, the adapters, the chain.</summary>
public sealed class CloudRoles
{
    private const int DevelopmentAccounts = 10;

    private readonly FailPointFolder? _failPoints;
    private readonly CostLine _costs;

    /// <param name="settings">What the app settings say.</param>
    /// <param name="log">Takes one line an event.</param>
    public CloudRoles(RoleSettings settings, Action<string> log)
    {
        Settings = settings;
        _failPoints = settings.FailPoints is { } folder ? new(folder) : null;
        Ports = new()
        {
            Bus = new StorageQueueBus(settings.Cloud, Counters),
            Documents = new CosmosDocumentStore(settings.Cloud, Counters, TimeProvider.System),
            Blobs = new AzureBlobStore(settings.Cloud, Counters),
            Leases = new AzureLeaseStore(settings.Cloud, Counters),
            Instance = settings.Instance,
            Names = RoleSettings.Names,
            FilterContainer = CloudNames.DocumentContainers.Filters,
            HasProver = settings.HasProver,
            LogsTransactions = settings.LogsTransactions,
            Clock = TimeProvider.System,
            Log = log,
            Reach = Reach,
        };
        _costs = new(Counters, log, TimeProvider.System);
        Ports.Caches.Add(_costs.Tell);
    }

    public RoleSettings Settings { get; }

    public RolePorts Ports { get; }

    public CloudCounters Counters { get; } = new();

    /// <summary>Where the genesis and the circuits' keys lie.</summary>
    public IBlobStore Config => new AzureBlobStore(
        Settings.Cloud with { BlobContainer = CloudNames.BlobContainers.Config }, Counters);

    /// <summary>The roles of this process, as its environment variables say.</summary>
    /// <exception cref="ArgumentException">A setting is missing or has no sense.</exception>
    public static CloudRoles FromEnvironment()
    {
        AuditTrail? audit = null;
        var roles = new CloudRoles(
            RoleSettings.Read(Environment.GetEnvironmentVariable, line => audit!.Write(line)), Console.Out.WriteLine);
        audit = roles.Audit;
        return roles;
    }

    /// <summary>Where actions of administrators are kept.</summary>
    public AuditTrail Audit => new(
        new AzureLogStore(Settings.Cloud with { BlobContainer = CloudNames.BlobContainers.Audit }, Counters),
        TimeProvider.System);

    /// <summary>The validator's address, zero for one without a key.</summary>
    public Address Proposer => Settings.Key is { } key
        ? new Core.Consensus.Secp256k1Signer(key).Address
        : Address.Zero;

    /// <summary>Opens the chain; reads the genesis where it has not begun.</summary>
    /// <exception cref="StoreException">No genesis, another chain's database, or a service fails.</exception>
    public async Task<IRoleChain> OpenChainAsync() => (await OpenAsync()).Chain;

    private async Task<(IRoleChain Chain, Genesis Genesis)> OpenAsync()
    {
        var rows = new TableRowStore(
            new TableStore(Settings.Cloud, Counters, TimeProvider.System), CloudNames.Tables.Transactions);
        var ports = new DocumentChainPorts(Ports.Documents, Ports.Blobs, rows, TimeProvider.System);
        var (chain, genesis) = await DocumentChain.OpenAsync(
            ports, Settings.Genesis, async stop => await Config.GetAsync(Settings.Genesis, stop)
                ?? throw new StoreException($"There is no {Settings.Genesis} in {CloudNames.BlobContainers.Config}."),
            read => new FirstStart(Ports.Leases!, Ports.Clock, Ports.Log, Ports.Instance).OpenAsync(
                () => DocumentChain.FindAsync(ports, read), () => DocumentChain.OpenAsync(ports, read)),
            [ValidatorRegistry.Address]);
        Ports.Caches.Add(chain.Forget);
        return (new DocumentRoleChain(chain), genesis);
    }

    /// <summary>How JSON-RPC behaves: development accounts on an emulator, finality at once for one operator.</summary>
    public NodeOptions NodeOptions() => new()
    {
        Accounts = Settings.Mnemonic is { } sentence ? DevGenesis.AccountsOf(sentence, DevelopmentAccounts) : [],
        IsInstantlyFinal = !IsConsortium,
        Security = Settings.Security,
        Pool = Settings.Pool,
    };

    /// <summary>The order: an operator's own, or PBFT between several.</summary>
    /// <exception cref="StoreException">The chain cannot be opened.</exception>
    public async Task<IOrderService> OpenOrderAsync()
    {
        var (opened, genesis) = await OpenAsync();
        if (IsConsortium)
        {
            var key = Settings.Key
                ?? throw new ArgumentException($"The app setting {CloudNames.Settings.ValidatorKey} is missing.");
            var order = new ConsortiumOrderService(Ports, opened, key, SetOf(genesis));
            await order.StartAsync(default);
            return order;
        }

        return new SoloOrderService(Ports, opened.Chain.Genesis, opened.Chain.ChainId, Proposer);
    }

    /// <summary>The door of the validator.</summary>
    /// <exception cref="StoreException">The chain cannot be opened.</exception>
    public async Task<IngestService> OpenIngestAsync()
    {
        var (opened, genesis) = await OpenAsync();
        return new(
            Ports, opened, NodeOptions(), new ServerOptions(), Metrics, IsConsortium ? SetOf(genesis) : null);
    }

    /// <summary>What execution tells the order; null where the order does not ask.</summary>
    public BlockReporter? Reporter() => IsConsortium ? ConsortiumReports.To(Ports) : null;

    private ConsortiumSet SetOf(Genesis genesis) => new(Settings.Validators, ValidatorRegistry.Read(genesis))
    {
        Snapshots = Settings.Snapshots,
    };

    private bool IsConsortium => Settings.Validators.Count > 1;

    /// <summary>Says now and then in the log what was asked of the cloud; for the end of each request.</summary>
    public void TellCosts() => _costs.TellIfDue();

    /// <summary>What was asked of the cloud, as Prometheus text.</summary>
    public string Metrics()
    {
        var text = new StringBuilder(1_024);
        void Add(string name, string help, double value, string type = "counter") => text
            .Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value:R}\n");
        Add("supervm_queue_operations_total", "Calls to queues.", Counters.QueueOperations);
        Add("supervm_blob_operations_total", "Calls to blobs.", Counters.BlobOperations);
        Add("supervm_table_requests_total", "Calls to tables.", Counters.TableRequests);
        Add("supervm_document_requests_total", "Calls to the document database.", Counters.DocumentRequests);
        Add("supervm_document_writes_total", "Those of them that write.", Counters.DocumentWrites);
        Add("supervm_document_read_bytes_total", "Bytes of documents read.", Counters.DocumentBytesRead);
        Add("supervm_document_written_bytes_total", "Bytes of documents written.", Counters.DocumentBytesWritten);
        Add("supervm_document_throttled_total", "Calls that it put off.", Counters.Throttled);
        var memory = GC.GetGCMemoryInfo();
        Add("supervm_heap_live_bytes", "What lives on the heap.", GC.GetTotalMemory(false), "gauge");
        Add("supervm_heap_committed_bytes", "What the heap has.", memory.TotalCommittedBytes, "gauge");
        Add("supervm_request_units_total", "Request units that it charged.", Counters.RequestUnits);
        return text.ToString();
    }

    private void Reach(string failPoint) => _failPoints?.Reach(failPoint);
}
