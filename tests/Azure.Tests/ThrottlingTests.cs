using System.Net;
using SuperVm.Azure.Cosmos;
using SuperVm.Core.Storage;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

/// <summary>What the document database puts off is asked again; keys are for this machine only.</summary>
[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class ThrottlingTests(EmulatorsFixture emulators)
{
    [PortFact]
    public async Task A_write_that_is_put_off_is_tried_again_and_counted()
    {
        using var transport = new Throttling(3);
        var counters = new CloudCounters();
        using var store = new CosmosDocumentStore(emulators.Settings, counters, TimeProvider.System, transport);
        await store.CreateContainersAsync(["things"]);
        var key = new DocumentKey("things", "p", EmulatorsFixture.NextName("late"));
        Assert.True((await store.CreateAsync(key, new byte[] { 1 })).IsDone);
        Assert.Equal(3, counters.Throttled);
        Assert.Equal(4, counters.DocumentRequests);
    }

    [PortFact]
    public async Task A_write_that_is_put_off_for_ever_fails()
    {
        using var transport = new Throttling(int.MaxValue);
        var counters = new CloudCounters();
        using var store = new CosmosDocumentStore(emulators.Settings, counters, TimeProvider.System, transport);
        await store.CreateContainersAsync(["things"]);
        var key = new DocumentKey("things", "p", EmulatorsFixture.NextName("never"));
        await Assert.ThrowsAsync<StoreException>(() => store.CreateAsync(key, new byte[] { 1 }));
        Assert.Equal(CosmosDocumentStore.MostAttempts, counters.Throttled);
    }

    [PortFact]
    public void A_key_beside_an_end_point_in_the_cloud_is_refused()
    {
        var settings = emulators.Settings with { QueueEndpoint = new("https://account.queue.core.windows.net") };
        Assert.Throws<ArgumentException>(settings.Require);
        settings = emulators.Settings with { DocumentEndpoint = new("https://account.documents.azure.com") };
        Assert.Throws<ArgumentException>(settings.Require);
    }

    /// <summary>Answers the first writes of documents with 429.</summary>
    private sealed class Throttling(int times) : DelegatingHandler(new SocketsHttpHandler())
    {
        private int _left = times;

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellation)
        {
            var writes = request.Method == HttpMethod.Post
                && request.RequestUri!.AbsolutePath.EndsWith("/docs", StringComparison.Ordinal);
            if (!writes || _left == 0)
            {
                return base.SendAsync(request, cancellation);
            }

            _left--;
            var answer = new HttpResponseMessage(HttpStatusCode.TooManyRequests)
            {
                RequestMessage = request,
                Content = new StringContent("{}"),
            };
            answer.Headers.Add("x-ms-retry-after-ms", "1");
            return Task.FromResult(answer);
        }
    }
}
