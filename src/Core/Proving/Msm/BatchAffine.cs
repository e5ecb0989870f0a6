using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Msm;

/// <summary>Adds many pairs of affine points, eight at a time, with one inversion for all of them.</summary>
/// <remarks>
/// The sum of (x1, y1) and (x2, y2) is x3 = l^2 - x1 - x2, y3 = l (x1 - x3) - y1 with l = (y2 - y1) / (x2 - x1): three
/// multiplications, and three more for the share in the inversion (Montgomery's trick), against eleven of a mixed
/// addition to projective coordinates.
/// <code>
///   forwards:   running[v] = product of dx[0..v-1]            two chains, so that one does not wait for itself
///   one inversion of the product, for each lane
///   backwards:  1/dx[v] = inverse running[v];  inverse = inverse dx[v];  the sum
/// </code>
/// Equal and opposite points make dx zero, and with it the product: such a batch is added again one by one. The
/// points given are not at infinity; sums can be, of opposite points, and what comes after them goes one by one too.
/// <para>A point is named by a number: its index times 4, plus 2 where it is in the second of two places (sums made
/// here), plus 1 where its negative is meant.</para>
/// </remarks>
internal sealed unsafe class BatchAffine<TLanes, TField> : IDisposable
    where TLanes : unmanaged, ICurveLanes<TLanes, TField>
    where TField : unmanaged, ICurveField<TField>
{
    /// <summary>Pairs added with one inversion: what they keep fits into a core's second cache.</summary>
    internal const int MostPairs = Lanes * MostVectors;

    internal const int Negative = 1;
    internal const int InSums = 2;
    internal const int IndexShift = 2;

    private const int Lanes = 8;
    private const int MostVectors = 192;
    private const int LookAhead = 2;

    /// <summary>Whether a sum at infinity was made since <see cref="Start"/>: from then on, one by one.</summary>
    private bool _sawInfinity;

    private readonly AlignedMemory _room = new((long)MostVectors * sizeof(Kept));

    /// <summary>What the forward pass keeps of eight pairs for the backward pass.</summary>
    private struct Kept
    {
        internal TLanes X, Y, DeltaX, DeltaY, Running;
    }

    public void Dispose() => _room.Dispose();

    /// <summary>Sums made before are not asked for any more.</summary>
    internal void Start() => _sawInfinity = false;

    /// <summary>The place of a point.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong* At(int name, ulong* points, ulong* sums)
    {
        var place = (name & InSums) != 0 ? sums : points;
        return place + ((long)(name >> IndexShift) * TLanes.PointWords);
    }

    /// <summary>results[i] = left[i] + right[i].</summary>
    /// <param name="left">Names; room for seven more after them.</param>
    /// <param name="right">Names; as above.</param>
    /// <param name="count">1 to <see cref="MostPairs"/>.</param>
    /// <param name="points">Where names count from.</param>
    /// <param name="sums">Where names with <see cref="InSums"/> count from.</param>
    /// <param name="results">Where the sums go; room for seven more after them.</param>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Add(int* left, int* right, int count, ulong* points, ulong* sums, ulong* results)
    {
        if (_sawInfinity)
        {
            AddOneByOne(left, right, count, points, sums, results);
            return;
        }

        var vectors = (count + Lanes - 1) / Lanes;
        for (var i = count; i < vectors * Lanes; i++)
        {
            (left[i], right[i]) = (left[count - 1], right[count - 1]);
        }

        var kept = _room.As<Kept>();
        TLanes.One(out var first);
        TLanes.One(out var second);
        for (var v = 0; v < vectors; v++)
        {
            if (v + LookAhead < vectors)
            {
                Fetch(left + (Lanes * (v + LookAhead)), points, sums);
                Fetch(right + (Lanes * (v + LookAhead)), points, sums);
            }

            Prepare(left + (Lanes * v), right + (Lanes * v), points, sums, ref kept[v]);
            if ((v & 1) == 0)
            {
                kept[v].Running = first;
                TLanes.Multiply(first, kept[v].DeltaX, out first);
            }
            else
            {
                kept[v].Running = second;
                TLanes.Multiply(second, kept[v].DeltaX, out second);
            }
        }

        TLanes.Multiply(first, second, out var product);
        if (!TLanes.TryInvert(product, out product))
        {
            AddOneByOne(left, right, count, points, sums, results);
            return;
        }

        TLanes.Multiply(product, first, out first);
        TLanes.Multiply(product, second, out second);
        (first, second) = (second, first);
        var last = vectors - 1;
        if ((last & 1) == 0)
        {
            TLanes.Multiply(first, kept[last].Running, out var inverse);
            TLanes.Multiply(first, kept[last].DeltaX, out first);
            Finish(kept[last], inverse, results + (last * Lanes * TLanes.PointWords));
            last--;
        }

        for (var v = last; v >= 0; v -= 2)
        {
            TLanes.Multiply(second, kept[v].Running, out var inverse);
            TLanes.Multiply(first, kept[v - 1].Running, out var inverseBefore);
            TLanes.Multiply(second, kept[v].DeltaX, out second);
            TLanes.Multiply(first, kept[v - 1].DeltaX, out first);
            FinishTwo(
                kept[v], inverse, results + (v * Lanes * TLanes.PointWords),
                kept[v - 1], inverseBefore, results + ((v - 1) * Lanes * TLanes.PointWords));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(int* names, ulong* points, ulong* sums)
    {
        for (var i = 0; i < Lanes; i++)
        {
            var point = At(names[i], points, sums);
            Sse.Prefetch0(point);
            if (TLanes.PointWords > 8)
            {
                Sse.Prefetch0(point + 8);
            }
        }
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Prepare(int* left, int* right, ulong* points, ulong* sums, ref Kept kept)
    {
        ulong** places = stackalloc ulong*[2 * Lanes];
        for (var i = 0; i < Lanes; i++)
        {
            places[i] = At(left[i], points, sums);
            places[Lanes + i] = At(right[i], points, sums);
        }

        TLanes.Load(places, out kept.X, out kept.Y);
        TLanes.Load(places + Lanes, out var x, out var y);
        TLanes.NegateLoose(ref kept.Y, Signs(left));
        TLanes.NegateLoose(ref y, Signs(right));
        TLanes.Subtract(x, kept.X, out kept.DeltaX);
        TLanes.Subtract(y, kept.Y, out kept.DeltaY);
    }

    /// <summary>All ones where a name means the negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Signs(int* names) =>
        Vector512<ulong>.Zero - (Avx512F.ConvertToVector512UInt64(Vector256.Load((uint*)names))
            & Vector512<ulong>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(in Kept kept, in TLanes inverse, ulong* results)
    {
        TLanes.Multiply(kept.DeltaY, inverse, out var slope);
        TLanes.Square(slope, out var x);
        TLanes.SubtractTwice(x, kept.DeltaX, kept.X, out x);
        TLanes.Subtract(kept.X, x, out var run);
        TLanes.Multiply(slope, run, out var y);
        TLanes.SubtractReduced(y, kept.Y, out y);
        TLanes.Store(x, y, results);
    }

    /// <summary>Two times eight sums in turn: each product of one is done while the other's is waited for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FinishTwo(
        in Kept a, in TLanes inverseA, ulong* resultsA, in Kept b, in TLanes inverseB, ulong* resultsB)
    {
        TLanes.Multiply(a.DeltaY, inverseA, out var slopeA);
        TLanes.Multiply(b.DeltaY, inverseB, out var slopeB);
        TLanes.Square(slopeA, out var xA);
        TLanes.Square(slopeB, out var xB);
        TLanes.SubtractTwice(xA, a.DeltaX, a.X, out xA);
        TLanes.SubtractTwice(xB, b.DeltaX, b.X, out xB);
        TLanes.Subtract(a.X, xA, out var runA);
        TLanes.Subtract(b.X, xB, out var runB);
        TLanes.Multiply(slopeA, runA, out var yA);
        TLanes.Multiply(slopeB, runB, out var yB);
        TLanes.SubtractReduced(yA, a.Y, out yA);
        TLanes.SubtractReduced(yB, b.Y, out yB);
        TLanes.Store(xA, yA, resultsA);
        TLanes.Store(xB, yB, resultsB);
    }

    /// <summary>The same with formulas that know every special case.</summary>
    private void AddOneByOne(int* left, int* right, int count, ulong* points, ulong* sums, ulong* results)
    {
        var all = new JacobianPoint<TField>[count];
        for (var i = 0; i < count; i++)
        {
            Read(left[i], points, sums, out var a);
            Read(right[i], points, sums, out var b);
            JacobianPoint<TField>.Add(new JacobianPoint<TField>(a), b, out all[i]);
        }

        var affine = new AffinePoint<TField>[count];
        JacobianPoint<TField>.ToAffine(all, affine);
        for (var i = 0; i < count; i++)
        {
            _sawInfinity |= affine[i].IsInfinity;
            TLanes.Write(affine[i], results + ((long)i * TLanes.PointWords));
        }
    }

    /// <summary>The point of a name.</summary>
    internal static void Read(int name, ulong* points, ulong* sums, out AffinePoint<TField> point)
    {
        TLanes.Read(At(name, points, sums), out point);
        if ((name & Negative) != 0)
        {
            point = -point;
        }
    }
}
