using SuperVm.Core.Storage;

namespace SuperVm.Ports.Tests;

/// <summary>What every message bus promises.</summary>
public abstract class MessageBusContract
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);
    /// <summary>Long enough for what a test does meanwhile, on a machine that has much else to do.</summary>
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(4);

    protected abstract IMessageBus Bus { get; }

    /// <summary>A name that no other test uses.</summary>
    protected abstract string Queue { get; }

    /// <summary>Lets time pass for the bus.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    [PortFact]
    public async Task A_message_is_received_as_it_was_sent()
    {
        byte[] body = [0, 1, 0xFF, 0xC3, 0x28, (byte)'<', (byte)'&'];
        await Bus.SendAsync(Queue, body);
        var message = Assert.Single(await Bus.ReceiveAsync(Queue, 32, Long));
        Assert.Equal(body, message.Body.ToArray());
        Assert.Equal(1, message.DequeueCount);
        Assert.True(message.NextVisibleAt > message.InsertedAt);
        Assert.Equal(BusLimits.TimeToLive, message.ExpiresAt - message.InsertedAt);
    }

    [PortFact]
    public async Task A_body_of_the_largest_size_and_an_empty_one_pass()
    {
        var body = new byte[BusLimits.MostBodyBytes];
        new Random(7).NextBytes(body);
        await Bus.SendAsync(Queue, body);
        var message = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long));
        Assert.Equal(body, message.Body.ToArray());
        await Bus.SendAsync(Queue, default);
        Assert.Equal(0, Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long)).Body.Length);
    }

    [PortFact]
    public async Task A_larger_body_and_a_wrong_name_are_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => Bus.SendAsync(Queue, new byte[BusLimits.MostBodyBytes + 1]));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Bus.SendAsync("No queue", new byte[1]));
    }

    [PortFact]
    public async Task A_queue_that_nobody_sent_to_is_empty()
    {
        Assert.Empty(await Bus.ReceiveAsync(Queue, 32, Long));
        Assert.Equal(0, await Bus.CountAsync(Queue));
    }

    [PortFact]
    public async Task A_received_message_is_hidden_and_comes_again_when_its_time_is_over()
    {
        await Bus.SendAsync(Queue, new byte[] { 1 });
        var first = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Short));
        Assert.Empty(await Bus.ReceiveAsync(Queue, 1, Long));
        await PassAsync(Short + TimeSpan.FromSeconds(1));
        var second = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long));
        Assert.Equal(first.Id, second.Id);
        Assert.Equal(2, second.DequeueCount);
    }

    [PortFact]
    public async Task The_receipt_of_an_earlier_delivery_completes_and_renews_nothing()
    {
        await Bus.SendAsync(Queue, new byte[] { 1 });
        var first = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Short));
        await PassAsync(Short + TimeSpan.FromSeconds(1));
        var second = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long));
        Assert.False(await Bus.CompleteAsync(Queue, first));
        Assert.Null(await Bus.RenewAsync(Queue, first, Long));
        Assert.True(await Bus.CompleteAsync(Queue, second));
        Assert.False(await Bus.CompleteAsync(Queue, second));
        Assert.Equal(0, await Bus.CountAsync(Queue));
    }

    [PortFact]
    public async Task A_renewed_message_stays_hidden_and_is_completed_by_its_new_receipt()
    {
        await Bus.SendAsync(Queue, new byte[] { 5 });
        var message = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Short));
        var renewed = await Bus.RenewAsync(Queue, message, Long);
        Assert.NotNull(renewed);
        await PassAsync(Short + TimeSpan.FromSeconds(1));
        Assert.Empty(await Bus.ReceiveAsync(Queue, 1, Long));
        Assert.Equal([5], renewed.Body.ToArray());
        Assert.Equal(1, renewed.DequeueCount);
        Assert.True(await Bus.CompleteAsync(Queue, renewed));
    }

    [PortFact]
    public async Task A_message_given_back_is_there_at_once()
    {
        await Bus.SendAsync(Queue, new byte[] { 5 });
        var message = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long));
        Assert.NotNull(await Bus.RenewAsync(Queue, message, TimeSpan.Zero));
        Assert.Equal(2, Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long)).DequeueCount);
    }

    [PortFact]
    public async Task A_delayed_message_appears_after_its_delay()
    {
        await Bus.SendAsync(Queue, new byte[] { 9 }, Short);
        Assert.Empty(await Bus.ReceiveAsync(Queue, 1, Long));
        Assert.Equal(1, await Bus.CountAsync(Queue));
        await PassAsync(Short + TimeSpan.FromSeconds(1));
        Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long));
    }

    [PortFact]
    public async Task Many_messages_are_each_received_once_while_hidden()
    {
        for (byte i = 0; i < 40; i++)
        {
            await Bus.SendAsync(Queue, new[] { i });
        }

        var seen = new List<byte>();
        while (await Bus.ReceiveAsync(Queue, BusLimits.MostReceived, Long) is { Count: > 0 } received)
        {
            Assert.True(received.Count <= BusLimits.MostReceived);
            seen.AddRange(received.Select(message => message.Body.Span[0]));
        }

        Assert.Equal(Enumerable.Range(0, 40), seen.Order().Select(value => (int)value));
    }

    [PortFact]
    public async Task A_dead_letter_moves_to_the_poison_queue()
    {
        await Bus.SendAsync(Queue, new byte[] { 3, 4 });
        var message = Assert.Single(await Bus.ReceiveAsync(Queue, 1, Long));
        await Bus.DeadLetterAsync(Queue, message);
        Assert.Equal(0, await Bus.CountAsync(Queue));
        var poison = Assert.Single(await Bus.ReceiveAsync(BusLimits.PoisonQueue(Queue), 1, Long));
        Assert.Equal([3, 4], poison.Body.ToArray());
    }
}
