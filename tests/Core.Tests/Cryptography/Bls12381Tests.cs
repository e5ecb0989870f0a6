using System.Numerics;
using System.Security.Cryptography;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Cryptography.Bls12381;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class Bls12381Tests
{
    private static readonly BigInteger Prime = BigInteger.Parse(
        "01a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
        System.Globalization.NumberStyles.HexNumber);

    private delegate bool Precompile(ReadOnlySpan<byte> input, Span<byte> output);

    public static TheoryData<string> VectorFiles =>
    [
        "add_G1_bls", "add_G2_bls", "mul_G1_bls", "mul_G2_bls", "msm_G1_bls", "map_fp_to_G1_bls",
        "map_fp2_to_G2_bls", "pairing_check_bls", "fail-add_G1_bls", "fail-add_G2_bls", "fail-mul_G1_bls",
        "fail-mul_G2_bls", "fail-msm_G1_bls", "fail-msm_G2_bls", "fail-map_fp_to_G1_bls", "fail-map_fp2_to_G2_bls",
        "fail-pairing_check_bls",
    ];

    public static TheoryData<string> ClientVectorFiles =>
    [
        "blsG1Add", "blsG1Mul", "blsG1MultiExp", "blsG2Add", "blsG2Mul", "blsG2MultiExp", "blsMapG1", "blsMapG2",
        "blsPairing", "fail-blsG1Add", "fail-blsG1Mul", "fail-blsG1MultiExp", "fail-blsG2Add", "fail-blsG2Mul",
        "fail-blsG2MultiExp", "fail-blsMapG1", "fail-blsMapG2", "fail-blsPairing",
    ];

    [FixtureTheory("precompiles")]
    [MemberData(nameof(VectorFiles))]
    public void Vectors_of_the_eip_give_the_expected_bytes_or_fail(string file) =>
        AssertVectors(PrecompileVectors.Read(file, "eip-2537"), file);

    [FixtureTheory("precompiles")]
    [MemberData(nameof(ClientVectorFiles))]
    public void Vectors_of_clients_give_the_expected_bytes_or_fail(string file) =>
        AssertVectors(PrecompileVectors.Read(file), file);

    [Fact]
    public void The_base_field_agrees_with_big_integers()
    {
        List<BigInteger> values = [0, 1, 2, 3, Prime - 1, Prime - 2, (Prime - 1) / 2, (Prime + 1) / 2];
        for (var i = 0; i < 25; i++)
        {
            values.Add(RandomNumber(i, 48) % Prime);
        }

        foreach (var a in values)
        {
            var fieldA = ToField(a);
            AssertField(a, fieldA);
            AssertField(a * a, Fq.Square(fieldA));
            AssertField(BigInteger.ModPow(a, Prime - 2, Prime), Fq.Invert(fieldA));
            AssertField(a * ((Prime + 1) / 2), Fq.Half(fieldA));
            Assert.Equal(a > (Prime - 1) / 2, fieldA.IsLarge);
            Assert.Equal(!a.IsEven, fieldA.IsOdd);
            foreach (var b in values)
            {
                var fieldB = ToField(b);
                AssertField(a * b, fieldA * fieldB);
                AssertField(a + b, fieldA + fieldB);
                AssertField(a - b, fieldA - fieldB);
                AssertField((a + b) * (a + b), Fq.AddLazy(fieldA, fieldB) * Fq.AddLazy(fieldA, fieldB));
            }
        }
    }

    [Fact]
    public void Towers_are_fields()
    {
        for (var i = 0; i < 20; i++)
        {
            var (a, b, c) = (RandomFq12(i), RandomFq12(i + 100), RandomFq12(i + 200));
            AssertEqual((a * b) * c, a * (b * c));
            AssertEqual(a * b, b * a);
            AssertEqual(a * a, Fq12.Square(a));
            Assert.True((a * Fq12.Invert(a)).IsOne);
            AssertEqual(Fq12.FrobeniusTwice(a), Fq12.Frobenius(Fq12.Frobenius(a)));
            AssertEqual(Fq12.Frobenius(a * b), Fq12.Frobenius(a) * Fq12.Frobenius(b));
            var (l0, l1, l4) = (b.C0.C0, b.C0.C1, b.C1.C1);
            var line = new Fq12(new Fq6(l0, l1, Fq2.Zero), new Fq6(Fq2.Zero, l4, Fq2.Zero));
            AssertEqual(a * line, Fq12.TimesLine(a, l0, l1, l4));
            var cyclotomic = Fq12.Conjugate(a) * Fq12.Invert(a);
            cyclotomic = Fq12.FrobeniusTwice(cyclotomic) * cyclotomic;
            AssertEqual(Fq12.Square(cyclotomic), Fq12.SquareCyclotomic(cyclotomic));
            Assert.True((cyclotomic * Fq12.Conjugate(cyclotomic)).IsOne);
        }
    }

    [Fact]
    public void The_pth_power_is_the_frobenius_map()
    {
        var a = RandomFq12(1);
        var power = Fq12.One;
        for (var bit = 380; bit >= 0; bit--)
        {
            power = Fq12.Square(power);
            power = ((Prime >> bit) & 1).IsOne ? power * a : power;
        }

        AssertEqual(power, Fq12.Frobenius(a));
    }

    [Fact]
    public void Roots_in_both_fields_square_back()
    {
        for (var i = 0; i < 30; i++)
        {
            var a = i < 8 ? new Fq2(Fq.FromNumber((ulong)i / 2), i % 2 == 0 ? Fq.Zero : Fq.One) : RandomFq12(i).C0.C0;
            a = i == 7 ? new Fq2(-Fq.FromNumber(3), Fq.Zero) : a;
            var expected = Fq2.RootOrRootTimesZ(a, out var root) ? a : a * Fq2.SwuZ;
            Assert.True(Fq2.AreEqual(expected, Fq2.Square(root)));
            Assert.True(Fq2.RootOrRootTimesZ(Fq2.Square(a), out _));
            var expected1 = Fq.RootOrRootTimesZ(a.C0, out var root1) ? a.C0 : a.C0 * Fq.SwuZ;
            Assert.True(Fq.AreEqual(expected1, Fq.Square(root1)));
        }
    }

    [Fact]
    public void Generators_are_in_their_groups_and_other_points_of_the_curves_are_not()
    {
        Assert.True(G1.Generator.IsOnCurve && G1.Contains(G1.Generator));
        Assert.True(G2.Generator.IsOnCurve && G2.Contains(G2.Generator));
        Assert.True(G1.Contains(default) && G2.Contains(default));
        var (outside1, outside2) = (0, 0);
        for (ulong i = 1; i < 40; i++)
        {
            var x = Fq.FromNumber(i);
            if (Fq.TrySquareRoot((Fq.Square(x) * x) + Fq.CurveB, out var y))
            {
                var point = new Affine<Fq>(x, y);
                Assert.Equal(NaiveMultiply(point, BlsCurve.Order).IsInfinity, G1.Contains(point));
                outside1 += G1.Contains(point) ? 0 : 1;
                Assert.True(G1.Contains(G1.ClearCofactor(Jacobian<Fq>.From(point)).ToAffine()));
            }

            var x2 = new Fq2(x, Fq.One);
            if (Fq2.RootOrRootTimesZ((Fq2.Square(x2) * x2) + Fq2.CurveB, out var y2))
            {
                var point = new Affine<Fq2>(x2, y2);
                Assert.Equal(NaiveMultiply(point, BlsCurve.Order).IsInfinity, G2.Contains(point));
                outside2 += G2.Contains(point) ? 0 : 1;
                Assert.True(G2.Contains(G2.ClearCofactor(Jacobian<Fq2>.From(point)).ToAffine()));
            }
        }

        Assert.True(outside1 > 5 && outside2 > 5);
    }

    [Fact]
    public void Products_of_many_points_equal_sums_of_single_ones()
    {
        foreach (var count in new[] { 1, 2, 7, 20, 40 })
        {
            var (points1, points2) = (new Affine<Fq>[count], new Affine<Fq2>[count]);
            var scalars = new UInt256[count];
            var (sum1, sum2) = (Jacobian<Fq>.Infinity, Jacobian<Fq2>.Infinity);
            for (var i = 0; i < count; i++)
            {
                // Infinity, equal points, opposite points, scalars at and above the order.
                var base1 = i == 3 ? default : NaiveMultiply(G1.Generator, (ulong)((i / 3) + 1)).ToAffine();
                var base2 = i == 3 ? default : NaiveMultiply(G2.Generator, (ulong)((i / 3) + 1)).ToAffine();
                (points1[i], points2[i]) = i % 5 == 2 ? (-base1, -base2) : (base1, base2);
                scalars[i] = i switch
                {
                    0 => UInt256.MaxValue,
                    1 => BlsCurve.Order - 1,
                    2 => BlsCurve.Order,
                    4 => 0,
                    5 => 1,
                    _ => UInt256.FromBigEndian(SHA256.HashData([(byte)i])),
                };
                sum1 = Jacobian<Fq>.Add(sum1, NaiveMultiply(points1[i], scalars[i]));
                sum2 = Jacobian<Fq2>.Add(sum2, NaiveMultiply(points2[i], scalars[i]));
            }

            Assert.True(Jacobian<Fq>.AreEqual(sum1, MultiScalar.SumG1(points1, scalars)));
            Assert.True(Jacobian<Fq2>.AreEqual(sum2, MultiScalar.SumG2(points2, scalars)));
        }
    }

    [Fact]
    public void The_pairing_is_bilinear_and_not_degenerate()
    {
        for (ulong i = 2; i < 6; i++)
        {
            var a = UInt256.FromBigEndian(SHA256.HashData([(byte)i]));
            UInt256 b = i * 1_000_003;
            var aP = NaiveMultiply(G1.Generator, a).ToAffine();
            var bQ = NaiveMultiply(G2.Generator, b).ToAffine();
            var abP = NaiveMultiply(aP, b).ToAffine();
            Assert.True(Pairing.IsProductOne([aP, -abP], [bQ, G2.Generator]));
            Assert.False(Pairing.IsProductOne([aP, abP], [bQ, G2.Generator]));
            Assert.False(Pairing.IsProductOne([aP], [bQ]));
            Assert.True(Pairing.IsProductOne([aP, default], [default, bQ]));
            Assert.True(Pairing.IsProductOne([aP, -abP], [Pairing.Prepare(bQ), Pairing.Prepare(G2.Generator)]));
            Assert.False(Pairing.IsProductOne([aP, abP], [Pairing.Prepare(bQ), Pairing.Prepare(G2.Generator)]));
        }
    }

    [Fact]
    public void Garbage_of_any_length_is_refused_and_never_throws()
    {
        var random = new Random(2537);
        var output = new byte[256];
        Precompile[] all =
        [
            Bls12381Precompiles.G1Add, Bls12381Precompiles.G2Add, Bls12381Precompiles.G1Msm, Bls12381Precompiles.G2Msm,
            Bls12381Precompiles.PairingCheck, Bls12381Precompiles.MapFpToG1, Bls12381Precompiles.MapFp2ToG2,
        ];
        for (var length = 0; length < 800; length++)
        {
            var input = new byte[length];
            random.NextBytes(input);
            foreach (var precompile in all)
            {
                Assert.False(precompile(input, output));
            }
        }
    }

    [Fact]
    public void A_field_element_is_refused_from_the_prime_on()
    {
        var input = new byte[64];
        var output = new byte[128];
        Prime.TryWriteBytes(input.AsSpan(16), out _, isUnsigned: true, isBigEndian: true);
        Assert.False(Bls12381Precompiles.MapFpToG1(input, output));
        input[63]--;
        Assert.True(Bls12381Precompiles.MapFpToG1(input, output));
        input[15] = 1;
        Assert.False(Bls12381Precompiles.MapFpToG1(input, output));
    }

    private static void AssertVectors(IReadOnlyList<PrecompileVectors.Vector> vectors, string file)
    {
        var (precompile, size) = PrecompileFor(file);
        foreach (var vector in vectors)
        {
            var output = new byte[size];
            var ok = precompile(vector.Input, output);
            Assert.True(ok == (vector.Expected is not null), vector.Name);
            Assert.True(vector.Expected is null || vector.Expected.AsSpan().SequenceEqual(output), vector.Name);
        }
    }

    private static (Precompile Run, int OutputSize) PrecompileFor(string file)
    {
        var name = file.Replace("fail-", "").Replace("bls", "").Replace("_", "").ToLowerInvariant();
        return name switch
        {
            "addg1" or "g1add" => (Bls12381Precompiles.G1Add, 128),
            "addg2" or "g2add" => (Bls12381Precompiles.G2Add, 256),
            "mulg1" or "msmg1" or "g1mul" or "g1multiexp" => (Bls12381Precompiles.G1Msm, 128),
            "mulg2" or "msmg2" or "g2mul" or "g2multiexp" => (Bls12381Precompiles.G2Msm, 256),
            "mapfptog1" or "mapg1" => (Bls12381Precompiles.MapFpToG1, 128),
            "mapfp2tog2" or "mapg2" => (Bls12381Precompiles.MapFp2ToG2, 256),
            "pairingcheck" or "pairing" => (Bls12381Precompiles.PairingCheck, 32),
            _ => throw new ArgumentException(name),
        };
    }

    private static Jacobian<TField> NaiveMultiply<TField>(Affine<TField> point, UInt256 scalar)
        where TField : struct, IBlsField<TField>
    {
        var result = Jacobian<TField>.Infinity;
        for (var bit = 255; bit >= 0; bit--)
        {
            result = Jacobian<TField>.Double(result);
            result = ((scalar >> bit).U0 & 1) != 0 ? Jacobian<TField>.Add(result, point) : result;
        }

        return result;
    }

    private static Jacobian<TField> NaiveMultiply<TField>(Jacobian<TField> point, UInt256 scalar)
        where TField : struct, IBlsField<TField> => NaiveMultiply(point.ToAffine(), scalar);

    private static BigInteger RandomNumber(int seed, int bytes)
    {
        var data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return new BigInteger(data, isUnsigned: true);
    }

    private static Fq12 RandomFq12(int seed)
    {
        Fq2 Next(int i) => new(
            ToField(RandomNumber((seed * 20) + i, 48) % Prime),
            ToField(RandomNumber((seed * 20) + i + 10, 48) % Prime));
        return new Fq12(new Fq6(Next(0), Next(1), Next(2)), new Fq6(Next(3), Next(4), Next(5)));
    }

    private static Fq ToField(BigInteger value)
    {
        var bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        var padded = new byte[48];
        bytes.CopyTo(padded, 48 - bytes.Length);
        Assert.True(Fq.TryRead(padded, out var field));
        return field;
    }

    private static void AssertField(BigInteger expected, Fq actual)
    {
        var bytes = new byte[48];
        actual.Write(bytes);
        Assert.Equal(((expected % Prime) + Prime) % Prime, new BigInteger(bytes, isUnsigned: true, isBigEndian: true));
    }

    private static void AssertEqual(Fq12 expected, Fq12 actual) =>
        Assert.True((expected.C0 - actual.C0).IsZero && (expected.C1 - actual.C1).IsZero);
}
