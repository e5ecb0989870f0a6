using System.Numerics;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Primitives;

public sealed class UInt256Tests
{
    private static readonly BigInteger Modulus = BigInteger.One << 256;

    private static readonly UInt256[] Edges =
    [
        UInt256.Zero, 1, 2, 3, 10, 255, ulong.MaxValue, new(0, 1), new(1, 1), new(ulong.MaxValue, ulong.MaxValue),
        new(0, 0, 1), new(0, 0, 0, 1), new(0, 0, 0, 1UL << 63), new(1, 0, 0, 1UL << 63), UInt256.MaxValue,
        UInt256.MaxValue - 1, new(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, long.MaxValue),
        new(0, ulong.MaxValue, 0, ulong.MaxValue), new(0, 0, ulong.MaxValue), new(ulong.MaxValue - 58, 0, 0, 1),
    ];

    [Fact]
    public void Every_operation_equals_big_integers_at_the_edges()
    {
        foreach (var a in Edges)
        {
            foreach (var b in Edges)
            {
                AssertOperations(a, b);
                foreach (var m in Edges)
                {
                    AssertModular(a, b, m);
                }
            }
        }
    }

    [Fact]
    public void Every_operation_equals_big_integers() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 100; i++)
            {
                var (a, b, m) = (Draw(random), Draw(random), Draw(random));
                AssertOperations(a, b);
                AssertModular(a, b, m);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void Divisors_close_to_the_dividends_top_are_divided_right() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            // Quotient digits that are estimated too high, and the corrections after them, are rare in random numbers.
            var random = new Random(seed);
            for (var i = 0; i < 100; i++)
            {
                var divisor = Draw(random) >> random.Next(256);
                var quotient = Draw(random) >> random.Next(256);
                var near = ((BigInteger)divisor * (BigInteger)quotient) + random.Next(-1, 2);
                var a = (UInt256)BigInteger.Abs(near);
                AssertOperations(a, divisor);
                AssertModular(divisor, quotient, a);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Dividends_whose_top_equals_the_divisors_are_divided_right() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            // Equal upper halves make the largest digit; a product of such numbers goes through five of them.
            var random = new Random(seed);
            for (var i = 0; i < 100; i++)
            {
                var m = Draw(random) | new UInt256(0, 0, 0, 1UL << random.Next(64));
                var a = m - (Draw(random) >> 128) - 1;
                var b = m - (Draw(random) >> 192) - 1;
                AssertModular(a, b, m);
                AssertOperations(m - 1, (m >> 64) + (uint)random.Next(2));
                AssertOperations((m << 64) - 1, m >> 64);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Shifts_equal_big_integers_for_every_count()
    {
        foreach (var a in Edges)
        {
            var number = (BigInteger)a;
            for (var count = 0; count <= 300; count++)
            {
                Assert.Equal((UInt256)(number << count), a << count);
                Assert.Equal((UInt256)(number >> count), a >> count);
                Assert.Equal((UInt256)(Signed(a) >> count), UInt256.ArithmeticShiftRight(a, count));
            }
        }
    }

    [Fact]
    public void Numbers_survive_text_and_bytes() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<int>().ToArbitrary(),
        seed =>
        {
            var value = Draw(new Random(seed));
            Assert.Equal(value, UInt256.Parse(value.ToString()));
            Assert.Equal(value, UInt256.Parse(value.ToQuantity()));
            Assert.Equal(value, UInt256.FromBigEndian(value.ToBigEndian()));
            Assert.Equal(value, UInt256.Parse("0x000" + Convert.ToHexString(value.ToBigEndian())));
            Assert.Equal(value, (UInt256)(BigInteger)value);
            Assert.Equal(value, UInt256.FromBigEndian(value.ToBigEndian().AsSpan(32 - value.ByteLength)));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("-1")]
    [InlineData("1.0")]
    [InlineData("0xg")]
    [InlineData("115792089237316195423570985008687907853269984665640564039457584007913129639936")]
    [InlineData("0x10000000000000000000000000000000000000000000000000000000000000000")]
    public void Text_that_is_no_word_is_refused(string text) => Assert.False(UInt256.TryParse(text, out _));

    [FixtureFact("precompiles")]
    public void Operations_answer_as_go_ethereums()
    {
        var folder = Directory.EnumerateDirectories(
            Fixtures.Folder("precompiles"), "geth", SearchOption.AllDirectories);
        var files = folder.SelectMany(path => Directory.EnumerateFiles(path, "testcases_*.json")).ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var operation = Operation(Path.GetFileNameWithoutExtension(file)["testcases_".Length..]);
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var item in document.RootElement.EnumerateArray())
            {
                // go-ethereum pushes X, then Y: Y is on top of the stack.
                var x = Word(item, "X");
                var y = Word(item, "Y");
                Assert.True(Word(item, "Expected") == operation(y, x), $"{file}: {y.ToQuantity()}, {x.ToQuantity()}");
            }
        }
    }

    private static Func<UInt256, UInt256, UInt256> Operation(string name) => name switch
    {
        "add" => (a, b) => a + b,
        "sub" => (a, b) => a - b,
        "mul" => (a, b) => a * b,
        "div" => (a, b) => a / b,
        "mod" => (a, b) => a % b,
        "sdiv" => (a, b) => UInt256.SignedDivide(a, b),
        "smod" => (a, b) => UInt256.SignedModulo(a, b),
        "exp" => (a, b) => UInt256.Exp(a, b),
        "signext" => (a, b) => UInt256.SignExtend(a, b),
        "lt" => (a, b) => a < b ? 1u : 0u,
        "gt" => (a, b) => a > b ? 1u : 0u,
        "slt" => (a, b) => UInt256.SignedLess(a, b) ? 1u : 0u,
        "sgt" => (a, b) => UInt256.SignedLess(b, a) ? 1u : 0u,
        "eq" => (a, b) => a == b ? 1u : 0u,
        "and" => (a, b) => a & b,
        "or" => (a, b) => a | b,
        "xor" => (a, b) => a ^ b,
        "byte" => (a, b) => UInt256.ByteAt(a, b),
        "shl" => (a, b) => b << Count(a),
        "shr" => (a, b) => b >> Count(a),
        "sar" => (a, b) => UInt256.ArithmeticShiftRight(b, Count(a)),
        _ => throw new InvalidOperationException($"No operation is called {name}."),
    };

    private static int Count(UInt256 value) => (int)Math.Min(value.ToUInt64Saturating(), 256);

    private static UInt256 Word(JsonElement item, string name) =>
        UInt256.FromBigEndian(Hex.Decode(item.GetProperty(name).GetString()));

    private static void AssertOperations(in UInt256 a, in UInt256 b)
    {
        var (x, y) = ((BigInteger)a, (BigInteger)b);
        Assert.Equal(Word(x + y), a + b);
        Assert.Equal(Word(x - y), a - b);
        Assert.Equal(Word(-x), -a);
        Assert.Equal(Word(x * y), a * b);
        Assert.Equal(b.IsZero ? 0 : Word(x / y), a / b);
        Assert.Equal(b.IsZero ? 0 : Word(x % y), a % b);
        Assert.Equal(b.IsZero ? 0 : Word(Signed(a) / Signed(b)), UInt256.SignedDivide(a, b));
        Assert.Equal(b.IsZero ? 0 : Word(BigInteger.Remainder(Signed(a), Signed(b))), UInt256.SignedModulo(a, b));
        Assert.Equal(x + y >= Modulus, UInt256.AddWithCarry(a, b, out _));
        Assert.Equal(x < y, UInt256.SubtractWithBorrow(a, b, out _));
        var high = UInt256.BigMul(a, b, out var low);
        Assert.Equal(x * y, ((BigInteger)high << 256) + (BigInteger)low);
        Assert.Equal(x < y, a < b);
        Assert.Equal(x > y, a > b);
        Assert.Equal(x <= y, a <= b);
        Assert.Equal(x >= y, a >= b);
        Assert.Equal(x == y, a == b);
        Assert.Equal(x.CompareTo(y), a.CompareTo(b));
        Assert.Equal(Signed(a) < Signed(b), UInt256.SignedLess(a, b));
        Assert.Equal(Word(x & y), a & b);
        Assert.Equal(Word(x | y), a | b);
        Assert.Equal(Word(x ^ y), a ^ b);
        Assert.Equal(Modulus - 1 - x, (BigInteger)~a);
        Assert.Equal(x.IsZero ? 256 : 256 - (int)x.GetBitLength(), UInt256.LeadingZeroCount(a));
        for (uint i = 0; i < 34; i++)
        {
            Assert.Equal(i > 31 ? 0 : (uint)((x >> (int)(248 - (8 * i))) & 0xFF), UInt256.ByteAt(i, a));
            Assert.Equal(Extended(x, i), UInt256.SignExtend(i, a));
        }
    }

    private static void AssertModular(in UInt256 a, in UInt256 b, in UInt256 m)
    {
        var (x, y, n) = ((BigInteger)a, (BigInteger)b, (BigInteger)m);
        Assert.Equal(m.IsZero ? 0 : Word((x + y) % n), UInt256.AddMod(a, b, m));
        Assert.Equal(m.IsZero ? 0 : Word(x * y % n), UInt256.MulMod(a, b, m));
        Assert.Equal(Word(BigInteger.ModPow(x, y, Modulus)), UInt256.Exp(a, b));
    }

    private static UInt256 Extended(BigInteger value, uint index)
    {
        if (index >= 31)
        {
            return (UInt256)value;
        }

        var bits = 8 * ((int)index + 1);
        var low = value & ((BigInteger.One << bits) - 1);
        return Word((low >> (bits - 1)).IsOne ? low - (BigInteger.One << bits) : low);
    }

    private static UInt256 Word(BigInteger value) => (UInt256)value;

    private static BigInteger Signed(in UInt256 value) =>
        value.IsNegative ? (BigInteger)value - Modulus : (BigInteger)value;

    /// <summary>Limbs that are often all zeros, all ones or a single bit, and a length that is often short.</summary>
    private static UInt256 Draw(Random random)
    {
        Span<ulong> limbs = stackalloc ulong[4];
        var used = random.Next(5);
        for (var i = 0; i < used; i++)
        {
            limbs[i] = random.Next(6) switch
            {
                0 => 0,
                1 => ulong.MaxValue,
                2 => 1UL << random.Next(64),
                3 => (ulong)random.Next(1000),
                _ => (ulong)random.NextInt64() ^ ((ulong)random.NextInt64() << 33),
            };
        }

        return new UInt256(limbs[0], limbs[1], limbs[2], limbs[3]);
    }
}
