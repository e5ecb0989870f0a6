using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Server;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm dev --validators N`: several validators in one process behind one JSON-RPC port.</summary>
internal sealed record DevValidators(int Count, ulong EpochLength, IReadOnlyList<DevAccount> Accounts)
{
    internal const int MaximumCount = 16;

    /// <summary>Places in the mnemonic of the validators' keys; the accounts below are the developer's.</summary>
    private const int FirstKey = 100_000;

    /// <summary>Ether of stake that each validator has.</summary>
    private const ulong Stake = 32;

    private readonly IReadOnlyList<DevAccount> _keys = KeysOf(Mnemonic.Development, Count);

    /// <summary>The registry that genesis begins with.</summary>
    internal DevRegistry Registry => new(
        new RegistryParameters { EpochLength = EpochLength, UnbondingSeconds = 60 },
        [.. _keys.Select(key => new RegisteredValidator(
            key.Address, key.Address, DevRegistry.StakeOf(Stake), string.Empty))]);

    /// <summary>Serves until it is told to stop or a validator cannot go on.</summary>
    /// <exception cref="InvalidDataException">A validator stopped for good.</exception>
    internal async Task RunAsync(
        Genesis genesis, string? data, NodeOptions behaviour, ServerOptions server, Action<string> write,
        Action<Node, string, Uri> began, CancellationToken cancellation)
    {
        var kind = "memory";
        var options = new LocalValidatorsOptions
        {
            Genesis = genesis,
            Keys = [.. _keys.Select(key => key.PrivateKey.ToArray())],
            OpenStore = OpenStore,
            NewEngine = () => new EvmEngine(),
            NewProcessor = _ => DevCommand.TunedProcessor(),
            Node = behaviour with { Accounts = Accounts },
            // One line a block is enough, the first validator's; the others speak of what is theirs alone.
            Log = (node, line) =>
            {
                if (node == 0 || !line.StartsWith("block ", StringComparison.Ordinal))
                {
                    write($"[{node}] {line}");
                }
            },
        };
        await using var validators = await LocalValidators.StartAsync(options, TimeProvider.System, cancellation);
        var node = validators.Nodes[0].Node;
        await using var http = await NodeServer.StartAsync(node, server, cancellation);
        began(node, kind, http.Address);
        for (var i = 0; i < validators.Nodes.Count; i++)
        {
            write($"[{i}] validator {validators.Nodes[i].Address}, block {validators.Nodes[i].Node.Chain.Head.Number}");
        }

        try
        {
            await await Task.WhenAny(StopSignal.RequestedAsync(cancellation), validators.AnyEnded().Unwrap());
        }
        catch (RestartNeededException reason)
        {
            throw new InvalidDataException($"start again: {reason.Message}", reason);
        }

        write("stopping");

        IKeyValueStore OpenStore(int index)
        {
            var store = data is null
                ? new MemoryKeyValueStore()
                : StoreFactory.Open(Path.Combine(data, $"validator{index}"), log: write);
            kind = store.Kind;
            return store;
        }
    }

    private static List<DevAccount> KeysOf(string mnemonic, int count)
    {
        var seed = Mnemonic.SeedOf(mnemonic);
        return [.. Enumerable.Range(FirstKey, count).Select(place =>
            new DevAccount(Mnemonic.PrivateKeyAt(seed, $"{Mnemonic.EthereumPath}{place}")))];
    }
}
