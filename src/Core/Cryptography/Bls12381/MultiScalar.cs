using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>Sums of multiples k1 P1 + k2 P2 + ... of points of G1 or G2, all public.</summary>
/// <remarks>
/// The endomorphisms first cut every scalar into short pieces, each with a point of its own: two of 128 bits in G1,
/// four of 64 bits in G2. Few points are then summed by Straus's method (tables of odd multiples, shared doublings),
/// many by Pippenger's (buckets of equal digits, no tables):
/// <code>
///   digits of c bits, signed:   k = d0 + d1 2^c + d2 2^2c + ...      |d| up to 2^(c-1)
///   a window j:                 bucket[|dj|] += +-P for all points;  sum = 1 b1 + 2 b2 + 3 b3 + ... by running sums
/// </code>
/// </remarks>
internal static class MultiScalar
{
    /// <summary>Up to this many pieces Straus's tables cost less than Pippenger's buckets.</summary>
    private const int StrausLimit = 32;

    private const int StrausWidth = 5;
    private const int StrausTableSize = 1 << (StrausWidth - 2);

    /// <summary>The widest window: 2^15 buckets.</summary>
    private const int WindowLimit = 16;

    /// <summary>The sum over G1; the points must be in the group, scalars may be any.</summary>
    internal static Jacobian<Fq> SumG1(ReadOnlySpan<Affine<Fq>> points, ReadOnlySpan<UInt256> scalars)
    {
        var pieces = new Affine<Fq>[2 * points.Length];
        var digits = new UInt128[pieces.Length];
        for (var i = 0; i < points.Length; i++)
        {
            UInt256.DivRem(scalars[i] % BlsCurve.Order, G1.Eigenvalue, out var high, out var low);
            (pieces[2 * i], digits[2 * i]) = (points[i], new UInt128(low.U1, low.U0));
            (pieces[(2 * i) + 1], digits[(2 * i) + 1]) =
                (G1.Endomorphism(points[i]), new UInt128(high.U1, high.U0));
        }

        return Sum<Fq>(pieces, digits, 128);
    }

    /// <summary>The sum over G2; the points must be in the group, scalars may be any.</summary>
    internal static Jacobian<Fq2> SumG2(ReadOnlySpan<Affine<Fq2>> points, ReadOnlySpan<UInt256> scalars)
    {
        var pieces = new Affine<Fq2>[4 * points.Length];
        var digits = new UInt128[pieces.Length];
        for (var i = 0; i < points.Length; i++)
        {
            // -psi multiplies by |u|, in whose powers the scalar is written.
            var (rest, point) = (scalars[i] % BlsCurve.Order, points[i]);
            for (var j = 4 * i; j < (4 * i) + 4; j++)
            {
                UInt256.DivRem(rest, BlsCurve.ParameterSize, out var quotient, out var digit);
                (pieces[j], digits[j]) = (point, digit.U0);
                rest = quotient;
                point = -G2.Endomorphism(point);
            }
        }

        return Sum<Fq2>(pieces, digits, 64);
    }

    private static Jacobian<TField> Sum<TField>(Affine<TField>[] points, UInt128[] scalars, int bits)
        where TField : struct, IBlsField<TField> =>
        points.Length <= StrausLimit
            ? Straus<TField>(points, scalars, bits)
            : Pippenger<TField>(points, scalars, bits);

