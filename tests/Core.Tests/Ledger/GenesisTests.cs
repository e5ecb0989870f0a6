using System.Text.Json.Nodes;
using Utf8 = System.Text.UTF8Encoding;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Tests.Ledger;

public sealed class GenesisTests
{
    private const string Good = """
        {
          "config": {
            "chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "istanbulBlock": 0, "berlinBlock": 0, "londonBlock": 5,
            "terminalTotalDifficulty": 0, "shanghaiTime": 10, "cancunTime": 20, "pragueTime": 30, "osakaTime": 40,
            "bpo1Time": 50, "blobSchedule": { "bpo1": { "target": 8, "max": 12, "baseFeeUpdateFraction": 123 } }
          },
          "gasLimit": "0x1c9c380", "difficulty": "1", "timestamp": 3, "extraData": "0xabcd",
          "alloc": {
            "0x00000000000000000000000000000000000000aa": {
              "balance": "1000000000000000000", "nonce": "0x5", "code": "0x6000",
              "storage": { "0x1": "0x02", "0x02": "0x0" }
            },
            "00000000000000000000000000000000000000bb": { "balance": "0xff" }
          }
        }
        """;

    [Fact]
    public void A_file_gives_its_forks_fields_and_accounts()
    {
        var genesis = Read(Good).OrThrow();
        Assert.Equal(7ul, genesis.Spec.ChainId);
        Assert.Equal(30_000_000ul, genesis.GasLimit);
        var account = genesis.Alloc[Address.FromNumber(0xAA)];
        Assert.Equal(UInt256.Parse("1000000000000000000"), account.Balance);
        Assert.Equal(5ul, account.Nonce);
        Assert.Equal([new(1, 2)], account.Storage);
        Assert.Equal(Fork.Paris, genesis.Spec.RulesAt(0, 0).Fork);
        Assert.Equal(Fork.Shanghai, genesis.Spec.RulesAt(1, 10).Fork);
        Assert.Equal(Fork.Osaka, genesis.Spec.RulesAt(1, 49).Fork);
        Assert.Equal(new BlobSchedule(8, 12, 123), genesis.Spec.RulesAt(1, 50).Blobs);
        Assert.Equal(new BlobSchedule(6, 9, 5_007_716), genesis.Spec.RulesAt(1, 49).Blobs);
    }

