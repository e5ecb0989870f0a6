using SuperVm.Azure;
using SuperVm.Cli.Commands;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>The operator's verbs over the emulated queues.</summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class PoisonTests(CloudWorld world)
{
    [PortFact]
    public async Task A_transaction_that_became_poison_is_put_back_by_a_verb_and_executed()
    {
        var (bytes, hash) = world.Client.NextTransfer(7, Address.FromNumber(0xDEAD));
        var queues = world.Validator.Settings.QueueEndpoint.ToString();
        await world.Validator.Bus.SendAsync(
            BusLimits.PoisonQueue(CloudNames.Queues.Inbox), ItemPacking.Pack([bytes])[0]);
        Assert.Equal(0, await RunAsync("list", queues));
        Assert.Equal(1, (await world.Validator.DepthsAsync(default)).Poison);
        Assert.Equal(0, await RunAsync("redrive", queues, "--queue", CloudNames.Queues.Inbox));
        await world.Client.IncludedAsync([hash]);
        Assert.Equal(0, (await world.Validator.DepthsAsync(default)).Poison);
    }

    [PortFact]
    public async Task What_is_no_queue_service_or_no_queue_is_refused()
    {
        Assert.Equal(1, await RunAsync("list", "nowhere"));
        Assert.Equal(1, await RunAsync("list", "http://account.queue.core.windows.net"));
        Assert.Equal(
            1, await RunAsync("redrive", world.Validator.Settings.QueueEndpoint.ToString(), "--queue", "none"));
    }

    private static Task<int> RunAsync(params string[] arguments) =>
        new PoisonCommand().Create().Parse(arguments).InvokeAsync();
}
