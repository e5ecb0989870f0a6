using System.Text;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Cosmos;
using SuperVm.Azure.Queues;
using SuperVm.Azure.Tables;
using SuperVm.Core.Storage;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class StorageQueueBusTests : MessageBusContract
{
    private readonly StorageQueueBus _bus;
    private readonly CloudCounters _counters = new();

    public StorageQueueBusTests(EmulatorsFixture emulators) => _bus = new(emulators.Settings, _counters);

    protected override IMessageBus Bus => _bus;

    protected override string Queue { get; } = EmulatorsFixture.NextName("queue");

    [PortFact]
    public async Task Text_that_is_not_base64_goes_to_the_poison_queue_as_it_is()
    {
        await Bus.SendAsync(Queue, new byte[] { 1 });
        await _bus.SendForeignAsync(Queue, "no base64!");
        var received = await Bus.ReceiveAsync(Queue, 32, TimeSpan.FromSeconds(30));
        Assert.Equal([1], Assert.Single(received).Body.ToArray());
        Assert.Equal(1, await Bus.CountAsync(Queue));
        Assert.Equal(1, await Bus.CountAsync(BusLimits.PoisonQueue(Queue)));
        var poison = await Bus.ReceiveAsync(BusLimits.PoisonQueue(Queue), 1, TimeSpan.FromSeconds(30));
        Assert.Equal("no base64!", Encoding.UTF8.GetString(Assert.Single(poison).Body.Span));
    }

    [PortFact]
    public async Task A_thousand_transfers_cost_a_tenth_of_an_operation_each_at_most()
    {
        var blobs = new InMemoryBlobStore();
        var sender = new GroupSender(new(Bus, blobs, TimeProvider.System), Queue);
        var sends = Enumerable.Range(0, 1000)
            .Select(i => sender.SendAsync(Encoding.ASCII.GetBytes($"{i:d4}".PadRight(120)))).ToList();
        Assert.All(await Task.WhenAll(sends), Assert.True);
        var seen = new HashSet<string>();
        while (await Bus.ReceiveAsync(Queue, 32, TimeSpan.FromSeconds(30)) is { Count: > 0 } received)
        {
            foreach (var message in received)
            {
                seen.UnionWith(ItemPacking.Unpack(message.Body)!.Select(item => Encoding.ASCII.GetString(item.Span)));
                Assert.True(await Bus.CompleteAsync(Queue, message));
            }
        }

        Assert.Equal(1000, seen.Count);
        Assert.True(_counters.QueueOperations <= 100, $"{_counters.QueueOperations} operations");
    }

    protected override async Task PassAsync(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
    }
}

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class AzureBlobStoreTests(EmulatorsFixture emulators) : BlobStoreContract
{
    protected override IBlobStore Blobs { get; } = new AzureBlobStore(emulators.Settings, emulators.Counters);

    protected override string Name { get; } = EmulatorsFixture.NextName("folder/body.");
}

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class AzureLogStoreTests(EmulatorsFixture emulators) : LogStoreContract
{
    protected override ILogStore Logs { get; } = new AzureLogStore(emulators.Settings, emulators.Counters);

    protected override string Name { get; } = EmulatorsFixture.NextName("folder/log.");

    /// <summary>Appends of 16 writers: as many as a log holds where everything is run (50 s).</summary>
    private static int Appends =>
        Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") is null ? 200 : LogLimits.MostAppends;

    [PortFact]
    public async Task A_log_keeps_every_append_and_says_when_it_is_full()
    {
        await Logs.CreateAsync(Name);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Appends), new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (i, stop) =>
                Assert.Equal(LogAppend.Done, await Logs.AppendAsync(Name, new[] { (byte)i }, stop)));
        Assert.Equal(Appends, (await Logs.ReadAsync(Name, 0))!.Value.Length);
        Assert.Equal(
            Appends == LogLimits.MostAppends ? LogAppend.Full : LogAppend.Done,
            await Logs.AppendAsync(Name, new byte[] { 1 }));
    }
}

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class AzureLeaseStoreTests(EmulatorsFixture emulators) : LeaseStoreContract
{
    protected override ILeaseStore Leases { get; } = new AzureLeaseStore(emulators.Settings, emulators.Counters);

    protected override string Name { get; } = EmulatorsFixture.NextName("leases/work.");
}

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class CosmosDocumentStoreTests : DocumentStoreContract, IAsyncLifetime
{
    private readonly CosmosDocumentStore _store;
    private readonly CloudCounters _counters = new();

    public CosmosDocumentStoreTests(EmulatorsFixture emulators)
        => _store = new(emulators.Settings, _counters, TimeProvider.System);

    protected override IDocumentStore Store => _store;

    protected override DocumentKey Key { get; } = new("things", "p", EmulatorsFixture.NextName("id"));

    public Task InitializeAsync() => _store.CreateContainersAsync(["things"]);

    public Task DisposeAsync()
    {
        _store.Dispose();
        return Task.CompletedTask;
    }

    [PortFact]
    public async Task A_point_read_is_one_request_and_its_charge_is_counted()
    {
        await Store.CreateAsync(Key, new byte[] { 1 });
        var before = _counters.DocumentRequests;
        await Store.GetAsync(Key);
        Assert.Equal(before + 1, _counters.DocumentRequests);
        Assert.True(_counters.RequestUnits >= 2);
    }
}

[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class TableRowStoreTests : RowStoreContract, IAsyncLifetime
{
    private readonly TableStore _tables;

    public TableRowStoreTests(EmulatorsFixture emulators)
    {
        _tables = new(emulators.Settings, emulators.Counters, TimeProvider.System);
        Rows = new TableRowStore(_tables, "rows");
    }

    protected override IRowStore Rows { get; }

    protected override string Partition { get; } = EmulatorsFixture.NextName("p");

    public Task InitializeAsync() => _tables.CreateTableAsync("rows");

    public Task DisposeAsync() => Task.CompletedTask;
}
