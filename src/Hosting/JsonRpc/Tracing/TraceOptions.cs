namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>The configuration object of debug_trace methods.</summary>
internal sealed class TraceOptions
{
    /// <summary>Null or empty for the log of instructions.</summary>
    internal string? Tracer { get; set; }

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
}
