using System.CommandLine;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Server;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm validator`: one validator of a chain that PBFT orders.</summary>
internal sealed class ValidatorCommand : ICommandModule
{
    private readonly Option<string> _config = new("--config", "-c")
    {
        Description = "The validator's configuration (JSON; `supervm testnet --data DIR` writes examples)",
        Required = true,
    };

    private readonly Option<bool> _untilInputEnds = new("--until-input-ends")
    {
        Description = "Also stop when the standard input ends, so with the process that started this one",
    };

    private readonly GuardOptions _guards = new();

    public Command Create()
    {
        var command = new Command(
            "validator", "Run one validator of a PBFT chain, with JSON-RPC; register, stake, leave")
        {
            _config, _untilInputEnds,
        };
        _guards.AddTo(command);
        new ValidatorVerbs().AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        // What goes wrong below this line is the operator's to put right: one line says what.
        try
        {
            return await ServeAsync(ValidatorConfig.Read(parsed.GetValue(_config)!), parsed, cancellation);
        }
        catch (Exception refusal) when (refusal is StoreException or IOException or UnauthorizedAccessException
            or InvalidConfigurationException or ArgumentException or InvalidDataException)
        {
            await Console.Error.WriteLineAsync($"supervm validator: {refusal.Message}");
            return 1;
        }
    }

    private async Task<int> ServeAsync(
        ValidatorConfig config, ParseResult parsed, CancellationToken cancellation)
    {
        using var audit = _guards.OpenAudit(parsed);
        await using var log = new LineLog(Console.Out);
        var accounts = DevGenesis.AccountsOf(Mnemonic.Development, config.Accounts);
        var genesis = config.GenesisBlock(accounts);
        var options = config.Options() with { Registry = ValidatorRegistry.Read(genesis) };
        var stop = StopSignal.RequestedAsync(cancellation);
        var parent = parsed.GetValue(_untilInputEnds) ? StopSignal.InputEndedAsync() : stop;
        var ends = Task.WhenAny(stop, parent);
        while (true)
        {
            try
            {
                await RunUntilAsync(ends, config, options, genesis, parsed, audit, log, cancellation);
                log.Write("stopping");
                return 0;
            }
            catch (RestartNeededException reason)
            {
                log.Write($"opens the chain again: {reason.Message}");
            }
        }
    }

    private async Task RunUntilAsync(
        Task<Task> ends, ValidatorConfig config, ValidatorOptions options, Genesis genesis, ParseResult parsed,
        AuditFile? audit, LineLog log, CancellationToken cancellation)
    {
        using var store = StoreFactory.Open(config.Data, log: log.Write);
        using var chain = Chain.Open(store, genesis, new ChainOptions { Processor = DevCommand.TunedProcessor() });
        using var checkpoints = PeriodicCheckpoints.Follow(chain, store, config.Data, log.Write);
        await using var validator = new ValidatorNode(
            chain, store, () => new EvmEngine(),
            _guards.Apply(new NodeOptions(), parsed, audit), options, TimeProvider.System, log.Write);
        await using var server = await NodeServer.StartAsync(
            validator.Node, new ServerOptions { Host = options.Host, Port = config.RpcPort }, cancellation);
        await validator.StartAsync(cancellation);
        log.Write($"validator {validator.Address} listens on {server.Address}, block {chain.Head.Number}");
        await await Task.WhenAny(ends.Unwrap(), validator.Completion);
    }
}
