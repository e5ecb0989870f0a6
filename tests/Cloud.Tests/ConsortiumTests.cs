using System.Diagnostics;
using System.Text.Json;
using SuperVm.Azure;
using SuperVm.Azure.Blobs;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Consensus;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Roles;
using SuperVm.Ports.Tests;

namespace SuperVm.Cloud.Tests;

/// <summary>Four validators, each four function apps with an account and a database of its own.</summary>
[Collection(CloudCollection.Name)]
[NeedsCommand("npm", CloudWorld.Reason)]
public sealed class ConsortiumTests : IAsyncLifetime
{
    private const int Validators = 4;
    private const int EpochLength = 2;
    private const int SnapshotBehind = 6;

    /// <summary>Where the taker's apps are killed: every place of a transfer, or one.</summary>
    private static IEnumerable<string> Deaths => Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1"
        ? FailPoint.All.Where(name => name.StartsWith("snapshot", StringComparison.Ordinal)
            || name.StartsWith("install", StringComparison.Ordinal))
        : [FailPoint.InstallKept];

    private readonly string _folder = Path.Combine(
        AppContext.BaseDirectory, "consortium", Guid.NewGuid().ToString("N"));
    private CloudOptions? _options;
    private CloudStack? _stack;

    [PortFact]
    public async Task Four_validators_make_one_final_chain_though_their_orders_are_killed()
    {
        // A fifth deployment follows from the beginning, and is away from then on.
        var late = _stack!.Validators[Validators];
        await late.StopAppAsync(CloudValidator.Consensus);
        var clients = _stack.Validators.Take(Validators).Select(validator => new CloudClient(validator)).ToList();
        var receiver = new Address(Enumerable.Repeat((byte)0xBB, Address.Size).ToArray());
        var sent = new List<string>();
        for (var round = 0; round < Validators; round++)
        {
            var (bytes, hash) = clients[0].NextTransfer(0, receiver);
            await clients[round].SubmitAsync(bytes);
            sent.Add(hash);
            using var victim = Process.GetProcessById(
                _stack.Validators[round].Host(CloudValidator.Consensus).HandlerProcessId!.Value);
            victim.Kill();
            await clients[round].IncludedAsync(sent);
        }

        foreach (var client in clients)
        {
            await client.IncludedAsync(sent);
            Assert.Equal((ulong)Validators, await client.BalanceAsync(receiver));
            await CloudClient.UntilAsync(async () => await NumberAsync(client, "finalized") >= Validators);
        }

        var hashes = new HashSet<string?>();
        foreach (var client in clients)
        {
            var block = await client.CallAsync("eth_getBlockByNumber", "0x1", false);
            hashes.Add(block!.Value.GetProperty("result").GetProperty("hash").GetString());
        }

        Assert.Single(hashes);
        await RequireEpochsAsync(clients[3]);
        await RequireStateTakenAsync(late, clients[0], receiver);
    }

    /// <summary>
    /// Who was away for longer than a state's transfer takes is given one by the others, and goes on from there.
    /// </summary>
    private async Task RequireStateTakenAsync(CloudValidator late, CloudClient client, Address receiver)
    {
        for (var i = 0; i < SnapshotBehind + 4; i++)
        {
            var (bytes, hash) = client.NextTransfer(0, receiver);
            await client.SubmitAsync(bytes);
            await client.IncludedAsync([hash]);
        }

        var taken = new CloudClient(late);
        var before = await NumberAsync(taken, "latest");
        foreach (var point in Deaths)
        {
            await File.WriteAllTextAsync(Path.Combine(_options!.FailPoints!, point), "0");
        }

        await late.StartAppAsync(CloudValidator.Consensus, _options!, CancellationToken.None);
        var head = await NumberAsync(client, "latest");
        await CloudClient.UntilAsync(async () => await NumberAsync(taken, "latest") >= head);
        Assert.Empty(Directory.GetFiles(_options!.FailPoints!)); // its apps were killed at each
        var (last, sent) = client.NextTransfer(0, receiver);
        await client.SubmitAsync(last);
        await client.IncludedAsync([sent]);
        await taken.IncludedAsync([sent]);
        Assert.Equal(await client.BalanceAsync(receiver), await taken.BalanceAsync(receiver));

        // It executed none of the blocks between: their states cannot be read, those from the one taken on can.
        var pruned = await taken.CallAsync("eth_getBalance", receiver.ToString(), $"0x{before + 1:x}");
        Assert.Contains(
            "pruned", pruned!.Value.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        var certificate = await taken.CallAsync("supervm_getCertificate", $"0x{head:x}");
        Assert.Equal(JsonValueKind.Object, certificate!.Value.GetProperty("result").ValueKind);
        foreach (var block in (string[])[$"0x{before + 1:x}", $"0x{head:x}"])
        {
            var (one, other) = (
                await client.CallAsync("eth_getBlockByNumber", block, true),
                await taken.CallAsync("eth_getBlockByNumber", block, true));
            Assert.Equal(
                one!.Value.GetProperty("result").GetRawText(), other!.Value.GetProperty("result").GetRawText());
        }
    }

    /// <summary>Whoever trusts the genesis alone can follow the sets from border to border.</summary>
    private async Task RequireEpochsAsync(CloudClient client)
    {
        var config = new AzureBlobStore(
            _stack!.Validators[0].Settings with { BlobContainer = CloudNames.BlobContainers.Config }, new());
        var genesis = GenesisReader.Read((await config.GetAsync("genesis.json"))!.Value).Value!;
        var verifier = LightVerifier.Of(genesis, null, new Secp256k1Verifier());
        for (ulong epoch = 1; epoch <= Validators / EpochLength; epoch++)
        {
            JsonElement? found = null;
            await CloudClient.UntilAsync(async () =>
                (found = await client.CallAsync("supervm_getValidators", $"0x{epoch:x}")) is { } body
                && body.TryGetProperty("result", out var result) && result.ValueKind == JsonValueKind.Object);
            var answer = found!.Value.GetProperty("result");
            Assert.Equal(Validators, answer.GetProperty("validators").GetArrayLength());
            Assert.Null(verifier.TakeEpoch(Hex.Decode(answer.GetProperty("proof").GetString()!)));
        }

        var certificate = await client.CallAsync("supervm_getCertificate", "0x1");
        Assert.Equal(JsonValueKind.Object, certificate!.Value.GetProperty("result").ValueKind);
    }

    public async Task InitializeAsync()
    {
        if (PortFactDiscoverer.IsInstalled("npm"))
        {
            _options = new CloudOptions
            {
                Root = CloudWorld.Root(),
                Logs = Path.Combine(_folder, "logs"),
                Validators = Validators,
                Watchers = 1,
                EpochLength = EpochLength,
                SnapshotBehind = SnapshotBehind,
                FailPoints = Directory.CreateDirectory(Path.Combine(_folder, "fail")).FullName,
                MostFailures = int.MaxValue,
                Visibility = TimeSpan.FromSeconds(4),
            };
            _stack = await CloudStack.StartAsync(_options, CancellationToken.None);
        }
    }

    public async Task DisposeAsync()
    {
        if (_stack is not null)
        {
            await _stack.DisposeAsync();
        }
    }

    private static async Task<long> NumberAsync(CloudClient client, string tag) =>
        await client.CallAsync("eth_getBlockByNumber", tag, false) is { } body
        && body.TryGetProperty("result", out var block) && block.ValueKind == JsonValueKind.Object
            ? Convert.ToInt64(block.GetProperty("number").GetString(), 16)
            : -1;
}
