using System.Diagnostics;
using System.Globalization;
using SuperVm.Azure;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;
using SuperVm.Ports.Tests;
using Xunit.Abstractions;

namespace SuperVm.Cloud.Tests;

/// <summary>
/// The function apps as processes over the emulators: whatever is killed or restarted, every transaction is executed
/// once,
/// and the chain is that of one process fed the same batches.
/// </summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class ExactlyOnceTests(CloudWorld world, ITestOutputHelper output)
{
    private static readonly TimeSpan ShortSoak = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongSoak = TimeSpan.FromMinutes(5);

    private static int _receivers;

    [PortFact]
    public async Task A_handler_killed_at_any_fail_point_loses_nothing_and_does_nothing_twice()
    {
        var receiver = NextReceiver();
        var sent = new List<string>();
        // Proofs and states that are taken over have tests of their own.
        foreach (var name in FailPoint.All.Where(name => new[] { "ingest", "order", "execute" }.Contains(
            name[..name.IndexOf('-', StringComparison.Ordinal)])))
        {
            var armed = Path.Combine(world.FailPoints, name);
            await File.WriteAllTextAsync(armed, "0");
            for (var i = 0; i < 2; i++)
            {
                var (bytes, hash) = world.Client.NextTransfer(0, receiver);
                await world.Client.SubmitAsync(bytes);
                sent.Add(hash);
            }

            await world.Client.IncludedAsync(sent);
            Assert.False(File.Exists(armed), $"{name} was not reached");
        }

        await RequireOnceAsync(sent, receiver);
    }

    [PortFact]
    public async Task Emulators_that_go_away_under_load_lose_nothing()
    {
        var receiver = NextReceiver();
        using var stop = new CancellationTokenSource();
        var load = LoadAsync(1, 2, receiver, stop.Token);
        foreach (var service in (string[])["storage", "documents", "storage"])
        {
            await world.Stack.Emulators.RestartAsync(service);
            var before = world.Validator.Head;
            await CloudClient.UntilAsync(() => Task.FromResult(world.Validator.Head > before));
        }

        await stop.CancelAsync();
        var sent = await load;
        await RequireOnceAsync(sent, receiver);
    }

    [PortFact]
    public async Task Random_kills_under_load_end_with_the_state_root_of_one_process()
    {
        var isLong = Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1";
        var random = new Random(1);
        var receiver = NextReceiver();
        using var stop = new CancellationTokenSource(isLong ? LongSoak : ShortSoak);
        var load = LoadAsync(2, 4, receiver, stop.Token);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(isLong ? 5 : 3));
        var kills = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                kills += Kill(CloudValidator.Apps[random.Next(CloudValidator.Apps.Count)]);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The time is over.
        }

        var sent = await load;
        Assert.True(kills > 0);
        output.WriteLine($"{sent.Count} transactions sent, {kills} handlers killed");
        await RequireOnceAsync(sent, receiver);
    }

    [PortFact]
    public async Task What_has_no_sense_goes_to_the_poison_queue_and_the_rest_goes_on()
    {
        await world.Validator.Bus.SendAsync(CloudNames.Queues.Inbox, "no items"u8.ToArray());
        var receiver = NextReceiver();
        var (bytes, hash) = world.Client.NextTransfer(5, receiver);
        await world.Client.SubmitAsync(bytes);
        await world.Client.IncludedAsync([hash]);
        var (bus, poison) = (world.Validator.Bus, BusLimits.PoisonQueue(CloudNames.Queues.Inbox));
        await CloudClient.UntilAsync(async () => await bus.CountAsync(poison) == 1);
        Assert.Equal(1UL, await world.Client.BalanceAsync(receiver));

        // The next test finds the queue as this one did.
        var taken = Assert.Single(await bus.ReceiveAsync(poison, 1, TimeSpan.FromMinutes(1)));
        Assert.True(await bus.CompleteAsync(poison, taken));
    }

    private static Address NextReceiver()
    {
        var bytes = new byte[Address.Size];
        bytes[0] = 0xAA;
        bytes[^1] = (byte)Interlocked.Increment(ref _receivers);
        return new Address(bytes);
    }

    /// <summary>Transfers from several accounts at once, one after another each, until it is cancelled.</summary>
    private async Task<IReadOnlyCollection<string>> LoadAsync(
        int firstAccount, int lastAccount, Address receiver, CancellationToken stop)
    {
        var lanes = Enumerable.Range(firstAccount, lastAccount - firstAccount + 1).Select(async account =>
        {
            var sent = new List<string>();
            while (!stop.IsCancellationRequested)
            {
                var (bytes, hash) = world.Client.NextTransfer(account, receiver);
                await world.Client.SubmitAsync(bytes);
                sent.Add(hash);
            }

            return sent;
        });
        return [.. (await Task.WhenAll(lanes)).SelectMany(hashes => hashes)];
    }

    /// <summary>Ends a handler's process as kill -9 does; 1 where there was one.</summary>
    private int Kill(string app)
    {
        if (world.Validator.Host(app).HandlerProcessId is not { } id)
        {
            return 0;
        }

        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
            return 1;
        }
        catch (ArgumentException)
        {
            return 0; // It ended in between.
        }
    }

    /// <summary>
    /// All that was sent is in blocks once and moved its wei once, and the blocks are those of one process.
    /// </summary>
    private async Task RequireOnceAsync(IReadOnlyCollection<string> sent, Address receiver)
    {
        var began = Stopwatch.GetTimestamp();
        var audit = await ChainAudit.OfAsync(world.Validator);
        audit.RequireOnce(sent);
        Assert.Equal((ulong)sent.Count, await world.Client.BalanceAsync(receiver));
        await audit.RequireSameInOneProcessAsync();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{audit.Transactions} transactions in {audit.Blocks} blocks are those of one process; the audit took "
            + $"{Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s"));
    }
}
