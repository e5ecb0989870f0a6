using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

/// <summary>Groups and pairing of BN254: laws, and textbook arithmetic as the oracle.</summary>
public sealed class Bn254GroupTests
{
    [Fact]
    public void Additions_equal_the_chord_and_tangent_rule() => ForAllPoints((a, b) =>
    {
        var expected = ChordAndTangent(a, b);
        var (p, q) = (Blind(a), Blind(b));
        JacobianPoint<Fq>.Add(p, q, out var sum);
        JacobianPoint<Fq>.Add(p, b, out var mixed);
        JacobianPoint<Fq>.Double(p, out var twice);
        Assert.Equal(expected, sum.ToAffine());
        Assert.Equal(expected, mixed.ToAffine());
        Assert.Equal(ChordAndTangent(a, a), twice.ToAffine());
        Assert.True(sum.Equals(mixed) && G1.IsOnCurve(expected));
    });

    [Fact]
    public void Results_may_overwrite_operands() => ForAllPoints((a, b) =>
    {
        var (p, q) = (Blind(a), Blind(b));
        JacobianPoint<Fq>.Add(p, q, out var expected);
        var (x, y, z, w) = (p, q, p, p);
        JacobianPoint<Fq>.Add(x, q, out x);
        JacobianPoint<Fq>.Add(p, y, out y);
        JacobianPoint<Fq>.Add(z, b, out z);
        Assert.True(x.Equals(expected) && y.Equals(expected) && z.Equals(expected));
        JacobianPoint<Fq>.Double(p, out expected);
        JacobianPoint<Fq>.Double(w, out w);
        Assert.True(w.Equals(expected));
    });

