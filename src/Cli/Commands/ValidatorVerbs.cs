using System.CommandLine;
using System.Globalization;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Commands;

/// <summary>
/// `supervm validator new|register|stake|endpoint|leave|withdraw|status`: what an operator does to join a running chain
/// and to leave it.
/// </summary>
internal sealed class ValidatorVerbs
{
    private const int MaximumDigits = 18;

    private readonly Option<string> _rpc = new("--rpc")
    {
        Description = "JSON-RPC of any node of the chain", DefaultValueFactory = _ => "http://127.0.0.1:8545",
    };

    private readonly Option<string> _key = new("--key")
    {
        Description = "A file with the validator's key: its configuration, or 0x and 64 digits alone", Required = true,
    };

    private readonly Option<string?> _anyKey = new("--key") { Description = "Only the validator of this key (a file)" };

    private readonly Option<string?> _owner = new("--owner")
    {
        Description = "A file with the key of the account that pays and owns the stake; the validator's if left out",
    };

    private readonly Option<string> _amount = new("--amount", "--stake")
    {
        Description = "Ether of stake, as 32 or 0.5", Required = true,
    };

    private readonly Option<string?> _endpoint = new("--endpoint")
    {
        Description = "URL at which the others reach the consensus port; the configuration's own port if left out",
    };

    private readonly Option<int> _wait = new("--wait")
    {
        Description = "Seconds to wait for the block", DefaultValueFactory = _ => 60,
    };

    private readonly Option<string> _like = new("--like")
    {
        Description = "The configuration of another validator of the chain", Required = true,
    };

    private readonly Option<string> _out = new("--out") { Description = "The file to write", Required = true };

    private readonly Option<int> _rpcPort = new("--rpc-port") { Description = "TCP port of JSON-RPC", Required = true };

    private readonly Option<int> _consensusPort = new("--consensus-port")
    {
        Description = "TCP port of the consensus port", Required = true,
    };

    internal void AddTo(Command validator)
    {
        Add("new", "Write a configuration with a new key for one more validator of a chain", NewAsync,
            _like, _out, _rpcPort, _consensusPort);
        Add("register", "Register a validator with a stake: it votes from the next epoch on", RegisterAsync,
            _rpc, _key, _owner, _amount, _endpoint, _wait);
        Add("stake", "Add to a validator's stake: it counts from the next epoch on", StakeAsync,
            _rpc, _key, _owner, _amount, _wait);
        Add("endpoint", "Tell where the others reach a validator's consensus port", SetEndpointAsync,
            _rpc, _key, _owner, _endpoint, _wait);
        Add("leave", "Resign: the validator votes until its epoch ends", (parsed, cancellation) =>
            SendAsync(parsed, "resigned", key => RegistryCalls.Resign(key), UInt256.Zero, cancellation),
            _rpc, _key, _owner, _wait);
        Add("withdraw", "Pay the stake of a validator that left out to its owner", (parsed, cancellation) =>
            SendAsync(parsed, "withdrawn", key => RegistryCalls.Withdraw(key), UInt256.Zero, cancellation),
            _rpc, _key, _owner, _wait);
        Add("status", "The epoch, its validators, and how a key stands", StatusAsync, _rpc, _anyKey);

        void Add(
            string name, string description, Func<ParseResult, CancellationToken, Task> run, params Option[] options)
        {
            var verb = new Command(name, description);
            foreach (var option in options)
            {
                verb.Options.Add(option);
            }

            verb.SetAction((parsed, cancellation) => GuardedAsync(name, () => run(parsed, cancellation)));
            validator.Subcommands.Add(verb);
        }
    }

