using System.Globalization;
using System.Numerics;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Ledger;

public sealed class FeeTests
{
    [Theory]
    [InlineData(1, 0, 1, 1)]
    [InlineData(38493, 0, 1000, 38493)]
    [InlineData(0, 1234, 2345, 0)]
    [InlineData(1, 2, 1, 6)]
    [InlineData(1, 4, 2, 6)]
    [InlineData(1, 3, 1, 16)]
    [InlineData(1, 6, 2, 18)]
    [InlineData(10, 8, 2, 542)]
    [InlineData(11, 8, 2, 596)]
    [InlineData(1, 5, 1, 136)]
    [InlineData(2, 5, 2, 23)]
    [InlineData(1, 50_000_000, 2_225_652, 5_709_098_764)]
    public void The_exponential_of_eip_4844_has_its_values(
        ulong factor, ulong numerator, ulong denominator, ulong value)
    {
        Assert.Equal(value, BlobFee.FakeExponential(factor, numerator, denominator));
    }

    [Fact]
    public void An_excess_beyond_all_fees_saturates() =>
        Assert.Equal(UInt256.MaxValue, BlobFee.FakeExponential(1, ulong.MaxValue, 1));

    [Fact]
    public void The_exponential_equals_its_series_in_big_integers() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            var denominator = (ulong)random.Next(1, 20_000_000);
            var numerator = (ulong)random.NextInt64((long)denominator * 60);
            BigInteger sum = 0;
            BigInteger term = denominator;
            for (var i = 1; !term.IsZero; i++)
            {
                sum += term;
                term = term * numerator / ((BigInteger)denominator * i);
            }

            Assert.Equal((UInt256)(sum / denominator), BlobFee.FakeExponential(1, numerator, denominator));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(20_000_000, 10_000_000, 1_000_000_000)]
    [InlineData(20_000_000, 9_000_000, 987_500_000)]
    [InlineData(20_000_000, 11_000_000, 1_012_500_000)]
    [InlineData(20_000_000, 20_000_000, 1_125_000_000)]
    [InlineData(20_000_000, 0, 875_000_000)]
    public void The_base_fee_follows_the_use_of_gas(ulong limit, ulong used, ulong fee)
    {
        var parent = new BlockHeader { GasLimit = limit, GasUsed = used, BaseFeePerGas = 1_000_000_000 };
        Assert.Equal(fee, BaseFee.After(parent));
    }

    [Fact]
    public void The_base_fee_rises_by_one_wei_at_least() => Assert.Equal(
        (UInt256)8u, BaseFee.After(new BlockHeader { GasLimit = 1_000, GasUsed = 501, BaseFeePerGas = 7 }));

    [Fact]
    public void The_excess_of_osaka_is_bounded_by_the_cost_of_execution()
    {
        // Execution at 1 gwei makes a blob worth more than the minimum blob fee: the excess falls to no less than a
        // third.
        var parent = new BlockHeader
        {
            BaseFeePerGas = 1_000_000_000, ExcessBlobGas = 0, BlobGasUsed = 9 * BlobSchedule.GasPerBlob,
        };
        Assert.Equal(3 * BlobSchedule.GasPerBlob, BlobFee.ExcessAfter(parent, ForkRules.Of(Fork.Osaka)));
        Assert.Equal(3 * BlobSchedule.GasPerBlob, BlobFee.ExcessAfter(parent, ForkRules.Of(Fork.Prague)));
        var full = parent with
        {
            ExcessBlobGas = 6 * BlobSchedule.GasPerBlob, BlobGasUsed = 6 * BlobSchedule.GasPerBlob,
        };
        Assert.Equal(8 * BlobSchedule.GasPerBlob, BlobFee.ExcessAfter(full, ForkRules.Of(Fork.Osaka)));
        Assert.Equal(6 * BlobSchedule.GasPerBlob, BlobFee.ExcessAfter(full, ForkRules.Of(Fork.Prague)));
        Assert.Null(BlobFee.ExcessAfter(full, ForkRules.Of(Fork.Shanghai)));
    }

    [FixtureFact("small")]
    public void The_difficulty_of_every_fork_equals_the_published_tests()
    {
        var root = Directory
            .EnumerateDirectories(Fixtures.Folder("small"), "DifficultyTests", SearchOption.AllDirectories).Single();
        var checks = 0;
        foreach (var file in Directory.EnumerateFiles(root, "*.json", SearchOption.AllDirectories))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var suite in document.RootElement.EnumerateObject())
            {
                foreach (var fork in suite.Value.EnumerateObject().Where(member => member.Name[0] != '_'))
                {
                    var name = fork.Name == "EIP2384" ? nameof(Fork.MuirGlacier) : fork.Name;
                    var rules = ForkRules.Of(Enum.Parse<Fork>(name));
                    foreach (var test in fork.Value.EnumerateObject())
                    {
                        AssertDifficulty(test, rules);
                        checks++;
                    }
                }
            }
        }

        Assert.True(checks > 1_000);
    }

    private static void AssertDifficulty(JsonProperty test, ForkRules rules)
    {
        var hasUncles = Number(test.Value, "parentUncles") is { IsZero: false };
        var parent = new BlockHeader
        {
            Number = Number(test.Value, "currentBlockNumber").U0 - 1,
            Timestamp = Number(test.Value, "parentTimestamp").U0,
            Difficulty = Number(test.Value, "parentDifficulty"),
            UnclesHash = hasUncles ? Hash256.Zero : BlockCodec.EmptyUnclesHash,
        };
        var actual = Difficulty.After(parent, Number(test.Value, "currentTimestamp").U0, rules);
        Assert.True(actual == Number(test.Value, "currentDifficulty"), test.Name);
    }

    private static UInt256 Number(JsonElement test, string name)
    {
        var text = test.GetProperty(name).GetString() ?? string.Empty;
        return UInt256.TryParse(text, out var value)
            ? value
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{name} is {text}"));
    }
}
