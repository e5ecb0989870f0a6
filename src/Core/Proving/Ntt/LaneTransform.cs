using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Ntt;

using Lanes = FieldLanes<FrModulus>;

/// <summary>Number-theoretic transforms of 64 elements and more, eight at a time.</summary>
/// <remarks>
/// Two transforms that fit each other: values to coefficients by decimation in frequency (order in, bit-reversed out),
/// coefficients to values by decimation in time (bit-reversed in, order out), so that nothing is ever permuted.
/// <code>
///   element 8 b + l is lane l of vector b
///   halves m of 8 and more    butterflies between vectors m / 8 apart, two levels in one pass over memory
///   halves 4, 2, 1            within a tile of 64 elements that is turned about its diagonal: element 8 b + l of a
///                             tile is lane b of its vector l, and butterflies are between vectors again
/// </code>
/// Coefficients stay in turned tiles. Passes over the whole are shared by all cores until parts are small enough for
/// a core's cache; each part is then finished by one core.
/// </remarks>
internal static unsafe class LaneTransform
{
    /// <summary>Vectors of a part that one core finishes alone: 327 KB.</summary>
    private const int PartBlocks = 1024;

    private const int Tile = 8;

    /// <summary>Values on the domain to coefficients times the size.</summary>
    internal static void ToCoefficients(LaneDomain domain, Lanes* values)
    {
        var half = domain.Blocks / 2;
        for (; half >= PartBlocks; half /= 4)
        {
            var h = half;
            ForEach(domain.Blocks / 4, (from, to) => Split(values, domain.Inverse, h, from, to));
        }

        var part = Math.Min(2 * half, domain.Blocks);
        System.Threading.Tasks.Parallel.For(0, domain.Blocks / part, index =>
        {
            var start = values + ((long)index * part);
            var h = part / 2;
            for (; h >= 2; h /= 4)
            {
                Split(start, domain.Inverse, h, 0, part / 4);
            }

            if (h == 1)
            {
                SplitOnce(start, domain.Inverse, part);
            }

            for (var tile = 0; tile < part; tile += Tile)
            {
                SplitTile(start + tile, domain.InverseEighths);
            }
        });
    }

    /// <summary>Coefficients as the transform above leaves them to values on the domain.</summary>
    internal static void ToValues(LaneDomain domain, Lanes* values)
    {
        // The same passes in the opposite order.
        var passes = new Stack<int>();
        var half = domain.Blocks / 2;
        for (; half >= PartBlocks; half /= 4)
        {
            passes.Push(half);
        }

        var part = Math.Min(2 * half, domain.Blocks);
        System.Threading.Tasks.Parallel.For(0, domain.Blocks / part, index =>
        {
            var start = values + ((long)index * part);
            for (var tile = 0; tile < part; tile += Tile)
            {
                JoinTile(start + tile, domain.ForwardEighths);
            }

            var h = 2;
            if ((System.Numerics.BitOperations.Log2((uint)part) & 1) != 0)
            {
                JoinOnce(start, domain.Forward, part);
                h = 4;
            }

            for (; h < part; h *= 4)
            {
                Join(start, domain.Forward, h, 0, part / 4);
            }
        });
        foreach (var h in passes)
        {
            ForEach(domain.Blocks / 4, (from, to) => Join(values, domain.Forward, h, from, to));
        }
    }

