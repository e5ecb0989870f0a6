using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Gpu.Tests;

[Collection(DeviceCollection.Name)]
public sealed class TransformTests(DeviceFixture device)
{
    [DeviceFact]
    public void Field_operations_equal_those_of_the_processor()
    {
        var random = new Random(4);
        var a = Numbers.Scalars(random, 300);
        var b = Numbers.Scalars(random, 300).Reverse().ToArray();
        foreach (var operation in Enum.GetValues<VectorOperation>())
        {
            var result = new Fr[a.Length];
            Assert.Null(device.Accelerator.Vector(operation, a, b, result));
            for (var i = 0; i < a.Length; i++)
            {
                Assert.Equal(Apply(operation, a[i], b[i]), result[i]);
            }
        }
    }

    [DeviceFact]
    public void A_transform_evaluates_the_polynomial_at_the_powers_of_the_root()
    {
        foreach (var logSize in new[] { 0, 1, 3, 6 })
        {
            var values = Numbers.Scalars(new Random(logSize), 1 << logSize);
            var root = Fr.RootOfUnity;
            for (var i = logSize; i < Fr.TwoAdicity; i++)
            {
                root *= root;
            }

            var transformed = values.ToArray();
            Assert.Null(device.Accelerator.Transform(transformed, inverse: false));
            var point = Fr.One;
            foreach (var value in transformed)
            {
                Assert.Equal(Evaluate(values, point), value);
                point *= root;
            }
        }
    }

    [DeviceFact]
    public void A_transform_of_several_passes_evaluates_and_its_inverse_goes_back()
    {
        const int logSize = 13;
        var values = Numbers.Scalars(new Random(5), 1 << logSize);
        var coset = Fr.FromUInt64(5);
        var root = Fr.RootOfUnity;
        for (var i = logSize; i < Fr.TwoAdicity; i++)
        {
            root *= root;
        }

        foreach (var shift in new Fr?[] { null, coset })
        {
            var transformed = values.ToArray();
            Assert.Null(device.Accelerator.Transform(transformed, inverse: false, shift));
            foreach (var index in new[] { 0, 1, 255, 256, 257, 5000, (1 << logSize) - 1 })
            {
                var point = (shift ?? Fr.One) * Fr.Power(root, (ulong)index);
                Assert.Equal(Evaluate(values, point), transformed[index]);
            }

            // The inverse on a coset divides value i by g^i.
            Fr? back = null;
            if (shift is { } factor)
            {
                Fr.Invert(factor, out var inverted);
                back = inverted;
            }

            Assert.Null(device.Accelerator.Transform(transformed, inverse: true, back));
            Assert.Equal(values, transformed);
        }
    }

    [DeviceFact]
    public void A_length_that_is_no_power_of_two_is_refused()
    {
        Assert.Throws<ArgumentException>(() => device.Accelerator.Transform(new Fr[3], inverse: false));
        Assert.Throws<ArgumentException>(() => device.Accelerator.Transform(Array.Empty<Fr>(), inverse: false));
    }

    private static Fr Apply(VectorOperation operation, in Fr a, in Fr b)
    {
        switch (operation)
        {
            case VectorOperation.Add: return a + b;
            case VectorOperation.Subtract: return a - b;
            case VectorOperation.Multiply: return a * b;
            default:
                Fr.Invert(a, out var inverse);
                return inverse;
        }
    }

    private static Fr Evaluate(Fr[] coefficients, in Fr point)
    {
        var sum = Fr.Zero;
        for (var i = coefficients.Length - 1; i >= 0; i--)
        {
            sum = (sum * point) + coefficients[i];
        }

        return sum;
    }
}
