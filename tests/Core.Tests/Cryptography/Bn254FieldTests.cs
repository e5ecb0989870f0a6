using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

/// <summary>The fields of BN254 against plain integers.</summary>
public sealed class Bn254FieldTests
{
    private static readonly BigInteger P = (BigInteger)Fq.Modulus;
    private static readonly BigInteger R = (BigInteger)Fr.Modulus;

    private static readonly BigInteger X = 4965661367192848881;

    [Fact]
    public void The_moduli_are_the_curves_polynomials()
    {
        var common = (36 * BigInteger.Pow(X, 4)) + (36 * BigInteger.Pow(X, 3)) + (6 * X) + 1;
        Assert.Equal(common + (24 * X * X), P);
        Assert.Equal(common + (18 * X * X), R);
    }

    [Fact]
    public void Base_field_arithmetic_equals_integers_modulo_p() => ForAllPairs(P, (a, b) =>
    {
        var (x, y) = (Base(a), Base(b));
        Fq.Square(x, out var square);
        Fq.Double(x, out var twice);
        Fq.MultiplyAdd(x, y, y, y, out var dot);
        Expect(a + b, x + y);
        Expect(a - b, x - y);
        Expect(-a, -x);
        Expect(a * b, x * y);
        Expect(a * a, square);
        Expect(2 * a, twice);
        Expect((a * b) + (b * b), dot);
        Assert.Equal(a == b, x == y);
        Assert.Equal(a.IsZero, x.IsZero);
        void Expect(BigInteger value, Fq element) => Assert.Equal(Mod(value, P), (BigInteger)element.ToUInt256());
    });

    [Fact]
    public void Lazy_factors_as_large_as_allowed_are_reduced() => ForAllPairs(P, (a, b) =>
    {
        var (x, y) = (Base(a), Base(b));
        Fq.AddLazy(x, x, out var x2);
        Fq.AddLazy(y, x, out var sum);
        Fq.AddLazy(x2, x2, out var x4);
        Fq.NegateLazy(sum, out var negative);
        Fq.Multiply(x4, negative, out var product);
        Fq.MultiplyAdd(x2, sum, x2, negative, out var zero);
        Assert.Equal(Mod(-4 * a * (a + b), P), (BigInteger)product.ToUInt256());
        Assert.True(zero.IsZero);
        AssertTight(product);
        AssertTight(zero);
    });

    [Fact]
    public void Sums_of_many_terms_are_reduced_once() =>
        Check.QuickThrowOnFailure(Prop.ForAll<int, byte>((seed, count) =>
        {
            var random = new Random(seed);
            var sum = default(FqSum);
            var expected = BigInteger.Zero;
            var (plus, minus) = (count % 61, count % 31);
            for (var i = 0; i < plus + minus; i++)
            {
                // Values just below 2 p are the worst case: an element plus p in the limbs.
                var a = NearEdge(random, P);
                var element = Base(a);
                expected += i < plus ? a : -a;
                if (i < plus)
                {
                    sum.Add(element);
                }
                else
                {
                    sum.Subtract(element);
                }
            }

            sum.Reduce(out var result);
            AssertTight(result);
            return (BigInteger)result.ToUInt256() == Mod(expected, P);
        }));

    [Fact]
    public void Scalar_arithmetic_equals_integers_modulo_r() => ForAllPairs(R, (a, b) =>
    {
        var (x, y) = (Scalar(a), Scalar(b));
        Fr.Square(x, out var square);
        Fr.Double(x, out var twice);
        Expect(a + b, x + y);
        Expect(a - b, x - y);
        Expect(-a, -x);
        Expect(a * b, x * y);
        Expect(a * a, square);
        Expect(2 * a, twice);
        Assert.Equal(a == b, x == y);
        void Expect(BigInteger value, Fr element) => Assert.Equal(Mod(value, R), (BigInteger)element.ToUInt256());
    });

    [Fact]
    public void Inverses_and_roots_are_what_they_claim() => ForAllPairs(P, (a, b) =>
    {
        var x = Base(a);
        Fq.Invert(x, out var inverse);
        Assert.Equal(a.IsZero ? Fq.Zero : Fq.One, x * inverse);
        Assert.Equal(a.IsZero || BigInteger.ModPow(a, (P - 1) / 2, P).IsOne, Fq.TrySquareRoot(x, out var root));
        Assert.True(Fq.TrySquareRoot(x * x, out root) && (root == x || root == -x));

        var s = Scalar(a % R);
        Fr.Invert(s, out var scalarInverse);
        Assert.Equal(s.IsZero ? Fr.Zero : Fr.One, s * scalarInverse);
        Assert.Equal(
            s.IsZero || BigInteger.ModPow(a % R, (R - 1) / 2, R).IsOne, Fr.TrySquareRoot(s, out var scalarRoot));
        Assert.True(Fr.TrySquareRoot(s * s, out scalarRoot) && (scalarRoot == s || scalarRoot == -s));
    });

    [Fact]
    public void Powers_equal_modular_powers() => ForAllPairs(P, (a, b) =>
    {
        Assert.Equal(BigInteger.ModPow(a, b, P), (BigInteger)Fq.Power(Base(a), (UInt256)b).ToUInt256());
        Assert.Equal(BigInteger.ModPow(a % R, b, R), (BigInteger)Fr.Power(Scalar(a % R), (UInt256)b).ToUInt256());
    });

