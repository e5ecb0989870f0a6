using System.Diagnostics;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Primitives;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>One validator scaled out: two processes each of ingest, order and execution.</summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class InstancesTests : IAsyncLifetime
{
    private const int Each = 12;

    private static readonly string[] Scaled = [CloudValidator.Ingest, CloudValidator.Consensus, CloudValidator.Execute];

    private readonly string _folder = Path.Combine(
        AppContext.BaseDirectory, "instances", Guid.NewGuid().ToString("N"));
    private CloudStack? _stack;

    [PortFact]
    public async Task Two_instances_of_each_app_make_the_chain_of_one_process_though_one_of_each_is_killed()
    {
        var validator = _stack!.Validators[0];
        var client = new CloudClient(validator);
        var receiver = new Address(Enumerable.Repeat((byte)0xCC, Address.Size).ToArray());
        var sent = new List<string>();
        for (var round = 0; round < Each; round++)
        {
            foreach (var account in (int[])[0, 1])
            {
                var (bytes, hash) = client.NextTransfer(account, receiver);
                await client.SubmitAsync(bytes);
                await client.SubmitAsync(bytes); // perhaps at the other instance, which does not know it
                sent.Add(hash);
            }

            if (round % 4 == 3)
            {
                using var victim = Process.GetProcessById(
                    validator.Host(Scaled[round / 4]).HandlerProcessIds[round % 2]!.Value);
                victim.Kill();
            }
        }

        await client.IncludedAsync(sent);
        var audit = await ChainAudit.OfAsync(validator);
        audit.RequireOnce(sent);
        Assert.Equal((ulong)sent.Count, await client.BalanceAsync(receiver));
        await audit.RequireSameInOneProcessAsync();
    }

    public async Task InitializeAsync()
    {
        if (PortFactDiscoverer.IsInstalled("npm"))
        {
            _stack = await CloudStack.StartAsync(
                new CloudOptions
                {
                    Root = CloudWorld.Root(),
                    Logs = Path.Combine(_folder, "logs"),
                    Apps = Scaled,
                    Instances = Scaled.ToDictionary(app => app, _ => 2),
                    MostFailures = int.MaxValue,
                    Visibility = TimeSpan.FromSeconds(4),
                },
                CancellationToken.None);
        }
    }

    public async Task DisposeAsync()
    {
        if (_stack is not null)
        {
            await _stack.DisposeAsync();
        }
    }
}
