using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Azure.Cosmos;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Cosmos;

/// <summary>The document store over Azure Cosmos DB: point requests only.</summary>
/// <remarks>
/// <code>
/// { "id": key.Id, "pk": key.Partition, "b": base64 of the body }      container: key.Container, partition key /pk
/// </code>
/// The port's promise that a read sees earlier writes needs an account of strong consistency. Gateway mode: a function
/// app has few outward connections. What the service puts off (429) is tried again after the time that it names, with
/// growing pauses, at most <see cref="MostAttempts"/> times.
/// </remarks>
public sealed class CosmosDocumentStore : IDocumentStore, IDisposable
{
    /// <summary>Tries of one request before it fails.</summary>
    public const int MostAttempts = 10;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly CosmosClient _client;
    private readonly Database _database;
    private readonly CloudCounters _counters;
    private readonly TimeProvider _clock;

    public CosmosDocumentStore(
        CloudSettings settings, CloudCounters counters, TimeProvider clock, HttpMessageHandler? transport = null)
    {
        settings.Require();
        NoConfigurationFile.Use();
        _counters = counters;
        _clock = clock;
        var options = new CosmosClientOptions
        {
            ConnectionMode = ConnectionMode.Gateway,
            LimitToEndpoint = settings.DocumentKey is not null,
            MaxRetryAttemptsOnRateLimitedRequests = 0,
            EnableContentResponseOnWrite = false,
            ApplicationName = "supervm",
        };
        if (transport is not null)
        {
            options.HttpClientFactory = () => new(transport, disposeHandler: false);
        }

        _client = settings.DocumentKey is { } key
            ? new(settings.DocumentEndpoint.AbsoluteUri, key, options)
            : new(settings.DocumentEndpoint.AbsoluteUri, settings.Credential(), options);
        _database = _client.GetDatabase(settings.Database);
    }

    /// <summary>
    /// Makes the database and its containers where they are not: for emulators, which no template deploys. Nothing but
    /// the keys is indexed, as nothing else is asked for.
    /// </summary>
    public async Task CreateContainersAsync(
        IReadOnlyList<string> containers, CancellationToken cancellation = default)
    {
        await _client.CreateDatabaseIfNotExistsAsync(_database.Id, cancellationToken: cancellation);
        foreach (var container in containers)
        {
            var properties = new ContainerProperties(container, "/pk")
            {
                IndexingPolicy = new() { IndexingMode = IndexingMode.None, Automatic = false },
            };
            await _database.CreateContainerIfNotExistsAsync(properties, cancellationToken: cancellation);
        }
    }