    private static Jacobian<TField> Straus<TField>(
        ReadOnlySpan<Affine<TField>> points, ReadOnlySpan<UInt128> scalars, int bits)
        where TField : struct, IBlsField<TField>
    {
        var places = bits + 1;
        var tables = new Affine<TField>[points.Length * StrausTableSize];
        var digits = new short[points.Length * places];
        Span<short> row = stackalloc short[SignedDigits.Count];
        WriteOddMultiples(points, tables);
        var length = 0;
        for (var i = 0; i < points.Length; i++)
        {
            var scalar = new UInt256((ulong)scalars[i], (ulong)(scalars[i] >> 64));
            length = Math.Max(length, SignedDigits.Write(scalar, StrausWidth, row));
            row[..places].CopyTo(digits.AsSpan(i * places));
        }

        var sum = Jacobian<TField>.Infinity;
        for (var position = length - 1; position >= 0; position--)
        {
            sum = Jacobian<TField>.Double(sum);
            for (var i = 0; i < points.Length; i++)
            {
                int digit = digits[(i * places) + position];
                if (digit != 0)
                {
                    ref readonly var multiple = ref tables[(i * StrausTableSize) + (Math.Abs(digit) >> 1)];
                    sum = Jacobian<TField>.Add(sum, digit > 0 ? multiple : -multiple);
                }
            }
        }

        return sum;
    }

    /// <summary>Writes P, 3P, 5P, ... for each point.</summary>
    private static void WriteOddMultiples<TField>(ReadOnlySpan<Affine<TField>> points, Span<Affine<TField>> tables)
        where TField : struct, IBlsField<TField>
    {
        var multiples = new Jacobian<TField>[tables.Length];
        for (var i = 0; i < points.Length; i++)
        {
            var first = i * StrausTableSize;
            multiples[first] = Jacobian<TField>.From(points[i]);
            var twice = Jacobian<TField>.Double(multiples[first]);
            for (var j = first + 1; j < first + StrausTableSize; j++)
            {
                multiples[j] = Jacobian<TField>.Add(multiples[j - 1], twice);
            }
        }

        Jacobian<TField>.ToAffine(multiples, tables);
    }

    private static Jacobian<TField> Pippenger<TField>(
        ReadOnlySpan<Affine<TField>> points, ReadOnlySpan<UInt128> scalars, int bits)
        where TField : struct, IBlsField<TField>
    {
        var width = WindowWidth(points.Length);
        var windows = (bits / width) + 1;
        var digits = new int[points.Length * windows];
        for (var i = 0; i < points.Length; i++)
        {
            WriteWindows(scalars[i], width, digits.AsSpan(i * windows, windows));
        }

        var buckets = new Jacobian<TField>[1 << (width - 1)];
        var sum = Jacobian<TField>.Infinity;
        for (var window = windows - 1; window >= 0; window--)
        {
            for (var i = 0; i < width; i++)
            {
                sum = Jacobian<TField>.Double(sum);
            }

            Array.Fill(buckets, Jacobian<TField>.Infinity);
            for (var i = 0; i < points.Length; i++)
            {
                var digit = digits[(i * windows) + window];
                if (digit != 0)
                {
                    ref var bucket = ref buckets[Math.Abs(digit) - 1];
                    bucket = Jacobian<TField>.Add(bucket, digit > 0 ? points[i] : -points[i]);
                }
            }

            var (running, total) = (Jacobian<TField>.Infinity, Jacobian<TField>.Infinity);
            for (var i = buckets.Length - 1; i >= 0; i--)
            {
                running = Jacobian<TField>.Add(running, buckets[i]);
                total = Jacobian<TField>.Add(total, running);
            }

            sum = Jacobian<TField>.Add(sum, total);
        }

        return sum;
    }

    /// <summary>Near log2(n) - 2: a window's buckets then cost about as much as its points.</summary>
    private static int WindowWidth(int count)
    {
        var log = 31 - System.Numerics.BitOperations.LeadingZeroCount((uint)count);
        return Math.Clamp(log - 2, 2, WindowLimit);
    }

    /// <summary>Writes the scalar's signed digits of <paramref name="width"/> bits, lowest first.</summary>
    private static void WriteWindows(UInt128 scalar, int width, Span<int> digits)
    {
        var (carry, size) = (0, 1 << width);
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = (int)((ulong)scalar & (ulong)(size - 1)) + carry;
            scalar >>= width;
            carry = digit > size / 2 ? 1 : 0;
            digits[i] = digit - (carry * size);
        }
    }
}
