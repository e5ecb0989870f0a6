using System.Runtime.CompilerServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Cryptography.Bn254;

/// <summary>One argument pair of the pairing; G2's point must be in the subgroup.</summary>
public readonly record struct PointPair(AffinePoint<Fq> G1, AffinePoint<Fq2> G2);

/// <summary>The optimal ate pairing of BN254.</summary>
/// <remarks>
/// <code>
///   e(P, Q) = ( f[6x+2, Q](P) * l[T, psi Q](P) * l[T + psi Q, -psi^2 Q](P) ) ^ ((p^12 - 1) / r),   T = [6x+2] Q
/// </code>
/// Vercauteren, "Optimal pairings" (2010). All pairs of a product share the squarings of the Miller loop and the final
/// power. Lines come from homogeneous coordinates on the twist (Aranha et al., "Faster explicit formulas for computing
/// pairings over ordinary curves", 2011, section 4); a line is l0 + l1 w + l2 w^3, up to factors of subfields, which
/// the final power turns into one. The power's hard part is 2x(6x^2+3x+1) times the shortest exponent
/// (Fuentes-Castaneda, Knapp, Rodriguez-Henriquez, "Faster hashing to G2", 2011), which is coprime to r.
/// </remarks>
[SkipLocalsInit]
public static class Pairing
{
    /// <summary>Pairs that share one Miller loop; longer products take several, so that their state stays in
    /// cache.</summary>
    private const int MaxSharedPairs = 16;

    /// <summary>6x + 2 in non-adjacent form, least significant digit first.</summary>
    private static readonly sbyte[] LoopDigits = Digits((6 * new UInt256(G2.CurveParameter)) + 2, 2);

    /// <summary>x with odd digits up to 7.</summary>
    private static readonly sbyte[] ParameterDigits = Digits(G2.CurveParameter, 4);

    private static readonly Fq2 ThreeB = G2.CurveB + G2.CurveB + G2.CurveB;

    /// <summary>Whether the product of all pairings is one; true for no pairs.</summary>
    public static bool IsProductOne(ReadOnlySpan<PointPair> pairs)
    {
        Product(pairs, out var value);
        return value.IsOne;
    }

    /// <summary>The product of all pairings, to the fixed power that the class names.</summary>
    public static void Product(ReadOnlySpan<PointPair> pairs, out Fq12 result)
    {
        MillerLoop(pairs, out result);
        FinalPower(result, out result);
    }

    /// <summary>The product before the final power; the product of two such values may share one.</summary>
    public static void MillerLoop(ReadOnlySpan<PointPair> pairs, out Fq12 result) =>
        TryMillerLoop(pairs, out result);

    /// <summary>
    /// As <see cref="MillerLoop"/>, for points of the twist that need not be in the subgroup; false where one is not
    /// and its partner is not at infinity. (A pair with a point at infinity counts as one, whatever the other is.)
    /// </summary>
    /// <remarks>
    /// The loop ends at T = [6x+2] Q + psi(Q) - psi^2(Q). In the subgroup that is -psi^3(Q), and only there: the
    /// resultant of 6x + 2 + X - X^2 + X^3 and psi's polynomial X^2 - t X + p is coprime to the cofactor (the argument
    /// of
    /// <see cref="G2.IsInSubgroup"/>). A step that meets T = +-Q, which the formulas do not cover, leaves Z = 0 for
    /// good; in the subgroup none does. So the check is exact and costs next to nothing.
    /// </remarks>
    public static bool TryMillerLoop(ReadOnlySpan<PointPair> pairs, out Fq12 result)
    {
        result = Fq12.One;
        var valid = true;
        Span<State> states = stackalloc State[MaxSharedPairs];
        while (!pairs.IsEmpty)
        {
            var (read, count) = (0, 0);
            for (; read < pairs.Length && count < MaxSharedPairs; read++)
            {
                // A pairing with the neutral element is one.
                if (!pairs[read].G1.IsInfinity && !pairs[read].G2.IsInfinity)
                {
                    states[count++] = new State(pairs[read]);
                }
            }

            pairs = pairs[read..];
            valid &= SharedLoop(states[..count], out var product);
            Fq12.Multiply(result, product, out result);
        }

        return valid;
    }

