using System.Net;
using System.Text;
using System.Text.Json;
using SuperVm.Core.Storage;
using SuperVm.Local.Functions;

namespace SuperVm.Local.Tests.Functions;

/// <summary>The local functions host with a real handler process.</summary>
public sealed class LocalFunctionsHostTests
{
    [Fact]
    public async Task A_queue_message_reaches_the_handler_as_the_functions_host_sends_it()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"show","height":7}""");
        var seen = Encoding.UTF8.GetString((await app.TakeAsync(HandlerApp.Seen, 1))[0]).Split('\n');
        Assert.StartsWith("Azure-Functions-Host/", seen[0]);
        Assert.Equal("application/json; charset=utf-8", seen[1]);
        using var json = JsonDocument.Parse(seen[2]);
        Assert.Equal(
            """
            "{\"do\":\"show\",\"height\":7}"
            """,
            json.RootElement.GetProperty("Data").GetProperty("msg").GetString());
        var metadata = json.RootElement.GetProperty("Metadata");
        Assert.Equal("1", metadata.GetProperty("DequeueCount").GetString());
        Assert.Equal("\"7\"", metadata.GetProperty("height").GetString());
        Assert.Equal("Work", metadata.GetProperty("sys").GetProperty("MethodName").GetString());
    }

    [Fact]
    public async Task Outputs_are_sent_and_strings_of_base64_are_decoded()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"many"}""");
        var bodies = (await app.TakeAsync(HandlerApp.Seen, 3)).Select(Encoding.Latin1.GetString).ToList();
        Assert.Equal(["a b", "\u0001\u0002", """{"n":1}"""], bodies);
    }

    [Fact]
    public async Task A_message_that_fails_at_each_delivery_is_poison()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"fail"}""");
        Assert.Contains("500", (await app.NextAsync("Work")).Failure);
        Assert.Contains("500", (await app.NextAsync("Work")).Failure);
        var poison = await app.TakeAsync(BusLimits.PoisonQueue(HandlerApp.Queue), 1);
        Assert.Equal("""{"do":"fail"}""", Encoding.UTF8.GetString(poison[0]));
        await app.EmptyAsync(HandlerApp.Queue);
    }

    [Fact]
    public async Task A_message_that_was_delivered_too_often_is_poison_without_a_call()
    {
        var bus = new InMemoryMessageBus(TimeProvider.System);
        await bus.SendAsync(HandlerApp.Queue, """{"do":"show"}"""u8.ToArray());
        for (var delivery = 0; delivery < 2; delivery++)
        {
            var taken = Assert.Single(await bus.ReceiveAsync(HandlerApp.Queue, 1, TimeSpan.FromMinutes(1)));
            await bus.RenewAsync(HandlerApp.Queue, taken, TimeSpan.Zero);
        }

        await using var app = await HandlerApp.StartAsync(bus: bus);
        await app.TakeAsync(BusLimits.PoisonQueue(HandlerApp.Queue), 1);
        await app.EmptyAsync(HandlerApp.Queue);
        await app.SendAsync("""{"do":"fail"}""");
        Assert.Contains("500", (await app.NextAsync("Work")).Failure); // the first call that there was
    }

    [Fact]
    public async Task An_answer_without_a_body_is_a_failure_told_in_words()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"empty"}""");
        Assert.Contains("{}", (await app.NextAsync("Work")).Failure);
    }

    [Fact]
    public async Task A_handler_that_asks_for_a_restart_is_started_anew_as_often_as_it_asks()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"exit","code":200}""");
        await app.TakeAsync(BusLimits.PoisonQueue(HandlerApp.Queue), 1);
        await app.SendAsync("""{"do":"exit","code":200}""");
        await app.TakeAsync(BusLimits.PoisonQueue(HandlerApp.Queue), 1);
        await app.SendAsync("""{"do":"show"}""");
        await app.TakeAsync(HandlerApp.Seen, 1);
        // On a machine that stands still for long one more may have been given up before it was ready.
        Assert.True(app.Host.HandlerStarts >= 5);
    }

    [Fact]
    public async Task A_handler_that_fails_for_the_third_time_stops_the_host_and_the_messages_stay()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"exit","code":1}""");
        await app.TakeAsync(BusLimits.PoisonQueue(HandlerApp.Queue), 1);
        await app.SendAsync("""{"do":"exit","code":1}""");
        Assert.Contains("3 times", await app.Host.Stopped);
        Assert.Equal(3, app.Host.HandlerStarts);
        await app.SendAsync("""{"do":"show"}""");
        Assert.True(await app.Bus.CountAsync(HandlerApp.Queue) >= 1);
    }

    [Fact]
    public async Task A_handler_that_ends_with_zero_is_not_started_again()
    {
        await using var app = await HandlerApp.StartAsync();
        await app.SendAsync("""{"do":"exit","code":0}""");
        Assert.Contains("code 0", await app.Host.Stopped);
        Assert.Equal(1, app.Host.HandlerStarts);
    }

    [Fact]
    public async Task An_invocation_that_takes_too_long_fails_and_the_handler_is_started_anew()
    {
        await using var app = await HandlerApp.StartAsync("\"functionTimeout\":\"00:00:10\",");
        await app.SendAsync("""{"do":"hang"}""");
        Assert.Contains("longer than", (await app.NextAsync("Work")).Failure);
        await app.SendAsync("""{"do":"show"}""");
        await app.TakeAsync(HandlerApp.Seen, 1);
        Assert.True(app.Host.HandlerStarts >= 2);
    }

    [Fact]
    public async Task A_message_that_is_handled_for_long_is_renewed_and_delivered_once()
    {
        var bus = new WatchedBus(new InMemoryMessageBus(TimeProvider.System), 2);
        await using var app = await HandlerApp.StartAsync(
            bus: bus, options: new() { Visibility = TimeSpan.FromSeconds(6) });
        await app.SendAsync("""{"do":"wait"}""");
        await bus.Renewed;
        using var client = new HttpClient();
        await client.PostAsync(new Uri(app.Host.Address!, "release"), null);
        Assert.Null((await app.NextAsync("Work")).Failure);
        Assert.Equal(1, bus.Deliveries);
    }

    [Fact]
    public async Task A_message_that_failed_is_hidden_for_the_visibility_time_out()
    {
        var bus = new WatchedBus(new InMemoryMessageBus(TimeProvider.System), 1);
        await using var app = await HandlerApp.StartAsync(
            bus: bus, queueExtras: "\"visibilityTimeout\":\"00:07:00\",");
        await app.SendAsync("""{"do":"fail"}""");
        Assert.Contains("500", (await app.NextAsync("Work")).Failure);
        await bus.Renewed;
        Assert.Equal(TimeSpan.FromMinutes(7), bus.Hidden);
    }

    [Fact]
    public async Task A_batch_is_taken_when_no_more_than_the_threshold_are_being_handled()
    {
        var bus = new WatchedBus(new InMemoryMessageBus(TimeProvider.System), 1);
        for (var i = 0; i < 6; i++)
        {
            await bus.SendAsync(HandlerApp.Queue, """{"do":"wait"}"""u8.ToArray());
        }

        await using var app = await HandlerApp.StartAsync(
            bus: bus, queueExtras: "\"batchSize\":4,\"newBatchThreshold\":1,");
        using var client = new HttpClient();
        await client.PostAsync(new Uri(app.Host.Address!, "release"), null);
        await app.EmptyAsync(HandlerApp.Queue);
        Assert.Equal(6, bus.Deliveries);
        Assert.Equal(4, bus.MostAskedFor);
        Assert.InRange(bus.MostHandledMeanwhile, 0, 1);
    }

    [Fact]
    public async Task Http_requests_and_answers_pass_as_they_are()
    {
        await using var app = await HandlerApp.StartAsync();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.Host.Address!, "a/b%20c?d=e"));
        request.Headers.Add("x-asked", "this");
        request.Content = new StringContent("body");
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("yes", answer.Headers.GetValues("x-answer").Single());
        Assert.Equal("POST /a/b%20c?d=e this body", await answer.Content.ReadAsStringAsync());
        using var refused = await client.DeleteAsync(new Uri(app.Host.Address!, "a"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
    }

    [Fact]
    public async Task A_timer_runs_again_and_again()
    {
        await using var app = await HandlerApp.StartAsync();
        Assert.Null((await app.NextAsync("Tick")).Failure);
        Assert.Null((await app.NextAsync("Tick")).Failure);
    }

    /// <summary>Counts what is asked of it, and tells when so many renewals were made.</summary>
    private sealed class WatchedBus(IMessageBus inner, int renewals) : IMessageBus
    {
        private readonly TaskCompletionSource _renewed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = renewals;
        private int _deliveries;
        private int _completions;

        /// <summary>What the last renewal hid a message for.</summary>
        public TimeSpan Hidden { get; private set; }

        /// <summary>Messages that were asked for at once, at most.</summary>
        public int MostAskedFor { get; private set; }

        /// <summary>Messages that were being handled while more were asked for, at most.</summary>
        public int MostHandledMeanwhile { get; private set; }

        public Task Renewed => _renewed.Task;

        public int Deliveries => _deliveries;

        public Task SendAsync(
            string queue, ReadOnlyMemory<byte> body, TimeSpan delay = default, CancellationToken cancellation = default)
            => inner.SendAsync(queue, body, delay, cancellation);

        public async Task<IReadOnlyList<BusMessage>> ReceiveAsync(
            string queue, int most, TimeSpan visibility, CancellationToken cancellation = default)
        {
            MostAskedFor = Math.Max(MostAskedFor, most);
            MostHandledMeanwhile = Math.Max(MostHandledMeanwhile, _deliveries - Volatile.Read(ref _completions));
            var received = await inner.ReceiveAsync(queue, most, visibility, cancellation);
            Interlocked.Add(ref _deliveries, received.Count);
            return received;
        }

        public async Task<BusMessage?> RenewAsync(
            string queue, BusMessage message, TimeSpan visibility, CancellationToken cancellation = default)
        {
            Hidden = visibility;
            var renewed = await inner.RenewAsync(queue, message, visibility, cancellation);
            if (Interlocked.Decrement(ref _left) == 0)
            {
                _renewed.SetResult();
            }

            return renewed;
        }

        public Task<bool> CompleteAsync(string queue, BusMessage message, CancellationToken cancellation = default)
        {
            Interlocked.Increment(ref _completions);
            return inner.CompleteAsync(queue, message, cancellation);
        }

        public Task<long> CountAsync(string queue, CancellationToken cancellation = default)
            => inner.CountAsync(queue, cancellation);
    }
}
