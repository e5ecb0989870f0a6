using System.Globalization;
using System.Text.Json;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;
using SuperVm.Hosting.Security;

namespace SuperVm.Azure.Functions;

/// <summary>What the app settings say to a role: environment variables by <see cref="CloudNames.Settings"/>.</summary>
public sealed record RoleSettings
{
    public required CloudSettings Cloud { get; init; }

    /// <summary>The genesis file's name.</summary>
    public required string Genesis { get; init; }

    /// <summary>The validator's key, 32 bytes; null for apps that sign nothing.</summary>
    public byte[]? Key { get; init; }

    /// <summary>The validators; empty for a chain of one operator.</summary>
    public IReadOnlyList<ValidatorPeer> Validators { get; init; } = [];

    /// <summary>Development accounts' sentence; null for none.</summary>
    public string? Mnemonic { get; init; }

    /// <summary>Who may submit how much.</summary>
    public SecurityOptions Security { get; init; } = new();

    /// <summary>What the pool of an instance takes.</summary>
    public MempoolOptions Pool { get; init; } = new();

    /// <summary>Whether somebody takes proof jobs.</summary>
    public bool HasProver { get; init; } = true;

    /// <summary>Whether log lines name every transaction.</summary>
    public bool LogsTransactions { get; init; } = true;

    /// <summary>How states go between validators, and how long batches are kept.</summary>
    public SnapshotLimits Snapshots { get; init; } = new();

    /// <summary>The folder of armed fail points; null for none.</summary>
    public string? FailPoints { get; init; }

    /// <summary>Which instance of its app the process belongs to, as the platform says; null: it does not.</summary>
    public string? Instance { get; init; }

    /// <summary>The platform's variables that name an instance, the same for the process that comes next.</summary>
    private static readonly string[] InstanceVariables = ["WEBSITE_INSTANCE_ID", "CONTAINER_NAME"];

    /// <summary>The queues and containers of <see cref="CloudNames"/>.</summary>
    public static RoleNames Names { get; } = new(
        CloudNames.Queues.Inbox, CloudNames.Queues.Batches, CloudNames.Queues.Proofs,
        CloudNames.DocumentContainers.Replica, CloudNames.DocumentContainers.Proofs);

    /// <param name="variable">The value of a setting, or null.</param>
    /// <param name="audit">Takes the audit log's lines.</param>
    /// <exception cref="ArgumentException">A setting is missing or has no sense; the message names it.</exception>
    public static RoleSettings Read(Func<string, string?> variable, Action<string> audit)
    {
        string Needed(string name) => variable(name) is { Length: > 0 } value
            ? value
            : throw new ArgumentException($"The app setting {name} is missing.");
        Uri Point(string name) => Uri.TryCreate(Needed(name), UriKind.Absolute, out var uri)
            ? uri
            : throw new ArgumentException($"The app setting {name} is no URI.");
        string? Given(string name) => variable(name) is { Length: > 0 } value ? value : null;

        var account = Given(CloudNames.Settings.EmulatorAccount);
        return new()
        {
            Cloud = new()
            {
                QueueEndpoint = Point(CloudNames.Settings.QueueUri),
                BlobEndpoint = Point(CloudNames.Settings.BlobUri),
                TableEndpoint = Point(CloudNames.Settings.TableUri),
                DocumentEndpoint = Point(CloudNames.Settings.DocumentUri),
                Database = Needed(CloudNames.Settings.Database),
                BlobContainer = CloudNames.BlobContainers.Bodies,
                StorageKey = account is null
                    ? null
                    : new(account, Needed(CloudNames.Settings.EmulatorStorageKey)),
                DocumentKey = Given(CloudNames.Settings.EmulatorDocumentKey),
                IdentityClientId = Given(CloudNames.Settings.IdentityClientId),
            },
            Genesis = Given(CloudNames.Settings.Genesis) ?? "genesis.json",
            Key = KeyOf(Given(CloudNames.Settings.ValidatorKey)),
            Validators = ValidatorsOf(Given(CloudNames.Settings.Validators)),
            Mnemonic = Given(CloudNames.Settings.EmulatorMnemonic),
            Security = DoorSettings.Security(variable, account is not null, audit),
            Pool = DoorSettings.Pool(variable),
            HasProver = Given(CloudNames.Settings.Prover) != "none",
            LogsTransactions = Given(CloudNames.Settings.LogTransactions) != "false",
            Snapshots = SnapshotsOf(Given),
            Instance = InstanceVariables.Select(Given).FirstOrDefault(name => name is not null),
            FailPoints = Given(CloudNames.Settings.EmulatorFailPoints),
        };
    }

    private static SnapshotLimits SnapshotsOf(Func<string, string?> given)
    {
        ulong Number(string name, ulong otherwise) => given(name) is not { } text ? otherwise
            : ulong.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number
            : throw new ArgumentException($"{name} takes a number of blocks.");
        var standard = new SnapshotLimits();
        return standard with
        {
            Behind = Number(CloudNames.Settings.SnapshotBehind, standard.Behind),
            KeptBatches = Number(CloudNames.Settings.KeptBatches, standard.KeptBatches),
        };
    }

    private static byte[]? KeyOf(string? text)
    {
        if (text is null)
        {
            return null;
        }

        // A secret that was set from a file ends with that file's last line feed.
        return Hex.TryDecode(text.Trim(), out var key) && key.Length == 32
            ? key
            : throw new ArgumentException($"{CloudNames.Settings.ValidatorKey} takes 0x and 64 hexadecimal digits.");
    }

    private static List<ValidatorPeer> ValidatorsOf(string? text)
    {
        var peers = new List<ValidatorPeer>();
        if (text is null)
        {
            return peers;
        }

        try
        {
            using var json = JsonDocument.Parse(text);
            foreach (var entry in json.RootElement.EnumerateArray())
            {
                peers.Add(Address.TryParse(entry.GetProperty("address").GetString()!, out var address)
                    && Uri.TryCreate(entry.GetProperty("url").GetString(), UriKind.Absolute, out var url)
                    ? new(address, entry.GetProperty("power").GetUInt64(), url)
                    : throw new ArgumentException($"{CloudNames.Settings.Validators}: no address, or no URL."));
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            throw new ArgumentException($"{CloudNames.Settings.Validators} is no list of validators: {broken.Message}");
        }

        return peers;
    }
}
