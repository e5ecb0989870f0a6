using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Tables;

/// <summary>A client of Azure Table Storage on Azure.Core's pipeline: point and range requests, and batches.</summary>
/// <remarks>
/// Speaks the service's REST interface (Microsoft Learn, "Table service REST API"). The pipeline tries again what the
/// service puts off. Failures other than the named ends are <see cref="StoreException"/>s.
/// </remarks>
public sealed class TableStore
{
    /// <summary>Operations of one batch.</summary>
    public const int MostBatched = 100;

    /// <summary>Rows of one page.</summary>
    public const int MostPerPage = 1000;

    private const string Scope = "https://storage.azure.com/.default";
    private const string Version = "2020-12-06";
    private const string Json = "application/json";

    private readonly HttpPipeline _pipeline;
    private readonly string _endpoint;
    private readonly CloudCounters _counters;

    public TableStore(CloudSettings settings, CloudCounters counters, TimeProvider clock)
    {
        settings.Require();
        _counters = counters;
        _endpoint = settings.TableEndpoint.AbsoluteUri.TrimEnd('/');
        HttpPipelinePolicy authentication = settings.StorageKey is { } key
            ? new SharedKeyLitePolicy(key, clock)
            : new BearerTokenAuthenticationPolicy(settings.Credential(), Scope);
        _pipeline = HttpPipelineBuilder.Build(settings.Carried(new TableOptions()), authentication);
    }

