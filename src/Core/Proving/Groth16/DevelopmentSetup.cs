using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving.Msm;
using SuperVm.Core.Proving.Ntt;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>Makes proving keys in seconds, for tests and development. Never for production.</summary>
/// <remarks>
/// A ceremony lets many people contribute to secrets that nobody knows as a whole; here this process knows them, and
/// whoever knows them can prove what is false. The key says so in a section of its own, which
/// <c>supervm zkey info</c> shows. It is otherwise what <c>snarkjs groth16 setup</c> writes (gamma is 1, as there):
/// <code>
///   A[i] = u[i](t)   B[i] = v[i](t)   C[i] = (beta u[i] + alpha v[i] + w[i])(t) / delta     IC[i]: the same over gamma
///   H[i] = the odd Lagrange polynomials of twice the domain at t, over delta
/// </code>
/// </remarks>
public sealed class DevelopmentSetup
{
    /// <summary>What <see cref="ProvingKey.DevelopmentNote"/> of such a key says.</summary>
    public const string Note = "SuperVM development key: its secrets were known to one process. Not for production.";

    private const int HeaderEntries = 3;

    private readonly R1cs _circuit;
    private readonly int _logDomain;
    private readonly Fr _point, _alpha, _beta, _delta;

    private DevelopmentSetup(R1cs circuit, IRandomSource random)
    {
        _circuit = circuit;
        var rows = circuit.Constraints + circuit.Publics + 1;
        _logDomain = Math.Max(1, new UInt256((ulong)(rows - 1)).BitLength);
        (_point, _alpha, _beta, _delta) = (Scalar(random), Scalar(random), Scalar(random), Scalar(random));
    }

    /// <summary>Writes a key.</summary>
    /// <exception cref="ProofException">A circuit too large for a key.</exception>
    public static void Write(R1cs circuit, IRandomSource random, Stream key)
    {
        var setup = new DevelopmentSetup(circuit, random);
        if (1 << setup._logDomain > ProvingKey.MostDomain)
        {
            throw new ProofException($"A circuit of {circuit.Constraints} constraints is too large.");
        }

        setup.Write(key);
    }

    private void Write(Stream key)
    {
        var n = 1 << _logDomain;
        var lagrange = Lagrange(_logDomain, _point);
        var (u, v, w) = (Column(0, lagrange), Column(1, lagrange), Column(2, lagrange));
        for (var i = 0; i <= _circuit.Publics; i++)
        {
            // Rows that make public values part of A's polynomials even where no constraint uses them.
            u[i] += lagrange[_circuit.Constraints + i];
        }

        Fr.Invert(_delta, out var inverseDelta);
        var mixed = new Fr[_circuit.Variables];
        for (var i = 0; i < mixed.Length; i++)
        {
            mixed[i] = (_beta * u[i]) + (_alpha * v[i]) + w[i];
            if (i > _circuit.Publics)
            {
                mixed[i] *= inverseDelta;
            }
        }

        var twice = Lagrange(_logDomain + 1, _point);
        var h = new Fr[n];
        for (var i = 0; i < n; i++)
        {
            h[i] = twice[(2 * i) + 1] * inverseDelta;
        }

        using var g1 = new Multiples<FqLanes, Fq>(G1.Generator);
        using var g2 = new Multiples<Fq2Lanes, Fq2>(G2.Generator);
        var publics = _circuit.Publics + 1;
        SectionedFile.WriteHead(key, "zkey"u8, version: 1, sections: 11);
        SectionedFile.WriteSection(key, 1, [1, 0, 0, 0]);
        SectionedFile.WriteSection(key, 2, Header(n, g1, g2));
        SectionedFile.WriteSection(key, 3, SnarkPoints.ToBytes(g1.Of(mixed[..publics])));
        SectionedFile.WriteSection(key, 4, Coefficients());
        SectionedFile.WriteSection(key, 5, SnarkPoints.ToBytes(g1.Of(u)));
        SectionedFile.WriteSection(key, 6, SnarkPoints.ToBytes(g1.Of(v)));
        SectionedFile.WriteSection(key, 7, SnarkPoints.ToBytes(g2.Of(v)));
        SectionedFile.WriteSection(key, 8, SnarkPoints.ToBytes(g1.Of(mixed[publics..])));
        SectionedFile.WriteSection(key, 9, SnarkPoints.ToBytes(g1.Of(h)));
        SectionedFile.WriteSection(key, 10, new byte[68]); // no hash of a circuit, no contribution
        SectionedFile.WriteSection(key, ProvingKey.DevelopmentSection, System.Text.Encoding.ASCII.GetBytes(Note));
    }

    /// <summary>All Lagrange polynomials of a domain at a point: (x^n - 1) / n * w^i / (x - w^i).</summary>
    private static Fr[] Lagrange(int log, in Fr point)
    {
        var n = 1 << log;
        var root = ScalarTransform.Root(log);
        var values = new Fr[n];
        var power = Fr.One;
        for (var i = 0; i < n; i++)
        {
            values[i] = point - power;
            power *= root;
        }

        FieldAlgorithms.InvertMany<Fr>(values, new Fr[n]);
        Fr.Invert(Fr.FromUInt64((ulong)n), out var factor);
        factor *= Fr.Power(point, (ulong)n) - Fr.One;
        for (var i = 0; i < n; i++)
        {
            values[i] *= factor;
            factor *= root;
        }

        return values;
    }

