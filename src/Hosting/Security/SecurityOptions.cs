using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Security;

/// <summary>What a node guards itself with; everything is off by default.</summary>
/// <remarks>
/// Rates of the door (address, all) count JSON-RPC requests, a batch as many as it holds; rates of senders count
/// transactions. A pool's own limits (<see cref="Core.Mempool.MempoolOptions"/>) hold in any case.
/// </remarks>
public sealed record SecurityOptions
{
    /// <summary>Requests from one network address: an IPv4 address, or 64 bits of an IPv6 one.</summary>
    public BucketRate? PerAddress { get; init; }

    /// <summary>Requests from everybody together.</summary>
    public BucketRate? Global { get; init; }

    /// <summary>Transactions of one sender.</summary>
    public BucketRate? PerSender { get; init; }

    /// <summary>Transactions of one sender that are alike in recipient, value and data.</summary>
    public BucketRate? Duplicates { get; init; }

    /// <summary>The smallest fee cap a gas that is taken, in wei; 0 for none.</summary>
    public UInt256 FeeFloor { get; init; }

    /// <summary>Addresses, or senders, that have a bucket of their own at a time.</summary>
    public int MaximumPartitions { get; init; } = 65_536;

    /// <summary>Whether JSON-RPC answers who shows no key.</summary>
    public bool OpenRpc { get; init; } = true;

    /// <summary>Keys that open JSON-RPC where it is not open.</summary>
    public AccessKeys RpcKeys { get; init; } = AccessKeys.None;

    /// <summary>
    /// Keys that open methods that change time, accounts and history, and GET /metrics. Null leaves these as open as
    /// JSON-RPC; a set without keys closes them.
    /// </summary>
    public AccessKeys? ManagementKeys { get; init; }

    /// <summary>Proxies in front that append to X-Forwarded-For; 0 takes the connection's own address.</summary>
    public int TrustedProxies { get; init; }

    /// <summary>Takes a line of JSON for each management call; null writes none.</summary>
    public Action<string>? Audit { get; init; }
}
