using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Functions;

/// <summary>The JSON that the Functions host and a custom handler exchange.</summary>
/// <remarks>
/// The host's own quirks are kept: strings arrive JSON-encoded inside a string, numbers as strings, bytes as base64,
/// and the scalar properties of a JSON message are copied into the metadata (docs/azure.md).
/// </remarks>
internal static class InvocationCodec
{
    private const string ReturnBinding = "$return";

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The invocation of a queue trigger.</summary>
    internal static byte[] Queue(FunctionDefinition function, BusMessage message, DateTimeOffset now, Guid lot)
        => Write(json =>
        {
            var text = Encoding.UTF8.GetString(message.Body.Span);
            json.WriteStartObject("Data");
            json.WriteString(
                function.Binding, function.IsBinary ? Convert.ToBase64String(message.Body.Span) : Encoded(text));
            json.WriteEndObject();
            json.WriteStartObject("Metadata");
            var copied = Scalars(text);
            copied.Remove("sys");
            foreach (var (name, value) in Properties(message))
            {
                json.WriteString(name, copied.Remove(name, out var own) ? Encoded(own) : value);
            }

            WriteSystem(json, function, now, lot);
            foreach (var (name, value) in copied)
            {
                json.WriteString(name, Encoded(value));
            }

            json.WriteEndObject();
        });

    /// <summary>The invocation of a timer trigger.</summary>
    internal static byte[] Timer(
        FunctionDefinition function, DateTimeOffset last, DateTimeOffset? next, bool late, DateTimeOffset now, Guid lot)
        => Write(json =>
        {
            json.WriteStartObject("Data");
            json.WriteStartObject(function.Binding);
            json.WriteStartObject("Schedule");
            json.WriteBoolean("AdjustForDST", true);
            json.WriteEndObject();
            json.WriteStartObject("ScheduleStatus");
            json.WriteString("Last", Ticks(last));
            json.WriteString("Next", Ticks(next ?? DateTimeOffset.MaxValue));
            json.WriteString("LastUpdated", Ticks(last));
            json.WriteEndObject();
            json.WriteBoolean("IsPastDue", late);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("Metadata");
            WriteSystem(json, function, now, lot);
            json.WriteEndObject();
        });

    /// <summary>
    /// What an answer asks to be sent, its return value to the binding <c>$return</c>, and its log lines; null where it
    /// is no answer of a handler.
    /// </summary>
    /// <remarks>A string that is valid base64 is decoded, as the host does it, silently.</remarks>
    internal static List<(string Queue, byte[] Body)>? Outputs(
        FunctionDefinition function, ReadOnlyMemory<byte> answer, Action<string> log)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            var sent = new List<(string Queue, byte[] Body)>();
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            if (json.RootElement.TryGetProperty("Logs", out var lines) && lines.ValueKind == JsonValueKind.Array)
            {
                foreach (var line in lines.EnumerateArray())
                {
                    log(line.ToString());
                }
            }

            if (json.RootElement.TryGetProperty("Outputs", out var outputs)
                && outputs.ValueKind == JsonValueKind.Object)
            {
                foreach (var output in outputs.EnumerateObject())
                {
                    Add(output.Name, output.Value);
                }
            }

            if (json.RootElement.TryGetProperty("ReturnValue", out var returned))
            {
                Add(ReturnBinding, returned);
            }

            return sent;

            void Add(string binding, JsonElement value)
            {
                if (function.QueueOutputs.TryGetValue(binding, out var queue))
                {
                    sent.AddRange(Messages(value).Select(body => (queue, body)));
                }
            }
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static (string Name, string Value)[] Properties(BusMessage message) =>
    [
        ("DequeueCount", message.DequeueCount.ToString(CultureInfo.InvariantCulture)),
        ("ExpirationTime", Seconds(message.ExpiresAt)),
        ("Id", Encoded(message.Id)),
        ("InsertionTime", Seconds(message.InsertedAt)),
        ("NextVisibleTime", Seconds(message.NextVisibleAt)),
        ("PopReceipt", Encoded(message.Receipt)),
    ];

    private static IEnumerable<byte[]> Messages(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => value.EnumerateArray().Select(Message),
        _ => [Message(value)],
    };

    private static byte[] Message(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return Encoding.UTF8.GetBytes(value.GetRawText());
        }

        return value.TryGetBytesFromBase64(out var bytes) ? bytes : Encoding.UTF8.GetBytes(value.GetString()!);
    }

    private static byte[] Write(Action<Utf8JsonWriter> content)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Plain))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteSystem(Utf8JsonWriter json, FunctionDefinition function, DateTimeOffset now, Guid lot)
    {
        json.WriteStartObject("sys");
        json.WriteString("MethodName", function.Name);
        json.WriteString("UtcNow", Ticks(now));
        json.WriteString("RandGuid", lot.ToString());
        json.WriteEndObject();
    }

    private static Dictionary<string, string> Scalars(string text)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return found;
            }

            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (property.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
                {
                    found[property.Name] = property.Value.ToString();
                }
            }
        }
        catch (JsonException)
        {
            found.Clear();
        }

        return found;
    }

    private static string Encoded(string text) => JsonSerializer.Serialize(text, Relaxed);

    private static string Seconds(DateTimeOffset time)
        => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    private static string Ticks(DateTimeOffset time)
        => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
