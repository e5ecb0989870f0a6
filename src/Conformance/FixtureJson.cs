using System.Globalization;
using System.Text.Json;
using SuperVm.Core.Primitives;

namespace SuperVm.Conformance;

/// <summary>A fixture that does not have the shape of its kind.</summary>
internal sealed class FixtureException(string message) : Exception(message);

/// <summary>Reads the values of fixtures; what is not of its form is a <see cref="FixtureException"/>.</summary>
internal static class FixtureJson
{
    private const string BigIntPrefix = "0x:bigint ";

    internal static JsonDocument Parse(string file)
    {
        using var stream = File.OpenRead(file);
        try
        {
            return JsonDocument.Parse(stream, new JsonDocumentOptions
            {
                MaxDepth = 512, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip,
            });
        }
        catch (JsonException problem)
        {
            throw new FixtureException($"not JSON: {problem.Message}");
        }
    }

    /// <summary>The members of an object.</summary>
    internal static JsonElement.ObjectEnumerator Members(this JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject()
            : throw new FixtureException($"{what} is no object");

    internal static JsonElement.ArrayEnumerator Items(this JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.Array
            ? element.EnumerateArray()
            : throw new FixtureException($"{what} is no array");

    internal static JsonElement? Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member)
            && member.ValueKind != JsonValueKind.Null
            ? member
            : null;

    internal static JsonElement Member(this JsonElement element, string name) =>
        element.Find(name) ?? throw new FixtureException($"{name} is missing");

    internal static string Text(this JsonElement element, string what) =>
        element.ValueKind == JsonValueKind.String
            ? element.GetString() ?? string.Empty
            : throw new FixtureException($"{what} is no string");

    internal static string TextMember(this JsonElement element, string name) => element.Member(name).Text(name);

    /// <summary>Bytes in hex, with or without 0x.</summary>
    internal static byte[] Bytes(this JsonElement element, string what)
    {
        var text = element.Text(what).AsSpan().Trim();
        if (text.StartsWith("0x:raw ", StringComparison.Ordinal))
        {
            text = text["0x:raw ".Length..];
        }

        return Hex.TryDecode(text, out var bytes) ? bytes : throw new FixtureException($"{what} is no hex");
    }

    internal static byte[] BytesMember(this JsonElement element, string name) => element.Member(name).Bytes(name);

    internal static Address Address(this JsonElement element, string what) =>
        Core.Primitives.Address.TryParse(element.Text(what), out var address)
            ? address
            : throw new FixtureException($"{what} is no address");

    internal static Hash256 Hash(this JsonElement element, string what) =>
        Hash256.TryParse(element.Text(what), out var hash) ? hash : throw new FixtureException($"{what} is no hash");

    /// <summary>A number; null where it does not fit 256 bits ("0x:bigint 0x…" may not).</summary>
    internal static UInt256? NumberOrOverflow(this JsonElement element, string what)
    {
        var text = element.ValueKind == JsonValueKind.Number ? element.GetRawText() : element.Text(what);
        if (text.StartsWith(BigIntPrefix, StringComparison.Ordinal))
        {
            text = text[BigIntPrefix.Length..];
        }

        if (text is "" or "0x")
        {
            return UInt256.Zero;
        }

        if (UInt256.TryParse(text, out var value))
        {
            return value;
        }

        var isHex = text.StartsWith("0x", StringComparison.Ordinal);
        var digits = isHex ? text.AsSpan(2) : text;
        var style = isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        return System.Numerics.BigInteger.TryParse(digits, style, CultureInfo.InvariantCulture, out _)
            ? null
            : throw new FixtureException($"{what} is no number");
    }

    internal static UInt256 Number(this JsonElement element, string what) =>
        element.NumberOrOverflow(what) ?? throw new FixtureException($"{what} has more than 256 bits");

    internal static ulong UInt64(this JsonElement element, string what)
    {
        var value = element.Number(what);
        return value.IsUInt64 ? value.U0 : throw new FixtureException($"{what} has more than 64 bits");
    }

    internal static ulong UInt64Member(this JsonElement element, string name) => element.Member(name).UInt64(name);

    internal static UInt256 NumberMember(this JsonElement element, string name) => element.Member(name).Number(name);
}
