using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;

namespace SuperVm.Core.Tests.Proving;

/// <summary>A chain of squarings as circom would write it, with one public output and a public input.</summary>
internal static class SmallCircuit
{
    /// <summary>Wires: 1, result, x (public), then the chain; constraint i: w[i] w[i] = w[i+1].</summary>
    internal static byte[] Circuit(int squarings)
    {
        var wires = 3 + squarings - 1;
        var header = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(header, 32);
        SnarkPoints.WriteNumber(Fr.Modulus, header.AsSpan(4));
        foreach (var (at, value) in ((int, int)[])[(36, wires), (40, 1), (44, 1), (48, 0), (60, squarings)])
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(at), value);
        }

        var constraints = new MemoryStream();
        for (var i = 0; i < squarings; i++)
        {
            Term(Wire(i));
            Term(Wire(i));
            Term(i == squarings - 1 ? 1 : Wire(i + 1));
        }

        return Container("r1cs", 1, (1, header), (2, constraints.ToArray()));

        void Term(int wire)
        {
            Span<byte> bytes = stackalloc byte[40];
            bytes.Clear();
            (bytes[0], bytes[8]) = (1, 1);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], wire);
            constraints.Write(bytes);
        }
    }

    internal static byte[] Witness(int squarings, ulong x)
    {
        var values = new Fr[3 + squarings - 1];
        (values[0], values[2]) = (Fr.One, Fr.FromUInt64(x));
        for (var i = 0; i < squarings; i++)
        {
            values[i == squarings - 1 ? 1 : Wire(i + 1)] = values[Wire(i)] * values[Wire(i)];
        }

        return Witness(values);
    }

    internal static byte[] Witness(Fr[] values)
    {
        var header = new byte[40];
        header[0] = 32;
        SnarkPoints.WriteNumber(Fr.Modulus, header.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(36), values.Length);
        var body = new byte[32 * values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            SnarkPoints.WriteNumber(values[i].ToUInt256(), body.AsSpan(32 * i));
        }

        return Container("wtns", 2, (1, header), (2, body));
    }

    internal static byte[] Key(int squarings)
    {
        var key = new MemoryStream();
        DevelopmentSetup.Write(new R1cs(new MemorySource(Circuit(squarings))), new ProvingRandom(squarings), key);
        return key.ToArray();
    }

    internal static byte[] Container(string kind, int version, params (uint Type, byte[] Bytes)[] sections)
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(kind));
        writer.Write(version);
        writer.Write(sections.Length);
        foreach (var (type, bytes) in sections)
        {
            writer.Write(type);
            writer.Write((ulong)bytes.Length);
            writer.Write(bytes);
        }

        return stream.ToArray();
    }

    private static int Wire(int step) => step == 0 ? 2 : 2 + step;
}
