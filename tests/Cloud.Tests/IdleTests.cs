using System.Diagnostics;
using SuperVm.Azure;
using SuperVm.Cli.Cloud;
using SuperVm.Local.Functions;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>A deployment that nobody uses costs what its queues' looks cost, and nothing else.</summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class IdleTests(CloudWorld world)
{
    /// <summary>Looks before the longest pause is reached: 0.1 after a message, then 0.2, 0.3, 0.5, 0.9, 1.7 … 12.9 s,
    /// the ninth being more than any app's longest.</summary>
    private const int FirstLooks = 9;

    /// <summary>Looks of all queues together that are waited for.</summary>
    private const int Looks = 6;

    [PortFact]
    public async Task Four_idle_apps_ask_nothing_but_their_queues_as_often_as_the_back_off_allows()
    {
        var (bytes, hash) = world.Client.NextTransfer(6, Core.Primitives.Address.FromNumber(0x1D7E));
        await world.Client.SubmitAsync(bytes);
        await world.Client.IncludedAsync([hash]);
        await CloudClient.UntilAsync(async () =>
            await world.Validator.DepthsAsync(default) is { Inbox: 0, Batches: 0 });

        // All four answer here, the prover's too; what one of them asked by itself would be seen.
        Assert.Equal(4, CloudValidator.Apps.Count(app => world.Validator.Host(app).HandlerProcessId is not null));
        var (before, looked, began) = await NowAsync();
        await CloudClient.UntilAsync(() => Task.FromResult(world.Validator.HostLooks >= looked + Looks));
        var (after, looks, ended) = await NowAsync();

        var asked = after - before;
        Assert.Equal((0, 0, 0), (asked.Document, asked.Blob, asked.Table));
        Assert.Equal(looks - looked, asked.Queue); // the handlers themselves asked no queue
        var time = Stopwatch.GetElapsedTime(began, ended);
        Assert.InRange(looks - looked, Looks, Pauses().Sum(pause => FirstLooks + (long)(time / pause)));
    }

    /// <summary>The longest pause of each queue trigger, as its app's host.json says.</summary>
    private static List<TimeSpan> Pauses()
    {
        var pauses = new List<TimeSpan>();
        foreach (var app in CloudValidator.Apps)
        {
            var read = FunctionApp.Load(
                Path.Combine(CloudWorld.Root(), "functions", app), new Dictionary<string, string>());
            pauses.AddRange(read.Functions
                .Where(function => function.Kind == TriggerKind.Queue)
                .Select(_ => read.Host.Queues.MaxPollingInterval));
        }

        Assert.Equal(CloudNames.Queues.All.Count, pauses.Count);
        return pauses;
    }

    private async Task<(CloudCosts Costs, long Looks, long At)> NowAsync()
    {
        // Looks are counted while the handlers are asked: the two are of one moment when none was made in between.
        while (true)
        {
            var looks = world.Validator.HostLooks;
            var costs = await world.Validator.CostsAsync(default);
            if (looks == world.Validator.HostLooks)
            {
                return (costs, looks, Stopwatch.GetTimestamp());
            }
        }
    }
}
