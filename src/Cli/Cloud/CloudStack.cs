using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using SuperVm.Azure;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;
using SuperVm.Local.Emulators;

namespace SuperVm.Cli.Cloud;

/// <summary>
/// The whole of a serverless deployment on this machine: the emulators, and for each validator four function apps,
/// their
/// handlers processes of their own.
/// </summary>
/// <remarks>
/// <code>
///   JSON-RPC ─▶ Ingest ─▶ inbox ─▶ Consensus ─▶ batches ─▶ Execute ─▶ documents, blobs, rows ◀─ reads ─ Ingest
///                                    ▲  │ HTTP                │                       proofs ─▶ Prover
///                  other validators ─┘  └─▶ others            └─▶ inbox (what was executed)
/// </code>
/// Every validator has a storage account and a database of its own, as in the cloud.
/// </remarks>
internal sealed class CloudStack : IAsyncDisposable
{
    /// <summary>Validators of one machine.</summary>
    internal const int MostValidators = 7;

    private const ulong Ether = 10_000;
    private const int Accounts = 10;

    /// <summary>Ether of stake that each validator has.</summary>
    private const ulong Stake = 32;

    private readonly List<CloudValidator> _validators = [];

    private CloudStack(AzureEmulators emulators) => Emulators = emulators;

    internal AzureEmulators Emulators { get; }

    internal IReadOnlyList<CloudValidator> Validators => _validators;

    /// <summary>Starts everything; what is returned serves.</summary>
    /// <exception cref="EmulatorException">The emulators cannot be installed or started.</exception>
    /// <exception cref="Local.Functions.FunctionAppException">A function app cannot be started.</exception>
    internal static async Task<CloudStack> StartAsync(CloudOptions options, CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Logs);
        var names = Enumerable.Range(0, options.Validators + options.Watchers)
            .Select(i => options.Validators + options.Watchers == 1 ? AzureEmulators.Account : Name(i)).ToList();
        var stack = new CloudStack(
            await AzureEmulators.StartAsync(
                options.Root, names, options.StorageData, options.EmulatorPorts, cancellation));
        try
        {
            await stack.StartValidatorsAsync(names, options, cancellation);
            return stack;
        }
        catch
        {
            await stack.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where this program was built, with the function apps.</summary>
    /// <exception cref="Commands.InvalidConfigurationException">It was not built in a repository.</exception>
    internal static string RepositoryRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
            {
                return at.FullName;
            }
        }

        throw new Commands.InvalidConfigurationException(
            "the function apps lie in the repository, and this program does not");
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_validators.Select(validator => validator.DisposeAsync().AsTask()));
        await Emulators.DisposeAsync();
    }

    /// <summary>What everything asked of the cloud so far, the Functions hosts included.</summary>
    internal async Task<CloudCosts> CostsAsync(CancellationToken cancellation)
    {
        var sum = default(CloudCosts);
        foreach (var validator in _validators)
        {
            sum += await validator.CostsAsync(cancellation);
        }

        return sum;
    }

    private async Task StartValidatorsAsync(
        List<string> names, CloudOptions options, CancellationToken cancellation)
    {
        var now = (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var keys = names.ConvertAll(_ => NewKey());
        var ports = names.ConvertAll(_ => FreePort());
        var genesis = options.Genesis ?? DevGenesisFile.Write(
            options.ChainId, DevGenesis.AccountsOf(Mnemonic.Development, Accounts),
            new UInt256(Ether) * 1_000_000_000_000_000_000, now, RegistryOf(keys, ports, options));
        // With a registry the list says where each is reached, no more: so the others hear who is not registered yet.
        var list = ValidatorsJson(options.Validators == 1 ? keys[..1] : keys, ports);
        var start = new List<Task<CloudValidator>>();
        for (var i = 0; i < names.Count; i++)
        {
            var seat = new CloudSeat(
                i, names[i], keys[i], names.Count == 1 ? null : list, ports[i],
                options.Port == 0 ? 0 : options.Port + i);
            start.Add(CloudValidator.StartAsync(seat, Emulators, genesis, options, cancellation));
        }

        try
        {
            await Task.WhenAll(start);
        }
        finally
        {
            _validators.AddRange(start.Where(task => task.IsCompletedSuccessfully).Select(task => task.Result));
        }
    }

    /// <summary>The registry that genesis begins with; null for an operator alone.</summary>
    private static DevRegistry? RegistryOf(List<byte[]> keys, List<int> ports, CloudOptions options) =>
        options.Validators == 1
            ? null
            : new(
                new RegistryParameters { EpochLength = options.EpochLength, UnbondingSeconds = 60 },
                [.. keys.Take(options.Validators).Select((key, i) =>
                {
                    var address = new Secp256k1Signer(key).Address;
                    return new RegisteredValidator(address, address, DevRegistry.StakeOf(Stake), UrlOf(ports[i]));
                })]);

    /// <summary>Where the others reach a validator.</summary>
    internal static string UrlOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private static string Name(int index) => string.Create(CultureInfo.InvariantCulture, $"validator{index}");

    private static string ValidatorsJson(List<byte[]> keys, List<int> ports)
    {
        var text = new StringBuilder("[");
        for (var i = 0; i < keys.Count; i++)
        {
            var address = new Secp256k1Signer(keys[i]).Address;
            text.Append(i == 0 ? string.Empty : ",").Append(
                CultureInfo.InvariantCulture,
                $$"""{"address":"{{address}}","power":1,"url":"{{UrlOf(ports[i])}}"}""");
        }

        return text.Append(']').ToString();
    }

    /// <summary>A number below 2^255 and above 0 is below the group's order, so it is a key.</summary>
    private static byte[] NewKey()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        key[0] &= 0x7f;
        key[31] |= 1;
        return key;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>One validator's place in the set.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Account">Its storage account.</param>
/// <param name="Key">Its private key.</param>
/// <param name="Validators">The set as JSON; null for an operator alone.</param>
/// <param name="PeerPort">Where other validators reach it.</param>
/// <param name="RpcPort">JSON-RPC; 0 takes a free one.</param>
internal sealed record CloudSeat(
    int Index, string Account, byte[] Key, string? Validators, int PeerPort, int RpcPort);
