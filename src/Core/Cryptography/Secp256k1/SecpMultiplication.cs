using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography;

/// <summary>u1 G + u2 Q for public scalars: Strauss's method with the endomorphism.</summary>
/// <remarks>
/// Every scalar is split into halves of 128 bits, u1 at its middle (a second table holds the multiples of 2^128 G) and
/// u2 by the endomorphism, so that four digit strings share 128 doublings:
/// <code>
///   u1 = a + b 2^128        u2 = c + d lambda
///   a: table of G    b: table of 2^128 G    c: table of Q    d: the same, x times beta
/// </code>
/// The table of Q is not brought to affine form: its points share one Z, and the whole sum runs on the isomorphic
/// curve on which they are affine; only points of G then need one multiplication more.
/// </remarks>
internal static class SecpMultiplication
{
    private const int GeneratorWidth = 12;
    private const int PointWidth = 5;
    private const int PointTableSize = 1 << (PointWidth - 2);

    private static readonly SecpAffine[] LowTable = OddMultiples(SecpAffine.Generator);
    private static readonly SecpAffine[] HighTable = OddMultiples(PowerOfTwo128(SecpAffine.Generator));

    /// <summary>u1 G + u2 Q, both scalars below n.</summary>
    internal static SecpJacobian Sum(in UInt256 u1, in UInt256 u2, in SecpAffine q)
    {
        Span<SecpAffine> table = stackalloc SecpAffine[PointTableSize];
        var scale = BuildPointTable(q, table);
        Span<SecpAffine> lambdaTable = stackalloc SecpAffine[PointTableSize];
        for (var i = 0; i < PointTableSize; i++)
        {
            lambdaTable[i] = table[i].TimesLambda();
        }

        Span<short> digits = stackalloc short[4 * SecpScalar.DigitCount];
        var a = digits[..SecpScalar.DigitCount];
        var b = digits.Slice(SecpScalar.DigitCount, SecpScalar.DigitCount);
        var c = digits.Slice(2 * SecpScalar.DigitCount, SecpScalar.DigitCount);
        var d = digits[(3 * SecpScalar.DigitCount)..];
        SecpScalar.Split(u2, out var first, out var second);
        var length = Math.Max(
            Math.Max(
                SecpScalar.WriteDigits(new UInt128(u1.U1, u1.U0), false, GeneratorWidth, a),
                SecpScalar.WriteDigits(new UInt128(u1.U3, u1.U2), false, GeneratorWidth, b)),
            Math.Max(
                SecpScalar.WriteDigits(first.Size, first.IsNegative, PointWidth, c),
                SecpScalar.WriteDigits(second.Size, second.IsNegative, PointWidth, d)));

        var sum = SecpJacobian.Infinity;
        for (var i = length - 1; i >= 0; i--)
        {
            sum = SecpJacobian.Double(sum);
            if (c[i] != 0)
            {
                sum = SecpJacobian.Add(sum, Pick(table, c[i]));
            }

            if (d[i] != 0)
            {
                sum = SecpJacobian.Add(sum, Pick(lambdaTable, d[i]));
            }

            if (a[i] != 0)
            {
                sum = SecpJacobian.AddScaled(sum, Pick(LowTable, a[i]), scale);
            }

            if (b[i] != 0)
            {
                sum = SecpJacobian.AddScaled(sum, Pick(HighTable, b[i]), scale);
            }
        }

        return new SecpJacobian(sum.X, sum.Y, sum.Z * scale);
    }

    /// <summary>The table's entry for an odd digit: entry i is the (2i + 1)-fold.</summary>
    private static SecpAffine Pick(ReadOnlySpan<SecpAffine> table, int digit) =>
        digit > 0 ? table[digit >> 1] : -table[-digit >> 1];

    /// <summary>Writes Q, 3Q, 5Q, ... with a common Z, which it answers.</summary>
    private static SecpField BuildPointTable(in SecpAffine q, Span<SecpAffine> table)
    {
        // On the curve scaled by 2Q's Z, 2Q is affine, and so the steps are sums with an affine point.
        var twice = SecpJacobian.Double(SecpJacobian.From(q));
        var step = new SecpAffine(twice.X, twice.Y);
        var square = SecpField.Square(twice.Z);
        var point = SecpJacobian.From(new SecpAffine(q.X * square, q.Y * square * twice.Z));
        Span<SecpField> ratios = stackalloc SecpField[PointTableSize];
        table[0] = new SecpAffine(point.X, point.Y);
        for (var i = 1; i < PointTableSize; i++)
        {
            point = SecpJacobian.Add(point, step, point.Z, out ratios[i]);
            table[i] = new SecpAffine(point.X, point.Y);
        }

        // Backwards, every entry is brought to the last one's Z.
        var factor = SecpField.One;
        for (var i = PointTableSize - 2; i >= 0; i--)
        {
            factor *= ratios[i + 1];
            square = SecpField.Square(factor);
            table[i] = new SecpAffine(table[i].X * square, table[i].Y * square * factor);
        }

        return point.Z * twice.Z;
    }

    private static SecpAffine[] OddMultiples(in SecpAffine point)
    {
        var multiples = new SecpJacobian[1 << (GeneratorWidth - 2)];
        var twice = SecpJacobian.Double(SecpJacobian.From(point)).ToAffine();
        multiples[0] = SecpJacobian.From(point);
        for (var i = 1; i < multiples.Length; i++)
        {
            multiples[i] = SecpJacobian.Add(multiples[i - 1], twice);
        }

        var table = new SecpAffine[multiples.Length];
        SecpJacobian.ToAffine(multiples, table);
        return table;
    }

    private static SecpAffine PowerOfTwo128(in SecpAffine point)
    {
        var result = SecpJacobian.From(point);
        for (var i = 0; i < 128; i++)
        {
            result = SecpJacobian.Double(result);
        }

        return result.ToAffine();
    }
}
