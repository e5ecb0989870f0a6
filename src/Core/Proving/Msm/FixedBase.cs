using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Msm;

/// <summary>Many multiples of one point, for making keys.</summary>
/// <remarks>
/// A table has d 2^(8 w) times the point for every byte d at every place w; a multiple is the sum of at most 32 of
/// them, which makes it a bucket of <see cref="BucketTree{TLanes,TField}"/>.
/// </remarks>
internal sealed unsafe class FixedBase<TLanes, TField> : IDisposable
    where TLanes : unmanaged, ICurveLanes<TLanes, TField>
    where TField : unmanaged, ICurveField<TField>
{
    private const int Places = 32;
    private const int Digits = 256;
    private const int ScalarsPerTask = 1024;

    private readonly AlignedMemory _table = new((long)Places * Digits * TLanes.PointWords * sizeof(ulong));

    internal FixedBase(in AffinePoint<TField> point)
    {
        var row = new JacobianPoint<TField>[Digits];
        var affine = new AffinePoint<TField>[Digits];
        var start = new JacobianPoint<TField>(point);
        for (var place = 0; place < Places; place++)
        {
            for (var digit = 1; digit < Digits; digit++)
            {
                JacobianPoint<TField>.Add(row[digit - 1], start, out row[digit]);
            }

            JacobianPoint<TField>.Add(row[^1], start, out start);
            JacobianPoint<TField>.ToAffine(row, affine);
            for (var digit = 0; digit < Digits; digit++)
            {
                TLanes.Write(affine[digit], Place((place * Digits) + digit));
            }
        }
    }

    public void Dispose() => _table.Dispose();

    /// <summary>scalars[i] times the point, infinity for zero.</summary>
    internal void Multiply(Fr[] scalars, AffinePoint<TField>[] results)
    {
        var tasks = (scalars.Length + ScalarsPerTask - 1) / ScalarsPerTask;
        System.Threading.Tasks.Parallel.For(0, tasks, task =>
        {
            var first = task * ScalarsPerTask;
            Multiply(scalars.AsSpan(first, Math.Min(ScalarsPerTask, scalars.Length - first)), results.AsSpan(first));
        });
    }

    private void Multiply(ReadOnlySpan<Fr> scalars, Span<AffinePoint<TField>> results)
    {
        using var tree = new BucketTree<TLanes, TField>();
        using var sums = new AlignedMemory((long)scalars.Length * TLanes.PointWords * sizeof(ulong));
        using var names = new AlignedMemory((long)scalars.Length * Places * sizeof(int));
        var starts = new int[scalars.Length + 1];
        Span<byte> bytes = stackalloc byte[Places];
        var total = 0;
        for (var i = 0; i < scalars.Length; i++)
        {
            SnarkPoints.WriteNumber(scalars[i].ToUInt256(), bytes);
            for (var place = 0; place < Places; place++)
            {
                if (bytes[place] != 0)
                {
                    names.As<int>()[total++] =
                        ((place * Digits) + bytes[place]) << BatchAffine<TLanes, TField>.IndexShift;
                }
            }

            starts[i + 1] = total;
        }

        sums.Clear();
        tree.Sum(_table.Words, names.As<int>(), starts, sums.Words);
        for (var i = 0; i < scalars.Length; i++)
        {
            TLanes.Read(sums.Words + ((long)i * TLanes.PointWords), out results[i]);
        }
    }

    private ulong* Place(int index) => _table.Words + ((long)index * TLanes.PointWords);
}