    [Fact]
    public void Shared_inversion_equals_single_ones_and_keeps_zeros()
    {
        var random = new Random(4);
        for (var count = 0; count < 12; count++)
        {
            var values = Enumerable.Range(0, count)
                .Select(i => i % 4 == 2 ? Fq.Zero : Base(NearEdge(random, P))).ToArray();
            var inverses = values.ToArray();
            FieldAlgorithms.InvertMany(inverses, new Fq[count]);
            for (var i = 0; i < count; i++)
            {
                Fq.Invert(values[i], out var expected);
                Assert.Equal(expected, inverses[i]);
            }
        }

        Assert.Throws<ArgumentException>(() => FieldAlgorithms.InvertMany<Fq>(new Fq[2], new Fq[1]));
    }

    [Fact]
    public void Only_numbers_below_the_modulus_are_elements()
    {
        Assert.True(Fq.TryCreate(Fq.Modulus - 1, out var minusOne) && minusOne == -Fq.One);
        Assert.False(Fq.TryCreate(Fq.Modulus, out _));
        Assert.False(Fq.TryCreate(UInt256.MaxValue, out _));
        Assert.True(Fr.TryCreate(Fr.Modulus - 1, out var minusOneScalar) && minusOneScalar == -Fr.One);
        Assert.False(Fr.TryCreate(Fr.Modulus, out _));
        Assert.False(Fr.TryCreateFromMontgomery256(Fr.Modulus, out _));
        Assert.False(Fq.TryCreateFromMontgomery256(Fq.Modulus, out _));
        Assert.Equal(Mod((BigInteger)UInt256.MaxValue, R), (BigInteger)Fr.Reduce(UInt256.MaxValue).ToUInt256());
    }

    [Fact]
    public void The_four_limb_Montgomery_form_is_read() => ForAllPairs(P, (a, _) =>
    {
        Assert.True(Fq.TryCreateFromMontgomery256((UInt256)((a << 256) % P), out var element));
        Assert.Equal(a, (BigInteger)element.ToUInt256());
        Assert.True(Fr.TryCreateFromMontgomery256((UInt256)(((a % R) << 256) % R), out var scalar));
        Assert.Equal(a % R, (BigInteger)scalar.ToUInt256());
        Assert.Equal((UInt256)(((a % R) << 256) % R), scalar.ToMontgomery256());
    });

    [Fact]
    public void The_root_of_unity_has_order_two_to_the_28()
    {
        var root = Fr.RootOfUnity;
        Assert.Equal(BigInteger.ModPow(5, (R - 1) >> 28, R), (BigInteger)root.ToUInt256());
        for (var i = 0; i < Fr.TwoAdicity - 1; i++)
        {
            root *= root;
        }

        Assert.Equal(-Fr.One, root);
    }

    [Fact]
    public void The_quadratic_extension_multiplies_like_complex_numbers() => ForAllPairs(P, (a, b) =>
    {
        var (x, y) = (new Fq2(Base(a), Base(b)), new Fq2(Base(b), Base(Mod((a * b) + 1, P))));
        var (c, d) = (b, Mod((a * b) + 1, P));
        Fq2.Square(x, out var square);
        Fq2.Invert(x, out var inverse);
        Expect((a * c) - (b * d), (a * d) + (b * c), x * y);
        Expect((a * a) - (b * b), 2 * a * b, square);
        Expect(a + c, b + d, x + y);
        Expect(a - c, b - d, x - y);
        Assert.Equal(x.IsZero ? Fq2.Zero : Fq2.One, x * inverse);
        void Expect(BigInteger real, BigInteger imaginary, Fq2 element)
        {
            Assert.Equal(Mod(real, P), (BigInteger)element.C0.ToUInt256());
            Assert.Equal(Mod(imaginary, P), (BigInteger)element.C1.ToUInt256());
        }
    });

    internal static Fq Base(BigInteger value) =>
        Fq.TryCreate((UInt256)value, out var element) ? element : throw new ArgumentException("not below p");

    internal static Fr Scalar(BigInteger value) =>
        Fr.TryCreate((UInt256)value, out var element) ? element : throw new ArgumentException("not below r");

    /// <summary>A number below the modulus, often close to an end or to a limb's edge.</summary>
    internal static BigInteger NearEdge(Random random, BigInteger modulus)
    {
        var bytes = new byte[32];
        random.NextBytes(bytes);
        var small = new BigInteger(random.Next(4));
        return random.Next(6) switch
        {
            0 => small,
            1 => modulus - 1 - small,
            2 => (BigInteger.One << random.Next(253)) - 1 + small,
            _ => Mod(new BigInteger(bytes, isUnsigned: true), modulus),
        };
    }

    private static void ForAllPairs(BigInteger modulus, Action<BigInteger, BigInteger> property) =>
        Check.QuickThrowOnFailure(Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            property(NearEdge(random, modulus), NearEdge(random, modulus));
        }));

    private static void AssertTight(in Fq value)
    {
        Assert.True((value.L0 | value.L1 | value.L2 | value.L3) <= Fq.LimbMask);
        var number = value.L0 + ((BigInteger)value.L1 << 52) + ((BigInteger)value.L2 << 104)
            + ((BigInteger)value.L3 << 156) + ((BigInteger)value.L4 << 208);
        Assert.True(number < 2 * P);
    }

    private static BigInteger Mod(BigInteger value, BigInteger modulus) => ((value % modulus) + modulus) % modulus;
}
