using SuperVm.Local.Storage;
using SuperVm.Local.Storage.Rocks;
using Xunit.Sdk;

namespace SuperVm.Local.Tests.Storage;

/// <summary>Skips a test, visibly, where the machine lacks what it tests.</summary>
internal static class Installed
{
    internal static void Require(StoreKind kind)
    {
        if (kind == StoreKind.RocksDb && !RocksNative.IsAvailable)
        {
            throw SkipException.ForSkip($"librocksdb is not installed; {RocksNative.InstallAdvice}");
        }
    }
}
