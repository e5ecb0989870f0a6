namespace SuperVm.Gpu.Tests;

/// <summary>The device that all tests share: a GPU where the machine has one, else OpenCL on the CPU (PoCL).</summary>
public sealed class DeviceFixture : IDisposable
{
    private readonly Lazy<GpuAccelerator> _accelerator = new(Open);

    public GpuAccelerator Accelerator => _accelerator.Value;

    public void Dispose()
    {
        if (_accelerator.IsValueCreated)
        {
            _accelerator.Value.Dispose();
        }
    }

    private static GpuAccelerator Open() =>
        GpuAccelerator.TryOpenBest(new GpuOptions(), onlyGpu: false, out var accelerator, out var failure)
            ? accelerator!
            : throw new InvalidOperationException($"The device does not open. {failure}");
}

[CollectionDefinition(Name)]
public sealed class DeviceCollection : ICollectionFixture<DeviceFixture>
{
    public const string Name = "device";
}

/// <summary>Skipped, visibly, where OpenCL offers no device at all.</summary>
public sealed class DeviceFactAttribute : FactAttribute
{
    private static readonly string? WhyNot = Reason();

    public DeviceFactAttribute() => Skip = WhyNot;

    private static string? Reason() =>
        GpuDevices.Find(out var failure).Count > 0 ? null : $"No OpenCL device. {failure!.Message}";
}
