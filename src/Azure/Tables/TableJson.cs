using System.Globalization;
using System.Text.Json;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Tables;

/// <summary>Rows as the service writes them: OData JSON with minimal metadata.</summary>
/// <remarks>64-bit integers and bytes are strings beside an annotation of their type.</remarks>
internal static class TableJson
{
    private const string TypeSuffix = "@odata.type";

    internal static byte[] Write(TableRow row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(row.Values.Count, TableRow.MostValues);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("PartitionKey", row.Partition);
            json.WriteString("RowKey", row.Row);
            foreach (var (name, value) in row.Values)
            {
                WriteValue(json, name, value);
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    internal static TableRow Read(JsonElement item, string? etag)
    {
        var values = new Dictionary<string, object>();
        string? partition = null, row = null;
        foreach (var property in item.EnumerateObject())
        {
            switch (property.Name)
            {
                case "PartitionKey":
                    partition = property.Value.GetString();
                    break;
                case "RowKey":
                    row = property.Value.GetString();
                    break;
                case "odata.etag":
                    etag = property.Value.GetString();
                    break;
                case "Timestamp":
                    break;
                case var name when name.Contains("odata.", StringComparison.Ordinal):
                    break;
                default:
                    values.Add(property.Name, ReadValue(item, property));
                    break;
            }
        }

        return partition is not null && row is not null
            ? new(partition, row, values, etag)
            : throw new StoreException("The table service answered with a row that has no keys.");
    }

    private static void WriteValue(Utf8JsonWriter json, string name, object value)
    {
        switch (value)
        {
            case string text:
                json.WriteString(name, text);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case long number:
                json.WriteString(name + TypeSuffix, "Edm.Int64");
                json.WriteString(name, number.ToString(CultureInfo.InvariantCulture));
                break;
            case byte[] bytes:
                json.WriteString(name + TypeSuffix, "Edm.Binary");
                json.WriteBase64String(name, bytes);
                break;
            default:
                throw new ArgumentException($"{name} is of a type that tables do not hold here: {value.GetType()}.");
        }
    }

    private static object ReadValue(JsonElement item, JsonProperty property)
    {
        var type = item.TryGetProperty(property.Name + TypeSuffix, out var annotation) ? annotation.GetString() : null;
        return (type, property.Value.ValueKind) switch
        {
            ("Edm.Int64", _) => long.Parse(property.Value.GetString()!, CultureInfo.InvariantCulture),
            ("Edm.Binary", _) => property.Value.GetBytesFromBase64(),
            (_, JsonValueKind.String) => property.Value.GetString()!,
            (_, JsonValueKind.True or JsonValueKind.False) => property.Value.GetBoolean(),
            (_, JsonValueKind.Number) => property.Value.GetInt64(),
            _ => throw new StoreException($"The property {property.Name} is of a type that is not read here."),
        };
    }
}
