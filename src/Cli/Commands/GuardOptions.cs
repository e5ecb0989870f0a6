using System.CommandLine;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Security;

namespace SuperVm.Cli.Commands;

/// <summary>The options of a node's guards: the same on `dev` and `validator`, off where they are left out.</summary>
internal sealed class GuardOptions
{
    private readonly Option<double> _senderRate = new("--rate-sender")
    {
        Description = "Transactions a second of one sender; 0 for no limit",
    };

    private readonly Option<double> _addressRate = new("--rate-address")
    {
        Description = "Requests a second from one network address, a batch counting as many; 0 for no limit",
    };

    private readonly Option<double> _globalRate = new("--rate-global")
    {
        Description = "Requests a second from everybody together; 0 for no limit",
    };

    private readonly Option<double> _duplicateRate = new("--rate-duplicates")
    {
        Description = "Transactions a second of one sender alike in recipient, value and data; 0 for no limit",
    };

    private readonly Option<string> _feeFloor = new("--fee-floor")
    {
        Description = "Smallest fee cap a gas that is taken, in wei", DefaultValueFactory = _ => "0",
    };

    private readonly Option<int> _pendingPerSender = new("--pending-per-sender")
    {
        Description = "Transactions of one sender that may wait",
        DefaultValueFactory = _ => new MempoolOptions().MaximumPerSender,
    };

    private readonly Option<string?> _rpcKeys = new("--rpc-keys")
    {
        Description = "File of keys, one a line: JSON-RPC answers nobody who shows none (Authorization: Bearer KEY)",
    };

    private readonly Option<string?> _managementKeys = new("--management-keys")
    {
        Description = "File of keys for methods that change time, accounts and history, and for /metrics",
    };

    private readonly Option<int> _proxies = new("--trusted-proxies")
    {
        Description = "Proxies in front that append to X-Forwarded-For",
    };

    private readonly Option<string?> _audit = new("--audit")
    {
        Description = "File that takes a line of JSON for each management call, redacted",
    };

    private readonly Option<double> _callTimeout = new("--call-timeout")
    {
        Description = "Seconds that one eth_call, estimate or trace may execute; 0 for no limit",
        DefaultValueFactory = _ => new NodeOptions().CallTimeout.TotalSeconds,
    };

    internal void AddTo(Command command)
    {
        foreach (var option in All)
        {
            command.Add(option);
        }

        foreach (var rate in (Option<double>[])[_senderRate, _addressRate, _globalRate, _duplicateRate, _callTimeout])
        {
            rate.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<double>() is not (>= 0 and <= 1e9))
                {
                    result.AddError($"{rate.Name} takes 0 to 1000000000");
                }
            });
        }
    }

    /// <summary>The node's options with what the command line asks for.</summary>
    /// <param name="options">Everything else.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="audit">The file of the audit, opened; the caller's to close.</param>
    /// <exception cref="InvalidConfigurationException">A file that cannot be read, or a value that is none.</exception>
    internal NodeOptions Apply(NodeOptions options, ParseResult parsed, AuditFile? audit)
    {
        if (!UInt256.TryParse(parsed.GetValue(_feeFloor)!, out var floor))
        {
            throw new InvalidConfigurationException("--fee-floor takes a number of wei");
        }

        var pending = parsed.GetValue(_pendingPerSender);
        return options with
        {
            CallTimeout = TimeSpan.FromSeconds(parsed.GetValue(_callTimeout)),
            Pool = options.Pool with
            {
                MaximumPerSender = pending > 0
                    ? pending
                    : throw new InvalidConfigurationException("--pending-per-sender takes 1 or more"),
            },
            Security = new SecurityOptions
            {
                PerSender = Rate(parsed, _senderRate),
                PerAddress = Rate(parsed, _addressRate),
                Global = Rate(parsed, _globalRate),
                Duplicates = Rate(parsed, _duplicateRate),
                FeeFloor = floor,
                OpenRpc = parsed.GetValue(_rpcKeys) is null,
                RpcKeys = Keys(parsed.GetValue(_rpcKeys)) ?? AccessKeys.None,
                ManagementKeys = Keys(parsed.GetValue(_managementKeys)),
                TrustedProxies = Math.Clamp(parsed.GetValue(_proxies), 0, 16),
                Audit = audit is null ? null : audit.Write,
            },
        };
    }

    /// <summary>The audit's file, opened for appending; null where none is asked for.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    internal AuditFile? OpenAudit(ParseResult parsed) =>
        parsed.GetValue(_audit) is { } path ? new AuditFile(path) : null;

    private IEnumerable<Option> All =>
    [
        _senderRate, _addressRate, _globalRate, _duplicateRate, _feeFloor, _pendingPerSender, _rpcKeys,
        _managementKeys, _proxies, _audit, _callTimeout,
    ];

    private static BucketRate? Rate(ParseResult parsed, Option<double> option) =>
        parsed.GetValue(option) is var rate and > 0 ? BucketRate.Of(rate) : null;

    private static AccessKeys? Keys(string? file)
    {
        if (file is null)
        {
            return null;
        }

        try
        {
            return AccessKeys.Parse(File.ReadAllText(file));
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidConfigurationException($"{file}: {refusal.Message}");
        }
    }
}
