using System.Runtime.CompilerServices;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Msm;

/// <summary>Points in the form that sums in lanes read, and which of them are at infinity.</summary>
internal sealed unsafe class PointTable<TLanes, TField> : IDisposable
    where TLanes : unmanaged, ICurveLanes<TLanes, TField>
    where TField : unmanaged, ICurveField<TField>
{
    private const int Lanes = 8;
    private const int PointsPerTask = 4096;

    private readonly AlignedMemory _points;
    private readonly byte[] _infinite;

    private PointTable(int count)
    {
        Count = count;
        var whole = (count + Lanes - 1) / Lanes;
        _points = new AlignedMemory((long)whole * Lanes * PointBytes);
        _infinite = new byte[count];
    }

    /// <summary>Bytes of a point, here and in snarkjs' files.</summary>
    internal static int PointBytes => TLanes.PointWords * sizeof(ulong);

    internal int Count { get; }

    internal ulong* Points => _points.Words;

    /// <summary>One for a point at infinity.</summary>
    internal ReadOnlySpan<byte> Infinite => _infinite;

    public void Dispose() => _points.Dispose();

    /// <summary>
    /// Takes points as snarkjs writes them; null where a coordinate is not below p or a point not on the curve.
    /// </summary>
    internal static PointTable<TLanes, TField>? Create(ReadOnlyMemory<byte> source, CancellationToken cancellation)
    {
        var table = new PointTable<TLanes, TField>(source.Length / PointBytes);
        var tasks = (table.Count + PointsPerTask - 1) / PointsPerTask;
        var good = true;
        System.Threading.Tasks.Parallel.For(
            0, tasks, new ParallelOptions { CancellationToken = cancellation }, task =>
            {
                var first = task * PointsPerTask;
                if (!table.Convert(source.Span, first, Math.Min(table.Count, first + PointsPerTask)))
                {
                    Volatile.Write(ref good, false);
                }
            });
        if (good)
        {
            return table;
        }

        table.Dispose();
        return null;
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool Convert(ReadOnlySpan<byte> source, int first, int end)
    {
        var size = PointBytes;
        var good = true;
        var rest = stackalloc byte[Lanes * 128];
        fixed (byte* from = source)
        {
            for (var i = first; i < end; i += Lanes)
            {
                var at = from + ((long)i * size);
                if (i + Lanes > end)
                {
                    // The last points, filled up with infinity.
                    new Span<byte>(rest, Lanes * size).Clear();
                    new ReadOnlySpan<byte>(at, (end - i) * size).CopyTo(new Span<byte>(rest, Lanes * size));
                    at = rest;
                }

                good &= TLanes.TryConvert(at, Points + ((long)i * TLanes.PointWords));
            }

            for (var i = first; i < end; i++)
            {
                var point = new ReadOnlySpan<byte>(from + ((long)i * size), size);
                _infinite[i] = point.ContainsAnyExcept((byte)0) ? (byte)0 : (byte)1;
            }
        }

        return good;
    }
}
