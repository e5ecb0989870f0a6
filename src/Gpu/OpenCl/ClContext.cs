using System.Runtime.InteropServices;

namespace SuperVm.Gpu.OpenCl;

/// <summary>A device's context with two in-order queues and a memory budget.</summary>
/// <remarks>
/// Two queues so that a batch's transfers overlap with another's kernels. Not thread-safe: the accelerator lets one
/// operation in at a time.
/// </remarks>
internal sealed unsafe class ClContext : IDisposable
{
    internal const int Queues = 2;

    private readonly nint[] _queues = new nint[Queues];
    private nint _context;

    internal ClContext(GpuDevice device, ulong budgetBytes)
    {
        Device = device;
        BudgetBytes = budgetBytes;
        var handle = device.Handle;
        int code;
        _context = OpenClNative.CreateContext(null, 1, &handle, 0, 0, &code);
        Require(code, "creating a context");
        for (var i = 0; i < Queues; i++)
        {
            _queues[i] = OpenClNative.CreateQueue(_context, handle, 0, &code);
            Require(code, "creating a queue");
        }
    }

    internal GpuDevice Device { get; }

    internal nint Handle => _context;

    /// <summary>Bytes that buffers may hold together.</summary>
    internal ulong BudgetBytes { get; }

    internal ulong UsedBytes { get; private set; }

    internal ulong FreeBytes => BudgetBytes - UsedBytes;

    internal nint Queue(int index) => _queues[index];

    /// <summary>A buffer of so many elements; what it holds is undefined.</summary>
    internal ClBuffer<T> Allocate<T>(long count)
        where T : unmanaged
    {
        var bytes = (ulong)Math.Max(count, 1) * (ulong)sizeof(T);
        if (bytes > FreeBytes || bytes > Device.LargestBufferBytes)
        {
            throw new GpuException(
                GpuFailureKind.OutOfMemory,
                $"a buffer of {bytes} bytes does not fit: {FreeBytes} of {BudgetBytes} are free, the largest is "
                + $"{Device.LargestBufferBytes}");
        }

        int code;
        var handle = OpenClNative.CreateBuffer(_context, OpenClNative.ReadWrite, (nuint)bytes, null, &code);
        Require(code, "allocating");
        UsedBytes += bytes;
        return new ClBuffer<T>(this, handle, count, bytes);
    }

    /// <summary>A buffer with a copy of the values.</summary>
    internal ClBuffer<T> Upload<T>(ReadOnlySpan<T> values, int queue = 0)
        where T : unmanaged
    {
        var buffer = Allocate<T>(values.Length);
        buffer.Write(values, queue);
        return buffer;
    }

    internal void Free(ClBuffer buffer)
    {
        UsedBytes -= buffer.Bytes;
        _ = OpenClNative.ReleaseBuffer(buffer.Handle);
    }

    internal void Flush(int queue = 0) => Require(OpenClNative.Flush(_queues[queue]), "flushing");

    /// <summary>Waits for all that was queued.</summary>
    internal void Finish(int queue = 0) => Require(OpenClNative.Finish(_queues[queue]), "waiting for kernels");

    internal static void Require(int code, string doing)
    {
        if (code == OpenClNative.Success)
        {
            return;
        }

        var kind = code is OpenClNative.MemoryObjectAllocationFailure or OpenClNative.OutOfHostMemory
            or OpenClNative.InvalidBufferSize or OpenClNative.OutOfResources
            ? GpuFailureKind.OutOfMemory
            : GpuFailureKind.DeviceLost;
        throw new GpuException(kind, $"OpenCL answered {code} while {doing}");
    }

    public void Dispose()
    {
        foreach (var queue in _queues.Where(queue => queue != 0))
        {
            _ = OpenClNative.Finish(queue);
            _ = OpenClNative.ReleaseQueue(queue);
        }

        if (_context != 0)
        {
            _ = OpenClNative.ReleaseContext(_context);
        }

        Array.Clear(_queues);
        _context = 0;
    }
}

/// <summary>Memory of a device.</summary>
internal abstract class ClBuffer(ClContext context, nint handle, ulong bytes) : IDisposable
{
    private bool _disposed;

    internal ClContext Context { get; } = context;

    internal nint Handle { get; } = handle;

    internal ulong Bytes { get; } = bytes;

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Context.Free(this);
        }
    }
}

/// <summary>Elements in a device's memory.</summary>
internal sealed unsafe class ClBuffer<T>(ClContext context, nint handle, long count, ulong bytes)
    : ClBuffer(context, handle, bytes)
    where T : unmanaged
{
    internal long Count { get; } = count;

    /// <summary>Copies the values to the device before it returns.</summary>
    internal void Write(ReadOnlySpan<T> values, int queue = 0, long first = 0)
    {
        RequireRange(first, values.Length);
        if (!values.IsEmpty)
        {
            fixed (T* source = values)
            {
                var (offset, size) = ((nuint)first * (nuint)sizeof(T), (nuint)values.Length * (nuint)sizeof(T));
                ClContext.Require(
                    OpenClNative.EnqueueWrite(Context.Queue(queue), Handle, 1, offset, size, source, 0, null, null),
                    "writing to the device");
            }
        }
    }

    /// <summary>Copies the values from the device, once all that was queued before is done.</summary>
    internal void Read(Span<T> values, int queue = 0, long first = 0)
    {
        RequireRange(first, values.Length);
        if (!values.IsEmpty)
        {
            fixed (T* target = values)
            {
                var (offset, size) = ((nuint)first * (nuint)sizeof(T), (nuint)values.Length * (nuint)sizeof(T));
                ClContext.Require(
                    OpenClNative.EnqueueRead(Context.Queue(queue), Handle, 1, offset, size, target, 0, null, null),
                    "reading from the device");
            }
        }
    }

    internal void Clear(int queue = 0)
    {
        uint zero = 0;
        ClContext.Require(
            OpenClNative.EnqueueFill(
                Context.Queue(queue), Handle, &zero, sizeof(uint), 0, (nuint)Bytes / 4 * 4, 0, null, null),
            "clearing a buffer");
    }

    internal void CopyTo(ClBuffer<T> target, int queue = 0) => ClContext.Require(
        OpenClNative.EnqueueCopy(
            Context.Queue(queue), Handle, target.Handle, 0, 0, (nuint)Math.Min(Bytes, target.Bytes), 0, null, null),
        "copying on the device");

    private void RequireRange(long first, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + length, Count);
    }
}
