using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Encoding.Abi;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Encoding;

public sealed class AbiTests
{
    private static readonly string[] Types =
    [
        "uint256", "uint8", "int64", "int256", "address", "bool", "bytes4", "bytes32", "bytes", "string", "uint16[]",
        "string[]", "bytes[2]", "(uint256,string)", "(bool,(bytes,address)[])[]", "int8[3][]", "()", "uint256[0]",
    ];

    [Theory]
    [InlineData("transfer(address,uint256)", "0xa9059cbb")]
    [InlineData("balanceOf(address)", "0x70a08231")]
    [InlineData("Error(string)", "0x08c379a0")]
    [InlineData("Panic(uint256)", "0x4e487b71")]
    public void Selectors_are_those_of_solidity(string signature, string selector) =>
        Assert.Equal(selector, Hex.Encode(AbiFunction.Parse(signature).Selector));

    [Fact]
    public void Short_names_of_types_are_written_out_in_signatures() =>
        Assert.Equal("f(uint256,int256)", AbiFunction.Parse("f(uint,int)").Signature);

    [Fact]
    public void The_wiki_example_is_encoded_as_published()
    {
        var types = new[] { "uint256", "uint32[]", "bytes10", "bytes" }.Select(AbiType.Parse).ToList();
        object[] values =
        [
            (UInt256)291u, new object[] { (UInt256)1110u, (UInt256)1929u },
            System.Text.Encoding.ASCII.GetBytes("1234567890"), System.Text.Encoding.ASCII.GetBytes("Hello, world!"),
        ];
        Assert.Equal(
            "0x0000000000000000000000000000000000000000000000000000000000000123"
            + "0000000000000000000000000000000000000000000000000000000000000080"
            + "3132333435363738393000000000000000000000000000000000000000000000"
            + "00000000000000000000000000000000000000000000000000000000000000e0"
            + "0000000000000000000000000000000000000000000000000000000000000002"
            + "0000000000000000000000000000000000000000000000000000000000000456"
            + "0000000000000000000000000000000000000000000000000000000000000789"
            + "000000000000000000000000000000000000000000000000000000000000000d"
            + "48656c6c6f2c20776f726c642100000000000000000000000000000000000000",
            Hex.Encode(AbiCodec.Encode(types, values)));
    }

    [Fact]
    public void Values_survive_encoding() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            var types = Enumerable.Range(0, random.Next(5))
                .Select(_ => AbiType.Parse(Types[random.Next(Types.Length)])).ToList();
            var values = types.Select(type => Draw(random, type)).ToList();
            var encoded = AbiCodec.Encode(types, values);
            var decoded = AbiCodec.Decode(types, encoded).OrThrow();
            Assert.Equal(encoded, AbiCodec.Encode(types, decoded));
            Assert.Equal(Show(values), Show(decoded));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Damaged_data_is_refused_and_never_throws() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            var types = Enumerable.Range(0, 3).Select(_ => AbiType.Parse(Types[random.Next(Types.Length)])).ToList();
            var data = AbiCodec.Encode(types, types.Select(type => Draw(random, type)).ToList());
            for (var hits = random.Next(1, 4); hits > 0 && data.Length > 0; hits--)
            {
                data[random.Next(data.Length)] = (byte)random.Next(256);
            }

            var decoded = AbiCodec.Decode(types, data.AsSpan(0, random.Next(data.Length + 1)));
            Assert.True(decoded.Succeeded || decoded.Error.Length > 0);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void A_small_input_cannot_ask_for_many_values()
    {
        // A length of 2^31 - 1 empty tuples: no bytes are missing, but far too many values would be made.
        byte[] data = [.. UInt256.Parse("32").ToBigEndian(), .. UInt256.Parse("0x7fffffff").ToBigEndian()];
        Assert.False(AbiCodec.Decode([AbiType.Parse("()[]")], data).Succeeded);
        Assert.False(AbiCodec.Decode([AbiType.Parse("uint256[]")], data).Succeeded);
    }

    [Theory]
    [InlineData("uint7")]
    [InlineData("uint264")]
    [InlineData("bytes33")]
    [InlineData("bytes0")]
    [InlineData("uint08")]
    [InlineData("(uint256")]
    [InlineData("uint256[")]
    [InlineData("uint256[-1]")]
    [InlineData("uint256[65536][65536]")]
    [InlineData("(uint256,)")]
    [InlineData("address20")]
    [InlineData("")]
    [InlineData("((((((((((((((((((((((((((((((((((((((((uint256))))))))))))))))))))))))))))))))))))))))")]
    public void What_is_no_type_is_refused(string text) => Assert.False(AbiType.TryParse(text, out _));

    [Fact]
    public void Revert_reasons_are_read()
    {
        var error = AbiFunction.Parse("Error(string)");
        Assert.Equal("no money", RevertReason.Of(error.EncodeCall("no money")));
        var panic = AbiFunction.Parse("Panic(uint256)").EncodeCall((UInt256)0x11u);
        Assert.Equal("arithmetic underflow or overflow", RevertReason.Of(panic));
        Assert.Null(RevertReason.Of([1, 2, 3]));
        Assert.Null(RevertReason.Of(error.EncodeCall("x").AsSpan(0, 40)));
    }

    private static object Draw(Random random, AbiType type) => type.Kind switch
    {
        AbiKind.UnsignedInteger => new UInt256((ulong)random.NextInt64(), 5, 6, 7) >> (256 - type.Size),
        AbiKind.SignedInteger => UInt256.ArithmeticShiftRight(
            new UInt256(1, 2, 3, (ulong)random.NextInt64() << random.Next(2)), 256 - type.Size),
        AbiKind.Address => Address.FromNumber((ulong)random.NextInt64()),
        AbiKind.Boolean => random.Next(2) == 0,
        AbiKind.FixedBytes => RandomBytes(random, type.Size),
        AbiKind.Bytes => RandomBytes(random, random.Next(70)),
        AbiKind.Text => new string('ü', random.Next(40)),
        AbiKind.Array => Items(random, type.Parts[0], random.Next(4)),
        AbiKind.FixedArray => Items(random, type.Parts[0], type.Size),
        _ => type.Parts.Select(part => Draw(random, part)).ToArray(),
    };

    private static object[] Items(Random random, AbiType type, int count) =>
        Enumerable.Range(0, count).Select(_ => Draw(random, type)).ToArray();

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Show(object value) => value switch
    {
        byte[] bytes => Hex.Encode(bytes),
        IReadOnlyList<object> items => $"[{string.Join(',', items.Select(Show))}]",
        _ => value.ToString() ?? string.Empty,
    };
}
