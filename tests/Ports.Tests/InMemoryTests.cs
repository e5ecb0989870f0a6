using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

public sealed class InMemoryMessageBusTests : MessageBusContract
{
    private readonly ManualClock _clock = new();

    public InMemoryMessageBusTests() => Bus = new InMemoryMessageBus(_clock);

    protected override IMessageBus Bus { get; }

    protected override string Queue => "inbox";

    [Fact]
    public async Task A_message_is_forgotten_after_its_time_to_live()
    {
        await Bus.SendAsync(Queue, new byte[] { 1 });
        _clock.Advance(BusLimits.TimeToLive);
        Assert.Empty(await Bus.ReceiveAsync(Queue, 1, TimeSpan.FromSeconds(1)));
        Assert.Equal(0, await Bus.CountAsync(Queue));
    }

    protected override Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.CompletedTask;
    }
}

public sealed class InMemoryDocumentStoreTests : DocumentStoreContract
{
    protected override IDocumentStore Store { get; } = new InMemoryDocumentStore();

    protected override DocumentKey Key => new("things", "p", "a");
}

public sealed class InMemoryLogStoreTests : LogStoreContract
{
    protected override ILogStore Logs { get; } = new InMemoryLogStore();

    protected override string Name => "folder/log";
}

public sealed class InMemoryLeaseStoreTests : LeaseStoreContract
{
    private readonly ManualClock _clock = new();

    public InMemoryLeaseStoreTests() => Leases = new InMemoryLeaseStore(_clock);

    protected override ILeaseStore Leases { get; }

    protected override string Name => "leases/a";

    [Fact]
    public async Task A_lease_that_is_not_renewed_ends_and_is_another_s()
    {
        var held = await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest);
        _clock.Advance(LeaseLimits.Shortest);
        Assert.NotNull(await Leases.TryAcquireAsync(Name, LeaseLimits.Shortest));
        Assert.False(await held!.RenewAsync());
    }
}

public sealed class InMemoryBlobStoreTests : BlobStoreContract
{
    protected override IBlobStore Blobs { get; } = new InMemoryBlobStore();

    protected override string Name => "folder/name.bin";
}

public sealed class InMemoryRowStoreTests : RowStoreContract
{
    protected override IRowStore Rows { get; } = new InMemoryRowStore();

    protected override string Partition => "p";
}
