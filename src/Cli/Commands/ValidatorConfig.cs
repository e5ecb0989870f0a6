using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Leaders;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Commands;

/// <summary>A validator in a configuration file.</summary>
/// <param name="Address">The address of its key.</param>
/// <param name="Power">Its voting power.</param>
/// <param name="Url">Its consensus port; https for TLS.</param>
/// <param name="CertificateSha256">The only certificate that it may show: 0x and 64 digits.</param>
internal sealed record ValidatorEntry(string Address, ulong Power, string Url, string? CertificateSha256 = null);

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

    /// <summary>TLS on the consensus port: a PEM file with the certificate, and one with its key.</summary>
    public string? Certificate { get; init; }

    /// <inheritdoc cref="Certificate"/>
    public string? CertificateKey { get; init; }

    /// <summary>
    /// A PEM file with the authority that signed the others' certificates; the system's where left out.
    /// </summary>
    public string? Authority { get; init; }

    /// <summary>How transactions reach the others: broadcast, flood, gossip or directed.</summary>
    public GossipMode Gossip { get; init; } = GossipMode.Broadcast;

    /// <summary>Peers that get a transaction at first hand with gossip.</summary>
    public int FanOut { get; init; } = 3;

    /// <summary>Compression between validators: none, gzip or brotli.</summary>
    public PeerCodec Compression { get; init; } = PeerCodec.Brotli;

    /// <summary>Batches that are kept for validators that were away; who was away longer takes a snapshot.</summary>
    public ulong KeepBatches { get; init; } = 100_000;

    /// <summary>Blocks of an epoch, where there is no genesis file; 0 = the first validators stay.</summary>
    public ulong EpochLength { get; init; } = new RegistryParameters().EpochLength;

    /// <summary>Seconds between resigning and withdrawing, where there is no genesis file.</summary>
    public ulong UnbondingSeconds { get; init; } = new RegistryParameters().UnbondingSeconds;

    /// <summary>How the set and its leaders come about, where there is no genesis file.</summary>
    public ConsensusKind Kind { get; init; }

    /// <summary>
    /// The first validators and where they are reached; without a genesis file they are registered with an ether a unit
    /// of power.
    /// </summary>
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
                Certificate = read.Certificate is null ? null : Path.Combine(folder, read.Certificate),
                CertificateKey = read.CertificateKey is null ? null : Path.Combine(folder, read.CertificateKey),
                Authority = read.Authority is null ? null : Path.Combine(folder, read.Authority),
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
            ChainId, Fork.Osaka, accounts, DevRegistry.StakeOf(10_000), timestamp: 0, Registry());

    private DevRegistry Registry() => new(
        new RegistryParameters { EpochLength = EpochLength, UnbondingSeconds = UnbondingSeconds, Kind = Kind },
        [.. Validators.Select(PeerOf).Select(peer => new RegisteredValidator(
            peer.Address, peer.Address, DevRegistry.StakeOf(peer.Power), peer.Url.OriginalString))]);

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
            PrivateKey = key, KeepBatches = KeepBatches, Host = host, Port = ConsensusPort, Sync = Sync,
            Gossip = Gossip,
            FanOut = FanOut > 0 ? FanOut : throw new InvalidConfigurationException("fanOut takes a number from 1 up"),
            Codec = Compression, Certificate = ReadCertificate(Certificate, CertificateKey),
            Authority = ReadCertificate(Authority, null),
            Parameters = ParametersOf(Gossip),
            Validators = [.. Validators.Select(PeerOf)],
        };
    }

    /// <summary>Where bodies go to the leader alone, nobody waits long for them to come by themselves.</summary>
    private static ConsensusParameters ParametersOf(GossipMode gossip)
    {
        var usual = new ConsensusParameters();
        return gossip == GossipMode.Directed ? usual with { FetchDelayMs = 2 } : usual;
    }

    private static X509Certificate2? ReadCertificate(string? file, string? keyFile)
    {
        try
        {
            if (file is null)
            {
                return null;
            }

            if (keyFile is null)
            {
                return X509CertificateLoader.LoadCertificateFromFile(file);
            }

            // By way of PKCS#12, because some platforms do not serve with a key that was never stored.
            using var read = X509Certificate2.CreateFromPemFile(file, keyFile);
            return X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception broken) when (broken is CryptographicException or IOException)
        {
            throw new InvalidConfigurationException($"{file}: {broken.Message}");
        }
    }

    private static ValidatorPeer PeerOf(ValidatorEntry entry)
    {
        if (!Address.TryParse(entry.Address, out var address)
            || !Uri.TryCreate(entry.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new InvalidConfigurationException($"validator {entry.Address} {entry.Url}: no address, or no URL");
        }

        byte[]? pin = null;
        if (entry.CertificateSha256 is { } text && (!Hex.TryDecode(text, out pin) || pin.Length != 32))
        {
            throw new InvalidConfigurationException("certificateSha256 takes 0x and 64 hexadecimal digits");
        }

        return new ValidatorPeer(address, entry.Power, url, pin);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ValidatorConfig))]
internal sealed partial class ValidatorJson : JsonSerializerContext;
