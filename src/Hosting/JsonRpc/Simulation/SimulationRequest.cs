using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Simulation;

/// <summary>A block of eth_simulateV1: what differs in it, and the calls that are its transactions.</summary>
internal sealed class SimulatedBlock
{
    internal BlockOverrides Overrides { get; set; } = new();

    internal Dictionary<Address, AccountOverride> Accounts { get; } = [];

    internal List<CallRequest> Calls { get; } = [];
}

/// <summary>The first argument of eth_simulateV1.</summary>
internal sealed class SimulationRequest
{
    /// <summary>Blocks that one request may make, those that fill gaps counted.</summary>
    internal const int MaximumBlocks = 256;

    /// <summary>Calls of one request.</summary>
    internal const int MaximumCalls = 8_192;

    internal List<SimulatedBlock> Blocks { get; } = [];

    /// <summary>Ether that moves is told of as logs of <see cref="TransferTracer.Emitter"/>.</summary>
    internal bool TraceTransfers { get; set; }

    /// <summary>Nonces and base fees count as they would on the chain.</summary>
    internal bool Validation { get; set; }

    internal bool ReturnFullTransactions { get; set; }
}

/// <summary>Codes of eth_simulateV1 (execution-apis).</summary>
internal static class SimulationErrors
{
    internal const int NonceTooLow = -38010;
    internal const int NonceTooHigh = -38011;
    internal const int FeeCapTooLow = -38012;
    internal const int IntrinsicGas = -38013;
    internal const int InsufficientFunds = -38014;
    internal const int BlockGasLimit = -38015;
    internal const int BlockNumberOrder = -38020;
    internal const int TimestampOrder = -38021;
    internal const int InitCodeTooLarge = -38025;
    internal const int TooManyBlocks = -38026;

    /// <summary>A call that failed otherwise than by REVERT.</summary>
    internal const int CallFailed = -32015;

    internal static RpcError BlocksExceeded { get; } = new(TooManyBlocks, "too many blocks");
}
