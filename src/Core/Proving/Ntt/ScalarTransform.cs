using System.Numerics;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Ntt;

/// <summary>Number-theoretic transforms one element at a time: for small sizes, and where there are no lanes.</summary>
/// <remarks>
/// Domain: the powers of w, the root of unity of the size that follows from <see cref="Fr.RootOfUnity"/> by squaring,
/// as snarkjs takes it. The coset is shifted by the root of twice the size.
/// </remarks>
public static class ScalarTransform
{
    /// <summary>The root of unity of order 2^<paramref name="logSize"/>, up to <see cref="Fr.TwoAdicity"/>.</summary>
    public static Fr Root(int logSize)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logSize, Fr.TwoAdicity);
        var root = Fr.RootOfUnity;
        for (var i = logSize; i < Fr.TwoAdicity; i++)
        {
            Fr.Square(root, out root);
        }

        return root;
    }

    /// <summary>Values at 1, w, w^2, … of the polynomial with these coefficients, in place.</summary>
    public static void Forward(Span<Fr> values) => Run(values, Root(LogOf(values)));

    /// <summary>Coefficients from values at 1, w, w^2, …, in place.</summary>
    public static void Inverse(Span<Fr> values)
    {
        Fr.Invert(Root(LogOf(values)), out var root);
        Run(values, root);
        Fr.Invert(Fr.FromUInt64((ulong)values.Length), out var factor);
        foreach (ref var value in values)
        {
            Fr.Multiply(value, factor, out value);
        }
    }

    /// <summary>Values on the domain to values on the coset, in place.</summary>
    public static void ToCoset(Span<Fr> values)
    {
        Inverse(values);
        var (shift, power) = (Root(LogOf(values) + 1), Fr.One);
        foreach (ref var value in values)
        {
            Fr.Multiply(value, power, out value);
            Fr.Multiply(power, shift, out power);
        }

        Forward(values);
    }

    internal static int LogOf(ReadOnlySpan<Fr> values) => BitOperations.IsPow2(values.Length)
        ? BitOperations.Log2((uint)values.Length)
        : throw new ArgumentException("A transform's size is a power of two.");

    /// <summary>The index with its lowest bits in reverse order.</summary>
    internal static int Reverse(int index, int bits)
    {
        var result = 0;
        for (var i = 0; i < bits; i++)
        {
            result = (result << 1) | ((index >> i) & 1);
        }

        return result;
    }

    /// <summary>Cooley and Tukey, decimation in time.</summary>
    private static void Run(Span<Fr> values, in Fr root)
    {
        var log = LogOf(values);
        for (var i = 0; i < values.Length; i++)
        {
            var j = Reverse(i, log);
            if (i < j)
            {
                (values[i], values[j]) = (values[j], values[i]);
            }
        }

        for (var level = 1; level <= log; level++)
        {
            var half = 1 << (level - 1);
            var step = root;
            for (var i = level; i < log; i++)
            {
                Fr.Square(step, out step);
            }

            for (var start = 0; start < values.Length; start += 2 * half)
            {
                var power = Fr.One;
                for (var i = start; i < start + half; i++)
                {
                    Fr.Multiply(values[i + half], power, out var turned);
                    Fr.Subtract(values[i], turned, out values[i + half]);
                    Fr.Add(values[i], turned, out values[i]);
                    Fr.Multiply(power, step, out power);
                }
            }
        }
    }
}
