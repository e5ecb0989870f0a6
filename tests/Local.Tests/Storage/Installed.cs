using SuperVm.Local.Storage;
using SuperVm.Local.Storage.Rocks;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace SuperVm.Local.Tests.Storage;

/// <summary>Tests that need RocksDB are skipped, visibly, where the machine has none.</summary>
/// <remarks>Those are the tests of a class marked with it, and the rows of a theory that name the kind.</remarks>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsRocksDbAttribute : Attribute;

/// <summary>A fact that knows of <see cref="NeedsRocksDbAttribute"/>.</summary>
[XunitTestCaseDiscoverer("SuperVm.Local.Tests.Storage.StoreFactDiscoverer", "SuperVm.Local.Tests")]
public sealed class StoreFactAttribute : FactAttribute;

/// <summary>A theory that knows of <see cref="NeedsRocksDbAttribute"/>.</summary>
[XunitTestCaseDiscoverer("SuperVm.Local.Tests.Storage.StoreTheoryDiscoverer", "SuperVm.Local.Tests")]
public sealed class StoreTheoryAttribute : TheoryAttribute;

/// <summary>What the discoverers look at.</summary>
internal static class Installed
{
    internal const string Reason = "librocksdb is not installed; " + RocksNative.InstallAdvice;

    internal static bool Lacks(ITestMethod method) => !RocksNative.IsAvailable
        && method.TestClass.Class.GetCustomAttributes(typeof(NeedsRocksDbAttribute).AssemblyQualifiedName).Any();

    internal static bool Lacks(ITestMethod method, object[] row)
        => Lacks(method) || (!RocksNative.IsAvailable && row.Contains(StoreKind.RocksDb));
}

/// <summary>Makes skipped cases of facts.</summary>
public sealed class StoreFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions options, ITestMethod method, IAttributeInfo fact) => Installed.Lacks(method)
        ? new XunitSkippedDataRowTestCase(
            DiagnosticMessageSink,
            options.MethodDisplayOrDefault(),
            options.MethodDisplayOptionsOrDefault(),
            method,
            Installed.Reason)
        : base.CreateTestCase(options, method, fact);
}

/// <summary>Makes skipped cases of a theory's rows.</summary>
public sealed class StoreTheoryDiscoverer(IMessageSink sink) : TheoryDiscoverer(sink)
{
    protected override IEnumerable<IXunitTestCase> CreateTestCasesForDataRow(
        ITestFrameworkDiscoveryOptions options, ITestMethod method, IAttributeInfo theory, object[] row)
        => Installed.Lacks(method, row)
            ? CreateTestCasesForSkippedDataRow(options, method, theory, row, Installed.Reason)
            : base.CreateTestCasesForDataRow(options, method, theory, row);
}
