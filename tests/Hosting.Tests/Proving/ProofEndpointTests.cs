using System.Net;
using System.Text;
using System.Text.Json;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Storage;
using SuperVm.Core.Tests.Proving;
using SuperVm.Hosting.Proving;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Proving;

/// <summary>Proofs over a node's real HTTP port.</summary>
public sealed class ProofEndpointTests : IAsyncLifetime, IDisposable
{
    private const int Constraints = 12;
    private const int MostBytes = 20_000;

    private readonly TestNode _node = new();
    private readonly RolePorts _ports = new()
    {
        Bus = new InMemoryMessageBus(TimeProvider.System),
        Documents = new InMemoryDocumentStore(),
        Blobs = new InMemoryBlobStore(),
        Names = new RoleNames("inbox", "batches", "proofs", "replica", "proof-records"),
        Clock = TimeProvider.System,
    };

    private readonly HttpClient _client = new();
    private NodeServer _server = null!;

    public async Task InitializeAsync()
    {
        var door = new ProofEndpoint(_ports, new ProofLimits { MostBytes = MostBytes });
        _server = await NodeServer.StartAsync(_node.Node, new ServerOptions { Port = 0, Proofs = door });
        _client.BaseAddress = _server.Address;
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _node.Dispose();
    }

    [Fact]
    public async Task A_job_is_submitted_proven_and_fetched()
    {
        await BlobKeyFiles.StoreAsync(_ports.Blobs, "squares", SquaringCircuit.Key(Constraints, new ProvingRandom(0)));
        var (code, submitted) = await PostAsync(Job("mine", 5));
        Assert.Equal((HttpStatusCode.Accepted, "queued"), (code, Text(submitted, "status")));

        using var service = new ProofService(
            _ports, new DirectProofEngine(new CpuProofBackend(), new ProvingRandom(1)),
            new BlobKeyFiles(_ports.Blobs), new ProofLimits());
        var message = Assert.Single(await _ports.Bus.ReceiveAsync("proofs", 1, TimeSpan.FromSeconds(30)));
        Assert.Equal(RoleEnd.Done, await service.ProveAsync(message.Body, default));

        var (found, done) = await GetAsync("mine");
        Assert.Equal((HttpStatusCode.OK, "done"), (found, Text(done, "status")));
        Assert.Equal("groth16", done.GetProperty("proof").GetProperty("protocol").GetString());
        Assert.Equal(1, done.GetProperty("publics").GetArrayLength());
    }

    [Fact]
    public async Task A_job_without_a_name_is_named_by_what_it_asks()
    {
        var json = $$"""{"circuit":"squares","witness":"{{Convert.ToBase64String(new byte[8])}}"}""";
        var (_, first) = await PostAsync(json);
        var (_, second) = await PostAsync(json);
        Assert.Equal(Text(first, "job"), Text(second, "job"));
        Assert.Equal(40, Text(first, "job")!.Length);
    }

    [Fact]
    public async Task Wrong_requests_are_refused_with_the_reason()
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync("{")).Code);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync("""{"circuit":"a"}""")).Code);
        Assert.Contains(
            "witness", Text((await PostAsync("""{"circuit":"a"}""")).Body, "error"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await PostAsync(new string(' ', MostBytes + 1))).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("nobody")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("a%20b")).Code);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await GetAsync("")).Code);
        await PostAsync(Job("taken", 5));
        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync(Job("taken", 6))).Code);
    }

    [Fact]
    public async Task A_queued_job_can_be_cancelled()
    {
        await PostAsync(Job("unwanted", 5));
        using var answer = await _client.DeleteAsync("/api/v1/proofs/unwanted");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("cancelled", Text((await GetAsync("unwanted")).Body, "status"));
        using var nobody = await _client.DeleteAsync("/api/v1/proofs/nobody");
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    private static string Job(string name, ulong number) => Encoding.UTF8.GetString(
        new ProofJob(name, "squares", SquaringCircuit.Witness(Constraints, number)).Write());

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private async Task<(HttpStatusCode Code, JsonElement Body)> PostAsync(string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _client.PostAsync("/api/v1/proofs", content);
        return (answer.StatusCode, await BodyAsync(answer));
    }

    private async Task<(HttpStatusCode Code, JsonElement Body)> GetAsync(string job)
    {
        using var answer = await _client.GetAsync($"/api/v1/proofs/{job}");
        return (answer.StatusCode, await BodyAsync(answer));
    }

    private static async Task<JsonElement> BodyAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync()).RootElement;
}
