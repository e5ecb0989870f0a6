using System.Text;
using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

/// <summary>Which devices there are.</summary>
public static unsafe class GpuDevices
{
    private const int MostPlatforms = 16;
    private const int MostDevices = 32;
    private const int MostTextBytes = 1024;

    /// <summary>
    /// The usable devices, GPUs first, larger memory first; empty with the reason where there is none. Big-endian
    /// devices, and those with less local memory than the kernels take, are left out.
    /// </summary>
    public static IReadOnlyList<GpuDevice> Find(out GpuFailure? failure)
    {
        failure = null;
        if (!OpenClNative.IsAvailable)
        {
            failure = new GpuFailure(GpuFailureKind.NoDevice, OpenClNative.InstallAdvice);
            return [];
        }

        var devices = new List<GpuDevice>();
        var platforms = stackalloc nint[MostPlatforms];
        uint count = 0;
        var code = OpenClNative.GetPlatforms(MostPlatforms, platforms, &count);
        for (var i = 0; code == OpenClNative.Success && i < Math.Min(count, MostPlatforms); i++)
        {
            AddDevices(platforms[i], devices);
        }

        if (devices.Count == 0)
        {
            failure = new GpuFailure(
                GpuFailureKind.NoDevice,
                code is OpenClNative.Success or OpenClNative.PlatformNotFound
                    ? "OpenCL offers no device: install the device's driver (on a CPU: pocl-opencl-icd)"
                    : $"OpenCL lists no platforms (code {code})");
        }

        return [.. devices.OrderByDescending(device => device.IsGpu).ThenByDescending(device => device.MemoryBytes)];
    }

    private static void AddDevices(nint platform, List<GpuDevice> devices)
    {
        var handles = stackalloc nint[MostDevices];
        uint count = 0;
        const ulong types =
            OpenClNative.DeviceTypeCpu | OpenClNative.DeviceTypeGpu | OpenClNative.DeviceTypeAccelerator;
        if (OpenClNative.GetDevices(platform, types, MostDevices, handles, &count) != OpenClNative.Success)
        {
            return;
        }

        var version = Text((size, value, needed) => OpenClNative.GetPlatformInfo(
            platform, OpenClNative.PlatformVersion, size, (void*)value, (nuint*)needed));
        for (var i = 0; i < Math.Min(count, MostDevices); i++)
        {
            var device = Describe(handles[i], version);
            if (device is not null)
            {
                devices.Add(device);
            }
        }
    }

    private static GpuDevice? Describe(nint handle, string platformVersion)
    {
        var usable = Number(handle, OpenClNative.DeviceAvailable) != 0
            && Number(handle, OpenClNative.DeviceLittleEndian) != 0;
        var local = Number(handle, OpenClNative.DeviceLocalMemory);
        var items = Number(handle, OpenClNative.DeviceMostWorkItems);
        if (!usable || local < GpuLimits.LeastLocalMemoryBytes || items < GpuLimits.LeastWorkGroup)
        {
            return null;
        }

        var driver = $"{DeviceText(handle, OpenClNative.DeviceDriver)} ({platformVersion})";
        return new GpuDevice(
            DeviceText(handle, OpenClNative.DeviceName), DeviceText(handle, OpenClNative.DeviceVendor), driver,
            (Number(handle, OpenClNative.DeviceType) & OpenClNative.DeviceTypeGpu) != 0,
            Number(handle, OpenClNative.DeviceGlobalMemory), Number(handle, OpenClNative.DeviceLargestAllocation),
            local, (int)Number(handle, OpenClNative.DeviceComputeUnits), (int)Math.Min(items, int.MaxValue))
        {
            Handle = handle,
        };
    }

    /// <summary>A property of four or eight bytes; 0 where the driver does not know it.</summary>
    private static ulong Number(nint device, uint name)
    {
        ulong value = 0;
        return OpenClNative.GetDeviceInfo(device, name, sizeof(ulong), &value, null) == OpenClNative.Success
            ? value
            : 0;
    }

    private static string DeviceText(nint device, uint name) => Text((size, value, needed) =>
        OpenClNative.GetDeviceInfo(device, name, size, (void*)value, (nuint*)needed));

    private static string Text(Func<nuint, nint, nint, int> read)
    {
        var bytes = stackalloc byte[MostTextBytes];
        nuint size = 0;
        var code = read(MostTextBytes, (nint)bytes, (nint)(&size));
        return code == OpenClNative.Success && size > 0 && size <= MostTextBytes
            ? Encoding.UTF8.GetString(bytes, (int)size - 1).Trim()
            : "unknown";
    }
}

/// <summary>What every device must have, and what is taken of it.</summary>
public static class GpuLimits
{
    /// <summary>Local memory that the transform's passes take.</summary>
    public const ulong LeastLocalMemoryBytes = 16 * 1024;

    /// <summary>Work-items that share local memory in the transform's passes.</summary>
    public const int LeastWorkGroup = 128;

    /// <summary>Entries of one batch.</summary>
    public const int MostItems = 1 << 26;
}