    /// <summary>For each variable the polynomial of its factors on a side, at the point.</summary>
    private Fr[] Column(int side, Fr[] lagrange)
    {
        var sums = new Fr[_circuit.Variables];
        for (var row = 0; row < _circuit.Constraints; row++)
        {
            foreach (ref readonly var term in _circuit.Terms(row, side))
            {
                sums[term.Variable] += term.Factor * lagrange[row];
            }
        }

        return sums;
    }

    private byte[] Header(int domain, Multiples<FqLanes, Fq> g1, Multiples<Fq2Lanes, Fq2> g2)
    {
        var stream = new MemoryStream();
        Span<byte> number = stackalloc byte[Fr.Size];
        SectionedFile.WriteUInt32(stream, Fr.Size);
        SnarkPoints.WriteNumber(Fq.Modulus, number);
        stream.Write(number);
        SectionedFile.WriteUInt32(stream, Fr.Size);
        SnarkPoints.WriteNumber(Fr.Modulus, number);
        stream.Write(number);
        SectionedFile.WriteUInt32(stream, (uint)_circuit.Variables);
        SectionedFile.WriteUInt32(stream, (uint)_circuit.Publics);
        SectionedFile.WriteUInt32(stream, (uint)domain);
        var inG1 = g1.Of([_alpha, _beta, _delta]);
        var inG2 = g2.Of([_beta, Fr.One, _delta]);
        stream.Write(SnarkPoints.ToBytes(inG1[..2]));
        stream.Write(SnarkPoints.ToBytes(inG2[..2]));
        stream.Write(SnarkPoints.ToBytes(inG1[2..HeaderEntries]));
        stream.Write(SnarkPoints.ToBytes(inG2[2..HeaderEntries]));
        return stream.ToArray();
    }

    private byte[] Coefficients()
    {
        var stream = new MemoryStream();
        SectionedFile.WriteUInt32(stream, 0);
        var count = 0u;
        for (var row = 0; row < _circuit.Constraints; row++)
        {
            for (var side = 0; side < 2; side++)
            {
                foreach (ref readonly var term in _circuit.Terms(row, side))
                {
                    Put((uint)side, row, term.Variable, term.Factor);
                }
            }
        }

        for (var i = 0; i <= _circuit.Publics; i++)
        {
            Put(0, _circuit.Constraints + i, i, Fr.One);
        }

        var bytes = stream.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, count);
        return bytes;

        void Put(uint side, int row, int variable, in Fr factor)
        {
            SectionedFile.WriteUInt32(stream, side);
            SectionedFile.WriteUInt32(stream, (uint)row);
            SectionedFile.WriteUInt32(stream, (uint)variable);
            Span<byte> value = stackalloc byte[Fr.Size];
            SnarkPoints.WriteNumber((factor * Fr.Reduce(Fr.One.ToMontgomery256())).ToMontgomery256(), value);
            stream.Write(value);
            count++;
        }
    }

    private static Fr Scalar(IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[32];
        random.Fill(bytes);
        var scalar = Fr.Reduce(UInt256.FromBigEndian(bytes));
        return scalar.IsZero ? Fr.One : scalar;
    }

    /// <summary>Multiples of a generator, in lanes where there are any.</summary>
    private sealed class Multiples<TLanes, TField> : IDisposable
        where TLanes : unmanaged, ICurveLanes<TLanes, TField>
        where TField : unmanaged, ICurveField<TField>
    {
        private readonly FixedBase<TLanes, TField>? _lanes;
        private readonly JacobianPoint<TField>[] _powers = new JacobianPoint<TField>[WindowedScalars.ScalarBits];

        internal Multiples(in AffinePoint<TField> generator)
        {
            if (FieldLanes<FqModulus>.IsSupported)
            {
                _lanes = new FixedBase<TLanes, TField>(generator);
                return;
            }

            _powers[0] = new JacobianPoint<TField>(generator);
            for (var i = 1; i < _powers.Length; i++)
            {
                JacobianPoint<TField>.Double(_powers[i - 1], out _powers[i]);
            }
        }

        public void Dispose() => _lanes?.Dispose();

        internal AffinePoint<TField>[] Of(Fr[] scalars)
        {
            var results = new AffinePoint<TField>[scalars.Length];
            if (_lanes is not null)
            {
                _lanes.Multiply(scalars, results);
                return results;
            }

            var sums = new JacobianPoint<TField>[scalars.Length];
            for (var i = 0; i < scalars.Length; i++)
            {
                var number = scalars[i].ToUInt256();
                for (var bit = 0; bit < _powers.Length; bit++)
                {
                    if (!((number >> bit) & UInt256.One).IsZero)
                    {
                        JacobianPoint<TField>.Add(sums[i], _powers[bit], out sums[i]);
                    }
                }
            }

            JacobianPoint<TField>.ToAffine(sums, results);
            return results;
        }
    }
}
