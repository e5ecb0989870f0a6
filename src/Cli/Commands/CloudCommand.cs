using System.CommandLine;
using System.Globalization;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Storage;
using SuperVm.Local.Emulators;
using SuperVm.Local.Functions;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm cloud`: the serverless deployment on this machine, over emulators of Azure.</summary>
internal sealed class CloudCommand : ICommandModule
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(2);

    private readonly Option<int> _port = new("--port", "-p")
    {
        Description = "JSON-RPC port; further validators' follow; 0 takes free ones", DefaultValueFactory = _ => 8545,
    };

    private readonly Option<int> _validators = new("--validators", "-n")
    {
        Description = "How many, each with a storage account and a database of its own", DefaultValueFactory = _ => 1,
    };

    private readonly Option<int> _watchers = new("--watchers")
    {
        Description = "Deployments beside several validators that follow the chain and are registered by nobody yet",
    };

    private readonly Option<string[]> _instances = new("--instances")
    {
        Description = "Instances of an app of each validator, as the cloud scales out: Execute=2; may be repeated",
    };

    private readonly Option<bool> _emulatorsOnly = new("--emulators-only")
    {
        Description = "No app: the emulators on their usual ports, with all that local.settings.json expects, for "
            + "`func start` in the folders under functions",
    };

    private readonly Option<ulong> _epochLength = new("--epoch-length")
    {
        Description = "Blocks after which the registry's changes take effect; 0 keeps the first set",
        DefaultValueFactory = _ => new RegistryParameters().EpochLength,
    };

    private readonly Option<string?> _logs = new("--logs")
    {
        Description = "Directory of the apps' logs; where it is left out a temporary one, kept only after a failure",
    };

    private readonly Option<ulong> _chainId = new("--chain-id")
    {
        Description = "EIP-155 chain id", DefaultValueFactory = _ => ChainSpec.DevelopmentChainId,
    };

    private readonly Option<bool> _silent = new("--silent") { Description = "No line a block and no status" };

    public Command Create()
    {
        var command = new Command("cloud", "Run the function apps over emulators of Azure on this machine")
        {
            _port, _validators, _watchers, _instances, _emulatorsOnly, _epochLength, _logs, _chainId, _silent,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (port, validators) = (parsed.GetValue(_port), parsed.GetValue(_validators));
        var watchers = parsed.GetValue(_watchers);
        if (port is < 0 or > 65_500 || validators < 1 || watchers < 0
            || validators + watchers > CloudStack.MostValidators || (watchers > 0 && validators == 1))
        {
            await Console.Error.WriteLineAsync(
                $"supervm cloud: --port takes 0 to 65500, --validators 1 to {CloudStack.MostValidators}, --watchers as "
                + "many as there is room for, beside several validators");
            return 2;
        }

        if (parsed.GetValue(_emulatorsOnly) && validators > 1)
        {
            await Console.Error.WriteLineAsync(
                "supervm cloud: --emulators-only prepares one validator, as local.settings.json names one");
            return 2;
        }

        if (InstancesOf(parsed.GetValue(_instances) ?? []) is not { } instances)
        {
            await Console.Error.WriteLineAsync(
                $"supervm cloud: --instances takes {string.Join(", ", CloudValidator.Apps)}, each as NAME=1 to NAME="
                + $"{LocalHostOptions.MostInstances}");
            return 2;
        }

        var given = parsed.GetValue(_logs);
        var logs = given ?? Directory.CreateTempSubdirectory("supervm-cloud-").FullName;
        try
        {
            var code = await ServeAsync(parsed, instances, logs, cancellation);
            if (given is null)
            {
                Directory.Delete(logs, recursive: true);
            }

            return code;
        }
        catch (Exception refusal) when (refusal is EmulatorException or FunctionAppException or StoreException
            or IOException or UnauthorizedAccessException or InvalidConfigurationException)
        {
            await Console.Error.WriteLineAsync($"supervm cloud: {refusal.Message} (logs in {logs})");
            return 1;
        }
    }

    /// <summary>Instances by app; null where a word has no sense.</summary>
    private static Dictionary<string, int>? InstancesOf(IReadOnlyList<string> words)
    {
        var instances = new Dictionary<string, int>();
        foreach (var word in words)
        {
            if (word.Split('=') is not [var app, var number] || !CloudValidator.Apps.Contains(app)
                || !int.TryParse(number, CultureInfo.InvariantCulture, out var count)
                || count is < 1 or > LocalHostOptions.MostInstances)
            {
                return null;
            }

            instances[app] = count;
        }

        return instances;
    }

    private async Task<int> ServeAsync(
        ParseResult parsed, Dictionary<string, int> instances, string logs, CancellationToken cancellation)
    {
        var silent = parsed.GetValue(_silent);
        await using var log = new LineLog(Console.Out);
        log.Write(
            parsed.GetValue(_emulatorsOnly)
                ? "starting the emulators …" : "starting the emulators and the function apps …");
        await using var stack = await CloudStack.StartAsync(
            new CloudOptions
            {
                Root = CloudStack.RepositoryRoot(),
                Logs = logs,
                Validators = parsed.GetValue(_validators),
                Watchers = parsed.GetValue(_watchers),
                Instances = instances,
                EpochLength = parsed.GetValue(_epochLength),
                Port = parsed.GetValue(_port),
                ChainId = parsed.GetValue(_chainId),
                Apps = parsed.GetValue(_emulatorsOnly) ? [] : CloudValidator.Apps,
                EmulatorPorts = parsed.GetValue(_emulatorsOnly) ? EmulatorPorts.Usual : null,
                Log = silent ? _ => { } : log.Write,
            },
            cancellation);
        if (parsed.GetValue(_emulatorsOnly))
        {
            var settings = stack.Validators[0].Settings;
            log.Write($"Ready for `func start`: {settings.BlobEndpoint}, {settings.QueueEndpoint}, "
                + $"{settings.TableEndpoint}, {settings.DocumentEndpoint}");
            await StopSignal.RequestedAsync(cancellation);
            log.Write("stopping");
            return 0;
        }

        foreach (var validator in stack.Validators)
        {
            log.Write($"Listening on {validator.Rpc.ToString().TrimEnd('/')}");
        }

        log.Write($"Logs in {logs}");
        foreach (var validator in stack.Validators)
        {
            log.Write($"Queues on {validator.Settings.QueueEndpoint} (supervm poison list URI)");
        }

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var status = silent ? Task.CompletedTask : ShowStatusAsync(stack, log, stopping.Token);
        await StopSignal.RequestedAsync(cancellation);
        await stopping.CancelAsync();
        await status;
        if (!silent)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await ReportCostsAsync(stack, log, patience.Token);
        }

        log.Write("stopping");
        return 0;
    }

    /// <summary>A line whenever something changed: while nothing happens, nothing is asked.</summary>
    private static async Task ShowStatusAsync(CloudStack stack, LineLog log, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(StatusInterval);
        (long Head, long Failures)[] last = [];
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                var now = stack.Validators.Select(validator => (validator.Head, validator.Failures)).ToArray();
                if (now.SequenceEqual(last))
                {
                    continue;
                }

                last = now;
                foreach (var validator in stack.Validators)
                {
                    log.Write(await StatusAsync(validator, cancellation));
                }
            }
        }
        catch (Exception end) when (end is OperationCanceledException or StoreException)
        {
            // Stopping, or the emulators have gone before.
        }
    }

    private static async Task<string> StatusAsync(CloudValidator validator, CancellationToken cancellation)
    {
        var depths = await validator.DepthsAsync(cancellation);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"status validator {validator.Seat.Index}: head {validator.Head}, {validator.Transactions} tx, inbox "
            + $"{depths.Inbox}, batches {depths.Batches}, poison {depths.Poison}, failures {validator.Failures}");
    }

    private static async Task ReportCostsAsync(CloudStack stack, LineLog log, CancellationToken cancellation)
    {
        try
        {
            log.Write($"asked of the cloud: {await stack.CostsAsync(cancellation)}, "
                + $"{stack.Validators[0].Transactions} tx");
        }
        catch (Exception gone) when (gone is OperationCanceledException or HttpRequestException or FunctionAppException)
        {
            log.Write("the apps ended before they could be asked for their counters");
        }
    }
}