    /// <summary>Makes a table; false where there is one.</summary>
    public async Task<bool> CreateTableAsync(string table, CancellationToken cancellation = default)
    {
        RequireTable(table);
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, string> { ["TableName"] = table }, TableJsonContext.Default.DictionaryStringString);
        using var answer = await SendAsync(RequestMethod.Post, "Tables", body, Json, null, cancellation);
        return Status(answer, table) == TableStatus.Done;
    }

    /// <summary>The row, or null where there is none.</summary>
    public async Task<TableRow?> GetAsync(
        string table, string partition, string row, CancellationToken cancellation = default)
    {
        var path = Entity(table, partition, row);
        using var answer = await SendAsync(RequestMethod.Get, path, null, null, null, cancellation);
        if (Status(answer, table) == TableStatus.Missing)
        {
            return null;
        }

        return Read(answer, table, json => TableJson.Read(json, answer.Headers.ETag?.ToString("H")));
    }

    /// <summary>Writes a row that is not there yet: Done or Exists.</summary>
    public async Task<TableWrite> InsertAsync(string table, TableRow row, CancellationToken cancellation = default)
    {
        RequireTable(table);
        RequireKeys(row);
        using var answer = await SendAsync(
            RequestMethod.Post, table, TableJson.Write(row), Json, null, cancellation);
        return Write(answer, table);
    }

    /// <summary>Writes over the version that the row's ETag names: Done, Changed or Missing.</summary>
    public async Task<TableWrite> ReplaceAsync(string table, TableRow row, CancellationToken cancellation = default)
    {
        var path = Entity(table, row.Partition, row.Row);
        ArgumentNullException.ThrowIfNull(row.ETag);
        using var answer = await SendAsync(
            RequestMethod.Put, path, TableJson.Write(row), Json, row.ETag, cancellation);
        return Write(answer, table);
    }

    /// <summary>Writes whatever is there: Done.</summary>
    public async Task<TableWrite> UpsertAsync(string table, TableRow row, CancellationToken cancellation = default)
    {
        var path = Entity(table, row.Partition, row.Row);
        using var answer = await SendAsync(
            RequestMethod.Put, path, TableJson.Write(row), Json, null, cancellation);
        return Write(answer, table);
    }

    /// <summary>Deletes the version named, or (null) any: Done, Changed or Missing.</summary>
    public async Task<TableWrite> DeleteAsync(
        string table, string partition, string row, string? etag = null, CancellationToken cancellation = default)
    {
        var path = Entity(table, partition, row);
        using var answer = await SendAsync(RequestMethod.Delete, path, null, null, etag ?? "*", cancellation);
        return Write(answer, table);
    }

    /// <summary>
    /// Rows of a partition with keys in [from, to), in order, <paramref name="most"/> (1 to
    /// <see cref="MostPerPage"/>) at once.
    /// </summary>
    public async Task<TablePage> QueryAsync(
        string table,
        string partition,
        string from,
        string to,
        int most = MostPerPage,
        TableContinuation? next = null,
        CancellationToken cancellation = default)
    {
        RequireTable(table);
        TableRow.RequireKey(partition);
        TableRow.RequireKey(from);
        TableRow.RequireKey(to);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, MostPerPage);
        var filter = $"PartitionKey eq '{partition}' and RowKey ge '{from}' and RowKey lt '{to}'";
        var path = $"{table}()?$filter={Uri.EscapeDataString(filter)}&$top={most}{GoOn(next)}";
        using var answer = await SendAsync(RequestMethod.Get, path, null, null, null, cancellation);
        if (Status(answer, table) != TableStatus.Done)
        {
            throw Failed(answer, table);
        }

        var rows = Read(answer, table, json => json.GetProperty("value").EnumerateArray()
            .Select(item => TableJson.Read(item, null)).ToList());
        answer.Headers.TryGetValue("x-ms-continuation-NextRowKey", out var row);
        return answer.Headers.TryGetValue("x-ms-continuation-NextPartitionKey", out var at)
            ? new(rows, new(at, row))
            : new(rows, null);
    }

    /// <summary>Up to <see cref="MostBatched"/> operations on one partition, all or none.</summary>
    public async Task<TableBatchEnd> BatchAsync(
        string table, IReadOnlyList<TableOperation> operations, CancellationToken cancellation = default)
    {
        RequireTable(table);
        ArgumentOutOfRangeException.ThrowIfLessThan(operations.Count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(operations.Count, MostBatched);
        foreach (var operation in operations)
        {
            RequireKeys(operation.Row);
            if (operation.Row.Partition != operations[0].Row.Partition)
            {
                throw new ArgumentException("A batch is of one partition.", nameof(operations));
            }
        }

        var body = TableBatchBody.Write($"{_endpoint}/{table}", operations);
        using var answer = await SendAsync(
            RequestMethod.Post, "$batch", body, $"multipart/mixed; boundary={TableBatchBody.Boundary}", null,
            cancellation);
        if (answer.Status != 202)
        {
            throw Failed(answer, table);
        }

        return TableBatchBody.Failure(answer.Content.ToString()) switch
        {
            null => new(TableStatus.Done),
            (409, var index) => new(TableStatus.Exists, index),
            (404, var index) => new(TableStatus.Missing, index),
            (412, var index) => new(TableStatus.Changed, index),
            var (status, index) => throw new StoreException($"{table}: operation {index} was answered {status}."),
        };
    }

    private static void RequireTable(string table)
    {
        if (table.Length is < 3 or > 63 || !char.IsAsciiLetter(table[0]) || !table.All(char.IsAsciiLetterOrDigit))
        {
            throw new ArgumentException($"'{table}' is no name of a table.", nameof(table));
        }
    }

    private static void RequireKeys(TableRow row)
    {
        TableRow.RequireKey(row.Partition);
        TableRow.RequireKey(row.Row);
    }

    private static string Entity(string table, string partition, string row)
    {
        RequireTable(table);
        TableRow.RequireKey(partition);
        TableRow.RequireKey(row);
        return $"{table}(PartitionKey='{partition}',RowKey='{row}')";
    }

    /// <exception cref="StoreException">The answer is not what the service writes.</exception>
    private static T Read<T>(Response answer, string table, Func<JsonElement, T> read)
    {
        try
        {
            using var json = JsonDocument.Parse(answer.Content.ToMemory());
            return read(json.RootElement);
        }
        catch (Exception failure) when (CloudFailure.IsDamage(failure))
        {
            throw new StoreException($"Table {table}: the answer cannot be read: {failure.Message}", failure);
        }
    }

    private static string GoOn(TableContinuation? next)
    {
        var row = next?.Row is { } key ? $"&NextRowKey={Uri.EscapeDataString(key)}" : "";
        return next is null ? "" : $"&NextPartitionKey={Uri.EscapeDataString(next.Partition)}{row}";
    }

    private static TableWrite Write(Response answer, string table)
        => new(Status(answer, table), answer.Headers.ETag?.ToString("H"));

    private static TableStatus Status(Response answer, string table) => answer.Status switch
    {
        >= 200 and < 300 => TableStatus.Done,
        409 => TableStatus.Exists,
        404 when !IsNoTable(answer) => TableStatus.Missing,
        412 => TableStatus.Changed,
        _ => throw Failed(answer, table),
    };

    private static bool IsNoTable(Response answer)
        => answer.Content.ToString().Contains("TableNotFound", StringComparison.Ordinal);

    private static StoreException Failed(Response answer, string table)
        => new($"Table {table}: the service answered {answer.Status} {answer.ReasonPhrase}.");

    private async Task<Response> SendAsync(
        RequestMethod method, string path, byte[]? body, string? type, string? ifMatch, CancellationToken cancellation)
    {
        var message = _pipeline.CreateMessage();
        var request = message.Request;
        request.Method = method;
        request.Uri.Reset(new($"{_endpoint}/{path}"));
        request.Headers.Add("x-ms-version", Version);
        request.Headers.Add("DataServiceVersion", "3.0");
        request.Headers.Add("Accept", "application/json;odata=minimalmetadata");
        request.Headers.Add("Prefer", "return-no-content");
        if (ifMatch is not null)
        {
            request.Headers.Add("If-Match", ifMatch);
        }

        if (body is not null)
        {
            request.Headers.Add("Content-Type", type!);
            request.Content = RequestContent.Create(body);
        }

        try
        {
            _counters.TableRequest();
            await _pipeline.SendAsync(message, cancellation);
            return message.Response;
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of(path, failure);
        }
    }

    private sealed class TableOptions : ClientOptions;
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class TableJsonContext : System.Text.Json.Serialization.JsonSerializerContext;