    /// <summary>One loop for all; false where a point of the twist is outside the subgroup.</summary>
    private static bool SharedLoop(Span<State> states, out Fq12 f)
    {
        f = Fq12.One;
        if (states.IsEmpty)
        {
            return true;
        }

        for (var i = LoopDigits.Length - 2; i >= 0; i--)
        {
            Fq12.Square(f, out f);
            foreach (ref var state in states)
            {
                state.Double(ref f);
                if (LoopDigits[i] > 0)
                {
                    state.Add(state.Q, ref f);
                }
                else if (LoopDigits[i] < 0)
                {
                    state.Add(state.MinusQ, ref f);
                }
            }
        }

        var valid = true;
        foreach (ref var state in states)
        {
            G2.Psi(state.Q, out var q1);
            state.Add(q1, ref f);
            G2.Psi(q1, out var q2);
            state.Add(-q2, ref f);
            G2.Psi(q2, out var q3);
            valid &= state.IsAt(-q3);
        }

        return valid;
    }

    /// <summary>The ((p^12 - 1) / r) * 2x(6x^2+3x+1)-th power: one exactly for elements of order dividing
    /// (p^12-1)/r.</summary>
    public static void FinalPower(in Fq12 value, out Fq12 result)
    {
        // Easy part: (p^6 - 1)(p^2 + 1).
        Fq12.Conjugate(value, out var f);
        Fq12.Invert(value, out var inverse);
        Fq12.Multiply(f, inverse, out f);
        Fq12.Frobenius(f, out var t);
        Fq12.Frobenius(t, out t);
        Fq12.Multiply(f, t, out f);

        // Hard part: l0 + l1 p + l2 p^2 + l3 p^3 with l2 = 12x^3 + 6x^2 + 6x, l1 = l2 - 2x, l0 = l2 + 6x^2 + 1, l3 =
        // l1 - 1.
        PowerOfParameter(f, out var x1);
        Fq12.CyclotomicSquare(x1, out var x2);
        Fq12.CyclotomicSquare(x2, out t);
        Fq12.Multiply(t, x2, out var x6);
        PowerOfParameter(x6, out var xx6);
        Fq12.CyclotomicSquare(xx6, out t);
        PowerOfParameter(t, out t);
        Fq12.Multiply(t, xx6, out t);
        Fq12.Multiply(t, x6, out var l2);
        Fq12.Conjugate(x2, out t);
        Fq12.Multiply(l2, t, out var l1);
        Fq12.Multiply(l2, xx6, out var l0);
        Fq12.Multiply(l0, f, out l0);
        Fq12.Conjugate(f, out t);
        Fq12.Multiply(l1, t, out var l3);

        // Horner in the p-th power.
        Fq12.Frobenius(l3, out t);
        Fq12.Multiply(t, l2, out t);
        Fq12.Frobenius(t, out t);
        Fq12.Multiply(t, l1, out t);
        Fq12.Frobenius(t, out t);
        Fq12.Multiply(t, l0, out result);
    }

    /// <summary>The x-th power in the cyclotomic subgroup, where an inverse is a conjugate.</summary>
    private static void PowerOfParameter(in Fq12 value, out Fq12 result)
    {
        Span<Fq12> odd = stackalloc Fq12[4];
        odd[0] = value;
        Fq12.CyclotomicSquare(value, out var square);
        for (var i = 1; i < odd.Length; i++)
        {
            Fq12.Multiply(odd[i - 1], square, out odd[i]);
        }

        ReadOnlySpan<sbyte> digits = ParameterDigits;
        var power = odd[digits[^1] >> 1];
        for (var i = digits.Length - 2; i >= 0; i--)
        {
            Fq12.CyclotomicSquare(power, out power);
            if (digits[i] > 0)
            {
                Fq12.Multiply(power, odd[digits[i] >> 1], out power);
            }
            else if (digits[i] < 0)
            {
                Fq12.Conjugate(odd[-digits[i] >> 1], out var inverse);
                Fq12.Multiply(power, inverse, out power);
            }
        }

        result = power;
    }

    /// <summary>A pair on its way through the loop: T = (X / Z, Y / Z) on the twist.</summary>
    private struct State
    {
        public readonly AffinePoint<Fq2> Q, MinusQ;
        private readonly AffinePoint<Fq> _p;
        private Fq2 _x, _y, _z;

        public State(in PointPair pair)
        {
            Q = pair.G2;
            MinusQ = -pair.G2;
            _p = pair.G1;
            _x = Q.X;
            _y = Q.Y;
            _z = Fq2.One;
        }

