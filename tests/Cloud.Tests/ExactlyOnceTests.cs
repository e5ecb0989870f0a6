using System.Diagnostics;
using SuperVm.Azure;
using SuperVm.Azure.Blobs;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Tests.Roles;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>
/// The function apps as processes over the emulators: whatever is killed or restarted, every transaction is executed
/// once,
/// and the chain is that of one process fed the same batches.
/// </summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class ExactlyOnceTests(CloudWorld world)
{
    private static readonly TimeSpan ShortSoak = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongSoak = TimeSpan.FromMinutes(5);

    private static int _receivers;

    [PortFact]
    public async Task A_handler_killed_at_any_fail_point_loses_nothing_and_does_nothing_twice()
    {
        var receiver = NextReceiver();
        var sent = new List<string>();
        foreach (var name in FailPoint.All.Where(name => !name.StartsWith("prove", StringComparison.Ordinal)))
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

        Assert.Equal((ulong)sent.Count, await world.Client.BalanceAsync(receiver));
        await RequireSameChainAsync();
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
        await world.Client.IncludedAsync(sent);
        Assert.Equal((ulong)sent.Count, await world.Client.BalanceAsync(receiver));
        await RequireSameChainAsync();
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
        await world.Client.IncludedAsync(sent);
        Assert.True(kills > 0);
        Assert.Equal((ulong)sent.Count, await world.Client.BalanceAsync(receiver));
        await RequireSameChainAsync();
    }

    [PortFact]
    public async Task What_has_no_sense_goes_to_the_poison_queue_and_the_rest_goes_on()
    {
        await world.Validator.Bus.SendAsync(CloudNames.Queues.Inbox, "no items"u8.ToArray());
        var receiver = NextReceiver();
        var (bytes, hash) = world.Client.NextTransfer(5, receiver);
        await world.Client.SubmitAsync(bytes);
        await world.Client.IncludedAsync([hash]);
        await CloudClient.UntilAsync(async () =>
            await world.Validator.Bus.CountAsync(BusLimits.PoisonQueue(CloudNames.Queues.Inbox)) == 1);
        Assert.Equal(1UL, await world.Client.BalanceAsync(receiver));
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

    /// <summary>Feeds the ordered batches to a chain of one process and compares the heads' hashes.</summary>
    private async Task RequireSameChainAsync()
    {
        var settings = world.Validator.Settings;
        var cloud = (await world.Validator.Roles().OpenChainAsync()).Chain;
        var config = new AzureBlobStore(
            settings with { BlobContainer = CloudNames.BlobContainers.Config }, new CloudCounters());
        var genesis = GenesisReader.Read((await config.GetAsync("genesis.json"))!.Value);
        Assert.True(genesis.Succeeded);
        using var single = new SingleProcessChain(genesis.Value);
        var execute = new ExecuteService(world.Validator.Roles().Ports, single, null);
        var last = new BatchPlace(cloud.Head.Number, new Hash256(cloud.Head.Header.ExtraData.Span));
        Assert.Equal(RoleEnd.Done, await execute.ExecuteAsync(BatchNotice.Encode(last), default));
        Assert.Equal(cloud.Head.Header.StateRoot, single.Chain.Head.Header.StateRoot);
        Assert.Equal(cloud.Head.Hash, single.Chain.Head.Hash);
    }
}
