using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;

namespace SuperVm.Gpu.Tests;

[Collection(DeviceCollection.Name)]
public sealed class MultiScalarTests(DeviceFixture device)
{
    [DeviceFact]
    public void A_sum_in_the_first_group_equals_the_sum_of_single_products()
    {
        foreach (var count in new[] { 1, 2, 33, 700 })
        {
            var (points, scalars, expected) = First(new Random(count), count, i => null);
            Assert.Null(device.Accelerator.MultiplySum(
                SnarkPoints.ToBytes(points), SnarkPoints.ToBytes(scalars), out AffinePoint<Fq> sum));
            Assert.Equal(expected, sum);
        }
    }

    /// <summary>A witness is full of zeros and ones: one bucket holds nearly everything.</summary>
    [DeviceFact]
    public void Equal_scalars_equal_points_and_infinities_do_not_disturb_the_sum()
    {
        var (points, scalars, expected) =
            First(new Random(7), 9000, i => i % 50 == 0 ? null : UInt256.One, distinct: 40);
        Assert.Null(device.Accelerator.MultiplySum(
                SnarkPoints.ToBytes(points), SnarkPoints.ToBytes(scalars), out AffinePoint<Fq> sum));
        Assert.Equal(expected, sum);
    }

    [DeviceFact]
    public void A_point_and_its_opposite_cancel()
    {
        AffinePoint<Fq>[] points = [G1.Generator, -G1.Generator];
        UInt256[] scalars = [5, 5];
        Assert.Null(device.Accelerator.MultiplySum(
                SnarkPoints.ToBytes(points), SnarkPoints.ToBytes(scalars), out AffinePoint<Fq> sum));
        Assert.True(sum.IsInfinity);
    }

    [DeviceFact]
    public void A_sum_in_the_second_group_equals_the_sum_of_single_products()
    {
        var random = new Random(8);
        const int count = 40;
        var points = new AffinePoint<Fq2>[count];
        var scalars = new UInt256[count];
        var total = JacobianPoint<Fq2>.Infinity;
        for (var i = 0; i < count; i++)
        {
            points[i] = Product(G2.Generator, Numbers.Word(random) % 1000);
            scalars[i] = Numbers.Scalar(random).ToUInt256();
            G2Product(points[i], scalars[i], out var product);
            JacobianPoint<Fq2>.Add(total, product, out total);
        }

        Assert.Null(device.Accelerator.MultiplySum(
                SnarkPoints.ToBytes(points), SnarkPoints.ToBytes(scalars), out AffinePoint<Fq2> sum));
        Assert.Equal(total.ToAffine(), sum);
    }

    [DeviceFact]
    public void A_budget_for_one_window_at_a_time_gives_the_same_sum()
    {
        var (points, scalars, expected) = First(new Random(9), 300, i => null);
        Assert.True(GpuAccelerator.TryOpen(
            device.Accelerator.Device, new GpuOptions { MostMemoryBytes = 400_000 }, out var small, out _));
        using (small)
        {
            Assert.Null(small!.MultiplySum(
                SnarkPoints.ToBytes(points), SnarkPoints.ToBytes(scalars), out AffinePoint<Fq> sum));
            Assert.Equal(expected, sum);
        }
    }

    [DeviceFact]
    public void A_batch_beyond_the_budget_is_a_failure_and_the_device_goes_on()
    {
        var (points, scalars, expected) = First(new Random(10), 20, i => null);
        Assert.True(GpuAccelerator.TryOpen(
            device.Accelerator.Device, new GpuOptions { MostMemoryBytes = 200_000 }, out var small, out _));
        using (small)
        {
            var failure = small!.MultiplySum(new byte[64 * 100_000], new byte[32 * 100_000], out AffinePoint<Fq> _);
            Assert.Equal(GpuFailureKind.OutOfMemory, failure?.Kind);
            Assert.Null(small.Lost);
            Assert.Null(small.MultiplySum(
                SnarkPoints.ToBytes(points), SnarkPoints.ToBytes(scalars), out AffinePoint<Fq> sum));
            Assert.Equal(expected, sum);
        }
    }

    [DeviceFact]
    public void A_scalar_that_is_not_below_the_order_is_refused() => Assert.Throws<ArgumentException>(
        () => device.Accelerator.MultiplySum(
            new byte[64], SnarkPoints.ToBytes(new[] { Fr.Modulus }), out AffinePoint<Fq> _));

    [DeviceFact]
    public void Points_off_the_curve_are_refused_in_both_groups()
    {
        var one = SnarkPoints.ToBytes(new UInt256[] { 1, 1 });
        var first = SnarkPoints.ToBytes(new[] { G1.Generator, G1.Generator });
        var second = SnarkPoints.ToBytes(new[] { G2.Generator, G2.Generator });
        Assert.Null(device.Accelerator.MultiplySum(first, one, out AffinePoint<Fq> _));
        Assert.Null(device.Accelerator.MultiplySum(second, one, out AffinePoint<Fq2> _));
        first[64] ^= 1;
        second[200] ^= 1;
        Assert.Throws<InvalidDataException>(() => device.Accelerator.MultiplySum(first, one, out AffinePoint<Fq> _));
        Assert.Throws<InvalidDataException>(() => device.Accelerator.MultiplySum(second, one, out AffinePoint<Fq2> _));
        var large = new byte[128];
        large.AsSpan(0, 32).Fill(0xFF);
        Assert.Throws<InvalidDataException>(() => device.Accelerator.MultiplySum(large, one, out AffinePoint<Fq> _));
    }

    private static (AffinePoint<Fq>[] Points, UInt256[] Scalars, AffinePoint<Fq> Sum) First(
        Random random, int count, Func<int, UInt256?> scalarOf, int distinct = int.MaxValue)
    {
        var points = new AffinePoint<Fq>[count];
        var scalars = new UInt256[count];
        var total = JacobianPoint<Fq>.Infinity;
        for (var i = 0; i < count; i++)
        {
            if (i % 17 == 16)
            {
                points[i] = AffinePoint<Fq>.Infinity;
            }
            else if (i >= distinct)
            {
                points[i] = points[i % distinct];
            }
            else
            {
                G1.Multiply(G1.Generator, Numbers.Word(random), out var point);
                points[i] = point.ToAffine();
            }

            scalars[i] = scalarOf(i) ?? Numbers.Scalar(random).ToUInt256();
            G1.Multiply(points[i], scalars[i], out var product);
            JacobianPoint<Fq>.Add(total, product, out total);
        }

        return (points, scalars, total.ToAffine());
    }

    private static AffinePoint<Fq2> Product(in AffinePoint<Fq2> point, in UInt256 scalar)
    {
        G2Product(point, scalar, out var product);
        return product.ToAffine();
    }

    private static void G2Product(in AffinePoint<Fq2> point, in UInt256 scalar, out JacobianPoint<Fq2> product)
    {
        product = JacobianPoint<Fq2>.Infinity;
        for (var bit = 255; bit >= 0; bit--)
        {
            JacobianPoint<Fq2>.Double(product, out product);
            if (((scalar >> bit).U0 & 1) != 0)
            {
                JacobianPoint<Fq2>.Add(product, point, out product);
            }
        }
    }
}
