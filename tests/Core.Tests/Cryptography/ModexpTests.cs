using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class ModexpTests
{
    [FixtureTheory("precompiles")]
    [InlineData("modexp")]
    [InlineData("modexp_eip2565")]
    [InlineData("modexp_eip7883")]
    public void The_public_vectors_hold(string file)
    {
        foreach (var vector in PrecompileVectors.Read(file))
        {
            // EIP-198: three lengths of 32 bytes, then base, exponent and modulus; what is missing is zero.
            var padded = new byte[Math.Max(vector.Input.Length, 96) + 4096];
            vector.Input.CopyTo(padded, 0);
            var lengths = Enumerable.Range(0, 3)
                .Select(i => (int)Integer(padded[(32 * i)..(32 * (i + 1))])).ToArray();
            var output = new byte[lengths[2]];
            Assert.True(Modexp.Compute(
                padded.AsSpan(96, lengths[0]), padded.AsSpan(96 + lengths[0], lengths[1]),
                padded.AsSpan(96 + lengths[0] + lengths[1], lengths[2]), output));
            Assert.True(vector.Expected.AsSpan().SequenceEqual(output), vector.Name);
        }
    }

    [Fact]
    public void Any_numbers_give_the_modular_power() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            AssertPower(Number(random, 80), Number(random, random.Next(3) == 0 ? 80 : 6), Number(random, 80));
        }));

    [Fact]
    public void Moduli_of_four_limbs_give_the_modular_power() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(1000),
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var modulus = new byte[32];
            random.NextBytes(modulus);
            modulus[0] |= random.Next(2) == 0 ? (byte)0xFF : (byte)1;
            modulus[31] |= 1;
            if (random.Next(4) == 0)
            {
                modulus.AsSpan(0, 31).Fill(0xFF);
            }

            AssertPower(Number(random, 100), Number(random, 33), modulus);
        }));

    [Fact]
    public void Remainders_equal_plain_integers_ones() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(5000),
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var divisor = EdgeLimbs(random, random.Next(1, 6));
            divisor[^1] |= 1UL << random.Next(64);
            var value = EdgeLimbs(random, divisor.Length + random.Next(1, 7));
            value[^1] = 0;
            var expected = Integer(value) % Integer(divisor);
            var remainder = new ulong[divisor.Length];
            new LimbDivisor(divisor, new ulong[divisor.Length]).Remainder(value, remainder);
            return Integer(remainder) == expected;
        }));

    [Theory]
    [InlineData(1024, 1)]
    [InlineData(1024, 16)]
    [InlineData(1025, 3)]
    [InlineData(2500, 2)]
    public void Long_numbers_give_the_modular_power(int size, int exponentSize)
    {
        var random = new Random(size);
        for (var kind = 0; kind < 4; kind++)
        {
            var (b, e, m) = (new byte[size + 7], new byte[exponentSize], new byte[size]);
            random.NextBytes(b);
            random.NextBytes(e);
            random.NextBytes(m);
            m[0] |= 1;
            switch (kind)
            {
                case 0:
                    m[^1] |= 1;
                    break;
                case 1:
                    m.AsSpan(size / 2).Clear();
                    break;
                case 2:
                    m.AsSpan(1).Clear();
                    b[^1] |= 1;
                    break;
                default:
                    m[^1] &= 0xFE;
                    break;
            }

            AssertPower(b, e, m);
        }
    }

    [Fact]
    public void A_long_exponent_of_a_power_of_two_is_cut_off_rightly()
    {
        var random = new Random(6);
        for (var bits = 1; bits < 200; bits++)
        {
            var (b, e) = (new byte[random.Next(1, 30)], new byte[random.Next(1, 60)]);
            random.NextBytes(b);
            random.NextBytes(e);
            AssertPower(b, e, (BigInteger.One << bits).ToByteArray(isUnsigned: true, isBigEndian: true));
            b[^1] &= 0xFE;
            AssertPower(b, [(byte)random.Next(256)], (BigInteger.One << bits).ToByteArray(true, true));
        }
    }

    [Theory]
    [InlineData("", "", "", "")]
    [InlineData("05", "03", "0000", "0000")]
    [InlineData("", "", "02", "01")]
    [InlineData("00", "0000", "000005", "000001")]
    [InlineData("", "", "01", "00")]
    [InlineData("05", "", "01", "00")]
    [InlineData("00", "01", "07", "00")]
    [InlineData("03", "02", "05", "04")]
    [InlineData("03", "02", "0000000000000000000000000000000000000000000000000000000000000000000008",
        "0000000000000000000000000000000000000000000000000000000000000000000001")]
    public void Corner_cases_follow_the_proposal(string b, string e, string m, string expected)
    {
        var output = new byte[m.Length / 2];
        output.AsSpan().Fill(0xEE);
        Assert.True(Modexp.Compute(
            Convert.FromHexString(b), Convert.FromHexString(e), Convert.FromHexString(m), output));
        Assert.Equal(expected, Convert.ToHexStringLower(output));
    }

    [Fact]
    public void An_output_of_another_length_is_refused()
    {
        Assert.False(Modexp.Compute([2], [2], [0, 5], new byte[1]));
        Assert.False(Modexp.Compute([2], [2], [5], new byte[2]));
    }

    private static void AssertPower(byte[] b, byte[] e, byte[] m)
    {
        var output = new byte[m.Length];
        output.AsSpan().Fill(0xEE);
        Assert.True(Modexp.Compute(b, e, m, output));
        var modulus = Integer(m);
        var expected = modulus.IsZero ? 0 : BigInteger.ModPow(Integer(b), Integer(e), modulus);
        Assert.True(
            expected == Integer(output),
            $"{Convert.ToHexString(b)}^{Convert.ToHexString(e)} mod {Convert.ToHexString(m)}");
    }

    /// <summary>Limbs that are often all zeros, all ones or one bit: estimates of digits are then bad.</summary>
    private static ulong[] EdgeLimbs(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ =>
        random.Next(5) switch
        {
            0 => 0UL,
            1 => ulong.MaxValue,
            2 => 1UL << 63,
            _ => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
        })];

    private static BigInteger Integer(ulong[] limbs) =>
        limbs.Reverse().Aggregate(BigInteger.Zero, (sum, limb) => (sum << 64) + limb);

    private static BigInteger Integer(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    /// <summary>Bytes of a random length, with runs of zeros and ones, which carries are sensitive to.</summary>
    private static byte[] Number(Random random, int maxLength)
    {
        var bytes = new byte[random.Next(maxLength + 1)];
        random.NextBytes(bytes);
        for (var runs = random.Next(3); runs > 0 && bytes.Length > 0; runs--)
        {
            var start = random.Next(bytes.Length);
            bytes.AsSpan(start, random.Next(bytes.Length - start + 1)).Fill(random.Next(2) == 0 ? (byte)0 : (byte)0xFF);
        }

        return bytes;
    }
}
