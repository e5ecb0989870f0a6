namespace SuperVm.Core.Cryptography.Bls12381;

/// <summary>The optimal ate pairing of BLS12-381, as products of pairings that are compared with one.</summary>
/// <remarks>
/// <code>
///   e(P, Q) = f(P, Q)^((p^12 - 1) / r)      f: the Miller loop over the bits of |u|, conjugated for the sign of u
///   product of e(Pi, Qi):                   one loop with shared squarings, one final exponentiation
/// </code>
/// Lines: the twist maps (x, y) to (x / w^2, y / w^3); a line with slope m through T, at P, times w^3, which the final
/// exponentiation removes, is yP w^3 - m xP w^2 + (m xT - yT). Doubling and addition of T are in homogeneous
/// coordinates (Costello, Lange, Naehrig, eprint 2009/615; Aranha and others, eprint 2010/526).
/// </remarks>
internal static class Pairing
{
    /// <summary>Doublings of the Miller loop, one for each bit of |u| below the highest.</summary>
    private const int LoopBits = 63;

    /// <summary>A line as b0 + (b1 xP) w^2 + (b4 yP) w^3.</summary>
    internal readonly struct Line(in Fq2 b0, in Fq2 b1, in Fq2 b4)
    {
        internal readonly Fq2 B0 = b0, B1 = b1, B4 = b4;
    }

    /// <summary>
    /// Whether the product of the pairings is one. Points are in their groups; pairs with infinity count as one.
    /// </summary>
    internal static bool IsProductOne(ReadOnlySpan<Affine<Fq>> g1, ReadOnlySpan<Affine<Fq2>> g2)
    {
        var states = new State[g1.Length];
        var count = 0;
        for (var i = 0; i < g1.Length; i++)
        {
            if (!g1[i].IsInfinity && !g2[i].IsInfinity)
            {
                states[count++] = new State(g1[i], g2[i]);
            }
        }

        return FinalExponentiation.IsOne(MillerLoop(states.AsSpan(0, count)));
    }

    /// <summary>The same for points of G2 that are fixed, whose lines were made before.</summary>
    internal static bool IsProductOne(ReadOnlySpan<Affine<Fq>> g1, ReadOnlySpan<Line[]> lines)
    {
        var f = Fq12.One;
        var position = 0;
        for (var bit = LoopBits - 1; bit >= 0; bit--)
        {
            f = Fq12.Square(f);
            f = TimesLines(f, g1, lines, position++);
            if (((BlsCurve.ParameterSize >> bit) & 1) != 0)
            {
                f = TimesLines(f, g1, lines, position++);
            }
        }

        return FinalExponentiation.IsOne(Fq12.Conjugate(f));
    }

    /// <summary>All lines that a Miller loop meets with this point, which is not infinity.</summary>
    internal static Line[] Prepare(in Affine<Fq2> q)
    {
        var state = new State(G1.Generator, q);
        var lines = new List<Line>(2 * LoopBits);
        for (var bit = LoopBits - 1; bit >= 0; bit--)
        {
            lines.Add(state.Double());
            if (((BlsCurve.ParameterSize >> bit) & 1) != 0)
            {
                lines.Add(state.Add());
            }
        }

        return [.. lines];
    }

    private static Fq12 TimesLines(
        in Fq12 f, ReadOnlySpan<Affine<Fq>> g1, ReadOnlySpan<Line[]> lines, int position)
    {
        var result = f;
        for (var i = 0; i < g1.Length; i++)
        {
            if (!g1[i].IsInfinity)
            {
                result = TimesLine(result, lines[i][position], g1[i]);
            }
        }

        return result;
    }

    private static Fq12 MillerLoop(Span<State> states)
    {
        var f = Fq12.One;
        for (var bit = LoopBits - 1; bit >= 0; bit--)
        {
            f = Fq12.Square(f);
            foreach (ref var state in states)
            {
                f = TimesLine(f, state.Double(), state.P);
            }

            if (((BlsCurve.ParameterSize >> bit) & 1) != 0)
            {
                foreach (ref var state in states)
                {
                    f = TimesLine(f, state.Add(), state.P);
                }
            }
        }

        return Fq12.Conjugate(f);
    }

    private static Fq12 TimesLine(in Fq12 f, in Line line, in Affine<Fq> p) =>
        Fq12.TimesLine(f, line.B0, line.B1 * p.X, line.B4 * p.Y);

    /// <summary>One pair on its way through the loop: P, Q and T, a multiple of Q as (X : Y : Z).</summary>
    private struct State(in Affine<Fq> p, in Affine<Fq2> q)
    {
        internal readonly Affine<Fq> P = p;
        private readonly Affine<Fq2> _q = q;
        private Fq2 _x = q.X, _y = q.Y, _z = Fq2.One;

        /// <summary>T = 2T; the tangent at the old T, times 2 Y Z.</summary>
        internal Line Double()
        {
            var a = Fq2.Half(_x * _y);
            var b = Fq2.Square(_y);
            var c = Fq2.Square(_z);
            var e = TimesTripleB(c);
            var f = e + e + e;
            var g = Fq2.Half(b + f);
            var h = Fq2.Square(_y + _z) - (b + c);
            var xx = Fq2.Square(_x);
            var ee = Fq2.Square(e);
            _x = a * (b - f);
            _y = Fq2.Square(g) - (ee + ee + ee);
            _z = b * h;
            return new Line(b - e, -(xx + xx + xx), h);
        }

        /// <summary>T = T + Q; the line through both, times the difference of their x.</summary>
        internal Line Add()
        {
            var theta = _y - (_q.Y * _z);
            var lambda = _x - (_q.X * _z);
            var line = new Line((theta * _q.X) - (lambda * _q.Y), -theta, lambda);
            var d = Fq2.Square(lambda);
            var e = lambda * d;
            var g = _x * d;
            var h = e + (_z * Fq2.Square(theta)) - (g + g);
            _x = lambda * h;
            _y = (theta * (g - h)) - (e * _y);
            _z *= e;
            return line;
        }

        /// <summary>3 b a = 12 (1 + u) a.</summary>
        private static Fq2 TimesTripleB(in Fq2 a)
        {
            var four = Fq2.TimesNonResidue(a);
            four += four;
            four += four;
            return four + four + four;
        }
    }
}
