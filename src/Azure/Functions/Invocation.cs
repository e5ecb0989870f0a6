using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace SuperVm.Azure.Functions;

/// <summary>What the Functions host posts to a custom handler.</summary>
/// <param name="Body">A queue trigger's message; empty for other triggers.</param>
/// <param name="MessageId">The message's name, the same at every delivery.</param>
/// <param name="DequeueCount">Which delivery it is, from 1.</param>
public sealed record Invocation(ReadOnlyMemory<byte> Body, string MessageId, int DequeueCount)
{
    /// <summary>
    /// Reads an invocation. Values are taken as the host writes them and as its documentation shows them: strings
    /// encoded
    /// as JSON inside a string, or plain; numbers as strings, or as numbers. A binary message is base64 in either form.
    /// </summary>
    public static bool TryRead(ReadOnlyMemory<byte> utf8, [NotNullWhen(true)] out Invocation? invocation)
    {
        invocation = null;
        try
        {
            using var json = JsonDocument.Parse(utf8);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("Data", out var data) || data.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            var metadata = root.TryGetProperty("Metadata", out var found) ? found : default;
            invocation = new(
                BodyOf(data), Text(metadata, "Id") ?? string.Empty,
                int.TryParse(Text(metadata, "DequeueCount"), CultureInfo.InvariantCulture, out var count) ? count : 1);
            return true;
        }
        catch (Exception broken) when (broken is JsonException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    private static ReadOnlyMemory<byte> BodyOf(JsonElement data)
    {
        foreach (var value in data.EnumerateObject())
        {
            if (value.Value.ValueKind == JsonValueKind.String)
            {
                return value.Value.TryGetBytesFromBase64(out var bytes)
                    ? bytes
                    : Convert.FromBase64String(Decoded(value.Value.GetString()!));
            }
        }

        return default;
    }

    private static string? Text(JsonElement metadata, string name)
    {
        if (metadata.ValueKind != JsonValueKind.Object || !metadata.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String ? Decoded(value.GetString()!) : value.ToString();
    }

    private static string Decoded(string text)
    {
        if (text.Length < 2 || text[0] != '"')
        {
            return text;
        }

        using var inner = JsonDocument.Parse(text);
        return inner.RootElement.GetString() ?? text;
    }
}
