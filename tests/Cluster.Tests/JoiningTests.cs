using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Cluster.Tests;

/// <summary>An operator joins a running consortium with the program's verbs, over HTTP, and leaves it.</summary>
public sealed class JoiningTests
{
    private const int EpochLength = 48;

    /// <summary>The place in the mnemonic of an account with money that no client of the cluster uses.</summary>
    private const int Owner = 9;

    [Fact]
    public async Task A_fifth_validator_registers_while_four_are_under_load_and_signs_blocks_after_the_border()
    {
        using var cluster = await ValidatorCluster.StartAsync(4, epochLength: EpochLength);
        await cluster.AcknowledgeAsync(20);
        var newcomer = await cluster.JoinAsync();
        var (key, owner) = (cluster.PathOf("validator4.json"), cluster.PathOf("owner.key"));
        var seed = Mnemonic.SeedOf(Mnemonic.Development);
        await File.WriteAllTextAsync(
            owner, Hex.Encode(Mnemonic.PrivateKeyAt(seed, $"{Mnemonic.EthereumPath}{Owner}")));
        var rpc = cluster.Validators[1].Url.ToString();
        using var config = JsonDocument.Parse(await File.ReadAllTextAsync(key));
        Assert.True(Hex.TryDecode(config.RootElement.GetProperty("key").GetString()!, out var privateKey));
        var address = Secp256k1.AddressOf(privateKey).ToString();

        var registered = await SayAsync(
            0, "register", "--rpc", rpc, "--key", key, "--owner", owner, "--stake", "2");
        Assert.Contains($"registered {address}", registered, StringComparison.OrdinalIgnoreCase);

        // From the border on it is in the set of all five, with its power, and its signature stands under blocks.
        await cluster.UntilAsync("the newcomer's epoch", async () => await IndexAsync(newcomer, address) >= 0
            && await IndexAsync(cluster.Validators[1], address) >= 0);
        await cluster.UntilAsync("the newcomer's signature", async () =>
            await HasSignedAsync(newcomer, await IndexAsync(newcomer, address)));
        await cluster.FinalizeAsync(4, blocks: 10);
        await SayAsync(0, "stake", "--rpc", rpc, "--key", key, "--owner", owner, "--amount", "1.5");
        await cluster.ExpectOneHistoryAsync();

        // What the registry refuses is said in words, and nothing is sent.
        var status = await SayAsync(0, "status", "--rpc", rpc, "--key", key);
        Assert.Matches("active, votes with (33.3|46.7) %, stake 3.5 ether", status);
        Assert.Contains("too low", await SayAsync(
            1, "register", "--rpc", rpc, "--key", owner, "--stake", "0.5", "--endpoint", "http://nobody.invalid"));
        Assert.Contains("in use already", await SayAsync(
            1, "register", "--rpc", rpc, "--key", key, "--owner", owner, "--stake", "2"));
        Assert.Contains("resign first", await SayAsync(
            1, "withdraw", "--rpc", rpc, "--key", key, "--owner", owner));
        Assert.Contains("not the validator's owner", await SayAsync(
            1, "leave", "--rpc", rpc, "--key", key, "--owner", cluster.PathOf("validator0.json")));
        Assert.Contains("resigned", await SayAsync(0, "leave", "--rpc", rpc, "--key", key, "--owner", owner));
        Assert.Contains("bound until", await SayAsync(
            1, "withdraw", "--rpc", rpc, "--key", key, "--owner", owner));
        Assert.Contains("may withdraw from", await SayAsync(0, "status", "--rpc", rpc));
    }

    private static async Task<string> SayAsync(int code, params string[] arguments)
    {
        var (ended, said) = await ValidatorCluster.RunAsync(["validator", .. arguments]);
        Assert.True(ended == code, said);
        return said;
    }

    /// <summary>The validator's index in the epoch that a node is in; -1 where it is not in the set.</summary>
    private static async Task<int> IndexAsync(ValidatorProcess node, string address)
    {
        var epoch = await node.CallAsync("supervm_getValidators");
        return epoch?.GetProperty("validators").EnumerateArray().ToList().FindIndex(one =>
            string.Equals(one.GetProperty("address").GetString(), address, StringComparison.OrdinalIgnoreCase)) ?? -1;
    }

    private static async Task<bool> HasSignedAsync(ValidatorProcess node, int index)
    {
        var newest = await node.NumberAsync("finalized") ?? 0;
        var epoch = await node.CallAsync("supervm_getValidators");
        var first = epoch is { } running ? Convert.ToUInt64(running.GetProperty("firstBlock").GetString(), 16) : 0;
        for (var number = first; number <= newest && index >= 0; number++)
        {
            var proof = await node.CallAsync("supervm_getCertificate", $"0x{number:x}");
            if (proof is { ValueKind: JsonValueKind.Object } known
                && known.TryGetProperty("signatures", out var signatures)
                && signatures.EnumerateArray().Any(one => one.GetProperty("validator").GetString() == $"0x{index:x}"))
            {
                return true;
            }
        }

        return false;
    }
}
