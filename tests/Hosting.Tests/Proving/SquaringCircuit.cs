using System.Text;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;

namespace SuperVm.Hosting.Tests.Proving;

/// <summary>"I know a number whose repeated square is this": files as circom and snarkjs write them.</summary>
internal static class SquaringCircuit
{
    /// <summary>A .zkey of so many constraints, with secrets that nobody keeps secret.</summary>
    internal static byte[] Key(int constraints)
    {
        using var source = new MemorySource(R1csFile(constraints));
        using var key = new MemoryStream();
        DevelopmentSetup.Write(new R1cs(source), new CountingSource(), key);
        return key.ToArray();
    }

    /// <summary>A .wtns with the number and its squares; wires: 1, the last square (public), the number, the others.
    /// </summary>
    internal static byte[] Witness(int constraints, ulong number)
    {
        var squares = new List<UInt256> { number };
        for (var i = 0; i < constraints; i++)
        {
            squares.Add(UInt256.MulMod(squares[^1], squares[^1], Fr.Modulus));
        }

        return WitnessFile([1, squares[^1], .. squares.Take(constraints)]);
    }

    internal static byte[] WitnessFile(IReadOnlyList<UInt256> values)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Encoding.ASCII.GetBytes("wtns"));
        writer.Write(2);
        writer.Write(2);
        Section(writer, 1, section =>
        {
            section.Write(32);
            Number(section, Fr.Modulus);
            section.Write(values.Count);
        });
        Section(writer, 2, section =>
        {
            foreach (var value in values)
            {
                Number(section, value);
            }
        });
        return stream.ToArray();
    }

    private static byte[] R1csFile(int constraints)
    {
        var wires = constraints + 2;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Encoding.ASCII.GetBytes("r1cs"));
        writer.Write(1);
        writer.Write(3);
        Section(writer, 1, section =>
        {
            section.Write(32);
            Number(section, Fr.Modulus);
            section.Write(wires);
            section.Write(1);
            section.Write(0);
            section.Write(1);
            section.Write((long)wires);
            section.Write(constraints);
        });
        Section(writer, 2, section =>
        {
            for (var i = 0; i < constraints; i++)
            {
                var square = i == constraints - 1 ? 1 : i + 3;
                foreach (var wire in new[] { i + 2, i + 2, square })
                {
                    section.Write(1);
                    section.Write(wire);
                    Number(section, 1);
                }
            }
        });
        Section(writer, 3, section =>
        {
            for (var i = 0; i < wires; i++)
            {
                section.Write((long)i);
            }
        });
        return stream.ToArray();
    }

    private static void Section(BinaryWriter writer, int type, Action<BinaryWriter> body)
    {
        using var stream = new MemoryStream();
        using var section = new BinaryWriter(stream);
        body(section);
        writer.Write(type);
        writer.Write(stream.Length);
        writer.Write(stream.ToArray());
    }

    private static void Number(BinaryWriter writer, in UInt256 value)
    {
        var bytes = value.ToBigEndian();
        Array.Reverse(bytes);
        writer.Write(bytes);
    }
}

/// <summary>Predictable bytes, never the same twice.</summary>
internal sealed class CountingSource : IRandomSource
{
    private ulong _next = 0x9E3779B97F4A7C15;

    public void Fill(Span<byte> bytes)
    {
        foreach (ref var b in bytes)
        {
            _next = (_next * 6364136223846793005) + 1442695040888963407;
            b = (byte)(_next >> 56);
        }
    }
}