    public async Task<Document?> GetAsync(DocumentKey key, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key);
        using var answer = await RequestAsync(
            key, (container, pk) => container.ReadItemStreamAsync(key.Id, pk, null, cancellation), cancellation);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        RequireSuccess(answer, key);
        _counters.DocumentRead(answer.Headers.ContentLength is { Length: > 0 } length
            ? long.Parse(length, CultureInfo.InvariantCulture)
            : answer.Content.CanSeek ? answer.Content.Length : 0);
        return new(await DocumentJson.ReadAsync(answer.Content, key, cancellation), answer.Headers.ETag);
    }

    public Task<DocumentWrite> CreateAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
        => WriteAsync(key, body, (container, pk, item) => container.CreateItemStreamAsync(item, pk, null, cancellation),
            cancellation);

    public Task<DocumentWrite> ReplaceAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, string etag, CancellationToken cancellation = default)
        => WriteAsync(
            key,
            body,
            (container, pk, item) => container.ReplaceItemStreamAsync(item, key.Id, pk, IfMatch(etag), cancellation),
            cancellation);

    public Task<DocumentWrite> UpsertAsync(
        DocumentKey key, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
        => WriteAsync(key, body, (container, pk, item) => container.UpsertItemStreamAsync(item, pk, null, cancellation),
            cancellation);

    public async Task<DocumentWrite> DeleteAsync(
        DocumentKey key, string? etag = null, CancellationToken cancellation = default)
    {
        DocumentLimits.Require(key);
        var options = etag is null ? null : IfMatch(etag);
        using var answer = await RequestAsync(
            key, (container, pk) => container.DeleteItemStreamAsync(key.Id, pk, options, cancellation), cancellation);
        return End(answer, key) with { ETag = null };
    }

    public void Dispose() => _client.Dispose();

    private static ItemRequestOptions IfMatch(string etag) => new() { IfMatchEtag = etag };

    private static void RequireSuccess(ResponseMessage answer, DocumentKey key)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw new StoreException($"{key}: the service answered {(int)answer.StatusCode} {answer.ErrorMessage}");
        }
    }

    private static DocumentWrite End(ResponseMessage answer, DocumentKey key)
    {
        switch (answer.StatusCode)
        {
            case HttpStatusCode.Conflict:
                return new(DocumentStatus.Exists);
            case HttpStatusCode.NotFound:
                return new(DocumentStatus.Missing);
            case HttpStatusCode.PreconditionFailed:
                return new(DocumentStatus.Changed);
            default:
                RequireSuccess(answer, key);
                return new(DocumentStatus.Done, answer.Headers.ETag);
        }
    }

    private async Task<DocumentWrite> WriteAsync(
        DocumentKey key,
        ReadOnlyMemory<byte> body,
        Func<Container, PartitionKey, Stream, Task<ResponseMessage>> write,
        CancellationToken cancellation)
    {
        DocumentLimits.Require(key, body.Length);
        var item = DocumentJson.Write(key, body.Span);
        _counters.DocumentWritten(item.Length);
        using var answer = await RequestAsync(
            key, (container, pk) => write(container, pk, new MemoryStream(item, writable: false)), cancellation);
        return End(answer, key);
    }

    private async Task<ResponseMessage> RequestAsync(
        DocumentKey key, Func<Container, PartitionKey, Task<ResponseMessage>> request, CancellationToken cancellation)
    {
        var container = _database.GetContainer(key.Container);
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            var answer = await TryAsync(key, () => request(container, new(key.Partition)));
            var throttled = answer.StatusCode == HttpStatusCode.TooManyRequests;
            _counters.DocumentRequest(answer.Headers.RequestCharge, throttled);
            if (!throttled || attempt == MostAttempts)
            {
                return answer;
            }

            var named = RetryAfter(answer);
            answer.Dispose();
            await Task.Delay(named > pause ? named : pause, _clock, cancellation);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private static async Task<ResponseMessage> TryAsync(DocumentKey key, Func<Task<ResponseMessage>> request)
    {
        try
        {
            return await request();
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"{key}", failure);
        }
    }

    private static TimeSpan RetryAfter(ResponseMessage answer)
        => double.TryParse(answer.Headers["x-ms-retry-after-ms"], out var milliseconds)
            ? TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 0, LongestPause.TotalMilliseconds))
            : TimeSpan.Zero;
}

/// <summary>The item that holds a document.</summary>
internal static class DocumentJson
{
    internal static byte[] Write(DocumentKey key, ReadOnlySpan<byte> body)
    {
        using var stream = new MemoryStream(128 + body.Length / 3 * 4);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("id", key.Id);
            json.WriteString("pk", key.Partition);
            json.WriteBase64String("b", body);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    internal static async Task<byte[]> ReadAsync(Stream item, DocumentKey key, CancellationToken cancellation)
    {
        try
        {
            using var json = await JsonDocument.ParseAsync(item, default, cancellation);
            return json.RootElement.GetProperty("b").GetBytesFromBase64();
        }
        catch (Exception failure) when (CloudFailure.IsDamage(failure))
        {
            throw new StoreException($"{key} is not a document of this program.", failure);
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"{key}", failure);
        }
    }
}
