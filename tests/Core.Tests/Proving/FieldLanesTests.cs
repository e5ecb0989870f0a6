using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Tests.Cryptography;

namespace SuperVm.Core.Tests.Proving;

/// <summary>Eight elements at once against one after another.</summary>
public sealed class FieldLanesTests
{
    private const int Rounds = 2_000;

    [AvxFact]
    public void Products_sums_and_differences_equal_those_of_single_elements()
    {
        var random = new ProvingRandom(1);
        for (var round = 0; round < Rounds; round++)
        {
            var (a, b, c, d) = (Eight(random), Eight(random), Eight(random), Eight(random));
            FqLanes.FromScalars(a, out var la);
            FqLanes.FromScalars(b, out var lb);
            FqLanes.FromScalars(c, out var lc);
            FqLanes.FromScalars(d, out var ld);
            FieldLanes<FqModulus>.Multiply(la, lb, out var product);
            FieldLanes<FqModulus>.MultiplyAdd(la, lb, lc, ld, out var sumOfProducts);
            FieldLanes<FqModulus>.AddTight(la, lb, out var sum);
            FieldLanes<FqModulus>.SubtractTight(la, lb, out var difference);
            FieldLanes<FqModulus>.SubtractBoth(la, lb, lc, out var both);
            Expect(product, i => a[i] * b[i]);
            Expect(sumOfProducts, i => (a[i] * b[i]) + (c[i] * d[i]));
            Expect(sum, i => a[i] + b[i]);
            Expect(difference, i => a[i] - b[i]);
            Expect(both, i => a[i] - b[i] - c[i]);
        }
    }

    [AvxFact]
    public void Differences_that_are_only_carried_multiply_to_the_same()
    {
        var random = new ProvingRandom(2);
        for (var round = 0; round < Rounds; round++)
        {
            var (a, b, c) = (Eight(random), Eight(random), Eight(random));
            FqLanes.FromScalars(a, out var la);
            FqLanes.FromScalars(b, out var lb);
            FqLanes.FromScalars(c, out var lc);
            FieldLanes<FqModulus>.Subtract(la, lb, 8, out var first);
            FieldLanes<FqModulus>.Subtract(lc, lb, 8, out var second);
            FieldLanes<FqModulus>.Multiply(first, lc, out var product);
            FieldLanes<FqModulus>.MultiplyAdd(first, la, second, lc, out var two);
            Expect(product, i => (a[i] - b[i]) * c[i]);
            Expect(two, i => ((a[i] - b[i]) * a[i]) + ((c[i] - b[i]) * c[i]));
        }
    }

    [AvxFact]
    public void Inverses_exist_unless_a_lane_is_zero()
    {
        var random = new ProvingRandom(3);
        var values = Eight(random).Select(value => value.IsZero ? Fq.One : value).ToArray();
        FqLanes.FromScalars(values, out var lanes);
        Assert.True(FqLanes.TryInvert(new FqLanes { Value = lanes }, out var inverse));
        Expect(inverse.Value, i => Inverse(values[i]));
        values[5] = Fq.Zero;
        FqLanes.FromScalars(values, out lanes);
        Assert.False(FqLanes.TryInvert(new FqLanes { Value = lanes }, out _));
    }

    [AvxFact]
    public void Products_in_the_extension_equal_those_of_single_elements()
    {
        var random = new ProvingRandom(4);
        for (var round = 0; round < Rounds; round++)
        {
            var (a0, a1, b0, b1) = (Eight(random), Eight(random), Eight(random), Eight(random));
            Fq2Lanes a, b;
            FqLanes.FromScalars(a0, out a.C0.Value);
            FqLanes.FromScalars(a1, out a.C1.Value);
            FqLanes.FromScalars(b0, out b.C0.Value);
            FqLanes.FromScalars(b1, out b.C1.Value);
            Fq2Lanes.Multiply(a, b, out var product);
            Fq2Lanes.Square(a, out var square);
            Expect(product.C0.Value, i => (new Fq2(a0[i], a1[i]) * new Fq2(b0[i], b1[i])).C0);
            Expect(product.C1.Value, i => (new Fq2(a0[i], a1[i]) * new Fq2(b0[i], b1[i])).C1);
            Expect(square.C0.Value, i => (new Fq2(a0[i], a1[i]) * new Fq2(a0[i], a1[i])).C0);
            Expect(square.C1.Value, i => (new Fq2(a0[i], a1[i]) * new Fq2(a0[i], a1[i])).C1);
        }
    }

    private static Fq Inverse(in Fq value)
    {
        Fq.Invert(value, out var inverse);
        return inverse;
    }

    private static Fq[] Eight(ProvingRandom random) => [.. Enumerable.Range(0, 8).Select(_ => random.Fq())];

    private static void Expect(in FieldLanes<FqModulus> lanes, Func<int, Fq> expected)
    {
        Span<Fq> values = stackalloc Fq[8];
        FqLanes.ToScalars(lanes, values);
        for (var i = 0; i < values.Length; i++)
        {
            Assert.Equal(expected(i), values[i]);
        }
    }
}
