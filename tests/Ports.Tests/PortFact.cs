using Xunit.Abstractions;
using Xunit.Sdk;

namespace SuperVm.Ports.Tests;

/// <summary>Tests of the class are skipped, visibly, where the machine lacks a command.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsCommandAttribute(string command, string reason) : Attribute
{
    public string Command { get; } = command;

    public string Reason { get; } = reason;
}

/// <summary>A fact that knows of <see cref="NeedsCommandAttribute"/>.</summary>
[XunitTestCaseDiscoverer("SuperVm.Ports.Tests.PortFactDiscoverer", "SuperVm.Ports.Tests")]
public sealed class PortFactAttribute : FactAttribute;

/// <summary>Makes skipped cases of facts whose class lacks its command.</summary>
public sealed class PortFactDiscoverer(IMessageSink sink) : FactDiscoverer(sink)
{
    /// <summary>True where a folder of the PATH holds the command.</summary>
    public static bool IsInstalled(string command) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, command)));

    protected override IXunitTestCase CreateTestCase(
        ITestFrameworkDiscoveryOptions options, ITestMethod method, IAttributeInfo fact)
    {
        var need = method.TestClass.Class
            .GetCustomAttributes(typeof(NeedsCommandAttribute).AssemblyQualifiedName).FirstOrDefault();
        return need is null || IsInstalled(need.GetNamedArgument<string>(nameof(NeedsCommandAttribute.Command)))
            ? base.CreateTestCase(options, method, fact)
            : new XunitSkippedDataRowTestCase(
                DiagnosticMessageSink,
                options.MethodDisplayOrDefault(),
                options.MethodDisplayOptionsOrDefault(),
                method,
                need.GetNamedArgument<string>(nameof(NeedsCommandAttribute.Reason)));
    }
}
