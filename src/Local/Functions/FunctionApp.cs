using System.Text.Json;

namespace SuperVm.Local.Functions;

/// <summary>What calls a function.</summary>
public enum TriggerKind
{
    Http = 0,
    Queue = 1,
    Timer = 2,
}

/// <summary>One folder with a function.json.</summary>
/// <param name="Name">The folder's name; invocations are posted to it.</param>
/// <param name="Kind">Its trigger.</param>
/// <param name="Binding">The trigger's name in the invocation's data.</param>
/// <param name="Source">The queue's name, the timer's schedule, or the route.</param>
/// <param name="IsBinary">The message is given as bytes (dataType binary).</param>
/// <param name="RunsOnStartup">A timer that also runs when the host starts.</param>
/// <param name="Methods">HTTP methods; empty for all.</param>
/// <param name="QueueOutputs">Output bindings by name, with their queues.</param>
public sealed record FunctionDefinition(
    string Name,
    TriggerKind Kind,
    string Binding,
    string Source,
    bool IsBinary,
    bool RunsOnStartup,
    IReadOnlyList<string> Methods,
    IReadOnlyDictionary<string, string> QueueOutputs);

/// <summary>A function app's folder that cannot be run, with the reason in words.</summary>
public sealed class FunctionAppException(string message) : Exception(message);

/// <summary>A folder with host.json and a folder for each function, read as the Functions host reads it.</summary>
public sealed record FunctionApp(string Folder, HostSettings Host, IReadOnlyList<FunctionDefinition> Functions)
{
    /// <summary>Functions of one app.</summary>
    public const int MostFunctions = 64;

    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Reads an app; <c>%name%</c> in bindings stands for an app setting.</summary>
    /// <exception cref="FunctionAppException">A file is missing, is no JSON, or asks for what is not there.</exception>
    public static FunctionApp Load(string folder, IReadOnlyDictionary<string, string> settings)
    {
        using var hostFile = Parse(Path.Combine(folder, "host.json"));
        var host = HostSettings.Read(hostFile.RootElement);
        var functions = new List<FunctionDefinition>();
        foreach (var below in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            var file = Path.Combine(below, "function.json");
            if (!File.Exists(file))
            {
                continue;
            }

            using var json = Parse(file);
            if (!json.RootElement.TryGetProperty("disabled", out var disabled)
                || disabled.ValueKind != JsonValueKind.True)
            {
                functions.Add(Read(Path.GetFileName(below), json.RootElement, settings));
            }
        }

        if (functions.Count is 0 or > MostFunctions)
        {
            throw new FunctionAppException($"{folder} has {functions.Count} functions; 1 to {MostFunctions} may be.");
        }

        if (functions.Any(function => function.Kind == TriggerKind.Http) && !host.ForwardsHttp)
        {
            throw new FunctionAppException(
                $"{folder}: HTTP triggers need customHandler.enableProxyingHttpRequest in host.json.");
        }

        return new(folder, host, functions);
    }

    private static JsonDocument Parse(string file)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(file), Lenient);
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            throw new FunctionAppException($"{file}: {failure.Message}");
        }
    }

    private static FunctionDefinition Read(
        string name, JsonElement json, IReadOnlyDictionary<string, string> settings)
    {
        FunctionDefinition? found = null;
        var outputs = new Dictionary<string, string>();
        var bindings = json.TryGetProperty("bindings", out var list) ? list.EnumerateArray() : default;
        foreach (var binding in bindings)
        {
            var type = Text(binding, "type");
            if (type.EndsWith("Trigger", StringComparison.OrdinalIgnoreCase))
            {
                found = found is null
                    ? Trigger(name, type, binding, settings)
                    : throw new FunctionAppException($"{name} has two triggers.");
            }
            else if (type.Equals("queue", StringComparison.OrdinalIgnoreCase))
            {
                outputs.Add(Text(binding, "name"), Resolve(Text(binding, "queueName"), settings));
            }
            else if (!type.Equals("http", StringComparison.OrdinalIgnoreCase))
            {
                throw new FunctionAppException($"{name}: there is no local binding of type '{type}'.");
            }
        }

        return found is null
            ? throw new FunctionAppException($"{name} has no trigger.")
            : found with { QueueOutputs = outputs };
    }

    private static FunctionDefinition Trigger(
        string name, string type, JsonElement binding, IReadOnlyDictionary<string, string> settings)
    {
        var (kind, source) = type.ToLowerInvariant() switch
        {
            "httptrigger" => (TriggerKind.Http, Text(binding, "route", name)),
            "queuetrigger" => (TriggerKind.Queue, Resolve(Text(binding, "queueName"), settings)),
            "timertrigger" => (TriggerKind.Timer, Resolve(Text(binding, "schedule"), settings)),
            _ => throw new FunctionAppException($"{name}: there is no local trigger of type '{type}'."),
        };
        if (kind == TriggerKind.Timer && NcrontabSchedule.Parse(source) is null)
        {
            throw new FunctionAppException($"{name}: '{source}' is no schedule of a timer.");
        }

        var methods = binding.TryGetProperty("methods", out var list)
            ? list.EnumerateArray().Select(method => method.GetString()!.ToUpperInvariant()).ToList()
            : [];
        return new(
            name,
            kind,
            Text(binding, "name"),
            source,
            Text(binding, "dataType", "").Equals("binary", StringComparison.OrdinalIgnoreCase),
            binding.TryGetProperty("runOnStartup", out var runs) && runs.ValueKind == JsonValueKind.True,
            methods,
            new Dictionary<string, string>());
    }

    private static string Text(JsonElement binding, string property, string? otherwise = null)
        => binding.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : otherwise ?? throw new FunctionAppException($"A binding lacks '{property}'.");

    private static string Resolve(string text, IReadOnlyDictionary<string, string> settings)
        => text.Length > 2 && text[0] == '%' && text[^1] == '%'
            ? settings.TryGetValue(text[1..^1], out var value)
                ? value
                : throw new FunctionAppException($"There is no app setting {text}.")
            : text;
}
