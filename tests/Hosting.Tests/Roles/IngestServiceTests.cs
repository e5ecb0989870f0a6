using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Security;
using SuperVm.Hosting.Server;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>The door of a serverless validator over real HTTP: its REST routes, and who may use them.</summary>
public sealed class IngestServiceTests : IAsyncLifetime
{
    private const string Key = "a-key-for-json-rpc-0001";
    private static readonly string Nobody = $"0x{new string('7', 64)}";

    private readonly RoleWorld _world = new();
    private readonly HttpClient _client = new();
    private readonly List<string> _log = [];
    private readonly List<IAsyncDisposable> _servers = [];
    private IngestService? _ingest;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _ingest?.Dispose();
        _client.Dispose();
        _world.Dispose();
    }

    [Fact]
    public async Task A_block_is_found_by_number_hash_and_name_and_names_its_batch()
    {
        await ServeAsync();
        await _world.SendAsync(_world.Transfer(0, 0));
        await _world.DrainAsync();
        var head = _world.Chain.Chain.Head;
        foreach (var name in (string[])["1", head.Hash.ToString(), "latest", "finalized"])
        {
            var block = await GetAsync(HttpStatusCode.OK, $"/api/v1/blocks/{name}");
            Assert.Equal(1, block.GetProperty("number").GetInt32());
            Assert.Equal(head.Hash.ToString(), block.GetProperty("hash").GetString());
            Assert.Equal(Hex.Encode(head.Header.ExtraData.Span), block.GetProperty("batch").GetString());
            Assert.Equal(21_000, block.GetProperty("gasUsed").GetInt32());
            Assert.Equal(1, block.GetProperty("transactions").GetArrayLength());
        }

        Assert.Equal(1, (await GetAsync(HttpStatusCode.OK, "/api/v1/head")).GetProperty("finalized").GetInt32());
    }

    [Fact]
    public async Task A_transaction_and_an_account_tell_what_became_of_them()
    {
        await ServeAsync();
        var late = _world.Transfer(0, 0, wei: 2);
        await _world.SendAsync(_world.Transfer(0, 0));
        await _world.DrainAsync();
        await _world.SendAsync(late);
        await _world.DrainAsync();
        var block = _world.Chain.Chain.GetBlock(1)!;
        var included = await GetAsync(HttpStatusCode.OK, $"/api/v1/transactions/{block.Block.Transactions[0].Hash}");
        Assert.Equal("included", included.GetProperty("status").GetString());
        Assert.True(included.GetProperty("succeeded").GetBoolean());
        Assert.Equal(RoleWorld.Receiver, Address.Parse(included.GetProperty("to").GetString()!));
        var dropped = await GetAsync(
            HttpStatusCode.OK, $"/api/v1/transactions/{Assert.Single(_world.Chain.Dropped).Key}");
        Assert.Equal("NonceTooLow", dropped.GetProperty("reason").GetString());
        var account = await GetAsync(HttpStatusCode.OK, $"/api/v1/accounts/{RoleWorld.Receiver}");
        Assert.Equal(("1", 0, false), (
            account.GetProperty("balance").GetString(), account.GetProperty("nonce").GetInt32(),
            account.GetProperty("code").GetBoolean()));
    }

    [Theory]
    [InlineData(400, "blocks/x")]
    [InlineData(400, "blocks/-1")]
    [InlineData(400, "blocks/18446744073709551616")]
    [InlineData(404, "blocks/18446744073709551615")]
    [InlineData(404, "blocks/0x7777777777777777777777777777777777777777777777777777777777777777")]
    [InlineData(400, "transactions/0x12")]
    [InlineData(400, "transactions/7777777777777777777777777777777777777777777777777777777777777777")]
    [InlineData(400, "accounts/0xzz")]
    [InlineData(404, "")]
    [InlineData(404, "blocks")]
    [InlineData(404, "blocks/1/2")]
    [InlineData(404, "proofs/none")]
    public async Task What_is_not_there_or_has_no_sense_is_answered_with_the_reason(int code, string path)
    {
        await ServeAsync();
        var answer = await GetAsync((HttpStatusCode)code, $"/api/v1/{path}");
        Assert.NotEmpty(answer.GetProperty("error").GetString()!);
    }

    [Fact]
    public async Task A_route_takes_get_alone_an_unknown_transaction_is_told_and_browsers_may_ask()
    {
        await ServeAsync();
        var unknown = await GetAsync(HttpStatusCode.NotFound, $"/api/v1/transactions/{Nobody}");
        Assert.Equal("unknown", unknown.GetProperty("status").GetString());
        await GetAsync(HttpStatusCode.MethodNotAllowed, "/api/v1/head", HttpMethod.Delete);
        await GetAsync(HttpStatusCode.BadRequest, $"/api/v1/blocks/{new string('1', 500)}");
        using var request = new HttpRequestMessage(HttpMethod.Options, "/api/v1/head");
        request.Headers.Add("Origin", "https://dapp.example.org");
        using var answer = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Contains("*", answer.Headers.GetValues("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Any_path_is_answered_with_json_and_none_fails()
    {
        await ServeAsync();
        var random = new Random(9);
        string[] words = ["blocks", "transactions", "accounts", "proofs", "head", "0x", "-1", "%00", "%2f", ".."];
        for (var i = 0; i < 300; i++)
        {
            var path = string.Join('/', Enumerable.Range(0, random.Next(5)).Select(_ =>
                random.Next(3) == 0
                    ? Convert.ToHexString(BitConverter.GetBytes(random.NextInt64()))
                    : words[random.Next(words.Length)]));
            using var answer = await _client.GetAsync(new Uri(_client.BaseAddress!, $"/api/v1/{path}"));
            Assert.True((int)answer.StatusCode < 500, $"{path}: {answer.StatusCode}");
        }
    }

    [Theory]
    [InlineData("/api/v1/head", "GET")]
    [InlineData("/api/v1/proofs", "POST")]
    [InlineData("/api/v1/proofs/job", "DELETE")]
    public async Task Where_json_rpc_is_not_open_no_other_route_is(string path, string method)
    {
        await ServeAsync(new SecurityOptions { OpenRpc = false, RpcKeys = AccessKeys.Parse(Key) });
        await GetAsync(HttpStatusCode.Unauthorized, path, new(method));
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        using var request = new HttpRequestMessage(new(method), path);
        using var answer = await _client.SendAsync(request);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Every_route_counts_against_the_rate_of_its_address()
    {
        await ServeAsync(new SecurityOptions { PerAddress = new BucketRate(1, 2) });
        await GetAsync(HttpStatusCode.OK, "/api/v1/head");
        await GetAsync(HttpStatusCode.NotFound, "/api/v1/proofs/job");
        using var answer = await _client.GetAsync("/api/v1/head");
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task Where_no_prover_is_deployed_a_job_is_not_available()
    {
        await ServeAsync(hasProver: false);
        var answer = await GetAsync(HttpStatusCode.ServiceUnavailable, "/api/v1/proofs", HttpMethod.Post);
        Assert.Equal("not-available", answer.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_transactions_hash_leads_through_the_logs_to_its_batch_and_block()
    {
        await ServeAsync();
        var raw = Hex.Encode(_world.Transfer(0, 0));
        using var content = new StringContent(
            $$"""{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["{{raw}}"]}""");
        using var answer = await _client.PostAsync("/", content);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var hash = json.RootElement.GetProperty("result").GetString()!;
        await _world.DrainAsync();
        Assert.Contains(_log, line => line.StartsWith("supervm.submitted 1 tx", StringComparison.Ordinal)
            && line.Contains(hash, StringComparison.Ordinal));
        var ordered = Assert.Single(_world.Log, line => line.StartsWith("batch 1 ", StringComparison.Ordinal));
        Assert.Contains(hash, ordered);
        var digest = ordered.Split(' ')[2];
        Assert.Contains(_world.Log, line => line.StartsWith("supervm.head.moved block 1 ", StringComparison.Ordinal)
            && line.Contains(digest, StringComparison.Ordinal));
    }

    private async Task ServeAsync(SecurityOptions? security = null, bool hasProver = true)
    {
        var ingest = _ingest = new IngestService(
            _world.Ports with { HasProver = hasProver, Log = _log.Add }, _world.Chain,
            new NodeOptions { IsInstantlyFinal = true, Security = security ?? new() }, new ServerOptions());
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        application.Run(ingest.ServeAsync);
        await application.StartAsync();
        _servers.Add(application);
        _client.BaseAddress = new(application.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.First());
    }

    private async Task<JsonElement> GetAsync(HttpStatusCode expected, string path, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        using var answer = await _client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(expected, answer.StatusCode);
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }
}
