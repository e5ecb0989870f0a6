using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Msm;

/// <summary>A multi-scalar multiplication one point at a time: for few points, and where there are no lanes.</summary>
/// <remarks>Pippenger's algorithm with buckets in projective coordinates and running sums.</remarks>
internal sealed class ScalarSum<TField> : IDisposable
    where TField : unmanaged, ICurveField<TField>
{
    private const int LeastBits = 3, MostBits = 14;

    private readonly AffinePoint<TField>[] _points;
    private readonly WindowedScalars _scalars;
    private readonly JacobianPoint<TField>[] _windows;

    /// <param name="points">Points on the curve.</param>
    /// <param name="scalars">Little-endian, 32 bytes each, below r, as many.</param>
    internal ScalarSum(AffinePoint<TField>[] points, ReadOnlySpan<byte> scalars)
    {
        _points = points;
        var bits = Enumerable.Range(LeastBits, MostBits - LeastBits + 1)
            .MinBy(width => WindowedScalars.WindowsOf(width) * (points.Length + (2L << (width - 1)) + width));
        _scalars = new WindowedScalars(scalars, bits);
        _windows = new JacobianPoint<TField>[_scalars.Windows];
    }

    internal int Windows => _windows.Length;

    public void Dispose() => _scalars.Dispose();

    internal void Run(int window)
    {
        var digits = new int[_points.Length];
        _scalars.Digits(window, digits);
        var buckets = new JacobianPoint<TField>[(1 << (_scalars.Bits - 1)) + 1];
        for (var i = 0; i < digits.Length; i++)
        {
            if (digits[i] > 0)
            {
                JacobianPoint<TField>.Add(buckets[digits[i]], _points[i], out buckets[digits[i]]);
            }
            else if (digits[i] < 0)
            {
                JacobianPoint<TField>.Add(buckets[-digits[i]], -_points[i], out buckets[-digits[i]]);
            }
        }

        Array.Clear(digits);
        var (running, sum) = (JacobianPoint<TField>.Infinity, JacobianPoint<TField>.Infinity);
        for (var bucket = buckets.Length - 1; bucket > 0; bucket--)
        {
            JacobianPoint<TField>.Add(running, buckets[bucket], out running);
            JacobianPoint<TField>.Add(sum, running, out sum);
        }

        _windows[window] = sum;
    }

    internal JacobianPoint<TField> Combine()
    {
        var sum = JacobianPoint<TField>.Infinity;
        for (var window = Windows - 1; window >= 0; window--)
        {
            for (var i = 0; i < _scalars.Bits; i++)
            {
                JacobianPoint<TField>.Double(sum, out sum);
            }

            JacobianPoint<TField>.Add(sum, _windows[window], out sum);
        }

        return sum;
    }
}