    [Fact]
    public void Multiplication_by_a_scalar_equals_double_and_add() => Check.QuickThrowOnFailure(
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var scalar = RandomScalar(random);
            var point = RandomPoint(random);
            G1.Multiply(point, scalar, out var product);
            return product.Equals(DoubleAndAdd(new JacobianPoint<Fq>(point), scalar));
        }));

    [Fact]
    public void Multiplication_on_the_twist_equals_double_and_add() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(20),
        Prop.ForAll<int>(seed =>
        {
            var scalar = RandomScalar(new Random(seed));
            G2.Multiply(G2.Generator, scalar, out var product);
            return product.Equals(DoubleAndAdd(new JacobianPoint<Fq2>(G2.Generator), scalar))
                && G2.IsOnCurve(product.ToAffine());
        }));

    [Fact]
    public void A_split_scalar_adds_up_again() => Check.QuickThrowOnFailure(Prop.ForAll<int>(seed =>
    {
        var modulus = (BigInteger)Fr.Modulus;
        var scalar = (UInt256)Bn254FieldTests.NearEdge(new Random(seed), modulus);
        var lambda = (BigInteger)UInt256.Parse("0xB3C4D79D41A917585BFC41088D8DAAA78B17EA66B99C90DD");
        var split = SplitScalar.Of(scalar);
        var first = (split.FirstNegative ? -1 : 1) * (BigInteger)split.First;
        var second = (split.SecondNegative ? -1 : 1) * (BigInteger)split.Second;
        return ((first + (second * lambda) - (BigInteger)scalar) % modulus).IsZero
            && split.First.BitLength <= SplitScalar.MaxBits && split.Second.BitLength <= SplitScalar.MaxBits;
    }));

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    public void Signed_digits_add_up_and_are_apart(int width) => Check.QuickThrowOnFailure(Prop.ForAll<int>(seed =>
    {
        var value = RandomScalar(new Random(seed));
        var digits = new sbyte[SignedDigits.MaxLength];
        var length = SignedDigits.Write(value, width, digits);
        var sum = BigInteger.Zero;
        var last = -width;
        for (var i = 0; i < digits.Length; i++)
        {
            sum += (BigInteger)digits[i] << i;
            if (digits[i] != 0)
            {
                Assert.True(i - last >= width && i < length && Math.Abs(digits[i]) < 1 << (width - 1));
                Assert.True(digits[i] % 2 != 0);
                last = i;
            }
        }

        return sum == (BigInteger)value;
    }));

    [Fact]
    public void Many_points_become_affine_together()
    {
        foreach (var count in new[] { 0, 1, 5, 40 })
        {
            var random = new Random(count);
            var points = Enumerable.Range(0, count)
                .Select(i => i % 7 == 3 ? JacobianPoint<Fq>.Infinity : Blind(RandomPoint(random))).ToArray();
            var results = new AffinePoint<Fq>[count];
            JacobianPoint<Fq>.ToAffine(points, results);
            Assert.Equal(points.Select(point => point.ToAffine()), results);
        }
    }

    [Fact]
    public void Only_points_of_order_r_are_in_the_subgroup()
    {
        Assert.True(G2.IsOnCurve(G2.Generator) && G2.IsInSubgroup(G2.Generator));
        Assert.True(G2.IsInSubgroup(default));
        var random = new Random(9);
        for (var i = 0; i < 10; i++)
        {
            var point = TwistPoint((ulong)(100 * i));
            Assert.True(G2.IsOnCurve(point));
            Assert.False(G2.IsInSubgroup(point));
            G2.Multiply(point, Fr.Modulus, out var multiple);
            Assert.False(multiple.IsInfinity);

            // Cleared of the cofactor 2p - r it is.
            G2.Multiply(point, Fq.Modulus + (Fq.Modulus - Fr.Modulus), out var cleared);
            Assert.True(G2.IsInSubgroup(cleared.ToAffine()));
            G2.Multiply(G2.Generator, RandomScalar(random), out var inside);
            Assert.True(G2.IsInSubgroup(inside.ToAffine()));
        }
    }

    [Fact]
    public void The_Miller_loop_finds_out_points_outside_the_subgroup()
    {
        // Known factors of the twist's cofactor; points of such orders, alone and added to a point of the subgroup.
        var cofactor = (2 * (BigInteger)Fq.Modulus) - (BigInteger)Fr.Modulus;
        foreach (var order in new BigInteger[] { 10069, 5864401, 1875725156269, cofactor })
        {
            Assert.True((cofactor % order).IsZero);
            var point = TwistPoint();
            G2.Multiply(point, Fr.Modulus, out var outside);
            G2.Multiply(outside.ToAffine(), (UInt256)(cofactor / order), out outside);
            Assert.False(outside.IsInfinity);
            JacobianPoint<Fq2>.Add(outside, G2.Generator, out var mixed);
            foreach (var candidate in new[] { outside.ToAffine(), mixed.ToAffine() })
            {
                Assert.True(G2.IsOnCurve(candidate));
                Assert.False(G2.IsInSubgroup(candidate));
                Assert.False(Pairing.TryMillerLoop([new PointPair(G1.Generator, candidate)], out _));
                Assert.False(Pairing.TryMillerLoop(
                    [new PointPair(G1.Generator, G2.Generator), new PointPair(G1.Generator, candidate)], out _));
            }
        }

        Assert.True(Pairing.TryMillerLoop([new PointPair(G1.Generator, G2.Generator)], out _));
        Assert.True(Pairing.TryMillerLoop([], out _));
    }

    [Fact]
    public void The_pairing_is_bilinear_and_not_degenerate()
    {
        var random = new Random(11);
        for (var i = 0; i < 4; i++)
        {
            var a = Fr.Modulus - (ulong)random.NextInt64(1, long.MaxValue);
            var b = new UInt256(7, (ulong)random.NextInt64());
            G1.Multiply(G1.Generator, a, out var ap);
            G2.Multiply(G2.Generator, b, out var bq);
            var ab = Fr.Reduce(a) * Fr.Reduce(b);
            G1.Multiply(G1.Generator, ab.ToUInt256(), out var abp);
            Pairing.Product([new PointPair(ap.ToAffine(), bq.ToAffine())], out var left);
            Pairing.Product([new PointPair(abp.ToAffine(), G2.Generator)], out var right);
            Assert.True(left.Equals(right));
            Assert.False(left.IsOne);
            Assert.True(Pairing.IsProductOne(
                [new PointPair(ap.ToAffine(), bq.ToAffine()), new PointPair(-abp.ToAffine(), G2.Generator)]));
        }
    }

    [Fact]
    public void The_pairing_of_the_generators_equals_a_slow_power()
    {
        // f^((p^12 - 1) / r * m) by square and multiply, from the shared Miller loop.
        Pairing.MillerLoop([new PointPair(G1.Generator, G2.Generator)], out var value);
        Pairing.FinalPower(value, out var fast);
        var (p, r) = ((BigInteger)Fq.Modulus, (BigInteger)Fr.Modulus);
        BigInteger x = G2.CurveParameter;
        var exponent = (BigInteger.Pow(p, 12) - 1) / r * (2 * x * ((6 * x * x) + (3 * x) + 1));
        var slow = Fq12.One;
        for (var bit = (int)exponent.GetBitLength() - 1; bit >= 0; bit--)
        {
            Fq12.Square(slow, out slow);
            if (!((exponent >> bit) & 1).IsZero)
            {
                Fq12.Multiply(slow, value, out slow);
            }
        }

        Assert.True(slow.Equals(fast));
    }

    [Fact]
    public void The_pth_power_is_the_product_of_p_factors()
    {
        Pairing.MillerLoop([new PointPair(G1.Generator, G2.Generator)], out var value);
        Fq12.Frobenius(value, out var fast);
        var p = (BigInteger)Fq.Modulus;
        var slow = Fq12.One;
        for (var bit = (int)p.GetBitLength() - 1; bit >= 0; bit--)
        {
            Fq12.Square(slow, out slow);
            if (!((p >> bit) & 1).IsZero)
            {
                Fq12.Multiply(slow, value, out slow);
            }
        }

        Assert.True(slow.Equals(fast));
        Fq12.Invert(value, out var inverse);
        Fq12.Multiply(inverse, value, out var one);
        Assert.True(one.IsOne);
    }

    [Fact]
    public void Many_pairs_with_neutral_elements_among_them_share_their_loops()
    {
        var pairs = new List<PointPair>();
        for (var i = 0; i < 19; i++)
        {
            G1.Multiply(G1.Generator, (UInt256)(ulong)(i + 1), out var p);
            pairs.Add(new PointPair(p.ToAffine(), G2.Generator));
            pairs.Add(new PointPair(i % 2 == 0 ? default : G1.Generator, i % 2 == 0 ? G2.Generator : default));
        }

        Assert.False(Pairing.IsProductOne([.. pairs]));
        G1.Multiply(G1.Generator, 190, out var sum);
        pairs.Add(new PointPair(-sum.ToAffine(), G2.Generator));
        Assert.True(Pairing.IsProductOne([.. pairs]));
        Assert.True(Pairing.IsProductOne([]));
    }

    /// <summary>The group law with divisions, as textbooks draw it.</summary>
    private static AffinePoint<Fq> ChordAndTangent(in AffinePoint<Fq> a, in AffinePoint<Fq> b)
    {
        if (a.IsInfinity || b.IsInfinity)
        {
            return a.IsInfinity ? b : a;
        }

        if (a.X == b.X && a.Y == -b.Y)
        {
            return default;
        }

        var (over, under) = a.X == b.X
            ? (a.X * a.X * Fq.FromUInt64(3), a.Y + a.Y)
            : (b.Y - a.Y, b.X - a.X);
        Fq.Invert(under, out var inverse);
        var slope = over * inverse;
        var x = (slope * slope) - a.X - b.X;
        return new AffinePoint<Fq>(x, (slope * (a.X - x)) - a.Y);
    }

    private static JacobianPoint<T> DoubleAndAdd<T>(JacobianPoint<T> point, UInt256 scalar)
        where T : unmanaged, ICurveField<T>
    {
        var sum = JacobianPoint<T>.Infinity;
        for (var bit = 255; bit >= 0; bit--)
        {
            JacobianPoint<T>.Double(sum, out sum);
            if (((scalar >> bit).U0 & 1) != 0)
            {
                JacobianPoint<T>.Add(sum, point, out sum);
            }
        }

        return sum;
    }

    /// <summary>The same point with another Z.</summary>
    private static JacobianPoint<Fq> Blind(in AffinePoint<Fq> point)
    {
        if (point.IsInfinity)
        {
            return JacobianPoint<Fq>.Infinity;
        }

        var z = Fq.FromUInt64(0x123456789);
        return new JacobianPoint<Fq> { X = point.X * z * z, Y = point.Y * z * z * z, Z = z };
    }

    /// <summary>A point of the twist by a chosen x: the cofactor has 254 bits, so that it is not in the
    /// subgroup.</summary>
    private static AffinePoint<Fq2> TwistPoint(ulong x = 0)
    {
        for (; ; x++)
        {
            var candidate = new Fq2(Fq.FromUInt64(x), Fq.One);
            Fq2.Square(candidate, out var square);
            if (TrySquareRoot((square * candidate) + G2.CurveB, out var y))
            {
                return new AffinePoint<Fq2>(candidate, y);
            }
        }
    }

    /// <summary>A square root in Fq2 by the norm: for a + b u with norm n^2, x^2 = (a + n) / 2.</summary>
    private static bool TrySquareRoot(in Fq2 value, out Fq2 root)
    {
        root = default;
        if (!Fq.TrySquareRoot((value.C0 * value.C0) + (value.C1 * value.C1), out var norm))
        {
            return false;
        }

        Fq.Invert(Fq.FromUInt64(2), out var half);
        if (!Fq.TrySquareRoot((value.C0 + norm) * half, out var x)
            && !Fq.TrySquareRoot((value.C0 - norm) * half, out x))
        {
            return false;
        }

        Fq.Invert(x + x, out var inverse);
        root = new Fq2(x, value.C1 * inverse);
        Fq2.Square(root, out var square);
        return square == value;
    }

    private static UInt256 RandomScalar(Random random)
    {
        var bytes = new byte[random.Next(33)];
        random.NextBytes(bytes);
        var scalar = UInt256.FromBigEndian(bytes);
        return random.Next(8) switch
        {
            0 => Fr.Modulus - (ulong)random.Next(3),
            1 => UInt256.MaxValue - (ulong)random.Next(3),
            2 => (ulong)random.Next(20),
            _ => scalar,
        };
    }

    private static AffinePoint<Fq> RandomPoint(Random random)
    {
        G1.Multiply(G1.Generator, (UInt256)(ulong)random.NextInt64(1, long.MaxValue), out var point);
        return point.ToAffine();
    }

    private static void ForAllPoints(Action<AffinePoint<Fq>, AffinePoint<Fq>> property) =>
        Check.QuickThrowOnFailure(Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var a = RandomPoint(random);
            property(a, random.Next(6) switch { 0 => a, 1 => -a, 2 => default, _ => RandomPoint(random) });
            property(default, a);
        }));
}
