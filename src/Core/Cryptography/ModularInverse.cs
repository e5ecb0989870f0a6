using System.Numerics;
using System.Runtime.CompilerServices;

namespace SuperVm.Core.Cryptography;

/// <summary>Inverts modulo one fixed odd prime of up to 433 bits; the time depends on the value.</summary>
/// <remarks>
/// Bernstein and Yang, "Fast constant-time gcd computation and modular inversion" (eprint 2019/266), in its
/// variable-time form: 62 division steps are gathered into a 2 x 2 matrix of words that is then applied to the long
/// numbers.
/// <code>
///   invariant, modulo m:   d * x = f,  e * x = g          start: f = m, g = x, d = 0, e = 1
///   step:                  (f, g) = T (f, g) / 2^62       and (d, e) = T (d, e) / 2^62 mod m
///   end:                   g = 0, f = +-1, so that +-d is the inverse
/// </code>
/// Long numbers are in signed limbs of 62 bits, the highest of which carries the sign. Not for secrets: those are
/// inverted by powers.
/// </remarks>
internal sealed class ModularInverse
{
    private const int LimbBits = 62;
    private const long LimbMask = (1L << LimbBits) - 1;

    /// <summary>Limbs of the largest modulus served.</summary>
    private const int LimbLimit = 7;

    /// <summary>
    /// Matrices that suffice for 433-bit numbers: floor((49 * 433 + 57) / 17) division steps, 62 a matrix.
    /// </summary>
    private const int RoundLimit = 21;

    private readonly long[] _modulus;
    private readonly long _modulusInverse;

    /// <param name="modulus">An odd prime, words of 64 bits, lowest first.</param>
    internal ModularInverse(ReadOnlySpan<ulong> modulus)
    {
        var limbs = ((64 * modulus.Length) / LimbBits) + 1;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limbs, LimbLimit);
        _modulus = new long[limbs];
        Split(modulus, _modulus);
        var m = modulus[0];
        var inverse = m;
        for (var bits = 3; bits < 64; bits *= 2)
        {
            inverse *= 2 - (m * inverse);
        }

