using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography.Bn254;

public readonly partial struct Fq
{
    /*
     * Montgomery multiplication by columns. With limbs of 52 bits a product of two limbs is high * 2^52 + low; both
     * parts are summed over a column without any carry:
     *
     *     v = sum of a[i] * b[k-i]               modulo 2^64, one plain multiplication each
     *     h = sum of floor(a[i] * b[k-i] / 2^52)             the high word of (64 a[i]) * (64 b[k-i])
     *     sum of the low parts = v - h * 2^52     exact, because it is below 2^64
     *
     * so that a column costs two multiplications and two additions a product, and one correction. The multiple m of the
     * modulus that clears the low five columns joins the same sums (m[k] as soon as column k is known). There is no
     * final subtraction: for a < x p and b < y p the result is below (1 + x y / 84) p.
     *
     * Limbs up to 2^55 are allowed, and values with x y below 84 (for a * b + c * d: both together). So sums of a few
     * elements need no reduction before they are multiplied.
     *
     * Compiled with full optimization at once: unoptimized, these three are ten times slower for the first second.
     */

    /// <summary>a * b; the result may be one of the factors.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in Fq a, in Fq b, out Fq result)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4;
        ulong b0 = b.L0, b1 = b.L1, b2 = b.L2, b3 = b.L3, b4 = b.L4;
        ulong s0 = a0 << 6, s1 = a1 << 6, s2 = a2 << 6, s3 = a3 << 6, s4 = a4 << 6;
        ulong t0 = b0 << 6, t1 = b1 << 6, t2 = b2 << 6, t3 = b3 << 6, t4 = b4 << 6;
        ulong v, h;
        v = a0 * b0;
        h = High(s0, t0);
        var m0 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m0 * P0) - ((h += High(m0, P0High)) << 52)) >> 52) + h;
        v = (a0 * b1) + (a1 * b0) + (m0 * P1) + v;
        h = High(s0, t1) + High(s1, t0) + High(m0, P1High);
        var m1 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m1 * P0) - ((h += High(m1, P0High)) << 52)) >> 52) + h;
        v = (a0 * b2) + (a1 * b1) + (a2 * b0) + (m0 * P2) + (m1 * P1) + v;
        h = High(s0, t2) + High(s1, t1) + High(s2, t0) + High(m0, P2High) + High(m1, P1High);
        var m2 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m2 * P0) - ((h += High(m2, P0High)) << 52)) >> 52) + h;
        v = (a0 * b3) + (a1 * b2) + (a2 * b1) + (a3 * b0) + (m0 * P3) + (m1 * P2) + (m2 * P1) + v;
        h = High(s0, t3) + High(s1, t2) + High(s2, t1) + High(s3, t0) + High(m0, P3High) + High(m1, P2High)
            + High(m2, P1High);
        var m3 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m3 * P0) - ((h += High(m3, P0High)) << 52)) >> 52) + h;
        v = (a0 * b4) + (a1 * b3) + (a2 * b2) + (a3 * b1) + (a4 * b0) + (m0 * P4) + (m1 * P3) + (m2 * P2)
            + (m3 * P1) + v;
        h = High(s0, t4) + High(s1, t3) + High(s2, t2) + High(s3, t1) + High(s4, t0) + High(m0, P4High)
            + High(m1, P3High) + High(m2, P2High) + High(m3, P1High);
        var m4 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m4 * P0) - ((h += High(m4, P0High)) << 52)) >> 52) + h;
        v = (a1 * b4) + (a2 * b3) + (a3 * b2) + (a4 * b1) + (m1 * P4) + (m2 * P3) + (m3 * P2) + (m4 * P1) + v;
        h = High(s1, t4) + High(s2, t3) + High(s3, t2) + High(s4, t1) + High(m1, P4High) + High(m2, P3High)
            + High(m3, P2High) + High(m4, P1High);
        v -= h << 52;
        var r0 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a2 * b4) + (a3 * b3) + (a4 * b2) + (m2 * P4) + (m3 * P3) + (m4 * P2) + v;
        h = High(s2, t4) + High(s3, t3) + High(s4, t2) + High(m2, P4High) + High(m3, P3High) + High(m4, P2High);
        v -= h << 52;
        var r1 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a3 * b4) + (a4 * b3) + (m3 * P4) + (m4 * P3) + v;
        h = High(s3, t4) + High(s4, t3) + High(m3, P4High) + High(m4, P3High);
        v -= h << 52;
        var r2 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a4 * b4) + (m4 * P4) + v;
        h = High(s4, t4) + High(m4, P4High);
        v -= h << 52;
        var r3 = v & LimbMask;
        v = (v >> 52) + h;
        result = new Fq(r0, r1, r2, r3, v);
    }

    /// <summary>a * a: products of different limbs count twice.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square(in Fq a, out Fq result)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4;
        ulong d1 = a1 << 1, d2 = a2 << 1, d3 = a3 << 1, d4 = a4 << 1;
        ulong s0 = a0 << 6, s1 = a1 << 6, s2 = a2 << 6, s3 = a3 << 6, s4 = a4 << 6;
        ulong t1 = a1 << 7, t2 = a2 << 7, t3 = a3 << 7, t4 = a4 << 7;
        ulong v, h;
        v = a0 * a0;
        h = High(s0, s0);
        var m0 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m0 * P0) - ((h += High(m0, P0High)) << 52)) >> 52) + h;
        v = (a0 * d1) + (m0 * P1) + v;
        h = High(s0, t1) + High(m0, P1High);
        var m1 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m1 * P0) - ((h += High(m1, P0High)) << 52)) >> 52) + h;
        v = (a0 * d2) + (a1 * a1) + (m0 * P2) + (m1 * P1) + v;
        h = High(s0, t2) + High(s1, s1) + High(m0, P2High) + High(m1, P1High);
        var m2 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m2 * P0) - ((h += High(m2, P0High)) << 52)) >> 52) + h;
        v = (a0 * d3) + (a1 * d2) + (m0 * P3) + (m1 * P2) + (m2 * P1) + v;
        h = High(s0, t3) + High(s1, t2) + High(m0, P3High) + High(m1, P2High) + High(m2, P1High);
        var m3 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m3 * P0) - ((h += High(m3, P0High)) << 52)) >> 52) + h;
        v = (a0 * d4) + (a1 * d3) + (a2 * a2) + (m0 * P4) + (m1 * P3) + (m2 * P2) + (m3 * P1) + v;
        h = High(s0, t4) + High(s1, t3) + High(s2, s2) + High(m0, P4High) + High(m1, P3High) + High(m2, P2High)
            + High(m3, P1High);
        var m4 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m4 * P0) - ((h += High(m4, P0High)) << 52)) >> 52) + h;
        v = (a1 * d4) + (a2 * d3) + (m1 * P4) + (m2 * P3) + (m3 * P2) + (m4 * P1) + v;
        h = High(s1, t4) + High(s2, t3) + High(m1, P4High) + High(m2, P3High) + High(m3, P2High) + High(m4, P1High);
        v -= h << 52;
        var r0 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a2 * d4) + (a3 * a3) + (m2 * P4) + (m3 * P3) + (m4 * P2) + v;
        h = High(s2, t4) + High(s3, s3) + High(m2, P4High) + High(m3, P3High) + High(m4, P2High);
        v -= h << 52;
        var r1 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a3 * d4) + (m3 * P4) + (m4 * P3) + v;
        h = High(s3, t4) + High(m3, P4High) + High(m4, P3High);
        v -= h << 52;
        var r2 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a4 * a4) + (m4 * P4) + v;
        h = High(s4, s4) + High(m4, P4High);
        v -= h << 52;
        var r3 = v & LimbMask;
        v = (v >> 52) + h;
        result = new Fq(r0, r1, r2, r3, v);
    }

    /// <summary>a * b + c * d with one reduction; the result may be one of the factors.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void MultiplyAdd(in Fq a, in Fq b, in Fq c, in Fq d, out Fq result)
    {
        ulong a0 = a.L0, a1 = a.L1, a2 = a.L2, a3 = a.L3, a4 = a.L4;
        ulong b0 = b.L0, b1 = b.L1, b2 = b.L2, b3 = b.L3, b4 = b.L4;
        ulong c0 = c.L0, c1 = c.L1, c2 = c.L2, c3 = c.L3, c4 = c.L4;
        ulong d0 = d.L0, d1 = d.L1, d2 = d.L2, d3 = d.L3, d4 = d.L4;
        ulong s0 = a0 << 6, s1 = a1 << 6, s2 = a2 << 6, s3 = a3 << 6, s4 = a4 << 6;
        ulong t0 = b0 << 6, t1 = b1 << 6, t2 = b2 << 6, t3 = b3 << 6, t4 = b4 << 6;
        ulong u0 = c0 << 6, u1 = c1 << 6, u2 = c2 << 6, u3 = c3 << 6, u4 = c4 << 6;
        ulong w0 = d0 << 6, w1 = d1 << 6, w2 = d2 << 6, w3 = d3 << 6, w4 = d4 << 6;
        ulong v, h;
        v = (a0 * b0) + (c0 * d0);
        h = High(s0, t0) + High(u0, w0);
        var m0 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m0 * P0) - ((h += High(m0, P0High)) << 52)) >> 52) + h;
        v = (a0 * b1) + (a1 * b0) + (c0 * d1) + (c1 * d0) + (m0 * P1) + v;
        h = High(s0, t1) + High(s1, t0) + High(u0, w1) + High(u1, w0) + High(m0, P1High);
        var m1 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m1 * P0) - ((h += High(m1, P0High)) << 52)) >> 52) + h;
        v = (a0 * b2) + (a1 * b1) + (a2 * b0) + (c0 * d2) + (c1 * d1) + (c2 * d0) + (m0 * P2) + (m1 * P1) + v;
        h = High(s0, t2) + High(s1, t1) + High(s2, t0) + High(u0, w2) + High(u1, w1) + High(u2, w0)
            + High(m0, P2High) + High(m1, P1High);
        var m2 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m2 * P0) - ((h += High(m2, P0High)) << 52)) >> 52) + h;
        v = (a0 * b3) + (a1 * b2) + (a2 * b1) + (a3 * b0) + (c0 * d3) + (c1 * d2) + (c2 * d1) + (c3 * d0)
            + (m0 * P3) + (m1 * P2) + (m2 * P1) + v;
        h = High(s0, t3) + High(s1, t2) + High(s2, t1) + High(s3, t0) + High(u0, w3) + High(u1, w2) + High(u2, w1)
            + High(u3, w0) + High(m0, P3High) + High(m1, P2High) + High(m2, P1High);
        var m3 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m3 * P0) - ((h += High(m3, P0High)) << 52)) >> 52) + h;
        v = (a0 * b4) + (a1 * b3) + (a2 * b2) + (a3 * b1) + (a4 * b0) + (c0 * d4) + (c1 * d3) + (c2 * d2)
            + (c3 * d1) + (c4 * d0) + (m0 * P4) + (m1 * P3) + (m2 * P2) + (m3 * P1) + v;
        h = High(s0, t4) + High(s1, t3) + High(s2, t2) + High(s3, t1) + High(s4, t0) + High(u0, w4) + High(u1, w3)
            + High(u2, w2) + High(u3, w1) + High(u4, w0) + High(m0, P4High) + High(m1, P3High) + High(m2, P2High)
            + High(m3, P1High);
        var m4 = (v * NegativeInverse) & LimbMask;
        v = ((v + (m4 * P0) - ((h += High(m4, P0High)) << 52)) >> 52) + h;
        v = (a1 * b4) + (a2 * b3) + (a3 * b2) + (a4 * b1) + (c1 * d4) + (c2 * d3) + (c3 * d2) + (c4 * d1)
            + (m1 * P4) + (m2 * P3) + (m3 * P2) + (m4 * P1) + v;
        h = High(s1, t4) + High(s2, t3) + High(s3, t2) + High(s4, t1) + High(u1, w4) + High(u2, w3) + High(u3, w2)
            + High(u4, w1) + High(m1, P4High) + High(m2, P3High) + High(m3, P2High) + High(m4, P1High);
        v -= h << 52;
        var r0 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a2 * b4) + (a3 * b3) + (a4 * b2) + (c2 * d4) + (c3 * d3) + (c4 * d2) + (m2 * P4) + (m3 * P3)
            + (m4 * P2) + v;
        h = High(s2, t4) + High(s3, t3) + High(s4, t2) + High(u2, w4) + High(u3, w3) + High(u4, w2)
            + High(m2, P4High) + High(m3, P3High) + High(m4, P2High);
        v -= h << 52;
        var r1 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a3 * b4) + (a4 * b3) + (c3 * d4) + (c4 * d3) + (m3 * P4) + (m4 * P3) + v;
        h = High(s3, t4) + High(s4, t3) + High(u3, w4) + High(u4, w3) + High(m3, P4High) + High(m4, P3High);
        v -= h << 52;
        var r2 = v & LimbMask;
        v = (v >> 52) + h;
        v = (a4 * b4) + (c4 * d4) + (m4 * P4) + v;
        h = High(s4, t4) + High(u4, w4) + High(m4, P4High);
        v -= h << 52;
        var r3 = v & LimbMask;
        v = (v >> 52) + h;
        result = new Fq(r0, r1, r2, r3, v);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong High(ulong a, ulong b) => Limbs.MultiplyHigh(a, b);
}
