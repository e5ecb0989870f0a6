using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SuperVm.Core.Cryptography.Bn254;

using Lanes = FieldLanes<FqModulus>;

/// <summary>Coordinates of eight points of G1.</summary>
internal unsafe struct FqLanes : ICurveLanes<FqLanes, Fq>
{
    /// <summary>Multiples of p that keep a difference of two values between -2 p and 2 p positive.</summary>
    private const ulong Bias = 4;

    internal Lanes Value;

    public static int PointWords => 8;

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Load(ulong** points, out FqLanes x, out FqLanes y)
    {
        LaneWords w;
        w.W0 = Vector512.Load(points[0]);
        w.W1 = Vector512.Load(points[1]);
        w.W2 = Vector512.Load(points[2]);
        w.W3 = Vector512.Load(points[3]);
        w.W4 = Vector512.Load(points[4]);
        w.W5 = Vector512.Load(points[5]);
        w.W6 = Vector512.Load(points[6]);
        w.W7 = Vector512.Load(points[7]);
        w.Transpose();
        Lanes.Unpack(w.W0, w.W1, w.W2, w.W3, out x.Value);
        Lanes.Unpack(w.W4, w.W5, w.W6, w.W7, out y.Value);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(in FqLanes x, in FqLanes y, ulong* points)
    {
        LaneWords w;
        x.Value.Pack(out w.W0, out w.W1, out w.W2, out w.W3);
        y.Value.Pack(out w.W4, out w.W5, out w.W6, out w.W7);
        w.Transpose();
        w.W0.Store(points);
        w.W1.Store(points + 8);
        w.W2.Store(points + 16);
        w.W3.Store(points + 24);
        w.W4.Store(points + 32);
        w.W5.Store(points + 40);
        w.W6.Store(points + 48);
        w.W7.Store(points + 56);
    }

    public static void One(out FqLanes one)
    {
        var value = Fq.One;
        Lanes.Broadcast(value.L0, value.L1, value.L2, value.L3, value.L4, out one.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Subtract(in FqLanes a, in FqLanes b, out FqLanes difference) =>
        Lanes.Subtract(a.Value, b.Value, Bias, out difference.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SubtractTwice(in FqLanes a, in FqLanes b, in FqLanes c, out FqLanes difference)
    {
        Lanes twice;
        twice.L0 = c.Value.L0 + c.Value.L0;
        twice.L1 = c.Value.L1 + c.Value.L1;
        twice.L2 = c.Value.L2 + c.Value.L2;
        twice.L3 = c.Value.L3 + c.Value.L3;
        twice.L4 = c.Value.L4 + c.Value.L4;
        Lanes.SubtractBoth(a.Value, b.Value, twice, out difference.Value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SubtractReduced(in FqLanes a, in FqLanes b, out FqLanes difference) =>
        Lanes.SubtractReduced(a.Value, b.Value, out difference.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(in FqLanes a, in FqLanes b, out FqLanes product) =>
        Lanes.Multiply(a.Value, b.Value, out product.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Square(in FqLanes a, out FqLanes square) =>
        Lanes.Multiply(a.Value, a.Value, out square.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NegateLoose(ref FqLanes a, Vector512<ulong> mask) => a.Value.NegateLoose(mask);

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryInvert(in FqLanes a, out FqLanes inverse)
    {
        Span<Fq> values = stackalloc Fq[Lanes.Lanes], scratch = stackalloc Fq[Lanes.Lanes];
        ToScalars(a.Value, values);
        foreach (ref readonly var value in values)
        {
            if (value.IsZero)
            {
                inverse = default;
                return false;
            }
        }

        FieldAlgorithms.InvertMany(values, scratch);
        FromScalars(values, out inverse.Value);
        return true;
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Read(ulong* point, out AffinePoint<Fq> result)
    {
        ReadElement(point, out result.X);
        ReadElement(point + 4, out result.Y);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(in AffinePoint<Fq> point, ulong* destination)
    {
        WriteElement(point.X, destination);
        WriteElement(point.Y, destination + 4);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryConvert(byte* source, ulong* destination)
    {
        LaneWords w;
        w.W0 = Vector512.Load((ulong*)source);
        w.W1 = Vector512.Load((ulong*)(source + 64));
        w.W2 = Vector512.Load((ulong*)(source + 128));
        w.W3 = Vector512.Load((ulong*)(source + 192));
        w.W4 = Vector512.Load((ulong*)(source + 256));
        w.W5 = Vector512.Load((ulong*)(source + 320));
        w.W6 = Vector512.Load((ulong*)(source + 384));
        w.W7 = Vector512.Load((ulong*)(source + 448));
        w.Transpose();
        FqLanes x, y;
        if (!TryRescale(w.W0, w.W1, w.W2, w.W3, out x.Value) || !TryRescale(w.W4, w.W5, w.W6, w.W7, out y.Value))
        {
            return false;
        }

        // y^2 = x^3 + 3, or both zero.
        Square(x, out var right);
        Multiply(right, x, out right);
        Square(y, out var left);
        Lanes three;
        FromScalar(Fq.FromUInt64(3), out three);
        Lanes.AddTight(right.Value, three, out right.Value);
        left.Value.Canonical(out var l);
        right.Value.Canonical(out var r);
        var wrong = (l.L0 ^ r.L0) | (l.L1 ^ r.L1) | (l.L2 ^ r.L2) | (l.L3 ^ r.L3) | (l.L4 ^ r.L4);
        var zero = Vector512.Equals(
            w.W0 | w.W1 | w.W2 | w.W3 | w.W4 | w.W5 | w.W6 | w.W7, Vector512<ulong>.Zero);
        Store(x, y, destination);
        return Vector512.AndNot(wrong, zero) == Vector512<ulong>.Zero;
    }

    /// <summary>Takes a 2^256 to a 2^260; false where a lane is not below p.</summary>
    internal static bool TryRescale(
        Vector512<ulong> w0, Vector512<ulong> w1, Vector512<ulong> w2, Vector512<ulong> w3, out Lanes result)
    {
        Lanes.Unpack(w0, w1, w2, w3, out var plain);
        plain.Canonical(out var unique);
        var changed = (unique.L0 ^ plain.L0) | (unique.L1 ^ plain.L1) | (unique.L2 ^ plain.L2)
            | (unique.L3 ^ plain.L3) | (unique.L4 ^ plain.L4);

        // 2^264 modulo p.
        Lanes.Broadcast(
            0xB0F2AFAEC667A, 0xED9626B0FFFBD, 0x9E2A0FCAD825A, 0xE357276F48B70, 0xD791464EF86, out var factor);
        Lanes.Multiply(unique, factor, out result);
        return changed == Vector512<ulong>.Zero;
    }

    internal static void FromScalar(in Fq value, out Lanes lanes) =>
        Lanes.Broadcast(value.L0, value.L1, value.L2, value.L3, value.L4, out lanes);

    /// <summary>The elements of the lanes of a tight value.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ToScalars(in Lanes lanes, Span<Fq> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = new Fq(lanes.L0[i], lanes.L1[i], lanes.L2[i], lanes.L3[i], lanes.L4[i]);
        }
    }

    /// <summary>Eight elements, one a lane.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void FromScalars(ReadOnlySpan<Fq> values, out Lanes lanes)
    {
        lanes = default;
        for (var i = 0; i < values.Length; i++)
        {
            lanes.L0 = lanes.L0.WithElement(i, values[i].L0);
            lanes.L1 = lanes.L1.WithElement(i, values[i].L1);
            lanes.L2 = lanes.L2.WithElement(i, values[i].L2);
            lanes.L3 = lanes.L3.WithElement(i, values[i].L3);
            lanes.L4 = lanes.L4.WithElement(i, values[i].L4);
        }
    }

    internal static void ReadElement(ulong* words, out Fq value) => value = new Fq(
        words[0] & Lanes.LimbMask, ((words[0] >> 52) | (words[1] << 12)) & Lanes.LimbMask,
        ((words[1] >> 40) | (words[2] << 24)) & Lanes.LimbMask,
        ((words[2] >> 28) | (words[3] << 36)) & Lanes.LimbMask, words[3] >> 16);

    internal static void WriteElement(in Fq value, ulong* words)
    {
        words[0] = value.L0 | (value.L1 << 52);
        words[1] = (value.L1 >> 12) | (value.L2 << 40);
        words[2] = (value.L2 >> 24) | (value.L3 << 28);
        words[3] = (value.L3 >> 36) | (value.L4 << 16);
    }
}
