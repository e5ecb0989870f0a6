using System.Text.Json;
using System.Text.Json.Serialization;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Commands;

/// <summary>A validator in a configuration file.</summary>
internal sealed record ValidatorEntry(string Address, ulong Power, string Url);

/// <summary>What `supervm validator --config FILE` reads; paths are relative to the file.</summary>
/// <remarks>
/// Chain id, accounts or genesis file, and the validators must agree on all validators. Without a genesis file the
/// chain begins with the accounts of the development mnemonic.
/// </remarks>
internal sealed record ValidatorConfig
{
    private const int MaximumBytes = 1 << 20;

    /// <summary>The private key, 0x and 64 digits. Keep the file to yourself.</summary>
    public required string Key { get; init; }

    /// <summary>The directory that keeps the chain.</summary>
    public required string Data { get; init; }

    /// <summary>The address of both ports.</summary>
    public string Host { get; init; } = "127.0.0.1";

    public required int RpcPort { get; init; }

    public required int ConsensusPort { get; init; }

    public ulong ChainId { get; init; } = ChainSpec.DevelopmentChainId;

    /// <summary>A genesis.json as geth's; its chain id is the chain's.</summary>
    public string? Genesis { get; init; }

    /// <summary>Accounts of the development mnemonic that have money, where there is no genesis file.</summary>
    public int Accounts { get; init; } = 10;

    /// <summary>Whether each write waits for the disk.</summary>
    public bool Sync { get; init; }

    public required IReadOnlyList<ValidatorEntry> Validators { get; init; }

    /// <exception cref="InvalidConfigurationException">No such file, or not a configuration.</exception>
    internal static ValidatorConfig Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaximumBytes)
        {
            throw new InvalidConfigurationException($"{path}: no such file, or too large");
        }

        try
        {
            var folder = file.DirectoryName!;
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(path), ValidatorJson.Default.ValidatorConfig)
                ?? throw new InvalidConfigurationException($"{path} is empty");
            return read with
            {
                Data = Path.Combine(folder, read.Data),
                Genesis = read.Genesis is null ? null : Path.Combine(folder, read.Genesis),
            };
        }
        catch (JsonException broken)
        {
            throw new InvalidConfigurationException($"{path} is no configuration: {broken.Message}");
        }
    }

    internal void Write(string path)
    {
        using (File.Create(path))
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }

        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(this, ValidatorJson.Default.ValidatorConfig));
    }

    internal Genesis GenesisBlock(IReadOnlyList<DevAccount> accounts) => Genesis is { } file
        ? GenesisFile.Read(file)
        : DevGenesis.Create(
            ChainId, Fork.Osaka, accounts, new UInt256(10_000) * 1_000_000_000_000_000_000, timestamp: 0);

    /// <exception cref="InvalidConfigurationException">A value that is none of its kind.</exception>
    internal ValidatorOptions Options()
    {
        if (!Hex.TryDecode(Key, out var key) || key.Length != 32)
        {
            throw new InvalidConfigurationException("key takes 0x and 64 hexadecimal digits");
        }

        if (!System.Net.IPAddress.TryParse(Host, out var host))
        {
            throw new InvalidConfigurationException("host takes an IP address");
        }

        return new ValidatorOptions
        {
            PrivateKey = key, Host = host, Port = ConsensusPort, Sync = Sync,
            Validators = [.. Validators.Select(PeerOf)],
        };
    }

    private static ValidatorPeer PeerOf(ValidatorEntry entry) =>
        Address.TryParse(entry.Address, out var address) && Uri.TryCreate(entry.Url, UriKind.Absolute, out var url)
            ? new ValidatorPeer(address, entry.Power, url)
            : throw new InvalidConfigurationException($"validator {entry.Address} {entry.Url}: no address, or no URL");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ValidatorConfig))]
internal sealed partial class ValidatorJson : JsonSerializerContext;
