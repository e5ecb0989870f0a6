namespace SuperVm.Hosting.JsonRpc;

/// <summary>What one client may ask of the server at a time.</summary>
public sealed record RpcLimits
{
    /// <summary>Bytes of a request body or a WebSocket message.</summary>
    public int MaximumBodyBytes { get; init; } = 16 << 20;

    /// <summary>Requests in a batch.</summary>
    public int MaximumBatch { get; init; } = 1_000;

    /// <summary>Bytes of a response; what would come after is answered with an error.</summary>
    public int MaximumResponseBytes { get; init; } = 64 << 20;

    /// <summary>Blocks that eth_getLogs may range over.</summary>
    public ulong MaximumLogRange { get; init; } = 100_000;

    /// <summary>Logs that eth_getLogs may answer.</summary>
    public int MaximumLogResults { get; init; } = 20_000;

    /// <summary>Addresses, or alternatives at one topic place, of a filter.</summary>
    public int MaximumFilterValues { get; init; } = 1_000;

    /// <summary>Blocks of one eth_feeHistory.</summary>
    public int MaximumFeeHistory { get; init; } = 1_024;

    /// <summary>Slots of one eth_getProof or eth_getStorageValues.</summary>
    public int MaximumProofSlots { get; init; } = 1_024;

    /// <summary>Filters that are installed.</summary>
    public int MaximumFilters { get; init; } = 10_000;

    /// <summary>How long a filter lives that nobody asks for its changes.</summary>
    public TimeSpan FilterLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Subscriptions of one WebSocket.</summary>
    public int MaximumSubscriptions { get; init; } = 128;

    /// <summary>Open connections of any kind.</summary>
    public int MaximumConnections { get; init; } = 8_192;

    /// <summary>Open WebSocket connections.</summary>
    public int MaximumWebSockets { get; init; } = 1_000;
}