        /// <summary>Whether T is a certain point, not at infinity.</summary>
        public readonly bool IsAt(in AffinePoint<Fq2> point)
        {
            Fq2.Multiply(point.X, _z, out var x);
            Fq2.Multiply(point.Y, _z, out var y);
            return !_z.IsZero && x == _x && y == _y;
        }

        /// <summary>T = 2 T; f times the tangent, 2YZ yP - 3X^2 xP w + (Y^2 - E) w^3 with E = 3b'Z^2.</summary>
        public void Double(ref Fq12 f)
        {
            Fq2.Square(_y, out var b);
            Fq2.Square(_z, out var zz);
            Fq2.Multiply(zz, ThreeB, out var e);
            Fq2.Square(_x, out var xx);
            Fq2.Add(_y, _z, out var h);
            Fq2.Square(h, out h);
            var sum = new Fq2Sum(h);
            sum.Subtract(b);
            sum.Subtract(zz);
            sum.Reduce(out h);
            Tangent(ref f, h, xx, b, e);

            // X = 2XY (Y^2 - 3E), Y = (Y^2 + 3E)^2 - 12 E^2, Z = 8 Y^3 Z.
            Fq2.Multiply(_x, _y, out var xy);
            sum = default;
            sum.Add(b, 2);
            sum.Add(e, -6);
            sum.Reduce(out var x);
            Fq2.Multiply(xy, x, out _x);
            sum = new Fq2Sum(b);
            sum.Add(e, 3);
            sum.Reduce(out var g);
            Fq2.Square(g, out g);
            Fq2.Square(e, out e);
            sum = new Fq2Sum(g);
            sum.Add(e, -12);
            sum.Reduce(out _y);
            Fq2.Multiply(b, h, out var z);
            sum = default;
            sum.Add(z, 4);
            sum.Reduce(out _z);
        }

        private readonly void Tangent(ref Fq12 f, in Fq2 h, in Fq2 xx, in Fq2 b, in Fq2 e)
        {
            Fq2.Multiply(h, _p.Y, out var l0);
            Fq2.Multiply(xx, _p.X, out var l1);
            var sum = default(Fq2Sum);
            sum.Add(l1, -3);
            sum.Reduce(out l1);
            Fq2.Subtract(b, e, out var l2);
            Fq12.MultiplyByLine(f, l0, l1, l2, out f);
        }

        /// <summary>T = T + q; f times the chord.</summary>
        /// <remarks>
        /// With theta = Y - yq Z and lambda = X - xq Z the chord's slope is theta / lambda, the line
        /// lambda yP - theta xP w + (theta xq - lambda yq) w^3.
        /// </remarks>
        public void Add(in AffinePoint<Fq2> q, ref Fq12 f)
        {
            Fq2.Multiply(q.Y, _z, out var theta);
            Fq2.Subtract(_y, theta, out theta);
            Fq2.Multiply(q.X, _z, out var lambda);
            Fq2.Subtract(_x, lambda, out lambda);

            Fq2.Multiply(lambda, _p.Y, out var l0);
            Fq2.Multiply(theta, _p.X, out var l1);
            Fq2.Negate(l1, out l1);
            Fq2.Multiply(theta, q.X, out var l2);
            Fq2.Multiply(lambda, q.Y, out var product);
            Fq2.Subtract(l2, product, out l2);
            Fq12.MultiplyByLine(f, l0, l1, l2, out f);

            // X = lambda (lambda^3 + Z theta^2 - 2 X lambda^2), Y = theta (X lambda^2 - that) - Y lambda^3, Z = Z
            // lambda^3.
            Fq2.Square(theta, out var c);
            Fq2.Square(lambda, out var d);
            Fq2.Multiply(lambda, d, out var e);
            Fq2.Multiply(_z, c, out var g);
            Fq2.Multiply(_x, d, out var k);
            var sum = new Fq2Sum(e);
            sum.Add(g);
            sum.Add(k, -2);
            sum.Reduce(out var h);
            Fq2.Multiply(lambda, h, out _x);
            Fq2.Subtract(k, h, out k);
            Fq2.Multiply(theta, k, out k);
            Fq2.Multiply(_y, e, out product);
            Fq2.Subtract(k, product, out _y);
            Fq2.Multiply(_z, e, out _z);
        }
    }

    private static sbyte[] Digits(in UInt256 value, int width)
    {
        Span<sbyte> digits = stackalloc sbyte[SignedDigits.MaxLength];
        return digits[..SignedDigits.Write(value, width, digits)].ToArray();
    }
}