    private static async Task<int> GuardedAsync(string name, Func<Task> run)
    {
        try
        {
            await run();
            return 0;
        }
        catch (Exception refusal) when (refusal is InvalidConfigurationException or IOException
            or UnauthorizedAccessException or UriFormatException or ArgumentException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"supervm validator {name}: {refusal.Message}");
            return 1;
        }
    }

    /// <summary>Another validator of the same chain: its genesis and its peers, a key and ports of its own.</summary>
    private Task NewAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var path = parsed.GetValue(_out)!;
        if (File.Exists(path))
        {
            throw new InvalidConfigurationException($"{path} is there already; a key is never written over");
        }

        var key = TestnetCommand.NewKey();
        var config = ValidatorConfig.Read(parsed.GetValue(_like)!) with
        {
            Key = Hex.Encode(key), Data = $"{Path.GetFileNameWithoutExtension(path)}-chain",
            RpcPort = parsed.GetValue(_rpcPort), ConsensusPort = parsed.GetValue(_consensusPort),
            Certificate = null, CertificateKey = null,
        };
        config.Write(path);
        Console.WriteLine($"validator {Secp256k1.AddressOf(key)}: {path}");
        return Task.CompletedTask;
    }

    private async Task RegisterAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using var client = NewClient();
        var registry = RegistryOf(parsed, client);
        var signer = new Secp256k1Signer(KeyFile.Read(parsed.GetValue(_key)!));
        var owner = OwnerOf(parsed);
        var endpoint = EndpointOf(parsed);
        var data = RegistryCalls.Register(
            await registry.ChainIdAsync(cancellation), signer, Secp256k1.AddressOf(owner), endpoint);
        var amount = AmountOf(parsed.GetValue(_amount)!);
        var block = await registry.SendAsync(owner, data, amount, PatienceOf(parsed), cancellation);
        var epoch = await registry.EpochAsync(cancellation);
        Console.WriteLine($"registered {signer.Address} at {endpoint} in block {block}");
        Console.WriteLine(epoch.Last == ulong.MaxValue
            ? "this chain has one epoch without end: its first validators stay"
            : $"votes from block {BorderAfter(block, epoch) + 1} on");
    }

    private Task StakeAsync(ParseResult parsed, CancellationToken cancellation) => SendAsync(
        parsed, "added stake to", key => RegistryCalls.AddStake(key), AmountOf(parsed.GetValue(_amount)!),
        cancellation);

    private Task SetEndpointAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var endpoint = EndpointOf(parsed);
        return SendAsync(
            parsed, $"{endpoint} is the endpoint of", key => RegistryCalls.SetEndpoint(key, endpoint), UInt256.Zero,
            cancellation);
    }

    private async Task SendAsync(
        ParseResult parsed, string done, Func<Address, byte[]> call, UInt256 value, CancellationToken cancellation)
    {
        using var client = NewClient();
        var key = Secp256k1.AddressOf(KeyFile.Read(parsed.GetValue(_key)!));
        var block = await RegistryOf(parsed, client).SendAsync(
            OwnerOf(parsed), call(key), value, PatienceOf(parsed), cancellation);
        Console.WriteLine($"{done} {key} in block {block}");
    }

    private async Task StatusAsync(ParseResult parsed, CancellationToken cancellation)
    {
        using var client = NewClient();
        var registry = RegistryOf(parsed, client);
        var epoch = await registry.EpochAsync(cancellation);
        var last = epoch.Last == ulong.MaxValue ? "" : epoch.Last.ToString(CultureInfo.InvariantCulture);
        Console.WriteLine($"epoch {epoch.Number}: blocks {epoch.First}..{last}, {epoch.Kind}, "
            + $"{epoch.Powers.Count} validators, power {epoch.TotalPower}");
        var keys = (await registry.ListAsync(cancellation)).Select(one => one.Key).Union(epoch.Powers.Keys).ToList();
        if (parsed.GetValue(_anyKey) is { } file)
        {
            keys = [Secp256k1.AddressOf(KeyFile.Read(file))];
        }

        foreach (var key in keys)
        {
            Console.WriteLine(await DescribeAsync(registry, epoch, key, cancellation));
        }
    }

    private static async Task<string> DescribeAsync(
        RegistryClient registry, RunningEpoch epoch, Address key, CancellationToken cancellation)
    {
        var entry = await registry.FindAsync(key, cancellation);
        var votes = epoch.Powers.TryGetValue(key, out var power)
            ? string.Create(CultureInfo.InvariantCulture, $"votes with {100.0 * power / epoch.TotalPower:F1} %")
            : entry.Standing == RegistryStanding.Active ? "votes from the next epoch on" : "does not vote";
        var line = $"{key} {entry.Standing.ToString().ToLowerInvariant()}, {votes}, stake {EtherOf(entry.Stake)} ether";
        if (entry.Standing == RegistryStanding.None)
        {
            return $"{key} not registered, {votes}";
        }

        line += $", owner {entry.Owner}, endpoint {(entry.Endpoint.Length == 0 ? "none" : entry.Endpoint)}";
        if (entry.Standing == RegistryStanding.Active || entry.Stake.IsZero)
        {
            return line;
        }

        var (time, from) = await registry.WithdrawableAsync(key, cancellation);
        var date = DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(time.ToUInt64Saturating(), 253_402_300_799));
        return line + string.Create(
            CultureInfo.InvariantCulture, $", may withdraw from {date:u} and epoch {from} on");
    }

    private static ulong BorderAfter(ulong block, RunningEpoch epoch)
    {
        var length = epoch.Last - epoch.First + 1;
        return (block + length - 1) / length * length;
    }

    private static HttpClient NewClient() => new()
    {
        Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = RpcProofs.MaximumAnswerBytes,
    };

    private RegistryClient RegistryOf(ParseResult parsed, HttpClient client) =>
        new(new RpcClient(client, new Uri(parsed.GetValue(_rpc)!)));

    private byte[] OwnerOf(ParseResult parsed) =>
        KeyFile.Read(parsed.GetValue(_owner) ?? parsed.GetValue(_key)!);

    private TimeSpan PatienceOf(ParseResult parsed) =>
        TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(_wait), 0, 3600));

    private string EndpointOf(ParseResult parsed)
    {
        var text = parsed.GetValue(_endpoint);
        if (text is null)
        {
            var config = ValidatorConfig.Read(parsed.GetValue(_key)!);
            text = $"{(config.Certificate is null ? "http" : "https")}://{config.Host}:{config.ConsensusPort}";
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? text
            : throw new InvalidConfigurationException("--endpoint takes an http or https URL");
    }

    /// <summary>Wei of an amount in ether, exactly.</summary>
    /// <exception cref="InvalidConfigurationException">Not a number of ether.</exception>
    internal static UInt256 AmountOf(string text)
    {
        var parts = text.Split('.');
        var fraction = parts.Length == 2 ? parts[1] : string.Empty;
        if (parts.Length > 2 || parts[0].Length is 0 or > MaximumDigits || fraction.Length > MaximumDigits
            || !ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var whole)
            || !ulong.TryParse(
                fraction.PadRight(MaximumDigits, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out var rest))
        {
            throw new InvalidConfigurationException($"\"{text}\" is no amount of ether, as 32 or 0.5");
        }

        return (new UInt256(whole) * new UInt256(1_000_000_000_000_000_000)) + new UInt256(rest);
    }

    internal static string EtherOf(in UInt256 wei)
    {
        var unit = new UInt256(1_000_000_000_000_000_000);
        var whole = wei / unit;
        var rest = (wei - (whole * unit)).ToString().PadLeft(MaximumDigits, '0').TrimEnd('0');
        return rest.Length == 0 ? whole.ToString() : $"{whole}.{rest}";
    }
}
