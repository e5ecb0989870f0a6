using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SuperVm.Core.Cryptography.Bn254;

using Lanes = FieldLanes<FqModulus>;

/// <summary>Coordinates of eight points of G2: C0 + C1 i with i^2 = -1.</summary>
internal unsafe struct Fq2Lanes : ICurveLanes<Fq2Lanes, Fq2>
{
    internal FqLanes C0, C1;

    public static int PointWords => 16;

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(ulong** points, out Fq2Lanes x, out Fq2Lanes y)
    {
        FqLanes.Load(points, out x.C0, out x.C1);
        ulong** second = stackalloc ulong*[Lanes.Lanes];
        for (var i = 0; i < Lanes.Lanes; i++)
        {
            second[i] = points[i] + 8;
        }

        FqLanes.Load(second, out y.C0, out y.C1);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(in Fq2Lanes x, in Fq2Lanes y, ulong* points)
    {
        var room = stackalloc ulong[16 * Lanes.Lanes];
        FqLanes.Store(x.C0, x.C1, room);
        FqLanes.Store(y.C0, y.C1, room + (8 * Lanes.Lanes));
        for (var i = 0; i < Lanes.Lanes; i++)
        {
            Vector512.Load(room + (8 * i)).Store(points + (16 * i));
            Vector512.Load(room + (8 * (Lanes.Lanes + i))).Store(points + (16 * i) + 8);
        }
    }

    public static void One(out Fq2Lanes one)
    {
        FqLanes.One(out one.C0);
        one.C1 = default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Subtract(in Fq2Lanes a, in Fq2Lanes b, out Fq2Lanes difference)
    {
        FqLanes.Subtract(a.C0, b.C0, out difference.C0);
        FqLanes.Subtract(a.C1, b.C1, out difference.C1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SubtractTwice(in Fq2Lanes a, in Fq2Lanes b, in Fq2Lanes c, out Fq2Lanes difference)
    {
        FqLanes.SubtractTwice(a.C0, b.C0, c.C0, out difference.C0);
        FqLanes.SubtractTwice(a.C1, b.C1, c.C1, out difference.C1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SubtractReduced(in Fq2Lanes a, in Fq2Lanes b, out Fq2Lanes difference)
    {
        FqLanes.SubtractReduced(a.C0, b.C0, out difference.C0);
        FqLanes.SubtractReduced(a.C1, b.C1, out difference.C1);
    }

    /// <remarks>Four products, two reductions: (a0 b0 - a1 b1) + (a0 b1 + a1 b0) i. Factors are below 8 p.</remarks>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in Fq2Lanes a, in Fq2Lanes b, out Fq2Lanes product)
    {
        Lanes.Subtract(default, a.C1.Value, 8, out var negative);
        Lanes.MultiplyAdd(a.C0.Value, b.C0.Value, negative, b.C1.Value, out var real);
        Lanes.MultiplyAdd(a.C0.Value, b.C1.Value, a.C1.Value, b.C0.Value, out product.C1.Value);
        product.C0.Value = real;
    }

    /// <remarks>(a0 + a1) (a0 - a1) + 2 a0 a1 i.</remarks>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square(in Fq2Lanes a, out Fq2Lanes square)
    {
        Lanes.Add(a.C0.Value, a.C1.Value, out var sum);
        Lanes.Subtract(a.C0.Value, a.C1.Value, 2, out var difference);
        Lanes.Add(a.C0.Value, a.C0.Value, out var twice);
        Lanes.Multiply(twice, a.C1.Value, out square.C1.Value);
        Lanes.Multiply(sum, difference, out square.C0.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NegateLoose(ref Fq2Lanes a, Vector512<ulong> mask)
    {
        a.C0.Value.NegateLoose(mask);
        a.C1.Value.NegateLoose(mask);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryInvert(in Fq2Lanes a, out Fq2Lanes inverse)
    {
        Span<Fq> real = stackalloc Fq[Lanes.Lanes], imaginary = stackalloc Fq[Lanes.Lanes];
        Span<Fq2> values = stackalloc Fq2[Lanes.Lanes], scratch = stackalloc Fq2[Lanes.Lanes];
        FqLanes.ToScalars(a.C0.Value, real);
        FqLanes.ToScalars(a.C1.Value, imaginary);
        inverse = default;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = new Fq2(real[i], imaginary[i]);
            if (values[i].IsZero)
            {
                return false;
            }
        }

        FieldAlgorithms.InvertMany(values, scratch);
        for (var i = 0; i < values.Length; i++)
        {
            (real[i], imaginary[i]) = (values[i].C0, values[i].C1);
        }

        FqLanes.FromScalars(real, out inverse.C0.Value);
        FqLanes.FromScalars(imaginary, out inverse.C1.Value);
        return true;
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Read(ulong* point, out AffinePoint<Fq2> result)
    {
        result = default;
        FqLanes.ReadElement(point, out result.X.C0);
        FqLanes.ReadElement(point + 4, out result.X.C1);
        FqLanes.ReadElement(point + 8, out result.Y.C0);
        FqLanes.ReadElement(point + 12, out result.Y.C1);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(in AffinePoint<Fq2> point, ulong* destination)
    {
        FqLanes.WriteElement(point.X.C0, destination);
        FqLanes.WriteElement(point.X.C1, destination + 4);
        FqLanes.WriteElement(point.Y.C0, destination + 8);
        FqLanes.WriteElement(point.Y.C1, destination + 12);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryConvert(byte* source, ulong* destination)
    {
        var good = true;
        for (var half = 0; half < 2; half++)
        {
            LaneWords w;
            var from = source + (64 * half);
            w.W0 = Vector512.Load((ulong*)from);
            w.W1 = Vector512.Load((ulong*)(from + 128));
            w.W2 = Vector512.Load((ulong*)(from + 256));
            w.W3 = Vector512.Load((ulong*)(from + 384));
            w.W4 = Vector512.Load((ulong*)(from + 512));
            w.W5 = Vector512.Load((ulong*)(from + 640));
            w.W6 = Vector512.Load((ulong*)(from + 768));
            w.W7 = Vector512.Load((ulong*)(from + 896));
            w.Transpose();
            good &= FqLanes.TryRescale(w.W0, w.W1, w.W2, w.W3, out var c0);
            good &= FqLanes.TryRescale(w.W4, w.W5, w.W6, w.W7, out var c1);
            c0.Pack(out w.W0, out w.W1, out w.W2, out w.W3);
            c1.Pack(out w.W4, out w.W5, out w.W6, out w.W7);
            w.Transpose();
            var to = destination + (8 * half);
            w.W0.Store(to);
            w.W1.Store(to + 16);
            w.W2.Store(to + 32);
            w.W3.Store(to + 48);
            w.W4.Store(to + 64);
            w.W5.Store(to + 80);
            w.W6.Store(to + 96);
            w.W7.Store(to + 112);
        }

        return good && AreOnCurve(destination);
    }

    /// <summary>Whether eight points one after another satisfy y^2 = x^3 + b, or are zero.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AreOnCurve(ulong* points)
    {
        ulong** each = stackalloc ulong*[Lanes.Lanes];
        for (var i = 0; i < Lanes.Lanes; i++)
        {
            each[i] = points + (16 * i);
        }

        Load(each, out var x, out var y);
        Square(x, out var right);
        Multiply(right, x, out right);
        Square(y, out var left);
        FqLanes.FromScalar(G2.CurveB.C0, out var b0);
        FqLanes.FromScalar(G2.CurveB.C1, out var b1);
        Lanes.AddTight(right.C0.Value, b0, out right.C0.Value);
        Lanes.AddTight(right.C1.Value, b1, out right.C1.Value);
        if (left.C0.Value.EqualsAll(right.C0.Value) && left.C1.Value.EqualsAll(right.C1.Value))
        {
            return true;
        }

        // Points at infinity are not on the curve.
        for (var i = 0; i < Lanes.Lanes; i++)
        {
            Read(each[i], out var point);
            if (!point.IsOnCurve(G2.CurveB))
            {
                return false;
            }
        }

        return true;
    }
}
