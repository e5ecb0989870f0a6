using System.Globalization;
using System.Text.Json;

namespace SuperVm.Local.Functions;

/// <summary>What host.json says, with the Functions host's defaults where it says nothing.</summary>
public sealed record HostSettings
{
    /// <summary>The handler's program: beside host.json, or on the PATH.</summary>
    public required string Executable { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>HTTP requests reach the handler as they are.</summary>
    public bool ForwardsHttp { get; init; }

    /// <summary>What routes begin with.</summary>
    public string RoutePrefix { get; init; } = "api";

    /// <summary>The longest invocation; a handler that takes longer is started anew.</summary>
    public TimeSpan FunctionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    public QueueSettings Queues { get; init; } = new();

    internal static HostSettings Read(JsonElement root)
    {
        var description = Find(root, "customHandler", "description");
        var executable = Find(description, "defaultExecutablePath")?.GetString();
        if (string.IsNullOrEmpty(executable))
        {
            throw new FunctionAppException("host.json names no customHandler.description.defaultExecutablePath.");
        }

        var queues = Find(root, "extensions", "queues");
        var batchSize = Number(queues, "batchSize", 16, 1, 32);
        return new()
        {
            Executable = executable,
            Arguments = Find(description, "arguments")?.EnumerateArray().Select(item => item.GetString()!).ToList()
                ?? [],
            ForwardsHttp = IsTrue(root, "enableProxyingHttpRequest") || IsTrue(root, "enableForwardingHttpRequest"),
            RoutePrefix = Find(root, "extensions", "http", "routePrefix")?.GetString() ?? "api",
            FunctionTimeout = Time(root, "functionTimeout", TimeSpan.FromMinutes(30)),
            Queues = new()
            {
                BatchSize = batchSize,
                NewBatchThreshold = Number(queues, "newBatchThreshold", batchSize / 2, 0, 1000),
                MaxDequeueCount = Number(queues, "maxDequeueCount", 5, 1, 1000),
                VisibilityTimeout = Time(queues, "visibilityTimeout", TimeSpan.Zero),
                MaxPollingInterval = Time(queues, "maxPollingInterval", TimeSpan.FromMinutes(1)),
            },
        };
    }

    private static bool IsTrue(JsonElement root, string name)
        => Find(root, "customHandler", name) is { ValueKind: JsonValueKind.True };

    private static JsonElement? Find(JsonElement? at, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            at = at is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var below)
                ? below
                : null;
        }

        return at;
    }

    private static int Number(JsonElement? at, string name, int otherwise, int least, int most)
    {
        if (Find(at, name) is not { } value)
        {
            return otherwise;
        }

        return value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw new FunctionAppException($"host.json: {name} is from {least} to {most}.");
    }

    private static TimeSpan Time(JsonElement? at, string name, TimeSpan otherwise)
    {
        if (Find(at, name) is not { } value)
        {
            return otherwise;
        }

        return TimeSpan.TryParse(value.GetString(), CultureInfo.InvariantCulture, out var time) && time >= TimeSpan.Zero
            ? time
            : throw new FunctionAppException($"host.json: {name} is no time (hh:mm:ss).");
    }
}

/// <summary>How queue triggers take messages.</summary>
public sealed record QueueSettings
{
    /// <summary>Messages taken at once.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>More are taken when no more than so many are being handled.</summary>
    public int NewBatchThreshold { get; init; } = 8;

    /// <summary>Deliveries of a message before it goes to the poison queue.</summary>
    public int MaxDequeueCount { get; init; } = 5;

    /// <summary>How long a failed message stays hidden.</summary>
    public TimeSpan VisibilityTimeout { get; init; }

    /// <summary>The longest pause between two looks at an empty queue.</summary>
    public TimeSpan MaxPollingInterval { get; init; } = TimeSpan.FromMinutes(1);
}
