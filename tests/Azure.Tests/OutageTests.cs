using System.Net;
using System.Net.Sockets;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Queues;
using SuperVm.Azure.Tables;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Tests;

/// <summary>
/// Services that do not answer at all: every adapter says so by the ports' one exception, which a role waits for. Any
/// other would make poison of what an outage meets.
/// </summary>
/// <remarks>The document database's client tries for half a minute; <see cref="IdentityTests"/> has its end.</remarks>
public sealed class OutageTests
{
    [Fact]
    public async Task A_service_that_nobody_listens_for_is_a_failing_store_whatever_is_asked_of_it()
    {
        var settings = Nowhere();
        var counters = new CloudCounters();
        var bus = new StorageQueueBus(settings, counters);
        var blobs = new AzureBlobStore(settings, counters);
        var logs = new AzureLogStore(settings, counters);
        var leases = new AzureLeaseStore(settings, counters);
        var tables = new TableStore(settings, counters, TimeProvider.System);
        await Task.WhenAll(
            Fails(() => bus.SendAsync("queue", new byte[1])),
            Fails(() => bus.ReceiveAsync("queue", 1, TimeSpan.FromSeconds(1))),
            Fails(() => bus.CountAsync("queue")),
            Fails(() => blobs.PutAsync("name", new byte[1])),
            Fails(() => blobs.GetAsync("name")),
            Fails(() => blobs.DeleteAsync("name")),
            Fails(() => logs.CreateAsync("name")),
            Fails(() => logs.AppendAsync("name", new byte[1])),
            Fails(() => logs.ReadAsync("name", 0)),
            Fails(() => leases.TryAcquireAsync("name", TimeSpan.FromSeconds(15))),
            Fails(() => tables.GetAsync("table", "p", "r")),
            Fails(() => tables.CreateTableAsync("table")));
    }

    private static async Task Fails(Func<Task> call) => await Assert.ThrowsAsync<StoreException>(call);

    private static CloudSettings Nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var end = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/account");
        return new()
        {
            QueueEndpoint = end, BlobEndpoint = end, TableEndpoint = end, DocumentEndpoint = new(end, "/"),
            Database = "supervm", BlobContainer = "bodies", StorageKey = new("account", "a2V5"),
            DocumentKey = "a2V5",
        };
    }
}