    /// <summary>Multiplies by a table.</summary>
    internal static void Scale(LaneDomain domain, Lanes* values, Lanes* factors) =>
        ForEach(domain.Blocks, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                Lanes.Multiply(values[i], factors[i], out values[i]);
            }
        });

    /// <summary>Shares a range between the cores.</summary>
    internal static void ForEach(int count, Action<int, int> body)
    {
        var size = Math.Max(64, (count + (4 * Environment.ProcessorCount) - 1) / (4 * Environment.ProcessorCount));
        System.Threading.Tasks.Parallel.For(
            0, (count + size - 1) / size, i => body(i * size, Math.Min(count, (i + 1) * size)));
    }

    /// <summary>The levels with halves of h and h / 2 vectors, h at least 2; from and to count quarters.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Split(Lanes* values, Lanes* twiddles, int h, int from, int to)
    {
        var quarter = h / 2;
        for (var i = from; i < to; i++)
        {
            var j = i % quarter;
            var x = values + (i / quarter * 4L * quarter) + j;
            Difference(x, x + h, twiddles + h + j);
            Difference(x + quarter, x + h + quarter, twiddles + h + quarter + j);
            Difference(x, x + quarter, twiddles + quarter + j);
            Difference(x + h, x + h + quarter, twiddles + quarter + j);
        }
    }

    /// <summary>The level with halves of one vector.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SplitOnce(Lanes* values, Lanes* twiddles, int size)
    {
        for (var i = 0; i < size; i += 2)
        {
            Difference(values + i, values + i + 1, twiddles + 1);
        }
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Join(Lanes* values, Lanes* twiddles, int h, int from, int to)
    {
        var quarter = h / 2;
        for (var i = from; i < to; i++)
        {
            var j = i % quarter;
            var x = values + (i / quarter * 4L * quarter) + j;
            Sum(x, x + quarter, twiddles + quarter + j);
            Sum(x + h, x + h + quarter, twiddles + quarter + j);
            Sum(x, x + h, twiddles + h + j);
            Sum(x + quarter, x + h + quarter, twiddles + h + quarter + j);
        }
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinOnce(Lanes* values, Lanes* twiddles, int size)
    {
        for (var i = 0; i < size; i += 2)
        {
            Sum(values + i, values + i + 1, twiddles + 1);
        }
    }

    /// <summary>(a, b) becomes (a + b, (a - b) w).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Difference(Lanes* a, Lanes* b, Lanes* w)
    {
        Lanes.Subtract(*a, *b, 2, out var difference);
        Lanes.AddTight(*a, *b, out *a);
        Lanes.Multiply(difference, *w, out *b);
    }

    /// <summary>(a, b) becomes (a + b w, a - b w).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sum(Lanes* a, Lanes* b, Lanes* w)
    {
        Lanes.Multiply(*b, *w, out var turned);
        Lanes.SubtractTight(*a, turned, out *b);
        Lanes.AddTight(*a, turned, out *a);
    }

    /// <summary>(a, b) becomes (a + b, a - b).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Plain(Lanes* a, Lanes* b)
    {
        var first = *a;
        Lanes.AddTight(first, *b, out *a);
        Lanes.SubtractTight(first, *b, out *b);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SplitTile(Lanes* v, Lanes[] eighths)
    {
        Turn(v);
        fixed (Lanes* w = eighths)
        {
            Plain(v, v + 4);
            Difference(v + 1, v + 5, w);
            Difference(v + 2, v + 6, w + 1);
            Difference(v + 3, v + 7, w + 2);
            for (var i = 0; i < Tile; i += 4)
            {
                Plain(v + i, v + i + 2);
                Difference(v + i + 1, v + i + 3, w + 1);
                Plain(v + i, v + i + 1);
                Plain(v + i + 2, v + i + 3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinTile(Lanes* v, Lanes[] eighths)
    {
        fixed (Lanes* w = eighths)
        {
            for (var i = 0; i < Tile; i += 4)
            {
                Plain(v + i, v + i + 1);
                Plain(v + i + 2, v + i + 3);
                Plain(v + i, v + i + 2);
                Sum(v + i + 1, v + i + 3, w + 1);
            }

            Plain(v, v + 4);
            Sum(v + 1, v + 5, w);
            Sum(v + 2, v + 6, w + 1);
            Sum(v + 3, v + 7, w + 2);
        }

        Turn(v);
    }

    /// <summary>Turns a tile about its diagonal, limb by limb.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(Lanes* v)
    {
        const int limbs = 5;
        for (var limb = 0; limb < limbs; limb++)
        {
            var at = (Vector512<ulong>*)v + limb;
            LaneWords w;
            (w.W0, w.W1, w.W2, w.W3) = (at[0], at[limbs], at[2 * limbs], at[3 * limbs]);
            (w.W4, w.W5, w.W6, w.W7) = (at[4 * limbs], at[5 * limbs], at[6 * limbs], at[7 * limbs]);
            w.Transpose();
            (at[0], at[limbs], at[2 * limbs], at[3 * limbs]) = (w.W0, w.W1, w.W2, w.W3);
            (at[4 * limbs], at[5 * limbs], at[6 * limbs], at[7 * limbs]) = (w.W4, w.W5, w.W6, w.W7);
        }
    }
}
