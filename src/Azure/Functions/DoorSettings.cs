using System.Globalization;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Security;

namespace SuperVm.Azure.Functions;

/// <summary>What the app settings say about who may submit how much: <see cref="SecurityOptions"/>.</summary>
internal static class DoorSettings
{
    /// <summary>
    /// JSON-RPC is closed unless it is said to be open. Management is open on an emulator without a key, closed in the
    /// cloud without one.
    /// </summary>
    /// <exception cref="ArgumentException">A setting has no sense; the message names it.</exception>
    internal static SecurityOptions Security(Func<string, string?> variable, bool isEmulator, Action<string> audit)
    {
        var managementKey = variable(CloudNames.Settings.ManagementKey);
        return new()
        {
            OpenRpc = string.Equals(
                variable(CloudNames.Settings.RpcOpen), "true", StringComparison.OrdinalIgnoreCase),
            RpcKeys = AccessKeys.Parse(variable(CloudNames.Settings.RpcKey)),
            ManagementKeys = managementKey is null && isEmulator ? null : AccessKeys.Parse(managementKey),
            PerSender = Rate(variable, CloudNames.Settings.SenderRate),
            PerAddress = Rate(variable, CloudNames.Settings.AddressRate),
            Global = Rate(variable, CloudNames.Settings.GlobalRate),
            Duplicates = Rate(variable, CloudNames.Settings.DuplicateRate),
            FeeFloor = Given(variable, CloudNames.Settings.FeeFloor) is { } wei
                ? UInt256.TryParse(wei, out var floor) ? floor : throw Wrong(CloudNames.Settings.FeeFloor, "wei")
                : UInt256.Zero,
            // The front end of the functions host appends the caller's address.
            TrustedProxies = isEmulator ? 0 : 1,
            Audit = audit,
        };
    }

    /// <exception cref="ArgumentException">A setting has no sense; the message names it.</exception>
    internal static MempoolOptions Pool(Func<string, string?> variable) =>
        Given(variable, CloudNames.Settings.PendingPerSender) is not { } text
            ? new()
            : int.TryParse(text, CultureInfo.InvariantCulture, out var most) && most > 0
                ? new() { MaximumPerSender = most }
                : throw Wrong(CloudNames.Settings.PendingPerSender, "a number above 0");

    private static BucketRate? Rate(Func<string, string?> variable, string name)
    {
        if (Given(variable, name) is not { } text)
        {
            return null;
        }

        if (!double.TryParse(text, CultureInfo.InvariantCulture, out var rate) || rate < 0)
        {
            throw Wrong(name, "a number a second, 0 for no limit");
        }

        return rate == 0 ? null : BucketRate.Of(rate);
    }

    private static string? Given(Func<string, string?> variable, string name) =>
        variable(name) is { Length: > 0 } value ? value : null;

    private static ArgumentException Wrong(string name, string what) => new($"{name} takes {what}.");
}
