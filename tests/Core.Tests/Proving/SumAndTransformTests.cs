using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Ntt;

namespace SuperVm.Core.Tests.Proving;

/// <summary>Multi-scalar multiplications and transforms, in lanes and without, against the plain definition.</summary>
public sealed class SumAndTransformTests
{
    private static readonly CpuProofBackend[] Backends = [new(), new(allowLanes: false)];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Sums_equal_one_multiplication_after_another(int count)
    {
        var random = new ProvingRandom(count);
        var scalars = Enumerable.Range(0, count).Select(_ => random.Number(Fr.Modulus)).ToArray();
        Expect([.. scalars.Select(_ => random.G1Point())], [.. scalars.Select(_ => random.G2Point())], scalars);
    }

    [Fact]
    public void Equal_opposite_and_infinite_points_are_summed_too()
    {
        var random = new ProvingRandom(99);
        var (p, q) = (random.G1Point(), random.G2Point());
        var scalar = random.Number(Fr.Modulus);
        const int count = 600;
        var ofG1 = Enumerable.Range(0, count)
            .Select(i => (i % 5) switch { 0 => AffinePoint<Fq>.Infinity, 1 => -p, _ => p }).ToArray();
        var ofG2 = Enumerable.Range(0, count)
            .Select(i => (i % 5) switch { 0 => AffinePoint<Fq2>.Infinity, 1 => -q, _ => q }).ToArray();
        Expect(ofG1, ofG2, [.. Enumerable.Repeat(scalar, count)]);
        Expect(ofG1, ofG2,
            [.. Enumerable.Range(0, count).Select(i => i % 7 == 0 ? random.Number(Fr.Modulus) : scalar)]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Large_sums_in_lanes_equal_those_one_by_one(bool sameScalar)
    {
        // More points than are taken together; with one scalar they are all in one bucket of each window.
        const int count = 20_000;
        var random = new ProvingRandom(7);
        var (g1, g2) = (new byte[64 * count], new byte[128 * count]);
        Spread(new JacobianPoint<Fq>(random.G1Point()), count, (i, p) => SnarkPoints.Write(p, g1.AsSpan(64 * i)));
        Spread(new JacobianPoint<Fq2>(random.G2Point()), count, (i, p) => SnarkPoints.Write(p, g2.AsSpan(128 * i)));
        var numbers = new byte[32 * count];
        var one = random.Number(Fr.Modulus);
        for (var i = 0; i < count; i++)
        {
            SnarkPoints.WriteNumber(sameScalar ? one : random.Number(Fr.Modulus), numbers.AsSpan(32 * i));
        }

        var results = Backends.Select(backend =>
        {
            PointSum a = new("G1", CurveGroup.G1, g1, numbers), b = new("G2", CurveGroup.G2, g2, numbers);
            backend.Sum([a, b], null, default);
            return (InG1: a.InG1.ToAffine(), InG2: b.InG2.ToAffine());
        }).ToArray();
        Assert.Equal(results[1], results[0]);
    }

    private static void Spread<TField>(JacobianPoint<TField> first, int count, Action<int, AffinePoint<TField>> write)
        where TField : unmanaged, ICurveField<TField>
    {
        var points = new JacobianPoint<TField>[count];
        points[0] = first;
        for (var i = 1; i < count; i++)
        {
            JacobianPoint<TField>.Double(points[i - 1], out points[i]);
        }

        var affine = new AffinePoint<TField>[count];
        JacobianPoint<TField>.ToAffine(points, affine);
        for (var i = 0; i < count; i++)
        {
            write(i, affine[i]);
        }
    }

    [Fact]
    public void Opposite_points_that_cancel_early_do_not_spoil_what_follows()
    {
        var random = new ProvingRandom(5);
        var points = new List<AffinePoint<Fq>>();
        for (var i = 0; i < 50; i++)
        {
            var point = random.G1Point();
            points.AddRange([point, -point, point, point]);
        }

        var scalars = Enumerable.Repeat((UInt256)12345, points.Count).ToArray();
        Expect([.. points], [.. points.Select(_ => random.G2Point())], scalars);
    }

    [Fact]
    public void A_point_that_is_not_on_its_curve_is_refused_with_its_name()
    {
        foreach (var backend in Backends)
        {
            var points = new byte[64 * 40];
            points[64 * 33] = 1;
            var sum = new PointSum("points of A", CurveGroup.G1, points, new byte[32 * 40]);
            var refusal = Assert.Throws<ProofException>(() => backend.Sum([sum], null, default));
            Assert.Contains("points of A", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("not on the curve", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_coordinate_that_is_not_below_the_modulus_is_refused()
    {
        var points = new byte[64 * 40];
        SnarkPoints.Write(G1.Generator, points.AsSpan(64 * 20));
        SnarkPoints.WriteNumber(SnarkPoints.ReadNumber(points.AsSpan(64 * 20)) + Fq.Modulus, points.AsSpan(64 * 20));
        foreach (var backend in Backends)
        {
            Assert.Throws<ProofException>(() => backend.Sum(
                [new PointSum("P", CurveGroup.G1, points, new byte[32 * 40])], null, default));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Quotients_equal_those_of_the_definition(int log)
    {
        var random = new ProvingRandom(log);
        var size = 1 << log;
        var a = Enumerable.Range(0, size).Select(_ => random.Fr()).ToArray();
        var b = Enumerable.Range(0, size).Select(_ => random.Fr()).ToArray();
        var c = a.Zip(b, (x, y) => x * y).ToArray();
        var (onA, onB, onC) = (OnCoset(a), OnCoset(b), OnCoset(c));
        foreach (var backend in Backends)
        {
            var result = new byte[32 * size];
            backend.Quotient([.. a], [.. b], result);
            for (var i = 0; i < size; i++)
            {
                var expected = ((onA[i] * onB[i]) - onC[i]).ToUInt256();
                Assert.Equal(expected, SnarkPoints.ReadNumber(result.AsSpan(32 * i)));
            }
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(14)]
    [InlineData(15)]
    public void Large_quotients_in_lanes_equal_those_one_by_one(int log)
    {
        var random = new ProvingRandom(log);
        var a = Enumerable.Range(0, 1 << log).Select(_ => random.Fr()).ToArray();
        var b = Enumerable.Range(0, 1 << log).Select(_ => random.Fr()).ToArray();
        var results = Backends.Select(backend =>
        {
            var result = new byte[32 << log];
            backend.Quotient([.. a], [.. b], result);
            return result;
        }).ToArray();
        Assert.Equal(results[1], results[0]);
    }

    [Fact]
    public void A_transform_and_its_inverse_give_back_the_values()
    {
        var random = new ProvingRandom(3);
        var values = Enumerable.Range(0, 256).Select(_ => random.Fr()).ToArray();
        var copy = values.ToArray();
        ScalarTransform.Inverse(copy);
        Assert.NotEqual(values, copy);
        ScalarTransform.Forward(copy);
        Assert.Equal(values, copy);
    }

    /// <summary>Interpolates by Lagrange's formula and evaluates on the coset.</summary>
    private static Fr[] OnCoset(Fr[] values)
    {
        var log = System.Numerics.BitOperations.Log2((uint)values.Length);
        var (root, shift) = (ScalarTransform.Root(log), ScalarTransform.Root(log + 1));
        var domain = new Fr[values.Length];
        domain[0] = Fr.One;
        for (var i = 1; i < domain.Length; i++)
        {
            domain[i] = domain[i - 1] * root;
        }

        return [.. domain.Select(x => x * shift).Select(point =>
        {
            // sum of value[i] (point^n - 1) / n * w^i / (point - w^i), with point^n = -1
            var sum = Fr.Zero;
            for (var i = 0; i < values.Length; i++)
            {
                Fr.Invert((point - domain[i]) * Fr.FromUInt64((ulong)values.Length), out var inverse);
                sum -= values[i] * domain[i] * (inverse + inverse);
            }

            return sum;
        })];
    }

    private static void Expect(AffinePoint<Fq>[] ofG1, AffinePoint<Fq2>[] ofG2, UInt256[] scalars)
    {
        var (first, second) = (JacobianPoint<Fq>.Infinity, JacobianPoint<Fq2>.Infinity);
        var (g1, g2) = (new byte[64 * scalars.Length], new byte[128 * scalars.Length]);
        var numbers = new byte[32 * scalars.Length];
        for (var i = 0; i < scalars.Length; i++)
        {
            G1.Multiply(ofG1[i], scalars[i], out var term);
            JacobianPoint<Fq>.Add(first, term, out first);
            G2.Multiply(ofG2[i], scalars[i], out var other);
            JacobianPoint<Fq2>.Add(second, other, out second);
            SnarkPoints.Write(ofG1[i], g1.AsSpan(64 * i));
            SnarkPoints.Write(ofG2[i], g2.AsSpan(128 * i));
            SnarkPoints.WriteNumber(scalars[i], numbers.AsSpan(32 * i));
        }

        foreach (var backend in Backends)
        {
            PointSum a = new("G1", CurveGroup.G1, g1, numbers), b = new("G2", CurveGroup.G2, g2, numbers);
            backend.Sum([a, b], null, default);
            Assert.True(a.InG1.Equals(first), $"G1, {backend.Name}");
            Assert.True(b.InG2.Equals(second), $"G2, {backend.Name}");
        }
    }
}
