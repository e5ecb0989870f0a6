using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>A circuit to measure and to test with, of as many constraints as are wanted, in circom's files.</summary>
/// <remarks>
/// <code>
///   w[0] = x      w[i + 1] = w[i] w[i] + i      wires: 1, w[n] (public), w[0], w[1] … w[n - 1]
/// </code>
/// Its witness has full-sized values, so that nothing is easier than in a circuit of hashes.
/// </remarks>
public static class SquaringCircuit
{
    private const int FirstWire = 2;

    /// <summary>The circuit as an .r1cs file.</summary>
    /// <param name="constraints">How many; from 1.</param>
    /// <param name="isInputPublic">Whether x is public too.</param>
    public static byte[] Circuit(int constraints, bool isInputPublic = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(constraints, 1);
        var header = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(header, Fr.Size);
        SnarkPoints.WriteNumber(Fr.Modulus, header.AsSpan(4));
        foreach (var (at, value) in ((int, int)[])
            [(36, constraints + FirstWire), (40, 1), (44, isInputPublic ? 1 : 0), (60, constraints)])
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(at), value);
        }

        var body = new MemoryStream();
        for (var i = 0; i < constraints; i++)
        {
            Terms(body, (Wire(i), Fr.One));
            Terms(body, (Wire(i), Fr.One));
            Terms(body, (Wire(i + 1, constraints), Fr.One), (0, -Fr.FromUInt64((ulong)i)));
        }

        return File("r1cs"u8, 1, header, body.ToArray());
    }

    /// <summary>The wires' values for an x as a .wtns file.</summary>
    public static byte[] Witness(int constraints, ulong x)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(constraints, 1);
        var header = new byte[40];
        BinaryPrimitives.WriteInt32LittleEndian(header, Fr.Size);
        SnarkPoints.WriteNumber(Fr.Modulus, header.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(36), constraints + FirstWire);
        var body = new byte[Fr.Size * (constraints + FirstWire)];
        var value = Fr.FromUInt64(x);
        SnarkPoints.WriteNumber(Fr.One.ToUInt256(), body);
        SnarkPoints.WriteNumber(value.ToUInt256(), body.AsSpan(Fr.Size * Wire(0)));
        for (var i = 0; i < constraints; i++)
        {
            value = (value * value) + Fr.FromUInt64((ulong)i);
            SnarkPoints.WriteNumber(value.ToUInt256(), body.AsSpan(Fr.Size * Wire(i + 1, constraints)));
        }

        return File("wtns"u8, 2, header, body);
    }

    /// <summary>A development key of the circuit as a .zkey file.</summary>
    public static byte[] Key(int constraints, IRandomSource random, bool isInputPublic = false)
    {
        using var source = new MemorySource(Circuit(constraints, isInputPublic));
        using var key = new MemoryStream();
        DevelopmentSetup.Write(new R1cs(source), random, key);
        return key.ToArray();
    }

    /// <summary>The wire of a step; the last step's is the public output, wire 1.</summary>
    private static int Wire(int step, int last = int.MaxValue) => step == last ? 1 : FirstWire + step;

    private static void Terms(MemoryStream to, params ReadOnlySpan<(int Wire, Fr Factor)> terms)
    {
        SectionedFile.WriteUInt32(to, (uint)terms.Length);
        Span<byte> factor = stackalloc byte[Fr.Size];
        foreach (var term in terms)
        {
            SectionedFile.WriteUInt32(to, (uint)term.Wire);
            SnarkPoints.WriteNumber(term.Factor.ToUInt256(), factor);
            to.Write(factor);
        }
    }

    private static byte[] File(ReadOnlySpan<byte> kind, uint version, byte[] header, byte[] body)
    {
        var file = new MemoryStream();
        SectionedFile.WriteHead(file, kind, version, sections: 2);
        SectionedFile.WriteSection(file, 1, header);
        SectionedFile.WriteSection(file, 2, body);
        return file.ToArray();
    }
}
