namespace SuperVm.Gpu;

/// <summary>Why a device did not do what it was asked.</summary>
public enum GpuFailureKind : byte
{
    /// <summary>No loader, no driver, no device of the kind that was asked for.</summary>
    NoDevice,

    /// <summary>The device's compiler refused the kernels.</summary>
    BuildFailed,

    /// <summary>The batch needs more than the memory budget, or the device had no more to give.</summary>
    OutOfMemory,

    /// <summary>Any other code of the driver: the device is not used again until it is opened anew.</summary>
    DeviceLost,
}

/// <summary>A failure in words, for logs and for the caller that falls back to the CPU.</summary>
public sealed record GpuFailure(GpuFailureKind Kind, string Message)
{
    public override string ToString() => $"{Kind}: {Message}";
}

/// <summary>A failure on its way up to <see cref="GpuAccelerator"/>, which answers it as a value.</summary>
internal sealed class GpuException(GpuFailureKind kind, string message) : Exception(message)
{
    internal GpuFailure Failure { get; } = new(kind, message);
}
