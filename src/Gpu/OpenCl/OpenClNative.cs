using System.Reflection;
using System.Runtime.InteropServices;

namespace SuperVm.Gpu.OpenCl;

/// <summary>The part of OpenCL 1.2's API that is used; every native call is here.</summary>
/// <remarks>Handles are plain <see cref="nint"/>; <see cref="ClContext"/>, <see cref="ClBuffer"/>,
/// <see cref="ClProgram"/> and <see cref="ClKernel"/> own them. Every call answers a code, 0 for success.</remarks>
internal static unsafe partial class OpenClNative
{
    /// <summary>For the operator whose machine has none.</summary>
    internal const string InstallAdvice =
        "no OpenCL loader: install ocl-icd-libopencl1 and the driver of the device (on a CPU: pocl-opencl-icd)";

    internal const int Success = 0;
    internal const int DeviceNotFound = -1;
    internal const int MemoryObjectAllocationFailure = -4;
    internal const int OutOfResources = -5;
    internal const int OutOfHostMemory = -6;
    internal const int InvalidBufferSize = -61;
    internal const int PlatformNotFound = -1001;

    internal const ulong DeviceTypeCpu = 2;
    internal const ulong DeviceTypeGpu = 4;
    internal const ulong DeviceTypeAccelerator = 8;

    internal const uint PlatformVersion = 0x0901;
    internal const uint DeviceType = 0x1000;
    internal const uint DeviceComputeUnits = 0x1002;
    internal const uint DeviceMostWorkItems = 0x1004;
    internal const uint DeviceLargestAllocation = 0x1010;
    internal const uint DeviceGlobalMemory = 0x101F;
    internal const uint DeviceLocalMemory = 0x1023;
    internal const uint DeviceLittleEndian = 0x1026;
    internal const uint DeviceAvailable = 0x1027;
    internal const uint DeviceName = 0x102B;
    internal const uint DeviceVendor = 0x102C;
    internal const uint DeviceDriver = 0x102D;

    internal const uint ProgramBuildLog = 0x1183;

    internal const ulong ReadWrite = 1;

    private const string Library = "OpenCL";

    private static readonly string[] FileNames =
        ["libOpenCL.so.1", "libOpenCL.so", "OpenCL.dll", "/System/Library/Frameworks/OpenCL.framework/OpenCL"];

    private static readonly Lazy<nint> Loaded = new(Load);

    static OpenClNative() => NativeLibrary.SetDllImportResolver(typeof(OpenClNative).Assembly, Resolve);

    /// <summary>Whether this machine has an OpenCL loader with every function that is called here.</summary>
    internal static bool IsAvailable => Loaded.Value != 0;

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library ? Loaded.Value : 0;

    private static nint Load()
    {
        foreach (var name in FileNames)
        {
            if (NativeLibrary.TryLoad(name, out var library))
            {
                // OpenCL 1.2's newest function in use stands for all: older loaders lack it.
                if (NativeLibrary.TryGetExport(library, "clEnqueueFillBuffer", out _))
                {
                    return library;
                }

                NativeLibrary.Free(library);
            }
        }

        return 0;
    }

    [LibraryImport(Library, EntryPoint = "clGetPlatformIDs")]
    internal static partial int GetPlatforms(uint room, nint* platforms, uint* count);

    [LibraryImport(Library, EntryPoint = "clGetPlatformInfo")]
    internal static partial int GetPlatformInfo(nint platform, uint name, nuint room, void* value, nuint* size);

    [LibraryImport(Library, EntryPoint = "clGetDeviceIDs")]
    internal static partial int GetDevices(nint platform, ulong types, uint room, nint* devices, uint* count);

    [LibraryImport(Library, EntryPoint = "clGetDeviceInfo")]
    internal static partial int GetDeviceInfo(nint device, uint name, nuint room, void* value, nuint* size);

    [LibraryImport(Library, EntryPoint = "clCreateContext")]
    internal static partial nint CreateContext(
        nint* properties, uint count, nint* devices, nint notify, nint user, int* code);

    [LibraryImport(Library, EntryPoint = "clReleaseContext")]
    internal static partial int ReleaseContext(nint context);

    [LibraryImport(Library, EntryPoint = "clCreateCommandQueue")]
    internal static partial nint CreateQueue(nint context, nint device, ulong properties, int* code);

    [LibraryImport(Library, EntryPoint = "clReleaseCommandQueue")]
    internal static partial int ReleaseQueue(nint queue);

    [LibraryImport(Library, EntryPoint = "clCreateProgramWithSource")]
    internal static partial nint CreateProgram(nint context, uint count, byte** texts, nuint* lengths, int* code);

    [LibraryImport(Library, EntryPoint = "clBuildProgram", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int BuildProgram(
        nint program, uint count, nint* devices, string options, nint notify, nint user);

    [LibraryImport(Library, EntryPoint = "clGetProgramBuildInfo")]
    internal static partial int GetBuildInfo(
        nint program, nint device, uint name, nuint room, void* value, nuint* size);

    [LibraryImport(Library, EntryPoint = "clReleaseProgram")]
    internal static partial int ReleaseProgram(nint program);

    [LibraryImport(Library, EntryPoint = "clCreateKernel", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint CreateKernel(nint program, string name, int* code);

    [LibraryImport(Library, EntryPoint = "clReleaseKernel")]
    internal static partial int ReleaseKernel(nint kernel);

    [LibraryImport(Library, EntryPoint = "clSetKernelArg")]
    internal static partial int SetKernelArgument(nint kernel, uint index, nuint size, void* value);

    [LibraryImport(Library, EntryPoint = "clCreateBuffer")]
    internal static partial nint CreateBuffer(nint context, ulong flags, nuint size, void* host, int* code);

    [LibraryImport(Library, EntryPoint = "clReleaseMemObject")]
    internal static partial int ReleaseBuffer(nint buffer);

    [LibraryImport(Library, EntryPoint = "clEnqueueWriteBuffer")]
    internal static partial int EnqueueWrite(
        nint queue, nint buffer, uint blocking, nuint offset, nuint size, void* source, uint waits, nint* events,
        nint* done);

    [LibraryImport(Library, EntryPoint = "clEnqueueReadBuffer")]
    internal static partial int EnqueueRead(
        nint queue, nint buffer, uint blocking, nuint offset, nuint size, void* target, uint waits, nint* events,
        nint* done);

    [LibraryImport(Library, EntryPoint = "clEnqueueCopyBuffer")]
    internal static partial int EnqueueCopy(
        nint queue, nint source, nint target, nuint sourceOffset, nuint targetOffset, nuint size, uint waits,
        nint* events, nint* done);

    [LibraryImport(Library, EntryPoint = "clEnqueueFillBuffer")]
    internal static partial int EnqueueFill(
        nint queue, nint buffer, void* pattern, nuint patternSize, nuint offset, nuint size, uint waits, nint* events,
        nint* done);

    [LibraryImport(Library, EntryPoint = "clEnqueueNDRangeKernel")]
    internal static partial int EnqueueKernel(
        nint queue, nint kernel, uint dimensions, nuint* offset, nuint* global, nuint* local, uint waits,
        nint* events, nint* done);

    [LibraryImport(Library, EntryPoint = "clFlush")]
    internal static partial int Flush(nint queue);

    [LibraryImport(Library, EntryPoint = "clFinish")]
    internal static partial int Finish(nint queue);
}
