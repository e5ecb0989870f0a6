using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SuperVm.Azure.Blobs;
using SuperVm.Azure.Cosmos;
using SuperVm.Azure.Queues;
using SuperVm.Azure.Tables;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Tests;

/// <summary>
/// How the apps show who they are in the cloud: a function app's platform answers tokens on this machine
/// (IDENTITY_ENDPOINT, Microsoft Learn, "Use managed identities for App Service"), and every adapter shows one.
/// </summary>
public sealed class IdentityTests : IAsyncLifetime
{
    private static readonly DocumentKey Key = new("things", "p", "id");

    private readonly ConcurrentQueue<string> _queries = [];
    private readonly WebApplication _platform = NewServer();
    private bool _isRefusing;

    public async Task InitializeAsync()
    {
        _platform.Run(context =>
        {
            _queries.Enqueue(context.Request.QueryString.Value ?? string.Empty);
            if (_isRefusing || context.Request.Headers["X-IDENTITY-HEADER"] != "secret of the platform")
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return context.Response.WriteAsync("""{"error":"invalid_request","error_description":"no identity"}""");
            }

            var expires = DateTimeOffset.UtcNow.AddHours(8).ToUnixTimeSeconds();
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(
                $$"""{"access_token":"token","expires_on":"{{expires}}","resource":"r","token_type":"Bearer"}""");
        });
        await _platform.StartAsync();
        var address = _platform.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.First();
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", $"{address}/msi/token");
        Environment.SetEnvironmentVariable("IDENTITY_HEADER", "secret of the platform");
    }

    public async Task DisposeAsync()
    {
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", null);
        Environment.SetEnvironmentVariable("IDENTITY_HEADER", null);
        await _platform.DisposeAsync();
    }

    [Fact]
    public async Task Every_adapter_shows_the_token_of_the_apps_own_identity()
    {
        using var service = new Service();
        var (settings, counters) = (Cloud("11111111-1111-1111-1111-111111111111", service), new CloudCounters());
        await new StorageQueueBus(settings, counters).SendAsync("inbox", new byte[1]);
        await new AzureBlobStore(settings, counters).PutAsync("name", new byte[1]);
        await new AzureLogStore(settings, counters).CreateAsync("name");
        await new AzureLeaseStore(settings, counters).TryAcquireAsync("name", TimeSpan.FromSeconds(15));
        await new TableStore(settings, counters, TimeProvider.System).DeleteAsync("transactions", "p", "r");
        Assert.Equal(["queue", "blob", "blob", "blob", "table"], service.Asked.Select(asked => asked.Host));
        Assert.All(service.Asked, asked => Assert.Equal("Bearer token", asked.Authorization));
        Assert.All(_queries, query =>
        {
            Assert.Contains("client_id=11111111-1111-1111-1111-111111111111", query);
            Assert.Contains("resource=https://storage.azure.com", query);
        });
    }

    [Fact]
    public async Task An_identity_that_is_refused_is_a_failing_store()
    {
        _isRefusing = true;
        using var service = new Service();
        var (settings, counters) = (Cloud("22222222-2222-2222-2222-222222222222", service), new CloudCounters());
        using var documents = new CosmosDocumentStore(settings, counters, TimeProvider.System, service);
        var tables = new TableStore(settings, counters, TimeProvider.System);
        await Fails(() => new StorageQueueBus(settings, counters).SendAsync("inbox", new byte[1]));
        await Fails(() => new AzureBlobStore(settings, counters).GetAsync("name"));
        await Fails(() => tables.GetAsync("transactions", "p", "r"));
        await Fails(() => documents.GetAsync(Key));
        Assert.DoesNotContain(service.Asked, asked => asked.Authorization is not null);
        Assert.Contains(_queries, query => query.Contains("resource=https://vault.documents"));
    }

    private static async Task Fails(Func<Task> call) => await Assert.ThrowsAsync<StoreException>(call);

    private static CloudSettings Cloud(string identity, HttpMessageHandler transport) => new()
    {
        QueueEndpoint = new("https://vault.queue.core.windows.net/"),
        BlobEndpoint = new("https://vault.blob.core.windows.net/"),
        TableEndpoint = new("https://vault.table.core.windows.net/"),
        DocumentEndpoint = new("https://vault.documents.azure.com/"),
        Database = "supervm", BlobContainer = "bodies", IdentityClientId = identity, Transport = transport,
    };

    private static WebApplication NewServer()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        return builder.Build();
    }

    /// <summary>Takes whatever is asked, and notes who asked.</summary>
    private sealed class Service : HttpMessageHandler
    {
        internal List<(string Host, string? Authorization)> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellation)
        {
            Asked.Add((request.RequestUri!.Host.Split('.')[1], request.Headers.Authorization?.ToString()));
            var answer = new HttpResponseMessage(HttpStatusCode.Created)
            {
                RequestMessage = request,
                Content = new StringContent(
                    """
                    <QueueMessagesList><QueueMessage><MessageId>m</MessageId>
                    <InsertionTime>Fri, 02 Jan 2026 03:04:05 GMT</InsertionTime>
                    <ExpirationTime>Fri, 09 Jan 2026 03:04:05 GMT</ExpirationTime><PopReceipt>r</PopReceipt>
                    <TimeNextVisible>Fri, 02 Jan 2026 03:04:05 GMT</TimeNextVisible></QueueMessage></QueueMessagesList>
                    """),
            };
            answer.Headers.TryAddWithoutValidation("ETag", "\"1\"");
            answer.Content.Headers.LastModified = DateTimeOffset.UnixEpoch;
            answer.Headers.Add("x-ms-request-server-encrypted", "true");
            answer.Headers.Add("x-ms-lease-id", "lease");
            return Task.FromResult(answer);
        }
    }
}
