using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

/// <summary>How much of a device is taken.</summary>
public sealed record GpuOptions
{
    /// <summary>The part of the device's memory that buffers may hold, 0 to 1.</summary>
    public double MemoryShare { get; init; } = 0.8;

    /// <summary>Bytes that buffers may hold at most, whatever the share says.</summary>
    public ulong MostMemoryBytes { get; init; } = ulong.MaxValue;
}

/// <summary>A device that hashes, transforms, multiplies and recovers in batches.</summary>
/// <remarks>
/// Every operation answers null, or why it was not done; then the caller's memory holds nothing to be trusted, and the
/// CPU does the work. After <see cref="GpuFailureKind.DeviceLost"/> every further operation answers
/// the same. Kernels are built when an operation first needs them. Thread-safe: one operation at a time.
/// <code>
///   one operation    lock ─▶ kernels (built once) ─▶ buffers within the budget ─▶ queues ─▶ results
/// </code>
/// </remarks>
public sealed partial class GpuAccelerator : IDisposable
{
    private const int Group = 64;

    private readonly Lock _gate = new();
    private readonly ClContext _context;
    private readonly Dictionary<string, ClProgram> _programs = [];
    private GpuFailure? _lost;
    private bool _disposed;

    private GpuAccelerator(ClContext context) => _context = context;

    /// <summary>The device.</summary>
    public GpuDevice Device => _context.Device;

    /// <summary>Bytes that buffers may hold together.</summary>
    public ulong BudgetBytes => _context.BudgetBytes;

    /// <summary>Why the device is not used any more; null while it is.</summary>
    public GpuFailure? Lost => _lost;

    /// <summary>Takes a device; false with the reason where its driver refuses.</summary>
    public static bool TryOpen(
        GpuDevice device, GpuOptions options, out GpuAccelerator? accelerator, out GpuFailure? failure)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MemoryShare);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MemoryShare, 1);
        var budget = Math.Min((ulong)(device.MemoryBytes * options.MemoryShare), options.MostMemoryBytes);
        try
        {
            accelerator = new GpuAccelerator(new ClContext(device, budget));
            failure = null;
            return true;
        }
        catch (GpuException exception)
        {
            (accelerator, failure) = (null, exception.Failure);
            return false;
        }
    }

    /// <summary>All devices of this machine that open; empty with the reason where none does.</summary>
    /// <param name="onlyGpu">Whether OpenCL on the CPU does not count.</param>
    public static IReadOnlyList<GpuAccelerator> OpenAll(GpuOptions options, bool onlyGpu, out GpuFailure? failure)
    {
        var opened = new List<GpuAccelerator>();
        foreach (var device in GpuDevices.Find(out failure).Where(device => device.IsGpu || !onlyGpu))
        {
            if (TryOpen(device, options, out var accelerator, out failure))
            {
                opened.Add(accelerator!);
            }
        }

        failure = opened.Count > 0 ? null
            : failure ?? new GpuFailure(GpuFailureKind.NoDevice, "OpenCL offers a CPU only");
        return opened;
    }

    /// <summary>The best device of this machine; false with the reason where there is none.</summary>
    /// <param name="onlyGpu">Whether OpenCL on the CPU does not count.</param>
    public static bool TryOpenBest(
        GpuOptions options, bool onlyGpu, out GpuAccelerator? accelerator, out GpuFailure? failure)
    {
        accelerator = null;
        var devices = GpuDevices.Find(out failure);
        foreach (var device in devices.Where(device => device.IsGpu || !onlyGpu))
        {
            if (TryOpen(device, options, out accelerator, out failure))
            {
                return true;
            }
        }

        failure ??= new GpuFailure(GpuFailureKind.NoDevice, "OpenCL offers a CPU only");
        return false;
    }

    /// <summary>Runs one operation alone and answers its failure, if any.</summary>
    private GpuFailure? Run(Action work)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_lost is not null)
            {
                return _lost;
            }

            try
            {
                work();
                return null;
            }
            catch (GpuException exception)
            {
                if (exception.Failure.Kind == GpuFailureKind.DeviceLost)
                {
                    _lost = exception.Failure;
                }

                return exception.Failure;
            }
        }
    }

    /// <summary>A program by name, built at its first use; GPUs keep limbs in registers only in unrolled loops.
    /// </summary>
    private ClProgram Program(string name, Func<bool, string> source)
    {
        if (!_programs.TryGetValue(name, out var program))
        {
            _programs[name] = program = new ClProgram(_context, source(Device.IsGpu));
        }

        return program;
    }

    private static void RequireItems(long items, string what)
    {
        if (items > GpuLimits.MostItems)
        {
            throw new GpuException(
                GpuFailureKind.OutOfMemory, $"{items} {what}: a batch has at most {GpuLimits.MostItems}");
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            foreach (var program in _programs.Values)
            {
                program.Dispose();
            }

            foreach (var table in _tables)
            {
                table.Dispose();
            }

            _context.Dispose();
        }
    }
}
