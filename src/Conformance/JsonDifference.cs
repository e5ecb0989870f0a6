using System.Text.Json;

namespace SuperVm.Conformance;

/// <summary>The first place where two JSON-RPC responses differ; error messages are free.</summary>
internal static class JsonDifference
{
    private const string FreePlace = "/error/message";
    private const int ShownCharacters = 200;

    /// <summary>What execution-apis lets a client leave out of answers whose shape is compared.</summary>
    private static readonly HashSet<string> OptionalFields =
        ["deleteStrategy", "oldestBlock", "error", "refund", "storage"];

    /// <summary>Null where they are equal; else the place with both values.</summary>
    internal static string? Of(JsonElement expected, JsonElement actual, string place = "")
    {
        if (place == FreePlace)
        {
            return null;
        }

        if (expected.ValueKind != actual.ValueKind)
        {
            return Values(expected, actual, place);
        }

        return expected.ValueKind switch
        {
            JsonValueKind.Object => OfFields(expected, actual, place, Of),
            JsonValueKind.Array => expected.GetArrayLength() != actual.GetArrayLength()
                ? $"{place}: {expected.GetArrayLength()} items expected, {actual.GetArrayLength()} found"
                : expected.EnumerateArray().Zip(actual.EnumerateArray())
                    .Select((pair, index) => Of(pair.First, pair.Second, $"{place}/{index}"))
                    .FirstOrDefault(difference => difference is not null),
            JsonValueKind.Number => expected.GetDouble().Equals(actual.GetDouble())
                ? null
                : Values(expected, actual, place),
            _ => expected.ToString() == actual.ToString() ? null : Values(expected, actual, place),
        };
    }

    /// <summary>
    /// Null where they are built alike: the same fields and kinds of values, whatever the values. Maps by address, hash
    /// or number may have other keys, lists other lengths.
    /// </summary>
    internal static string? OfShape(JsonElement expected, JsonElement actual, string place = "")
    {
        if (place == FreePlace)
        {
            return null;
        }

        if (expected.ValueKind != actual.ValueKind
            && !(expected.ValueKind is JsonValueKind.True or JsonValueKind.False
                && actual.ValueKind is JsonValueKind.True or JsonValueKind.False))
        {
            return Values(expected, actual, place);
        }

        switch (expected.ValueKind)
        {
            case JsonValueKind.Object when IsMap(expected) && IsMap(actual):
                return OfItems(
                    [.. expected.EnumerateObject().Select(field => field.Value)],
                    actual.EnumerateObject().Select(field => field.Value), place);
            case JsonValueKind.Object:
                return OfFields(expected, actual, place, OfShape);
            case JsonValueKind.Array:
                return OfItems([.. expected.EnumerateArray()], actual.EnumerateArray(), place);
            case JsonValueKind.String:
                return IsHex(expected) == IsHex(actual) ? null : Values(expected, actual, place);
            default:
                return null;
        }
    }

    private static string? OfFields(
        JsonElement expected, JsonElement actual, string place, Func<JsonElement, JsonElement, string, string?> of)
    {
        var names = expected.EnumerateObject().Select(field => field.Name)
            .Union(actual.EnumerateObject().Select(field => field.Name));
        foreach (var name in names)
        {
            if (of == OfShape && OptionalFields.Contains(name)
                && expected.TryGetProperty(name, out _) != actual.TryGetProperty(name, out _))
            {
                continue;
            }

            if (!expected.TryGetProperty(name, out var left))
            {
                return $"{place}/{name} is too much";
            }

            if (!actual.TryGetProperty(name, out var right))
            {
                return $"{place}/{name} is missing";
            }

            if (of(left, right, $"{place}/{name}") is { } difference)
            {
                return difference;
            }
        }

        return null;
    }

    /// <summary>Each item has to be built like one of those expected, where there are any.</summary>
    private static string? OfItems(
        IReadOnlyList<JsonElement> expected, IEnumerable<JsonElement> actual, string place)
    {
        foreach (var item in actual)
        {
            string? difference = null;
            foreach (var model in expected)
            {
                difference = OfShape(model, item, $"{place}/*");
                if (difference is null)
                {
                    break;
                }
            }

            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    private static bool IsMap(JsonElement element) => element.EnumerateObject().All(
        field => field.Name.StartsWith("0x", StringComparison.Ordinal) || field.Name.All(char.IsAsciiDigit));

    private static bool IsHex(JsonElement text) => text.GetString()!.StartsWith("0x", StringComparison.Ordinal);

    private static string Values(JsonElement expected, JsonElement actual, string place) =>
        $"{place}: {Short(expected)} expected, {Short(actual)} found";

    private static string Short(JsonElement element)
    {
        var text = element.GetRawText();
        return text.Length <= ShownCharacters ? text : text[..ShownCharacters] + "…";
    }
}
