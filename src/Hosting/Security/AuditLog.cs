using System.Text;
using System.Text.Json;

namespace SuperVm.Hosting.Security;

/// <summary>One line of JSON for each action of an administrator, without secrets and personal data.</summary>
/// <remarks>
/// <code>
///   {"time":"2026-01-02T03:04:05.678Z","actor":"key 1a2b3c4d","origin":"203.0.x.x","action":"anvil_setBalance",
///    "parameters":["0xf39fd6…(20 bytes)","0x1"],"outcome":"done"}
/// </code>
/// The actor is a digest of the key, the origin half of a network address. Of an argument only what cannot be a secret
/// is kept: numbers, truth values, words of the interface and short hex; everything longer is cut to its first bytes
/// and its length.
/// </remarks>
internal sealed class AuditLog(Action<string> sink, TimeProvider clock)
{
    /// <summary>Bytes of a hexadecimal argument that are kept whole: a quantity, never a key.</summary>
    private const int MostPlainHexBytes = 8;

    private const int ShownCharacters = 8;
    private const int MostWordCharacters = 16;
    private const int MostArguments = 8;

    internal void Write(in RpcCaller caller, string action, ReadOnlySpan<byte> parameters, string outcome)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, clock.GetUtcNow());
            json.WriteString("actor"u8, caller.Key is { } key ? $"key {key}" : "open");
            json.WriteString("origin"u8, caller.RedactedOrigin);
            json.WriteString("action"u8, action);
            json.WriteStartArray("parameters"u8);
            if (!parameters.IsEmpty)
            {
                WriteArguments(json, parameters);
            }

            json.WriteEndArray();
            json.WriteString("outcome"u8, outcome);
            json.WriteEndObject();
        }

        sink(Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    private static void WriteArguments(Utf8JsonWriter json, ReadOnlySpan<byte> parameters)
    {
        var reader = new Utf8JsonReader(parameters);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            return;
        }

        for (var count = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (count == MostArguments)
            {
                json.WriteStringValue("…");
                return;
            }

            json.WriteStringValue(Redacted(ref reader));
        }
    }

    private static string Redacted(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True:
                return "true";
            case JsonTokenType.False:
                return "false";
            case JsonTokenType.Null:
                return "null";
            case JsonTokenType.Number:
                return Encoding.ASCII.GetString(
                    reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, MostWordCharacters)]);
            case JsonTokenType.String:
                return Redacted(reader.GetString()!);
            default:
                var kind = reader.TokenType == JsonTokenType.StartObject ? "{…}" : "[…]";
                reader.Skip();
                return kind;
        }
    }

    private static string Redacted(string text)
    {
        var digits = text.StartsWith("0x", StringComparison.Ordinal) && text.Skip(2).All(char.IsAsciiHexDigit);
        if (digits)
        {
            return text.Length <= 2 + (2 * MostPlainHexBytes)
                ? text
                : $"{text[..ShownCharacters]}…({(text.Length - 2) / 2} bytes)";
        }

        return text.Length <= MostWordCharacters && text.All(char.IsAsciiLetterOrDigit)
            ? text
            : $"({text.Length} characters)";
    }
}
