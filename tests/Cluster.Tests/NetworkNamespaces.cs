using System.Diagnostics;

namespace SuperVm.Cluster.Tests;

/// <summary>
/// A network namespace for each validator: its peers reach it over a bridge, from which it can be taken without anybody
/// noticing but by silence; its clients over a cable of their own.
/// </summary>
/// <remarks>
/// <code>
///   client ── cable ── [ validator 0 ] ── port ─┐
///   client ── cable ── [ validator 1 ] ── port ─┤ bridge
///   client ── cable ── [ validator 2 ] ── port ─┘          partition: some ports move to another bridge
/// </code>
/// Addresses are of 198.18.0.0/15, which is for measuring devices (RFC 2544).
/// </remarks>
internal sealed class NetworkNamespaces : IDisposable
{
    private readonly string _mark = $"sv{Environment.ProcessId % 100_000}";
    private readonly int _count;

    internal NetworkNamespaces(int count)
    {
        _count = count;
        try
        {
            Create();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Why there are none here; null where they work.</summary>
    internal static string? Reason { get; } = Probe();

    internal string NameOf(int validator) => $"{_mark}n{validator}";

    /// <summary>Where the others reach it.</summary>
    internal string PeerAddress(int validator) => $"198.19.250.{validator + 1}";

    /// <summary>Where clients reach it.</summary>
    internal string ClientAddress(int validator) => $"198.18.{200 + validator}.2";

    /// <summary>Takes these validators away from the others; among themselves they stay connected.</summary>
    internal void Partition(params int[] away)
    {
        foreach (var validator in away)
        {
            Ip("link", "set", PortOf(validator), "master", BridgeOf(1));
        }
    }

    internal void Heal()
    {
        for (var i = 0; i < _count; i++)
        {
            Ip("link", "set", PortOf(i), "master", BridgeOf(0));
        }
    }

    public void Dispose()
    {
        // With a namespace go its cables.
        for (var i = 0; i < _count; i++)
        {
            Run("ip", "netns", "del", NameOf(i));
        }

        Run("ip", "link", "del", BridgeOf(0));
        Run("ip", "link", "del", BridgeOf(1));
    }

    private string PortOf(int validator) => $"{_mark}p{validator}";

    private string CableOf(int validator) => $"{_mark}c{validator}";

    private string BridgeOf(int side) => $"{_mark}b{side}";

    private void Create()
    {
        for (var side = 0; side < 2; side++)
        {
            Ip("link", "add", BridgeOf(side), "type", "bridge");
            Ip("link", "set", BridgeOf(side), "up");
        }

        for (var i = 0; i < _count; i++)
        {
            var name = NameOf(i);
            Ip("netns", "add", name);
            Ip("-n", name, "link", "set", "lo", "up");
            Ip("link", "add", PortOf(i), "type", "veth", "peer", "name", "peers", "netns", name);
            Ip("link", "set", PortOf(i), "master", BridgeOf(0));
            Ip("link", "set", PortOf(i), "up");
            Ip("-n", name, "addr", "add", $"{PeerAddress(i)}/24", "dev", "peers");
            Ip("-n", name, "link", "set", "peers", "up");
            Ip("link", "add", CableOf(i), "type", "veth", "peer", "name", "clients", "netns", name);
            Ip("addr", "add", $"198.18.{200 + i}.1/24", "dev", CableOf(i));
            Ip("link", "set", CableOf(i), "up");
            Ip("-n", name, "addr", "add", $"{ClientAddress(i)}/24", "dev", "clients");
            Ip("-n", name, "link", "set", "clients", "up");
        }
    }

    private static void Ip(params string[] arguments) =>
        Assert.True(Run("ip", arguments), $"ip {string.Join(' ', arguments)}");

    private static string? Probe()
    {
        try
        {
            using var trial = new NetworkNamespaces(1);
            return null;
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or Xunit.Sdk.XunitException)
        {
            return "network namespaces do not work here (iproute2, and rights to make them)";
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary>A test that needs network namespaces; skipped with the reason where there are none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NetworkFactAttribute : FactAttribute
{
    public NetworkFactAttribute() => Skip = NetworkNamespaces.Reason;
}

/// <summary>A test that takes minutes: run by `./supervm test --all`.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute() => Skip = Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1"
        ? null
        : "takes minutes; run by ./supervm test --all";
}
