using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>Packing, claim checks and group sending, over the in-memory adapters.</summary>
public sealed class SendingTests
{
    private const string Queue = "pending";
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly InMemoryMessageBus _bus = new(new ManualClock());
    private readonly InMemoryBlobStore _blobs = new();
    private readonly ClaimCheck _sender;

    public SendingTests() => _sender = new(_bus, _blobs, new ManualClock());

    [Fact]
    public void Packed_items_come_out_in_order_and_every_body_fits_a_message()
    {
        var sizes = Gen.Choose(0, 30_000).ListOf();
        Prop.ForAll(Arb.From(sizes), list =>
        {
            List<ReadOnlyMemory<byte>> items = [.. list.Select((size, i) => Filled(size, (byte)i))];
            var bodies = ItemPacking.Pack(items);
            Assert.All(bodies, body => Assert.True(body.Length <= BusLimits.MostBodyBytes));
            var back = bodies.SelectMany(body => ItemPacking.Unpack(body)!).ToList();
            Assert.Equal(items.Select(item => item.ToArray()), back.Select(item => item.ToArray()));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Two_hundred_transfers_share_one_message()
    {
        var items = Enumerable.Range(0, 200).Select(i => Filled(120, (byte)i)).ToList();
        Assert.Single(ItemPacking.Pack(items));
    }

    [Fact]
    public void Bytes_that_are_no_packed_items_are_told()
    {
        Assert.Null(ItemPacking.Unpack(new byte[] { 0, 0, 0 }));
        Assert.Null(ItemPacking.Unpack(new byte[] { 0, 0, 0, 2, 1 }));
        Assert.Null(ItemPacking.Unpack(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 1 }));
        Assert.Null(ItemPacking.Unpack(new byte[(ItemPacking.MostItems + 1) * ItemPacking.FrameBytes]));
        Assert.Empty(ItemPacking.Unpack(default)!);
    }

    [Fact]
    public async Task A_body_above_the_limit_travels_in_a_blob()
    {
        var body = Filled(BusLimits.MostBodyBytes + 1, 7);
        await _sender.SendAsync(Queue, body);
        var message = Assert.Single(await _bus.ReceiveAsync(Queue, 1, Minute));
        Assert.True(message.Body.Length < 100);
        var opened = await ClaimCheck.OpenAsync(message.Body, _blobs);
        Assert.Equal(body.ToArray(), opened!.Value.ToArray());
    }

    [Fact]
    public async Task A_body_that_looks_like_a_claim_is_not_taken_for_one()
    {
        byte[] body = [0xFF, (byte)'S', (byte)'V', (byte)'C', (byte)'x'];
        await _sender.SendAsync(Queue, body);
        var message = Assert.Single(await _bus.ReceiveAsync(Queue, 1, Minute));
        Assert.Equal(body, (await ClaimCheck.OpenAsync(message.Body, _blobs))!.Value.ToArray());
        Assert.Null(await ClaimCheck.OpenAsync(body, _blobs));
    }

    [Fact]
    public async Task A_claim_whose_body_is_late_opens_when_it_is_there()
    {
        var body = Filled(BusLimits.MostBodyBytes + 1, 7);
        await _sender.SendAsync(Queue, body);
        var message = Assert.Single(await _bus.ReceiveAsync(Queue, 1, Minute));
        var late = new InMemoryBlobStore();
        Assert.Null(await ClaimCheck.OpenAsync(message.Body, late));
        await new ClaimCheck(new InMemoryMessageBus(new ManualClock()), late, new ManualClock()).SendAsync(Queue, body);
        Assert.NotNull(await ClaimCheck.OpenAsync(message.Body, late));
    }

    [Fact]
    public async Task Items_that_arrive_while_a_message_is_sent_share_the_next()
    {
        var gate = new GatedBus(_bus);
        var sender = new GroupSender(new(gate, _blobs, new ManualClock()), Queue);
        var first = sender.SendAsync(Filled(10, 0));
        var others = Enumerable.Range(1, 200).Select(i => sender.SendAsync(Filled(100, (byte)i))).ToList();
        Assert.DoesNotContain(others, task => task.IsCompleted);
        gate.Open();
        Assert.True(await first);
        Assert.All(await Task.WhenAll(others), Assert.True);
        Assert.Equal(2, sender.Messages);
    }

    [Fact]
    public async Task Items_of_a_message_that_was_not_sent_fail_and_later_ones_pass()
    {
        var gate = new GatedBus(_bus) { Failing = true };
        gate.Open();
        var sender = new GroupSender(new(gate, _blobs, new ManualClock()), Queue);
        await Assert.ThrowsAsync<StoreException>(() => sender.SendAsync(Filled(10, 0)));
        gate.Failing = false;
        Assert.True(await sender.SendAsync(Filled(10, 1)));
    }

    private static ReadOnlyMemory<byte> Filled(int size, byte value)
    {
        var bytes = new byte[size];
        bytes.AsSpan().Fill(value);
        return bytes;
    }

    /// <summary>A bus whose sends wait until it is opened.</summary>
    private sealed class GatedBus(IMessageBus inner) : IMessageBus
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Failing { get; set; }

        public void Open() => _open.TrySetResult();

        public async Task SendAsync(
            string queue, ReadOnlyMemory<byte> body, TimeSpan delay = default, CancellationToken cancellation = default)
        {
            await _open.Task;
            if (Failing)
            {
                throw new StoreException("The service does not answer.");
            }

            await inner.SendAsync(queue, body, delay, cancellation);
        }

        public Task<IReadOnlyList<BusMessage>> ReceiveAsync(
            string queue, int most, TimeSpan visibility, CancellationToken cancellation = default)
            => inner.ReceiveAsync(queue, most, visibility, cancellation);

        public Task<BusMessage?> RenewAsync(
            string queue, BusMessage message, TimeSpan visibility, CancellationToken cancellation = default)
            => inner.RenewAsync(queue, message, visibility, cancellation);

        public Task<bool> CompleteAsync(string queue, BusMessage message, CancellationToken cancellation = default)
            => inner.CompleteAsync(queue, message, cancellation);

        public Task<long> CountAsync(string queue, CancellationToken cancellation = default)
            => inner.CountAsync(queue, cancellation);
    }
}