    [Theory]
    [InlineData("config.chainId", null, "config.chainId is missing")]
    [InlineData("config.berlinBlock", null, "config.londonBlock is set, but config.berlinBlock before it is not")]
    [InlineData("config.berlinBlock", "9", "config.londonBlock (5) comes before config.berlinBlock (9)")]
    [InlineData("config.pragueTime", "15", "config.pragueTime (15) comes before config.cancunTime (20)")]
    [InlineData("config.terminalTotalDifficulty", null, "config.terminalTotalDifficulty is missing")]
    [InlineData("config.eip155Block", "1", "eip155Block and config.eip158Block differ")]
    [InlineData("config.amsterdamTime", "60", "config.amsterdamTime")]
    [InlineData("config.bpo2Time", "60", "config.blobSchedule.bpo2 is missing")]
    [InlineData("config.blobSchedule.bpo1.max", null, "config.blobSchedule.bpo1.max is missing")]
    [InlineData("gasLimit", null, "gasLimit is missing")]
    [InlineData("gasLimit", "\"-1\"", "gasLimit is no unsigned number")]
    [InlineData("gasLimit", "\"0x10000000000000000\"", "gasLimit has more than 64 bits")]
    [InlineData("extraData", "\"0xabc\"", "extraData is no string of pairs of hex digits")]
    [InlineData("coinbase", "\"0x01\"", "coinbase does not have 20 bytes")]
    [InlineData("alloc", "{\"0x01\":{}}", "is no address of 20 bytes")]
    [InlineData("alloc", "7", "alloc is no JSON object")]
    [InlineData("number", "1", "number: a genesis block has number 0")]
    public void A_bad_file_is_refused_with_the_name_of_the_field(string path, string? value, string complaint)
    {
        var root = JsonNode.Parse(Good)!.AsObject();
        var parts = path.Split('.');
        var at = parts[..^1].Aggregate(root, (node, part) => node[part]!.AsObject());
        at[parts[^1]] = value is null ? null : JsonNode.Parse(value);
        var read = Read(root.ToJsonString());
        Assert.Contains(complaint, read.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_damage_to_a_file_makes_more_than_a_complaint() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            var bytes = new Utf8().GetBytes(Good);
            for (var i = 0; i < 20; i++)
            {
                var damaged = bytes.ToArray();
                for (var hit = random.Next(1, 6); hit > 0; hit--)
                {
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(random.Next(2) == 0 ? 256 : 127);
                }

                var length = random.Next(8) == 0 ? random.Next(damaged.Length) : damaged.Length;
                var read = GenesisReader.Read(damaged.AsMemory(0, length));
                Assert.True(read.Succeeded || read.Error.Length > 0);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Main_net_changes_its_rules_at_its_blocks_and_times()
    {
        var spec = ChainSpec.Mainnet;
        Assert.Equal(Fork.Frontier, spec.RulesAt(1_149_999, 0).Fork);
        Assert.Equal(Fork.Homestead, spec.RulesAt(1_150_000, 0).Fork);
        Assert.Equal(Fork.Petersburg, spec.RulesAt(7_280_000, 0).Fork);
        Assert.Equal(Fork.GrayGlacier, spec.RulesAt(15_537_393, 1_663_224_162).Fork);
        Assert.Equal(Fork.Paris, spec.RulesAt(15_537_394, 1_663_224_179).Fork);
        Assert.Equal(Fork.Shanghai, spec.RulesAt(17_034_870, 1_681_338_455).Fork);
        Assert.Equal(Fork.Cancun, spec.RulesAt(19_426_587, 1_710_338_135).Fork);
        Assert.Equal(Fork.Prague, spec.RulesAt(22_431_084, 1_746_612_311).Fork);
        Assert.Equal(Fork.Bpo2, spec.RulesAt(25_000_000, 1_800_000_000).Fork);
    }

    [FixtureFact("small")]
    public void The_genesis_blocks_of_public_networks_have_their_hashes()
    {
        var root = Directory.EnumerateDirectories(Fixtures.Folder("small"), "genesis", SearchOption.AllDirectories)
            .Single(folder => File.Exists(Path.Combine(folder, "mainnet.json")));
        Assert.Equal(
            "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
            HashOf(Path.Combine(root, "mainnet.json")));
        Assert.Equal(
            "0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b",
            HashOf(Path.Combine(root, "hoodi.json")));
        foreach (var name in (string[])["goerli.json", "holesky.json", "sepolia.json"])
        {
            var path = Path.Combine(root, name);
            var stated = JsonNode.Parse(File.ReadAllText(path))!["stateRoot"]!.GetValue<string>();
            Assert.Equal(stated, StateRootOf(Open(path)).ToString());
        }
    }

    private static string HashOf(string path)
    {
        var genesis = Open(path);
        return HeaderCodec.Hash(genesis.HeaderOver(StateRootOf(genesis))).ToString();
    }

    private static Genesis Open(string path) =>
        GenesisReader.Read(File.ReadAllBytes(path), ChainSpec.Mainnet).OrThrow();

    private static Hash256 StateRootOf(Genesis genesis) => new MemoryState(genesis.Alloc.Select(pair =>
        new AllocatedAccount(
            pair.Key, pair.Value.Nonce, pair.Value.Balance,
            pair.Value.Code.Length == 0 ? null : new Code(pair.Value.Code), pair.Value.Storage))).Root;

    private static Core.Encoding.Decoded<Genesis> Read(string text) =>
        GenesisReader.Read(new Utf8().GetBytes(text));
}
