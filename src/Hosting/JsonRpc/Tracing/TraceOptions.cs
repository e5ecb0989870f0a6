using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>The configuration object of debug_trace methods.</summary>
internal sealed class TraceOptions
{
    /// <summary>Null or empty for the log of instructions.</summary>
    internal string? Tracer { get; set; }

    /// <summary>The log of instructions, prestateTracer: without storage.</summary>
    internal bool DisableStorage { get; set; }

    internal bool DisableStack { get; set; }

    internal bool EnableMemory { get; set; }

    internal bool EnableReturnData { get; set; }

    /// <summary>Instructions that are kept; 0 for all.</summary>
    internal ulong Limit { get; set; }

    /// <summary>callTracer: without the calls within.</summary>
    internal bool OnlyTopCall { get; set; }

    /// <summary>callTracer: with logs.</summary>
    internal bool WithLog { get; set; }

    /// <summary>prestateTracer: only what changed, before and after.</summary>
    internal bool DiffMode { get; set; }

    /// <summary>prestateTracer: without code.</summary>
    internal bool DisableCode { get; set; }

    /// <summary>prestateTracer: with accounts that were not there before.</summary>
    internal bool IncludeEmpty { get; set; }

    /// <summary>debug_traceCall: accounts that are taken to be others.</summary>
    internal Dictionary<Address, AccountOverride>? StateOverrides { get; set; }

    /// <summary>debug_traceCall: what its block is taken to be.</summary>
    internal BlockOverrides? BlockOverrides { get; set; }
}
