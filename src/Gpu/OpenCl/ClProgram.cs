using System.Text;

namespace SuperVm.Gpu.OpenCl;

/// <summary>A built program and its kernels by name.</summary>
internal sealed unsafe class ClProgram : IDisposable
{
    private const int MostLogBytes = 1 << 20;

    private readonly Dictionary<string, ClKernel> _kernels = [];
    private readonly nint _program;

    internal ClProgram(ClContext context, string source)
    {
        var text = Encoding.UTF8.GetBytes(source);
        int code;
        fixed (byte* start = text)
        {
            var pointer = start;
            var length = (nuint)text.Length;
            _program = OpenClNative.CreateProgram(context.Handle, 1, &pointer, &length, &code);
        }

        ClContext.Require(code, "creating a program");
        var device = context.Device.Handle;
        code = OpenClNative.BuildProgram(_program, 1, &device, "-cl-std=CL1.2", 0, 0);
        if (code != OpenClNative.Success)
        {
            var log = BuildLog(device);
            _ = OpenClNative.ReleaseProgram(_program);
            throw new GpuException(GpuFailureKind.BuildFailed, $"the kernels do not build (code {code}): {log}");
        }
    }

    /// <summary>A kernel of the program; made at its first use.</summary>
    internal ClKernel this[string name]
    {
        get
        {
            if (!_kernels.TryGetValue(name, out var kernel))
            {
                int code;
                var handle = OpenClNative.CreateKernel(_program, name, &code);
                ClContext.Require(code, $"creating the kernel {name}");
                _kernels[name] = kernel = new ClKernel(handle, name);
            }

            return kernel;
        }
    }

    private string BuildLog(nint device)
    {
        nuint size = 0;
        _ = OpenClNative.GetBuildInfo(_program, device, OpenClNative.ProgramBuildLog, 0, null, &size);
        var bytes = new byte[Math.Min((int)size, MostLogBytes)];
        fixed (byte* log = bytes)
        {
            _ = OpenClNative.GetBuildInfo(
                _program, device, OpenClNative.ProgramBuildLog, (nuint)bytes.Length, log, null);
        }

        return Encoding.UTF8.GetString(bytes).TrimEnd('\0', '\n', ' ');
    }

    public void Dispose()
    {
        foreach (var kernel in _kernels.Values)
        {
            kernel.Dispose();
        }

        _kernels.Clear();
        _ = OpenClNative.ReleaseProgram(_program);
    }
}

/// <summary>An argument of a kernel: a buffer, a number, or bytes of local memory.</summary>
internal readonly record struct ClArgument(nint Buffer, uint Number, uint LocalBytes, byte Kind)
{
    public static implicit operator ClArgument(ClBuffer buffer) => new(buffer.Handle, 0, 0, 0);

    public static implicit operator ClArgument(uint number) => new(0, number, 0, 1);

    internal static ClArgument Local(int bytes) => new(0, 0, (uint)bytes, 2);
}

/// <summary>A kernel; its arguments belong to one launch at a time.</summary>
internal sealed unsafe class ClKernel(nint handle, string name) : IDisposable
{
    /// <summary>Queues a run of <paramref name="items"/> work-items, in rows where there are several.</summary>
    internal void Run(
        ClContext context, long items, int group, ReadOnlySpan<ClArgument> arguments, int rows = 1, int queue = 0)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            Set((uint)i, arguments[i]);
        }

        var global = stackalloc nuint[2] { (nuint)items, (nuint)rows };
        var local = stackalloc nuint[2] { (nuint)group, 1 };
        ClContext.Require(
            OpenClNative.EnqueueKernel(
                context.Queue(queue), handle, rows == 1 ? 1u : 2u, null, global, group == 0 ? null : local, 0, null,
                null),
            $"starting the kernel {name}");
    }

    private void Set(uint index, ClArgument argument)
    {
        var (buffer, number) = (argument.Buffer, argument.Number);
        var code = argument.Kind switch
        {
            0 => OpenClNative.SetKernelArgument(handle, index, (nuint)sizeof(nint), &buffer),
            1 => OpenClNative.SetKernelArgument(handle, index, sizeof(uint), &number),
            _ => OpenClNative.SetKernelArgument(handle, index, argument.LocalBytes, null),
        };
        ClContext.Require(code, $"setting argument {index} of the kernel {name}");
    }

    public void Dispose() => _ = OpenClNative.ReleaseKernel(handle);
}
