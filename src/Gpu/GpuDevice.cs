namespace SuperVm.Gpu;

/// <summary>A device that OpenCL offers on this machine.</summary>
/// <param name="Name">As the driver calls it.</param>
/// <param name="Vendor">Who made it.</param>
/// <param name="Driver">The driver's version and its platform's.</param>
/// <param name="IsGpu">False for OpenCL on the CPU (PoCL), which proves the kernels right but is no faster.</param>
/// <param name="MemoryBytes">Its global memory.</param>
/// <param name="LargestBufferBytes">The largest single buffer.</param>
/// <param name="LocalMemoryBytes">Memory that a work-group shares.</param>
/// <param name="ComputeUnits">Its processors.</param>
/// <param name="MostWorkItems">The largest work-group.</param>
public sealed record GpuDevice(
    string Name, string Vendor, string Driver, bool IsGpu, ulong MemoryBytes, ulong LargestBufferBytes,
    ulong LocalMemoryBytes, int ComputeUnits, int MostWorkItems)
{
    internal nint Handle { get; init; }
}
