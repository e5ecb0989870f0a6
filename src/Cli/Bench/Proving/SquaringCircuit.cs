using System.Buffers.Binary;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving;

namespace SuperVm.Cli.Bench.Proving;

/// <summary>A circuit of n constraints as circom's files: w[i+1] = w[i] w[i] + i, with the last one public.</summary>
/// <remarks>Its witness has full-sized values, so that nothing is easier than in a circuit of hashes.</remarks>
internal static class SquaringCircuit
{
    private const int FirstWire = 2;

    internal static byte[] Circuit(int constraints)
    {
        var header = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(header, Fr.Size);
        SnarkPoints.WriteNumber(Fr.Modulus, header.AsSpan(4));
        foreach (var (at, value) in ((int, int)[])[(36, constraints + FirstWire), (40, 1), (60, constraints)])
        {
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(at), value);
        }

        var body = new MemoryStream();
        var minusOne = -Fr.One;
        for (var i = 0; i < constraints; i++)
        {
            Terms(body, (Wire(i), Fr.One));
            Terms(body, (Wire(i), Fr.One));
            Terms(body, (Wire(i + 1, constraints), Fr.One), (0, minusOne * Fr.FromUInt64((ulong)i)));
        }

        return Container("r1cs", 1, header, body.ToArray());
    }

    internal static byte[] Witness(int constraints)
    {
        var header = new byte[40];
        BinaryPrimitives.WriteInt32LittleEndian(header, Fr.Size);
        SnarkPoints.WriteNumber(Fr.Modulus, header.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(36), constraints + FirstWire);
        var body = new byte[Fr.Size * (constraints + FirstWire)];
        var value = Fr.FromUInt64(7);
        SnarkPoints.WriteNumber(Fr.One.ToUInt256(), body);
        SnarkPoints.WriteNumber(value.ToUInt256(), body.AsSpan(Fr.Size * Wire(0)));
        for (var i = 0; i < constraints; i++)
        {
            value = (value * value) + Fr.FromUInt64((ulong)i);
            SnarkPoints.WriteNumber(value.ToUInt256(), body.AsSpan(Fr.Size * Wire(i + 1, constraints)));
        }

        return Container("wtns", 2, header, body);
    }

    /// <summary>The wire of a step; the last step's is the public output, wire 1.</summary>
    private static int Wire(int step, int last = int.MaxValue) => step == last ? 1 : FirstWire + step;

    private static void Terms(MemoryStream to, params ReadOnlySpan<(int Wire, Fr Factor)> terms)
    {
        Span<byte> bytes = stackalloc byte[4 + Fr.Size];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, terms.Length);
        to.Write(bytes[..4]);
        foreach (var (wire, factor) in terms)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, wire);
            SnarkPoints.WriteNumber(factor.ToUInt256(), bytes[4..]);
            to.Write(bytes);
        }
    }

    private static byte[] Container(string kind, int version, byte[] header, byte[] body)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(System.Text.Encoding.ASCII.GetBytes(kind));
        writer.Write(version);
        writer.Write(2);
        writer.Write(1);
        writer.Write((ulong)header.Length);
        writer.Write(header);
        writer.Write(2);
        writer.Write((ulong)body.Length);
        writer.Write(body);
        return stream.ToArray();
    }
}
