using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>A factor of a variable in a constraint.</summary>
public readonly record struct R1csTerm(int Variable, Fr Factor);

/// <summary>A circuit as constraints a b = c over its variables: circom's .r1cs file.</summary>
/// <remarks>
/// Section 1: bytes of a value, r, wires, public outputs, public inputs, private inputs (u32), labels (u64),
/// constraints (u32). Section 2: for each constraint three lists of { wire: u32, factor: 32 bytes, plain }, each led by
/// its length. Wire 0 is the constant one; outputs and public inputs follow.
/// </remarks>
public sealed class R1cs
{
    /// <summary>Factors that a circuit may have in all.</summary>
    public const int MostTerms = 1 << 26;

    private const int TermSize = 4 + Fr.Size;

    private readonly R1csTerm[] _terms;
    private readonly int[] _starts;

    /// <summary>Reads and checks a whole file.</summary>
    /// <exception cref="ProofException">Whatever is wrong with it.</exception>
    public R1cs(ByteSource source)
    {
        var file = new SectionedFile(source, "r1cs", 1);
        var header = file.Section(1, 64, "header").Span;
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Fr.Size
            || SnarkPoints.ReadNumber(header[4..]) != Fr.Modulus)
        {
            throw file.Fault("the prime is not that of BN254: a circuit of another curve");
        }

        Variables = Count(header[36..], "wires", ProvingKey.MostVariables);
        Outputs = Count(header[40..], "public outputs", Variables);
        PublicInputs = Count(header[44..], "public inputs", Variables);
        PrivateInputs = Count(header[48..], "private inputs", Variables);
        Constraints = Count(header[60..], "constraints", ProvingKey.MostDomain);
        if (Publics >= Variables)
        {
            throw file.Fault($"{Publics} public wires of {Variables} with the constant one");
        }

        _starts = new int[(3 * Constraints) + 1];
        _terms = ReadTerms(file);

        int Count(ReadOnlySpan<byte> bytes, string name, int most)
        {
            var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            return count <= most ? (int)count : throw file.Fault($"{count} {name}; at most {most} are possible");
        }
    }

    /// <summary>Wires, the constant one included.</summary>
    public int Variables { get; }

    public int Outputs { get; }

    public int PublicInputs { get; }

    public int PrivateInputs { get; }

    public int Constraints { get; }

    /// <summary>Outputs and public inputs.</summary>
    public int Publics => Outputs + PublicInputs;

    /// <summary>The terms of a (0), b (1) or c (2) in a constraint.</summary>
    public ReadOnlySpan<R1csTerm> Terms(int constraint, int side)
    {
        var at = (3 * constraint) + side;
        return _terms.AsSpan(_starts[at], _starts[at + 1] - _starts[at]);
    }

    /// <summary>The first constraint that the witness does not satisfy; -1 where it satisfies all.</summary>
    /// <exception cref="ProofException">A witness of another circuit.</exception>
    public int FindUnsatisfied(Witness witness)
    {
        if (witness.Count != Variables)
        {
            throw new ProofException($"The witness has {witness.Count} values, the circuit {Variables} wires.");
        }

        for (var i = 0; i < Constraints; i++)
        {
            if (Value(i, 0) * Value(i, 1) != Value(i, 2))
            {
                return i;
            }
        }

        return -1;

        Fr Value(int constraint, int side)
        {
            var sum = Fr.Zero;
            foreach (ref readonly var term in Terms(constraint, side))
            {
                sum += term.Factor * Fr.Reduce(witness[term.Variable]);
            }

            return sum;
        }
    }

    private R1csTerm[] ReadTerms(SectionedFile file)
    {
        var bytes = file.Section(2).Span;
        var most = Math.Min(MostTerms, bytes.Length / TermSize);
        var terms = new List<R1csTerm>(most);
        for (var list = 0; list < 3 * Constraints; list++)
        {
            if (bytes.Length < 4)
            {
                throw file.Fault($"section 2 ends within constraint {list / 3} of {Constraints}");
            }

            var count = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            bytes = bytes[4..];
            if (count > bytes.Length / TermSize || terms.Count + count > MostTerms)
            {
                throw file.Fault($"constraint {list / 3} claims {count} factors, more than the section holds");
            }

            for (var i = 0; i < count; i++, bytes = bytes[TermSize..])
            {
                var wire = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
                if (wire >= Variables || !Fr.TryCreate(SnarkPoints.ReadNumber(bytes[4..]), out var factor))
                {
                    throw file.Fault($"constraint {list / 3}: factor {i} is out of range");
                }

                terms.Add(new R1csTerm((int)wire, factor));
            }

            _starts[list + 1] = terms.Count;
        }

        return bytes.IsEmpty ? [.. terms] : throw file.Fault($"section 2 has {bytes.Length} bytes too many");
    }
}
