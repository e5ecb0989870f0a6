using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>What works over any field: powers and shared inversion.</summary>
public static class FieldAlgorithms
{
    private const int WindowBits = 4;

    /// <summary>a to the power of a number, four bits at a time; 1 for the exponent 0.</summary>
    public static void Power<T>(in T a, in UInt256 exponent, out T result)
        where T : unmanaged, IFieldElement<T>
    {
        Span<ulong> words = [exponent.U0, exponent.U1, exponent.U2, exponent.U3];
        Span<T> powers = stackalloc T[1 << WindowBits];
        powers[0] = T.One;
        for (var i = 1; i < powers.Length; i++)
        {
            T.Multiply(powers[i - 1], a, out powers[i]);
        }

        result = T.One;
        var bits = (exponent.BitLength + WindowBits - 1) / WindowBits * WindowBits;
        for (var bit = bits - WindowBits; bit >= 0; bit -= WindowBits)
        {
            for (var i = 0; i < WindowBits; i++)
            {
                T.Square(result, out result);
            }

            var digit = (int)(words[bit / 64] >> (bit % 64)) & (powers.Length - 1);
            if (digit != 0)
            {
                T.Multiply(result, powers[digit], out result);
            }
        }
    }

    /// <summary>Inverts every value in place with one inversion and three multiplications each; zeros stay
    /// zero.</summary>
    /// <remarks>Montgomery's trick, "Speeding the Pollard and elliptic curve methods of factorization"
    /// (1987).</remarks>
    /// <param name="values">What is inverted.</param>
    /// <param name="scratch">Room for as many elements; its content is overwritten.</param>
    /// <exception cref="ArgumentException">Less room.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void InvertMany<T>(Span<T> values, Span<T> scratch)
        where T : unmanaged, IFieldElement<T>
    {
        if (scratch.Length < values.Length)
        {
            throw new ArgumentException("A shared inversion needs scratch room for every value.");
        }

        var product = T.One;
        for (var i = 0; i < values.Length; i++)
        {
            scratch[i] = product;
            if (!values[i].IsZero)
            {
                T.Multiply(product, values[i], out product);
            }
        }

        T.Invert(product, out product);
        for (var i = values.Length - 1; i >= 0; i--)
        {
            if (!values[i].IsZero)
            {
                T.Multiply(product, scratch[i], out var inverse);
                T.Multiply(product, values[i], out product);
                values[i] = inverse;
            }
        }
    }
}
