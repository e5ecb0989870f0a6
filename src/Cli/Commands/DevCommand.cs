using System.CommandLine;
using System.Net;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Parallel;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Server;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm dev`: a chain for one developer, with anvil's accounts, mining as transactions come.</summary>
internal sealed class DevCommand : ICommandModule
{
    private const int MaximumAccounts = 10_000;
    private const int CompressFromBytes = 2_048;

    private readonly Option<int> _port = new("--port", "-p")
    {
        Description = "TCP port; 0 takes a free one", DefaultValueFactory = _ => 8545,
    };

    private readonly Option<string> _host = new("--host")
    {
        Description = "Address to listen on: 127.0.0.1, 0.0.0.0, ::1 …", DefaultValueFactory = _ => "127.0.0.1",
    };

    private readonly Option<int> _accounts = new("--accounts", "-a")
    {
        Description = "Accounts of the mnemonic that have money", DefaultValueFactory = _ => 10,
    };

    private readonly Option<ulong> _balance = new("--balance")
    {
        Description = "Ether of each account", DefaultValueFactory = _ => 10_000,
    };

    private readonly Option<string> _mnemonic = new("--mnemonic", "-m")
    {
        Description = "Sentence that the accounts come from", DefaultValueFactory = _ => Mnemonic.Development,
    };

    private readonly Option<ulong?> _chainId = new("--chain-id") { Description = "EIP-155 chain id (31337)" };

    private readonly Option<ulong?> _gasLimit = new("--gas-limit") { Description = "Gas of a block (1000000000)" };

    private readonly Option<string> _hardfork = new("--hardfork")
    {
        Description = "Fork that holds from block 0 on: frontier … osaka", DefaultValueFactory = _ => "osaka",
    };

    private readonly Option<double?> _blockTime = new("--block-time", "-b")
    {
        Description = "Seconds between blocks; mines at once where it is left out",
    };

    private readonly Option<string?> _data = new("--data") { Description = "Directory that keeps the chain" };

    private readonly Option<string?> _genesis = new("--genesis") { Description = "A genesis.json as geth's" };

    private readonly Option<int?> _validators = new("--validators")
    {
        Description = "PBFT validators in this process, instead of one that makes blocks alone",
    };

    private readonly Option<ulong> _epochLength = new("--epoch-length")
    {
        Description = "Blocks of an epoch where there are validators", DefaultValueFactory = _ => 256,
    };

    private readonly Option<string> _origin = new("--allow-origin")
    {
        Description = "Origin that browsers may call from", DefaultValueFactory = _ => "*",
    };

    private readonly Option<bool> _compress = new("--compress")
    {
        Description = $"Compress answers of {CompressFromBytes} bytes and more for clients that take it (br, gzip)",
    };

    private readonly Option<string?> _circuits = new("--circuits")
    {
        Description = "Folder of keys (NAME.zkey): serves proofs under /api/v1/proofs",
    };

    private readonly GuardOptions _guards = new();

    private readonly Option<bool> _cold = new("--no-warm-up")
    {
        Description = "Do not spend a second of a core on compiled code at the start",
    };

    private readonly Option<bool> _silent = new("--silent") { Description = "No banner and no line a block" };

    public Command Create()
    {
        var command = new Command("dev", "Run a development chain with JSON-RPC on http://127.0.0.1:8545")
        {
            _port, _host, _accounts, _balance, _mnemonic, _chainId, _gasLimit, _hardfork, _blockTime, _data, _genesis,
            _validators, _epochLength, _origin, _compress, _circuits, _cold, _silent,
        };
        Require(_port, port => port is >= 0 and <= 65_535, "--port takes 0 to 65535");
        Require(_accounts, count => count is >= 0 and <= MaximumAccounts, $"--accounts takes 0 to {MaximumAccounts}");
        Require(_host, host => TryHost(host, out _), "--host takes an IP address or localhost");
        Require(_blockTime, time => time is null or > 0 and <= 86_400, "--block-time takes seconds above 0");
        Require(_hardfork, name => TryFork(name, out _), $"--hardfork takes one of {ForkNames}");
        Require(
            _gasLimit, gas => gas is null or (>= BaseFee.MinimumGasLimit and <= BaseFee.MaximumGasLimit),
            "--gas-limit takes 5000 to 2^63 - 1");
        Require(
            _validators, count => count is null or (>= 1 and <= DevValidators.MaximumCount),
            $"--validators takes 1 to {DevValidators.MaximumCount}");
        _guards.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        // What goes wrong below this line is the operator's to put right: one line says what.
        try
        {
            return await ServeAsync(parsed, cancellation);
        }
        catch (Exception refusal) when (refusal is StoreException or IOException or UnauthorizedAccessException
            or InvalidConfigurationException or InvalidDataException)
        {
            await Console.Error.WriteLineAsync($"supervm dev: {refusal.Message}");
            return 1;
        }
    }

    internal static BlockProcessor TunedProcessor() => new(new EvmEngine(), NewRunner());

    private static TunedTransactionRunner NewRunner() =>
        new(static () => new EvmEngine(), Environment.ProcessorCount, TimeProvider.System);

    private async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var silent = parsed.GetValue(_silent);
        await using var log = new LineLog(Console.Out);
        Action<string> write = silent ? _ => { } : log.Write;
        var accounts = DevGenesis.AccountsOf(parsed.GetValue(_mnemonic)!, parsed.GetValue(_accounts));
        var validators = ValidatorsOf(parsed, accounts);
        var genesis = GenesisOf(parsed, accounts, validators?.Registry);
        var data = parsed.GetValue(_data);
        TryHost(parsed.GetValue(_host)!, out var host);
        var listens = new ServerOptions
        {
            Host = host!, Port = parsed.GetValue(_port), AllowedOrigin = parsed.GetValue(_origin)!,
            CompressFromBytes = parsed.GetValue(_compress) ? CompressFromBytes : int.MaxValue,
        };
        await using var proofs = parsed.GetValue(_circuits) is { } keys ? DevProofs.Start(keys, write) : null;
        listens = listens with { Proofs = proofs?.Door };
        using var audit = _guards.OpenAudit(parsed);
        if (validators is not null)
        {
            var behaviour = _guards.Apply(new NodeOptions(), parsed, audit);
            await validators.RunAsync(genesis, data, behaviour, listens, write, Began, cancellation);
            return 0;
        }

        using var store = data is null ? new MemoryKeyValueStore() : StoreFactory.Open(data, log: write);
        var runner = NewRunner();
        using var chain = Chain.Open(
            store, genesis, new ChainOptions { Processor = new BlockProcessor(new EvmEngine(), runner) });
        using var checkpoints = data is null ? null : PeriodicCheckpoints.Follow(chain, store, data, write);
        var plain = new NodeOptions
        {
            Accounts = accounts,
            AllowDevelopmentMethods = true,
            BlockTime = parsed.GetValue(_blockTime) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            GasLimit = parsed.GetValue(_gasLimit),
            Journal = data is null ? null : store,
            Statistics = StatisticsOf(chain, data is null ? null : store, runner),
        };
        var options = _guards.Apply(plain, parsed, audit);
        using var node = new Node(chain, genesis.Spec, () => new EvmEngine(), options, TimeProvider.System, write);
        await using var server = await NodeServer.StartAsync(node, listens, cancellation);
        node.Start();
        Began(node, store.Kind, server.Address);
        using var stopped = new CancellationTokenSource();
        var warmUp = parsed.GetValue(_cold)
            ? Task.CompletedTask
            : Task.Run(() => NodeWarmUp.RunAsync(
                node, () => new EvmEngine(), TunedProcessor, write, stopped.Token));
        await StopSignal.RequestedAsync(cancellation);
        write("stopping");
        await stopped.CancelAsync();
        await warmUp;
        return 0;

        void Began(Node served, string kind, Uri address)
        {
            if (!silent)
            {
                log.Write(DevBanner.Text(
                    accounts, parsed.GetValue(_balance), parsed.GetValue(_mnemonic)!, served, kind, address));
            }
        }
    }

    private static Dictionary<string, Func<IReadOnlyDictionary<string, double>>> StatisticsOf(
        Chain chain, IKeyValueStore? store, TunedTransactionRunner runner)
    {
        var families = new Dictionary<string, Func<IReadOnlyDictionary<string, double>>>
        {
            ["state"] = chain.Statistics,
            ["executor"] = runner.Statistics,
        };
        if (store is not null)
        {
            families.Add("store", store.Statistics);
        }

        return families;
    }

    private DevValidators? ValidatorsOf(ParseResult parsed, IReadOnlyList<DevAccount> accounts)
    {
        if (parsed.GetValue(_validators) is not { } count)
        {
            return null;
        }

        if (parsed.GetValue(_blockTime) is not null || parsed.GetValue(_genesis) is not null
            || parsed.GetValue(_gasLimit) is not null)
        {
            throw new InvalidConfigurationException(
                "--validators does not go with --block-time, --gas-limit or --genesis: batches make the blocks");
        }

        return new DevValidators(count, parsed.GetValue(_epochLength), accounts);
    }

    private Genesis GenesisOf(ParseResult parsed, IReadOnlyList<DevAccount> accounts, DevRegistry? registry)
    {
        if (parsed.GetValue(_genesis) is { } file)
        {
            if (parsed.GetValue(_chainId) is not null)
            {
                throw new InvalidConfigurationException("--chain-id is the genesis file's own where there is one");
            }

            return GenesisFile.Read(file);
        }

        TryFork(parsed.GetValue(_hardfork)!, out var fork);
        // A chain that is kept must begin the same way at every start, so its first block has a fixed time.
        var timestamp = parsed.GetValue(_data) is null ? (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds() : 0;
        var balance = new Core.Primitives.UInt256(parsed.GetValue(_balance)) * 1_000_000_000_000_000_000;
        return DevGenesis.Create(
            parsed.GetValue(_chainId) ?? ChainSpec.DevelopmentChainId, fork, accounts, balance, timestamp, registry);
    }

    private static void Require<T>(Option<T> option, Predicate<T?> holds, string otherwise) =>
        option.Validators.Add(result =>
        {
            if (!holds(result.GetValueOrDefault<T>()))
            {
                result.AddError(otherwise);
            }
        });

    private static bool TryHost(string? text, out IPAddress? address)
    {
        address = IPAddress.Loopback;
        return text == "localhost" || IPAddress.TryParse(text, out address);
    }

    private static string ForkNames => string.Join(", ", Enum.GetNames<Fork>().Select(name => name.ToLowerInvariant()));

    /// <summary>Names as clients write them; "merge" and the like are known too.</summary>
    private static bool TryFork(string? name, out Fork fork)
    {
        var plain = name?.Replace("-", string.Empty, StringComparison.Ordinal) switch
        {
            "latest" => "osaka",
            "merge" => "paris",
            "tangerine" => "tangerinewhistle",
            "spurious" => "spuriousdragon",
            var other => other,
        };
        return Enum.TryParse(plain, ignoreCase: true, out fork) && Enum.IsDefined(fork)
            && !char.IsAsciiDigit(plain![0]);
    }
}