        _modulusInverse = (long)inverse & LimbMask;
    }

    /// <summary>The inverse of x, which is below the modulus; zero for zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Invert(ReadOnlySpan<ulong> x, Span<ulong> result)
    {
        var n = _modulus.Length;
        Span<long> f = stackalloc long[n];
        Span<long> g = stackalloc long[n];
        Span<long> d = stackalloc long[n];
        Span<long> e = stackalloc long[n];
        _modulus.CopyTo(f);
        Split(x, g);
        d.Clear();
        e.Clear();
        e[0] = 1;
        long eta = -1;
        for (var round = 0; round < RoundLimit && !IsZero(g); round++)
        {
            var matrix = Matrix.OfSteps(ref eta, f[0], g[0]);
            UpdateCoefficients(d, e, matrix);
            UpdateValues(f, g, matrix);
        }

        Normalize(d, f[n - 1] < 0);
        Join(d, result);
    }

    /// <summary>The effect of 62 division steps: 2^62 (f', g') = ((U, V), (Q, R)) (f, g).</summary>
    private readonly record struct Matrix(long U, long V, long Q, long R)
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal static Matrix OfSteps(ref long eta, long f0, long g0)
        {
            ulong u = 1, v = 0, q = 0, r = 1, f = (ulong)f0, g = (ulong)g0;
            var left = LimbBits;
            while (true)
            {
                var zeros = BitOperations.TrailingZeroCount(g | (ulong.MaxValue << left));
                g >>= zeros;
                u <<= zeros;
                v <<= zeros;
                eta -= zeros;
                left -= zeros;
                if (left == 0)
                {
                    return new Matrix((long)u, (long)v, (long)q, (long)r);
                }

                if (eta < 0)
                {
                    eta = -eta;
                    (f, g) = (g, 0 - f);
                    (u, q) = (q, 0 - u);
                    (v, r) = (r, 0 - v);
                }

                // f (2 - f^2) is 1/f modulo 64: up to six low bits of g vanish at once, if no swap falls between.
                var cancel = (int)Math.Min(Math.Min(eta + 1, left), 6);
                var w = (g * f * ((f * f) - 2)) & ((1UL << cancel) - 1);
                g += f * w;
                q += u * w;
                r += v * w;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UpdateValues(Span<long> f, Span<long> g, in Matrix t)
    {
        var cf = Product(t.U, f[0]) + Product(t.V, g[0]);
        var cg = Product(t.Q, f[0]) + Product(t.R, g[0]);
        cf >>= LimbBits;
        cg >>= LimbBits;
        for (var i = 1; i < f.Length; i++)
        {
            cf += Product(t.U, f[i]) + Product(t.V, g[i]);
            cg += Product(t.Q, f[i]) + Product(t.R, g[i]);
            f[i - 1] = (long)cf & LimbMask;
            g[i - 1] = (long)cg & LimbMask;
            cf >>= LimbBits;
            cg >>= LimbBits;
        }

        f[^1] = (long)cf;
        g[^1] = (long)cg;
    }

    /// <summary>
    /// As for the values, after adding the multiple of the modulus that makes the division by 2^62 exact.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void UpdateCoefficients(Span<long> d, Span<long> e, in Matrix t)
    {
        var m = _modulus;
        var signD = d[^1] >> 63;
        var signE = e[^1] >> 63;
        var md = (t.U & signD) + (t.V & signE);
        var me = (t.Q & signD) + (t.R & signE);
        var cd = Product(t.U, d[0]) + Product(t.V, e[0]);
        var ce = Product(t.Q, d[0]) + Product(t.R, e[0]);
        md -= ((_modulusInverse * (long)cd) + md) & LimbMask;
        me -= ((_modulusInverse * (long)ce) + me) & LimbMask;
        cd += Product(m[0], md);
        ce += Product(m[0], me);
        cd >>= LimbBits;
        ce >>= LimbBits;
        for (var i = 1; i < d.Length; i++)
        {
            cd += Product(t.U, d[i]) + Product(t.V, e[i]) + Product(m[i], md);
            ce += Product(t.Q, d[i]) + Product(t.R, e[i]) + Product(m[i], me);
            d[i - 1] = (long)cd & LimbMask;
            e[i - 1] = (long)ce & LimbMask;
            cd >>= LimbBits;
            ce >>= LimbBits;
        }

        d[^1] = (long)cd;
        e[^1] = (long)ce;
    }

    /// <summary>Brings a value between -2m and m, negated where asked, into 0..m-1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Normalize(Span<long> value, bool negate)
    {
        AddIfNegative(value);
        if (negate)
        {
            for (var i = 0; i < value.Length; i++)
            {
                value[i] = -value[i];
            }

            Carry(value);
        }

        AddIfNegative(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddIfNegative(Span<long> value)
    {
        if (value[^1] >= 0)
        {
            return;
        }

        for (var i = 0; i < value.Length; i++)
        {
            value[i] += _modulus[i];
        }

        Carry(value);
    }

    private static void Carry(Span<long> value)
    {
        for (var i = 0; i + 1 < value.Length; i++)
        {
            value[i + 1] += value[i] >> LimbBits;
            value[i] &= LimbMask;
        }
    }

    private static Int128 Product(long a, long b)
    {
        var high = Math.BigMul(a, b, out var low);
        return new Int128((ulong)high, (ulong)low);
    }

    private static bool IsZero(ReadOnlySpan<long> value)
    {
        long any = 0;
        foreach (var limb in value)
        {
            any |= limb;
        }

        return any == 0;
    }

    private static void Split(ReadOnlySpan<ulong> words, Span<long> limbs)
    {
        for (var i = 0; i < limbs.Length; i++)
        {
            var (word, shift) = ((LimbBits * i) / 64, (LimbBits * i) % 64);
            var low = word < words.Length ? words[word] >> shift : 0;
            var high = shift > 2 && word + 1 < words.Length ? words[word + 1] << (64 - shift) : 0;
            limbs[i] = (long)(low | high) & LimbMask;
        }
    }

    private static void Join(ReadOnlySpan<long> limbs, Span<ulong> words)
    {
        words.Clear();
        for (var i = 0; i < limbs.Length; i++)
        {
            var (word, shift) = ((LimbBits * i) / 64, (LimbBits * i) % 64);
            if (word < words.Length)
            {
                words[word] |= (ulong)limbs[i] << shift;
            }

            if (shift > 2 && word + 1 < words.Length)
            {
                words[word + 1] |= (ulong)limbs[i] >> (64 - shift);
            }
        }
    }
}
